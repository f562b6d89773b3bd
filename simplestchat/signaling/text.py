"""Names and chat text as people type them, made safe to keep: still text, never markup, without control characters."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from simplestchat.errors import InvalidParams
from simplestchat.signaling.data import CHAT_TEXT_MAX, NAME_MAX

# C0 and C1 controls, and the line separators that some programs take for line ends.
_CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_CONTROLS_BUT_LAYOUT: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# Overrides and isolates turn the text around them; a name must not reach beyond itself.
_BIDI: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
# What would be lost or mean something else in a link's path.
_NOT_IN_ROOM_ID: Final = re.compile(r"[/\\?#%\s\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def clean_name(name: str, whose: str = "name") -> str:
    """A name of 1 to 64 characters on one line; raises ``InvalidParams`` with a way out."""
    cleaned = " ".join(_BIDI.sub("", _CONTROLS.sub(" ", name)).split())
    if not any(_visible(char) for char in cleaned):
        raise InvalidParams(f"The {whose} is empty. Choose one with at least one visible character.")
    if len(cleaned) > NAME_MAX:
        raise InvalidParams(f"The {whose} has {len(cleaned)} characters. Shorten it to at most {NAME_MAX}.")
    return cleaned


def clean_text(text: str) -> str:
    """A chat text of 1 to 4096 characters; line feeds and tabs stay."""
    if text.isprintable():  # as nearly all is: nothing to take out, and whatever is no blank is visible
        cleaned, empty = text, not text or text.isspace()
    else:
        cleaned = _CONTROLS_BUT_LAYOUT.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
        empty = not any(map(_visible, cleaned))
    if empty:
        raise InvalidParams("The message is empty. Write at least one visible character.")
    if len(cleaned) > CHAT_TEXT_MAX:
        raise InvalidParams(f"The message has {len(cleaned)} characters. Split it: {CHAT_TEXT_MAX} is the most.")
    return cleaned


def check_room_id(room: str) -> str:
    """A room id that is fit for a link; raises ``InvalidParams`` with a way out."""
    if room in (".", "..") or _NOT_IN_ROOM_ID.search(room) or not any(_visible(char) for char in room):
        raise InvalidParams(
            "The room's id does not fit into a link. Use letters, digits, '-', '_' and '.', without blanks or slashes."
        )
    return room


def _visible(char: str) -> bool:
    return not char.isspace() and unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Cn", "Zs", "Zl", "Zp")
