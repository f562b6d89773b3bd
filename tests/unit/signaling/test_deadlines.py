"""Deadlines: each once, at its latest time, and no more of them than there is to wait for."""

from __future__ import annotations

import random

from support.recorder import World

from simplestchat.signaling.deadlines import Deadlines, Reason
from simplestchat.signaling.rest import RoomCreate


def taken(deadlines: Deadlines, now: float) -> list[str]:
    found = []
    while (due := deadlines.take(now)) is not None:
        found.append(due[1])
    return found


def test_the_earliest_comes_first_and_only_when_it_is_due() -> None:
    some = Deadlines()
    for when, room in ((3.0, "c"), (1.0, "a"), (2.0, "b")):
        some.add(when, Reason.ROOM_EMPTY, room)
    assert some.next() == 1.0
    assert taken(some, 0.5) == []
    assert taken(some, 2.0) == ["a", "b"]
    assert some.next() == 3.0


def test_what_is_said_again_counts_once_and_what_is_dropped_not_at_all() -> None:
    some = Deadlines()
    some.add(1.0, Reason.ROOM_EMPTY, "moved")
    some.add(5.0, Reason.ROOM_EMPTY, "moved")
    some.add(2.0, Reason.ROOM_EMPTY, "dropped")
    some.add(3.0, Reason.PEER_GRACE, "dropped", "peer")
    some.drop(Reason.ROOM_EMPTY, "dropped")
    some.drop(Reason.ROOM_EMPTY, "never there")
    assert some.next() == 3.0
    assert taken(some, 4.0) == ["dropped"]
    assert taken(some, 9.0) == ["moved"]
    assert some.next() is None


def test_it_is_what_a_plain_table_would_say() -> None:
    chance = random.Random(7)
    some, table = Deadlines(), dict[str, float]()
    for now in range(2000):
        room = str(chance.randrange(20))
        if chance.random() < 0.7:
            table[room] = now + chance.randrange(1, 30)
            some.add(table[room], Reason.ROOM_EMPTY, room)
        else:
            table.pop(room, None)
            some.drop(Reason.ROOM_EMPTY, room)
        assert some.next() == min(table.values(), default=None)
        due = {name for name, when in table.items() if when <= now}
        assert set(taken(some, now)) == due
        for name in due:
            del table[name]


def held(world: World) -> int:
    return len(world.hub._deadlines)


def test_coming_and_going_leaves_nothing_behind() -> None:
    world = World()
    world.hub.create_room(RoomCreate(id="made"))
    client = world.client()
    for _ in range(2000):
        client.join("made", "Ada")
        client.call("room.leave")
        world.wait(0.1)  # so that no limit of requests is met
    assert held(world) < 100


def test_losing_ones_connection_again_and_again_leaves_nothing_behind() -> None:
    world = World()
    token = world.joined().joined["resumeToken"]
    for _ in range(2000):
        world.joined(resume=token).drop()
    assert held(world) < 100
    world.wait(1000)  # Ada's grace time
    world.wait(1000)  # the empty room's
    assert world.hub.census()["rooms"] == 0
    assert held(world) == 0


def test_closed_rooms_leave_nothing_behind() -> None:
    world = World()
    for number in range(2000):
        client, other = world.joined(str(number)), world.joined(str(number), "Bob")
        other.drop()
        client.call("room.close")
    assert held(world) < 100
