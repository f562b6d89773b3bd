"""What the tests expect of pages in a call."""

from __future__ import annotations

from collections.abc import Sequence

from support.call_page import CallPage
from support.waiting import eventually

FRAMES = 10  # decoded between two looks: proof that pictures flow, not that one arrived


def expect_everyone_sees_everyone(people: Sequence[CallPage]) -> None:
    """Every page decodes the pictures of every other, in a size in which they are sent, and hears it."""
    for person in people:
        expect_one_sees(person, [other for other in people if other is not person])


def expect_one_sees(person: CallPage, others: Sequence[CallPage]) -> None:
    """One page decodes the pictures of all the others, in a size in which they are sent, and hears them."""
    person.wait_for_people(*(other.name for other in others))
    for other in others:
        expect_pictures(person, other.name)
        eventually(
            lambda other=other: (person.seen().get(other.name), other.sent_sizes()),
            lambda both: both[0] is not None and both[0].size in both[1],
        )
    eventually(person.heard, lambda voices: len(voices) == len(others) and min(voices) > 0)


def expect_pictures(person: CallPage, name: str, timeout_s: float = 20.0) -> None:
    """New pictures of someone keep being decoded."""
    first = eventually(person.seen, lambda seen: name in seen and seen[name].frames > 0, timeout_s)[name]
    eventually(
        person.seen,
        lambda seen: name in seen and (seen[name].track != first.track or seen[name].frames >= first.frames + FRAMES),
        timeout_s,
    )
