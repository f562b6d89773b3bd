"""Senders and receivers of synthetic media for tests: settings, packets by hand, and a path in virtual time."""

from __future__ import annotations

import heapq
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simplestchat._native.testing import probe_peer as peer
from simplestchat._native.testing.probe_wire import rtp_parse

OPUS, VP8, H264, VP9, AV1 = 1, 2, 3, 4, 5
KEYFRAME, LAST, FORBIDDEN, SILENCE = 1, 2, 4, 8
MS = 1000
S = 1_000_000
FOREVER = 1 << 62
NEVER = (1 << 63) - 1

LAYER = {"ssrc": 100, "rtx_ssrc": 101, "bitrate_bps": 600_000, "width": 640, "height": 360}
CAMERA: dict[str, Any] = {
    "user": 3,
    "track": 1,
    "codec": VP8,
    "video": 1,
    "payload_type": 96,
    "rtx_payload_type": 97,
    "clock_rate": 90_000,
    "fps": 30,
    "max_payload": 1160,
    "seed": 5,
    "mid": "1",
    "ext": {"mid": 4, "abs-send-time": 2, "rid": 10, "repaired-rid": 11},
    "layers": [LAYER],
}
MICROPHONE: dict[str, Any] = {
    "user": 3,
    "track": 0,
    "codec": OPUS,
    "video": 0,
    "payload_type": 111,
    "clock_rate": 48_000,
    "talk": 1,
    "dtx": 1,
    "seed": 9,
    "mid": "0",
    "ext": {"mid": 4, "audio-level": 1},
    "layers": [{"ssrc": 200, "bitrate_bps": 32_000}],
}


def listener(info: dict[str, Any]) -> dict[str, Any]:
    """The settings of who receives what a sender with ``info`` sends, its SSRCs unchanged."""
    names = ("user", "track", "codec", "video", "payload_type", "clock_rate")
    layer = info["layers"][0]
    settings = {name: info[name] for name in names}
    return settings | {
        "rtx_payload_type": info.get("rtx_payload_type", -1),
        "ssrc": layer["ssrc"],
        "rtx_ssrc": layer.get("rtx_ssrc", 0),
    }


@dataclass
class Listener:
    """A receiver with its ledger and measures."""

    info: dict[str, Any]
    now: int = 0
    ledger: peer.Ledger = field(default_factory=peer.Ledger)
    measures: peer.Measures = field(default_factory=peer.Measures)
    receiver: peer.Receiver = field(init=False)

    def __post_init__(self) -> None:
        self.receiver = peer.Receiver(listener(self.info), self.now, self.ledger, self.measures)

    def settled(self) -> dict[str, int]:
        """Totals when nothing is open any more."""
        self.receiver.settle(FOREVER)
        return self.receiver.totals()


@dataclass(frozen=True)
class Packet:
    """One packet of a sender, and what its stamp says."""

    data: bytes
    header_size: int
    index: int
    due: int
    stamp: dict[str, int]

    @property
    def payload(self) -> bytes:
        return self.data[self.header_size :]

    @property
    def counter(self) -> int:
        return self.stamp["counter"]


def opened(codec: int, taken: tuple[bytes, int, int, int]) -> Packet:
    """A taken packet with its stamp read."""
    data, header_size, index, due = taken
    offset, _ = peer.payload_read(codec, data[header_size:])
    return Packet(data, header_size, index, due, peer.stamp_read(data[header_size + offset :]))


def stream(info: dict[str, Any], span: int, begin: int = 0) -> list[Packet]:
    """What a sender sends in ``span`` microseconds."""
    sender = peer.Sender(info, begin)
    return [opened(info["codec"], taken) for taken in sender.take(begin + span)]


def rtx(packet: Packet, info: dict[str, Any], sequence: int = 7) -> bytes:
    """A packet as a retransmission of it (RFC 4588), without header extensions."""
    view = rtp_parse(packet.data)
    head = struct.pack(
        "!BBHII",
        0x80,
        view["marker"] << 7 | info["rtx_payload_type"],
        sequence & 0xFFFF,
        view["timestamp"],
        info["layers"][0]["rtx_ssrc"],
    )
    return head + struct.pack("!H", packet.index & 0xFFFF) + packet.payload


def damaged(packet: Packet) -> bytes:
    """A packet with a bit of its stamp turned over."""
    at = len(packet.data) - 20
    return packet.data[:at] + bytes([packet.data[at] ^ 1]) + packet.data[at + 1 :]


@dataclass
class Call:
    """A sender and a listener with a path between them, in virtual time, one step a millisecond.

    ``fate`` says of each packet what becomes of it: delays in microseconds, one for each copy that arrives.
    """

    info: dict[str, Any]
    fate: Callable[[random.Random], list[int]] = field(default=lambda _: [20 * MS])
    seed: int = 1
    back_us: int = 20 * MS
    now: int = 0

    def __post_init__(self) -> None:
        self.sender = peer.Sender(self.info, self.now)
        self.listener = Listener(self.info, self.now)
        self.random = random.Random(self.seed)
        self.queue: list[tuple[int, int, Callable[[int], None]]] = []
        self.count = 0

    def run(self, span: int) -> None:
        """Go on for ``span`` microseconds."""
        end = self.now + span
        while self.now < end:
            self._send()
            self._arrive()
            self._ask()
            if self.now % S == 0:
                self.listener.receiver.settle(self.now)
            self.now += MS

    def drain(self) -> None:
        """Let arrive what is on its way."""
        while self.queue:
            at, _, action = heapq.heappop(self.queue)
            action(at)

    def _send(self) -> None:
        for data, _, index, _ in self.sender.take(self.now):
            for delay in self.fate(self.random):
                self._later(delay, lambda at, d=data, i=index: self.listener.receiver.packet(d, i, at))

    def _ask(self) -> None:
        ssrc = self.info["layers"][0]["ssrc"]
        for sequence in self.listener.receiver.nacks(self.now):
            self._later(self.back_us, lambda at, s=sequence: self._resend(ssrc, s, at))
        if self.listener.receiver.wants_keyframe(self.now):
            self._later(self.back_us, lambda at: self.sender.keyframe(ssrc, at))

    def _resend(self, ssrc: int, sequence: int, at: int) -> None:
        again = self.sender.resend(ssrc, sequence, at)
        if again is not None:
            for delay in self.fate(self.random):
                self._later(delay, lambda then: self.listener.receiver.repair(again[0], then))

    def _later(self, delay: int, action: Callable[[int], None]) -> None:
        self.count += 1
        heapq.heappush(self.queue, (self.now + delay, self.count, action))

    def _arrive(self) -> None:
        while self.queue and self.queue[0][0] <= self.now:
            at, _, action = heapq.heappop(self.queue)
            action(at)
