"""Transport-wide feedback of synthetic users: every number is told, lost ones too, in time and in bounds."""

from __future__ import annotations

import random

import pytest

from simplestchat._native.peer.swarm import Swarm
from simplestchat._native.testing.probe_adapting import Arrivals, connect
from simplestchat._native.testing.probe_crypto import Srtp
from simplestchat._native.testing.probe_rtcp import rtcp_parse
from simplestchat._native.testing.probe_wire import rtp_write

NEVER = 0x7FFFFFFFFFFFFFFF
MS = 1000
GCM = 7
EXT = 5


def told(feedbacks: list[bytes]) -> dict[int, int | None]:
    """Number to arrival, as a sender of media learns it; a later word counts."""
    known: dict[int, int | None] = {}
    for data in feedbacks:
        (view,) = rtcp_parse(data)
        for i, arrival in enumerate(view["arrivals"]):
            known[(view["base_seq"] + i) & 0xFFFF] = arrival
    return known


def test_a_feedback_tells_of_every_number_with_its_time() -> None:
    arrivals = Arrivals()
    assert arrivals.due == NEVER
    for i in range(9):
        arrivals.packet(65_530 + i & 0xFFFF, 1_000_000 + i * 5 * MS)
    assert arrivals.due == 1_100_000
    assert arrivals.write(1_099_999) == []
    known = told(arrivals.write(1_100_000))
    assert known == {(65_530 + i) & 0xFFFF: 1_000_000 + i * 5 * MS for i in range(9)}
    assert arrivals.due == NEVER


def test_where_many_wait_it_leaves_sooner() -> None:
    arrivals = Arrivals()
    for i in range(10):
        arrivals.packet(i, 1_000_000 + i * MS)
    assert arrivals.due == 1_050_000
    for i in range(10, 480):
        arrivals.packet(i, 1_010_000)
    assert arrivals.due == 1_010_000


def test_what_is_lost_is_told_and_told_again_when_it_comes() -> None:
    arrivals = Arrivals()
    for number in (10, 11, 13, 16):
        arrivals.packet(number, 1_000_000)
    known = told(arrivals.write(1_100_000))
    assert [number for number, at in known.items() if at is None] == [12, 14, 15]
    arrivals.packet(19, 1_120_000)
    arrivals.packet(14, 1_130_000)
    arrivals.packet(14, 1_140_000)  # counts once
    again = told(arrivals.write(1_230_000))
    assert again == {14: 1_130_000, 15: None, 16: 1_000_000, 17: None, 18: None, 19: 1_120_000}


def test_losses_right_behind_a_feedback_are_not_forgotten() -> None:
    arrivals = Arrivals()
    arrivals.packet(1, 1_000_000)
    assert told(arrivals.write(1_100_000)) == {1: 1_000_000}
    arrivals.packet(5, 1_200_000)
    assert told(arrivals.write(1_300_000)) == {2: None, 3: None, 4: None, 5: 1_200_000}


def test_a_long_outage_fills_no_feedback_beyond_a_datagram() -> None:
    arrivals = Arrivals()
    arrivals.packet(1, 1_000_000)
    arrivals.write(1_100_000)
    for number in (5000, 5001, 30_000, 29_999, 1, 20_000):  # the last two are too late
        arrivals.packet(number, 3_000_000)
    feedbacks = arrivals.write(3_100_000)
    assert all(len(data) <= 1160 for data in feedbacks)
    known = told(feedbacks)
    assert known[30_000] == known[29_999] == 3_000_000
    assert known[29_998] is None
    assert len(known) <= 1024


def test_times_too_far_apart_are_told_by_two() -> None:
    arrivals = Arrivals()
    arrivals.packet(1, 1_000_000)
    arrivals.packet(2, 30_000_000)
    assert [rtcp_parse(data)[0]["arrivals"] for data in arrivals.write(30_100_000)] == [[1_000_000], [30_000_000]]


@pytest.mark.parametrize("seed", range(5))
def test_any_order_any_loss_ends_in_what_came(seed: int) -> None:
    rng = random.Random(seed)
    arrivals, now, came, feedbacks = Arrivals(), 5_000_000, dict[int, int](), list[bytes]()
    order = sorted(range(4000), key=lambda number: number + rng.random() * 40)
    for number in order:
        now += rng.randrange(3 * MS)
        if number and rng.random() < 0.2:
            continue
        came[number] = now // 250 * 250
        arrivals.packet(number, came[number])
        if rng.random() < 0.1:
            arrivals.packet(number, now + MS)  # a duplicate
        feedbacks += arrivals.write(now)
    feedbacks += arrivals.write(now + 100 * MS)
    known = told(feedbacks)
    first, last = order[0], max(came)
    assert {number: at for number, at in known.items() if at is not None} == came
    assert set(range(first, last + 1)) <= set(known)
    counts = [rtcp_parse(data)[0]["feedback_count"] for data in feedbacks]
    assert counts == [i & 0xFF for i in range(len(feedbacks))]


class Server:
    """The other end of one path that is connected without ICE."""

    def __init__(self) -> None:
        self.now = 1_000_000
        self.swarm = Swarm(b"seed")
        self.swarm.tick(self.now)
        self.swarm.add_path(1, 1, ("192.0.2.1", 9), "server", "password-of-the-server", self.swarm.fingerprint, 1)
        connect(self.swarm, 1, self.now)
        self.sends, self.receives = (Srtp(GCM, b"0123456789abcdef", b"salt-of-test") for _ in range(2))
        self.sequence = 0
        self.swarm.drain()

    def media(self, ssrc: int, number: int | None, payload: bytes) -> None:
        self.sequence += 1
        elements = [] if number is None else [(EXT, number.to_bytes(2, "big"))]
        packet = rtp_write(96, True, self.sequence, 90_000, ssrc, elements)
        sealed = self.sends.protect(packet + payload, header_size=len(packet))
        self.swarm.feed(1, sealed, self.now)

    def wait(self, us: int) -> list[bytes]:
        """What the path sends meanwhile, as RTCP in the clear."""
        self.now += us
        self.swarm.tick(self.now)
        return [
            self.receives.unprotect_rtcp(data)
            for _, data in self.swarm.drain()
            if 192 <= data[1] < 224 and data[0] >> 6 == 2
        ]

    def receiver(self, ext: dict[str, int]) -> None:
        self.swarm.add_receiver(
            1,
            1,
            {
                "user": 2,
                "track": 1,
                "codec": "vp8",
                "payload_type": 96,
                "rtx_payload_type": 97,
                "ssrc": 1001,
                "rtx_ssrc": 1002,
                "clock_rate": 90_000,
                "ext": ext,
            },
        )


def feedbacks_in(datagrams: list[bytes]) -> list[bytes]:
    return [data for data in datagrams if data[0] == 0x8F and data[1] == 205]


def test_a_path_tells_of_media_repairs_and_what_nobody_announced() -> None:
    server = Server()
    server.receiver({"transport-cc": EXT})
    server.wait(500 * MS)
    server.media(1001, 7, bytes(100))
    server.media(1002, 8, b"\x00\x01" + bytes(100))
    server.media(4444, 10, bytes(255) + b"\xff")  # a probe on an SSRC of its own
    at = server.now
    known = told(feedbacks_in(server.wait(100 * MS)))
    assert known == {7: at, 8: at, 9: None, 10: at}
    assert feedbacks_in(server.wait(300 * MS)) == []


def test_without_the_extension_nothing_is_told() -> None:
    server = Server()
    server.receiver({"mid": 1})
    server.media(1001, 7, bytes(100))
    assert feedbacks_in(server.wait(200 * MS)) == []


def test_what_is_not_authentic_is_not_told() -> None:
    server = Server()
    server.receiver({"transport-cc": EXT})
    packet = rtp_write(96, True, 1, 90_000, 1001, [(EXT, b"\x00\x07")]) + bytes(100)
    server.swarm.feed(1, packet, server.now)
    assert feedbacks_in(server.wait(200 * MS)) == []
