"""What a synthetic peer receives: it checks every payload, asks for what it misses, and reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from support.netem import Clock, Timer
from support.publisher import ntp_at
from support.rtp import RtpPacket, extended_sequence
from support.stamp import Stamp, Vp8Numbers, read_stamp, read_vp8_numbers, read_vp8_stamp

from simplestchat._native.testing.probe_rtcp import rtcp_nack, rtcp_pli, rtcp_rr

NACK_GAP_US = 20_000
NACK_TRIES = 10
TICK_US = 10_000
REPORT_US = 500_000
KEYFRAME_PATIENCE_US = 1_000_000


@dataclass(frozen=True)
class ConsumerSettings:
    """What a consumer is called on the wire towards its subscriber."""

    kind: str
    ssrc: int
    rtx_ssrc: int
    payload_type: int
    rtx_payload_type: int
    clock_rate: int
    nack: bool = True
    pli: bool = True


@dataclass(frozen=True)
class Arrival:
    """One payload, as it came for the first time."""

    index: int
    timestamp: int
    marker: bool
    stamp: Stamp
    arrived_us: int
    repaired: bool
    keyframe: bool
    numbers: Vp8Numbers | None = None


@dataclass
class Faults:
    """What must never happen, each with what came."""

    corrupt: list[int] = field(default_factory=list)
    duplicates: list[tuple[int, int]] = field(default_factory=list)
    wrong_payload_type: list[int] = field(default_factory=list)
    rewritten: list[int] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.corrupt or self.duplicates or self.wrong_payload_type or self.rewritten)


class Reception:
    """One consumer's stream at its subscriber. `send_rtcp` takes plain RTCP."""

    def __init__(self, clock: Clock, settings: ConsumerSettings, send_rtcp: Callable[[bytes], None]) -> None:
        self._clock, self.settings, self._send_rtcp = clock, settings, send_rtcp
        self.arrivals: dict[int, Arrival] = {}
        self.by_counter: dict[tuple[int, int], Arrival] = {}
        self.faults = Faults()
        self.spurious = 0
        self.highest = -1
        self.first_index = -1
        self.missing: dict[int, tuple[int, int]] = {}
        self.given_up: list[int] = []
        self.nacks_sent = 0
        self.keyframe_requests: list[int] = []
        self.extensions: set[tuple[int, bytes]] = set()
        self.sender_reports: list[tuple[int, dict[str, int]]] = []
        self.rtt_us = 50_000
        self._timer: Timer | None = None
        self._decodable = settings.kind == "audio"
        self.created_us = clock.now
        self._report_due_us = clock.now + REPORT_US

    def start(self) -> None:
        self._timer = self._clock.call_in(TICK_US, self._tick)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # What comes.

    def receive(self, packet: RtpPacket) -> None:
        if packet.payload_type != self.settings.payload_type:
            self.faults.wrong_payload_type.append(packet.payload_type)
            return
        self.extensions.update(packet.extensions)
        if self.highest < 0:
            self.first_index = self.highest = packet.sequence
        self._take(packet, extended_sequence(packet.sequence, self.highest), repaired=False)

    def receive_rtx(self, packet: RtpPacket) -> None:
        if packet.payload_type != self.settings.rtx_payload_type or len(packet.payload) < 2:
            self.faults.wrong_payload_type.append(packet.payload_type)
            return
        if self.highest < 0:
            return
        sequence = int.from_bytes(packet.payload[:2], "big")
        original = RtpPacket(
            self.settings.payload_type, packet.marker, sequence, packet.timestamp, packet.ssrc, packet.payload[2:]
        )
        self._take(original, extended_sequence(sequence, self.highest), repaired=True)

    def receive_sender_report(self, report: dict[str, int]) -> None:
        self.sender_reports.append((self._clock.now, report))

    def _take(self, packet: RtpPacket, index: int, repaired: bool) -> None:
        stamp, keyframe = (
            read_vp8_stamp(packet.payload) if self.settings.kind == "video" else (read_stamp(packet.payload), False)
        )
        if stamp is None:
            self.faults.corrupt.append(index)
            return
        numbers = read_vp8_numbers(packet.payload) if self.settings.kind == "video" else None
        known = self.arrivals.get(index)
        if known is not None:
            self.spurious += 1
            if known.stamp != stamp or known.timestamp != packet.timestamp or known.numbers != numbers:
                self.faults.rewritten.append(index)
            return
        arrival = Arrival(index, packet.timestamp, packet.marker, stamp, self._clock.now, repaired, keyframe, numbers)
        key = (stamp.stream, stamp.counter)
        if key in self.by_counter:
            self.faults.duplicates.append((self.by_counter[key].index, index))
        self.arrivals[index] = arrival
        self.by_counter[key] = arrival
        self._decodable = self._decodable or keyframe
        self.missing.pop(index, None)
        for lost in range(self.highest + 1, index):
            self.missing[lost] = (self._clock.now, 0)
        self.highest = max(self.highest, index)

    # What is asked for and reported.

    def _tick(self) -> None:
        now = self._clock.now
        if self.settings.nack:
            self._ask_for_missing(now)
        if self.settings.pli and not self._decodable:
            last = self.keyframe_requests[-1] if self.keyframe_requests else self.created_us
            if now - last >= KEYFRAME_PATIENCE_US:
                self.ask_for_keyframe()
        if now >= self._report_due_us:
            self._report_due_us = now + REPORT_US
            self._report()
        self._timer = self._clock.call_in(TICK_US, self._tick)

    def _ask_for_missing(self, now: int) -> None:
        due = []
        for index, (when, tries) in list(self.missing.items()):
            if when > now:
                continue
            if tries >= NACK_TRIES:
                del self.missing[index]
                self.given_up.append(index)
                continue
            due.append(index)
            self.missing[index] = (now + max(NACK_GAP_US, self.rtt_us), tries + 1)
        if due:
            self.nacks_sent += len(due)
            self._send_rtcp(rtcp_nack(1, self.settings.ssrc, nack_items(due)[:64]))

    def ask_for_keyframe(self) -> None:
        self.keyframe_requests.append(self._clock.now)
        self._send_rtcp(rtcp_pli(1, self.settings.ssrc))

    def _report(self) -> None:
        if self.highest < 0:
            return
        block = {
            "ssrc": self.settings.ssrc,
            "fraction_lost": 0,
            "cumulative_lost": len(self.missing),
            "highest_seq": self.highest & 0xFFFFFFFF,
            "jitter": 0,
            "lsr": 0,
            "dlsr": 0,
        }
        if self.sender_reports:
            came, report = self.sender_reports[-1]
            block["lsr"] = (report["ntp"] >> 16) & 0xFFFFFFFF
            block["dlsr"] = (self._clock.now - came) * 65536 // 1_000_000
        self._send_rtcp(rtcp_rr(1, [block]))

    # What the tests ask.

    def by_index(self) -> list[tuple[int, int]]:
        """(index, timestamp) of all that came, in the order of indices."""
        return [(index, self.arrivals[index].timestamp) for index in sorted(self.arrivals)]

    def latencies(self) -> list[int]:
        return [arrival.arrived_us - arrival.stamp.sent_us for arrival in self.by_counter.values()]

    def ntp_error_us(self) -> list[int]:
        """For each sender report: how far its pair of times is from the clock that the publisher's packets keep."""
        errors = []
        for came, report in self.sender_reports:
            reference = min(self.arrivals.values(), key=lambda arrival: abs(arrival.arrived_us - came))
            ticks = (reference.timestamp - report["rtp_timestamp"] + 2**31) % 2**32 - 2**31
            at_packet_us = (
                report["ntp"] - ntp_at(0)
            ) * 1_000_000 // 2**32 + ticks * 1_000_000 // self.settings.clock_rate
            errors.append(at_packet_us - reference.stamp.sent_us)
        return errors


def nack_items(indices: list[int]) -> list[tuple[int, int]]:
    """Ascending indices as (packet id, bit mask) items of a generic NACK."""
    items: list[tuple[int, int]] = []
    first = -1
    for index in sorted(indices):
        if items and 0 < index - first <= 16:
            pid, mask = items[-1]
            items[-1] = (pid, mask | 1 << (index - first - 1))
        else:
            first = index
            items.append((index & 0xFFFF, 0))
    return items
