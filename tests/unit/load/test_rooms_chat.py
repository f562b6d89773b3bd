"""What a process knows of its rooms, and the chat oracle: each fault of a chat is found and named."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat.load.acked import Acked
from simplestchat.load.counts import Tally
from simplestchat.load.messages import StreamResult
from simplestchat.load.oracle import Member
from simplestchat.load.results import STREAMS_KEPT, Streams
from simplestchat.load.rooms import Latest, Room
from simplestchat.signaling.data import ChatMessage, ChatState


@dataclass
class Listeners:
    """The part of a world that a member needs."""

    tally: Tally = field(default_factory=Tally)


def message(seq: int, client_id: str = "") -> ChatMessage:
    return ChatMessage(
        id=f"m{seq}", seq=seq, peer_id="p", name="u0", text="x", time=0, client_id=client_id or f"u0-{seq}"
    )


def member(room: Room | None = None, before: int = 0) -> tuple[Member, Tally, Room]:
    room = room or Room(0, "r", None)
    world = Listeners()
    one = Member(world, room, 7)  # type: ignore[arg-type]
    one.join(ChatState(epoch="e", messages=[message(seq) for seq in range(1, before + 1)]))
    return one, world.tally, room


def faults(order: list[int], *, acked: int = 0, before: int = 0) -> dict[str, int]:
    one, tally, room = member(before=before)
    for seq in order:
        one.hears(message(seq))
    for seq in range(1, acked + 1):
        room.chat.acknowledged(seq, f"u0-{seq}")
    one.leave(present=True)
    return dict(tally.faults)


@given(st.integers(0, 5), st.integers(0, 30))
def test_everything_once_and_in_order_is_right(before: int, count: int) -> None:
    order = list(range(before + 1, before + count + 1))
    assert faults(order, acked=before + count, before=before) == {}


@pytest.mark.parametrize(
    ("order", "acked", "found"),
    [
        ([1, 3], 3, {"chat-lost": 1}),
        ([1, 2], 4, {"chat-lost": 2}),
        ([2, 1, 3], 3, {"chat-disorder": 1}),
        ([1, 2, 2, 3], 3, {"chat-duplicate": 1}),
        ([1, 5], 5, {"chat-lost": 3}),
        ([], 1, {"chat-lost": 1}),
    ],
)
def test_each_fault_is_named(order: list[int], acked: int, found: dict[str, int]) -> None:
    assert faults(order, acked=acked) == found


@given(st.lists(st.integers(1, 12), min_size=1, max_size=30))
def test_only_a_whole_chat_is_right(order: list[int]) -> None:
    right = order == list(range(1, len(order) + 1))
    assert (faults(order, acked=max(order)) == {}) == right


def test_two_members_must_hear_the_same_under_one_number() -> None:
    one, _, room = member()
    other, tally, _ = member(room)
    one.hears(message(1, "u0-0"))
    other.hears(message(1, "u3-9"))
    assert tally.faults == {"chat-changed": 1}


def test_what_was_acknowledged_must_be_what_is_heard() -> None:
    one, tally, room = member()
    assert room.chat.acknowledged(1, "u0-0")
    one.hears(message(1, "u0-1"))
    assert tally.faults == {"chat-changed": 1}
    assert not room.chat.acknowledged(1, "u0-1")


def test_who_left_early_need_not_hear_the_rest() -> None:
    one, tally, room = member()
    one.hears(message(1))
    room.chat.acknowledged(9, "u0-9")
    one.leave(present=False)
    assert not tally.faults


def test_numbering_begins_anew_with_another_epoch() -> None:
    one, tally, room = member(before=3)
    one.join(ChatState(epoch="f", messages=[]))
    one.hears(message(1, "u5-0"))
    room.chat.acknowledged(1, "u5-0")
    one.leave(present=True)
    assert not tally.faults


def test_a_name_tells_who_a_peer_is_and_whether_it_is_a_ghost() -> None:
    room = Room(0, "r", None)
    for peer, name in (("a", "u4"), ("b", "u4.1"), ("c", "Chromium"), ("d", "u4")):
        room.meet(peer, name)
    assert (room.who("a"), room.who("b"), room.who("c"), room.who("x")) == ((4, 0), (4, 1), None, None)
    assert [peer for peer in "abcd" if room.is_latest(peer)] == ["b"]


def test_only_the_latest_is_remembered() -> None:
    latest: Latest[int, str] = Latest(3)
    for number in range(5):
        latest.setdefault(number, str(number))
    assert list(latest) == [2, 3, 4]


def test_the_worst_streams_are_kept() -> None:
    streams = Streams()
    for number in range(STREAMS_KEPT + 50):
        totals = {"lost": number % 100, "misdelivered": int(number == 5)}
        streams.add(StreamResult(subscriber=number, publisher=0, track=0, room=0, seconds=1, totals=totals))
    kept = streams.results()
    assert len(kept) == STREAMS_KEPT
    assert kept[0].subscriber == 5
    assert all(one.totals["lost"] >= 1 for one in kept[1:])
    assert streams.quality.lost[0] == sum(number % 100 for number in range(STREAMS_KEPT + 50)), "all are counted"


def test_what_was_acknowledged_is_bounded_and_processes_keep_what_can_be_compared() -> None:
    little, much = Acked(100), Acked(100)
    for seq in range(1, 1001):
        much.add("r", seq, f"u0-{seq}")
        if seq % 10 == 0:
            little.add("r", seq, f"u1-{seq}")
    for room in range(300):
        much.add(f"room {room}", 64 * (room + 1), "x")
    much.add("r", 0, "no number")
    assert len(little.told()["r"]) == 100
    assert sum(map(len, much.told().values())) <= 100
    first, second = ({seq for seq, _ in one.told()["r"]} for one in (little, much))
    assert second
    # Of what the fuller one kept, the other one has all that it ever had.
    assert {seq for seq in second if seq % 10 == 0} <= first


def test_fault_words_are_bounded() -> None:
    tally = Tally()
    for number in range(1000):
        tally.fault(f"refused-{number}")
    assert len(tally.faults) <= 501
    assert sum(tally.faults.values()) == 1000
