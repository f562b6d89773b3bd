"""Names and chat text: kept as text, without what could harm a line of a log or of a page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat.errors import InvalidParams
from simplestchat.signaling.text import check_room_id, clean_name, clean_text

NAMES = {
    "Ada": "Ada",
    "  Ada  Lovelace ": "Ada Lovelace",
    "Ada\r\nLovelace": "Ada Lovelace",
    "A\x00d\x1b[31ma": "A d [31ma",
    "\u202eevil": "evil",
    "<img src=x onerror=alert(1)>": "<img src=x onerror=alert(1)>",
    "%s %n {0}": "%s %n {0}",
    "عبد الله": "عبد الله",
    "👩‍👩‍👧": "👩‍👩‍👧",
    "a\u2028b": "a b",
    "x" * 64: "x" * 64,
}


@pytest.mark.parametrize(("given_name", "kept"), NAMES.items())
def test_names(given_name: str, kept: str) -> None:
    assert clean_name(given_name) == kept


@pytest.mark.parametrize("name", ["", " ", "\t\n", "\x00\x01", "\u200b", "\u202e\u2066", "\u00a0", "x" * 65])
def test_names_that_nobody_could_read_are_refused(name: str) -> None:
    with pytest.raises(InvalidParams):
        clean_name(name)


def test_chat_keeps_its_layout() -> None:
    assert clean_text("a\r\nb\rc\td\x07 <b>") == "a\nb\nc\td <b>"
    assert clean_text("x" * 4096) == "x" * 4096


@pytest.mark.parametrize("text", ["", " \n\t", "\x00", "\u200b\u200b", "x" * 4097])
def test_chat_that_says_nothing_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(InvalidParams):
        clean_text(text)


@pytest.mark.parametrize("room", ["a", "Team-1_x.y", "ünïcode", "会議"])
def test_room_ids(room: str) -> None:
    assert check_room_id(room) == room


@pytest.mark.parametrize(
    "room", [".", "..", "a/b", "a\\b", "a?b", "a#b", "a%b", "a b", "a\n", "\x00", "\u202ea", "\u200b"]
)
def test_room_ids_that_fit_no_link_are_refused(room: str) -> None:
    with pytest.raises(InvalidParams):
        check_room_id(room)


@given(st.text())
def test_cleaning_is_stable(text: str) -> None:
    for clean in (clean_name, clean_text):
        try:
            once = clean(text)
        except InvalidParams:
            continue
        assert clean(once) == once
        assert "\x00" not in once
        assert "\r" not in once
