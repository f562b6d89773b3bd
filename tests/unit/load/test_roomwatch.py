"""What the server says of rooms: growth between looks, whoever comes, goes or makes transports anew."""

from __future__ import annotations

from typing import Any

import msgspec
from support.runs import MadeUpRun

from simplestchat.load import roomwatch
from simplestchat.load import scenario as s
from simplestchat.load.judge import assess
from simplestchat.load.plan import Plan
from simplestchat.load.record import Passed, RoomRecord
from simplestchat.signaling.rest import PeerTraffic, RoomStats, Traffic

NOTHING: dict[str, Any] = dict.fromkeys(Traffic.__struct_fields__, 0)


def stats(**peers: tuple[int, int]) -> RoomStats:
    told = [
        PeerTraffic(peer_id=name, name=name, **{**NOTHING, "bytes_in": one[0], "bytes_out": one[1]})
        for name, one in peers.items()
    ]
    return RoomStats(id="room", peers=told, **NOTHING)


def counts(*looks: tuple[int, RoomStats]) -> roomwatch._Counts:
    found = roomwatch._Counts()
    for at_us, one in looks:
        found.take(at_us, one)
    return found


def test_what_passed_before_the_first_look_does_not_count() -> None:
    found = counts((5, stats(u0=(100, 1000))), (15, stats(u0=(130, 1400))))
    assert found.looks == [Passed(us=5), Passed(us=15, bytes_in=30, bytes_out=400)]
    assert found.peers == {"u0": Passed(us=10, bytes_in=30, bytes_out=400)}


def test_who_came_meanwhile_counts_for_the_room_and_is_watched_from_then_on() -> None:
    found = counts((0, stats(u0=(0, 0))), (10, stats(u0=(1, 2), u1=(50, 60))), (20, stats(u0=(2, 4), u1=(70, 90))))
    assert found.looks[-1] == Passed(us=20, bytes_in=72, bytes_out=94)
    assert found.peers["u1"] == Passed(us=10, bytes_in=20, bytes_out=30)


def test_a_counter_that_fell_began_anew_and_who_left_is_kept() -> None:
    found = counts((0, stats(u0=(500, 500))), (10, stats(u0=(600, 600))), (20, stats(u0=(30, 40))), (30, stats()))
    assert found.looks[-1] == Passed(us=30, bytes_in=130, bytes_out=140)
    assert found.peers == {"u0": Passed(us=20, bytes_in=130, bytes_out=140)}


def test_many_rooms_are_looked_at_here_and_there() -> None:
    scenario = s.Scenario(name="x", shape=s.Shape(clients=100, room_size=5))
    watch = roomwatch.RoomWatch("http://127.0.0.1:1", "run", Plan(scenario, 1))
    assert list(watch._counts) == [0, 5, 10, 15]
    few = roomwatch.RoomWatch("http://127.0.0.1:1", "run", Plan(s.Scenario(name="x", shape=s.Shape(clients=3)), 1))
    assert list(few._counts) == [0]
    assert few.records() == ()


def test_the_report_has_it_beside_what_users_received() -> None:
    looks = (Passed(us=0), Passed(us=2_000_000, bytes_in=100_000, bytes_out=300_000))
    peers = {
        "u0": Passed(us=2_000_000, bytes_in=60_000, bytes_out=200_000),
        "u1": Passed(us=1_000_000, bytes_in=20_000),
    }
    rooms = (RoomRecord(room=0, looks=looks, peers=peers),)
    report = assess(msgspec.structs.replace(MadeUpRun().record(), rooms=rooms))
    room = next(one for one in report.rooms if one.room == 0)
    assert (room.server_in_kbytes_per_s, room.server_out_kbytes_per_s) == (50, 150)
    assert (room.server_in_per_participant, room.server_out_per_participant) == (25, 50)
    assert all(one.server_in_kbytes_per_s is None for one in report.rooms if one.room != 0)
