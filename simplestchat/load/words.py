"""Where each fault word is judged: none of them may stand in a report that passed.

Most words have a total of their own, which an objective reads from the samples; those are not counted a second time.
A word that is not in the table is an error: what nobody thought of must not pass either.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

Judged: TypeAlias = Literal["counted", "errors", "disorder", "void"]
"""``counted``: by a total that grows with it; ``errors`` and ``disorder``: the word itself counts into that objective;
``void``: nothing can be concluded.
"""

#: A word that ends in ``*`` stands for all that begin so: what follows is the server's own word.
WORDS: Final[dict[str, Judged]] = {
    # Media: totals of the native side.
    "corrupt": "counted",
    "misdelivered": "counted",
    "media-after-leave": "counted",  # of the total misdelivered
    # Media that never came, or no longer.
    "silent-stream": "counted",  # silent_streams
    "stream-stopped": "errors",
    "no-picture": "errors",
    "not-negotiated": "errors",
    # What the server announces, and what it should.
    "not-announced": "errors",
    "not-subscribed": "errors",
    "ghost": "errors",
    # Chat: chat_lost, chat_duplicate, chat_disorder.
    "chat-lost": "counted",
    "chat-duplicate": "counted",
    "chat-disorder": "counted",
    "chat-changed": "counted",
    "chat-twice-numbered": "disorder",
    # Coming, staying and coming back.
    "join-failed": "counted",  # join_failures
    "refused-*": "counted",  # request_errors
    "connection-lost": "counted",  # connections_lost
    "transport-failed": "counted",  # transports_failed
    "never-came-back": "errors",
    "not-reconnected": "errors",
    "not-resumed": "errors",
    "resumed-as-another": "errors",
    "put-out": "errors",
    "server-draining": "errors",
    # What the server says.
    "unexpected-message": "errors",
    "notice-disorder": "errors",
    "other": "errors",  # past so many words
    # Strangers.
    "stranger-admitted": "errors",
    "stranger-not-tried": "errors",
    "stranger-*": "errors",
    "unexpected-notice": "errors",
    # The generator's own.
    "generator-error": "void",
}


def judged(word: str) -> Judged:
    """Where a word is judged."""
    if word in WORDS:
        return WORDS[word]
    return WORDS.get(word.partition("-")[0] + "-*", "errors")


def number(faults: Mapping[str, int], where: Judged) -> int:
    """How many faults are judged in one place."""
    return sum(count for word, count in faults.items() if judged(word) == where)
