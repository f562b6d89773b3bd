"""A room's chat in memory: numbered without gaps, bounded in count and bytes, deduplicated by its senders' ids."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from simplestchat.signaling.data import ChatMessage
from simplestchat.signaling.requests import ChatHistory, ChatPage

PAGE_DEFAULT: Final = 50
PAGE_MAX: Final = 200


class ChatLog:
    """The messages with numbers ``first``..``last``; older ones were forgotten."""

    def __init__(self, epoch: str, max_messages: int, max_bytes: int) -> None:
        self.epoch = epoch
        self.last = 0
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self.bytes = 0
        """Of text that is held."""
        self._messages: OrderedDict[int, tuple[ChatMessage, tuple[str, str]]] = OrderedDict()
        self._by_sender: dict[tuple[str, str], ChatMessage] = {}

    @property
    def first(self) -> int:
        """The number of the oldest message that is held, or of the next one when none is."""
        return self.last - len(self._messages) + 1

    def known(self, identity: str, client_id: str) -> ChatMessage | None:
        """The message that this sender stored under this id, while it is held."""
        return self._by_sender.get((identity, client_id))

    def store(self, message: ChatMessage, identity: str) -> None:
        """Keep a message; its ``seq`` must be the next number."""
        assert message.seq == self.last + 1, "chat numbers have no gaps"
        self.last = message.seq
        key = (identity, message.client_id)
        self._messages[message.seq] = (message, key)
        self._by_sender[key] = message
        self.bytes += len(message.text.encode())
        while len(self._messages) > self._max_messages or (self.bytes > self._max_bytes and len(self._messages) > 1):
            self._drop_oldest()

    def cut(self, to: int) -> None:
        """Forget the oldest messages until the others have no more bytes than this."""
        while self.bytes > to:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        _, (old, key) = self._messages.popitem(last=False)
        self.bytes -= len(old.text.encode())
        del self._by_sender[key]

    def latest(self, count: int) -> list[ChatMessage]:
        """The last messages, ascending."""
        return self._slice(max(self.first, self.last - count + 1), self.last)

    def page(self, wanted: ChatHistory) -> ChatPage:
        """A page of history: after a number the earliest ones, otherwise the latest ones before a number."""
        limit = min(wanted.limit or PAGE_DEFAULT, PAGE_MAX)
        low = self.first if wanted.after is None else max(wanted.after + 1, self.first)
        high = self.last if wanted.before is None else min(wanted.before - 1, self.last)
        if wanted.after is not None:
            begin, end = low, min(high, low + limit - 1)
            more = end < high
            truncated = wanted.after + 1 < self.first
        else:
            begin, end = max(low, high - limit + 1), high
            more = begin > low
            truncated = not more and self.first > 1
        return ChatPage(messages=self._slice(begin, end), epoch=self.epoch, more=more, truncated=truncated)

    def _slice(self, begin: int, end: int) -> list[ChatMessage]:
        return [self._messages[seq][0] for seq in range(begin, end + 1)]
