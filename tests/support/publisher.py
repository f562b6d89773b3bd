"""What a synthetic peer publishes: VP8-like video and Opus-like audio, retransmission, keyframes, sender reports."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace

from support.netem import US_PER_S, Clock, Timer
from support.rtp import RtpPacket
from support.stamp import Stamp, Vp8Numbers, stamped, vp8_payload

from simplestchat._native.testing.probe_rtcp import rtcp_sdes, rtcp_sr

HISTORY = 2048
REPORT_US = 500_000
# Wall-clock time of the virtual clock's origin, as 64-bit NTP; any will do.
NTP_ORIGIN = 0xE800_0000 << 32
FRAME_US = 33_333
AUDIO_US = 20_000


def ntp_at(now_us: int) -> int:
    return NTP_ORIGIN + (now_us << 32) // US_PER_S


@dataclass(frozen=True)
class TrackSettings:
    """What a track is called on the wire. `rtx_ssrc` 0 means retransmission of the very same packets."""

    kind: str
    stream: int
    ssrc: int
    rtx_ssrc: int
    payload_type: int
    rtx_payload_type: int
    clock_rate: int
    first_sequence: int
    first_timestamp: int
    packets_per_frame: int = 4
    packet_size: int = 1000
    interval_us: int = FRAME_US
    extensions: tuple[tuple[int, bytes], ...] = ()


class Track:
    """One published stream; `send` takes plain RTP, `send_rtcp` plain RTCP."""

    def __init__(
        self,
        clock: Clock,
        rng: random.Random,
        settings: TrackSettings,
        send: Callable[[bytes], None],
        send_rtcp: Callable[[bytes], None],
    ) -> None:
        self._clock, self._rng, self.settings = clock, rng, settings
        self._send, self._send_rtcp = send, send_rtcp
        self._sequence = settings.first_sequence
        self._rtx_sequence = rng.randrange(1 << 15)
        self._origin_us = clock.now
        self._timer: Timer | None = None
        self._history: dict[int, RtpPacket] = {}
        self._report_due_us = clock.now
        self._frames, self._lowest = settings.ssrc & 0x7FFF, settings.ssrc >> 24
        self._pattern = 0
        self.last_numbers = Vp8Numbers(0, 0, 0, 0)
        self._want_keyframe = True
        self._octets = 0
        self.sent: dict[int, int] = {}
        self.keyframes = 0
        self.keyframe_requests: list[int] = []
        self.nacked = 0
        self.reports = 0

    def start(self) -> None:
        self._tick()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    @property
    def running(self) -> bool:
        return self._timer is not None

    def timestamp_at(self, now_us: int) -> int:
        elapsed = (now_us - self._origin_us) * self.settings.clock_rate // US_PER_S
        return (self.settings.first_timestamp + elapsed) & 0xFFFFFFFF

    def _tick(self) -> None:
        if self.settings.kind == "video":
            self._send_frame()
        else:
            self._send_audio()
        if self._clock.now >= self._report_due_us:
            self.send_report()
        self._timer = self._clock.call_in(self.settings.interval_us, self._tick)

    def _send_frame(self) -> None:
        keyframe, self._want_keyframe = self._want_keyframe, False
        self.keyframes += keyframe
        numbers = self._number(keyframe)
        count = self.settings.packets_per_frame * (3 if keyframe else 1)
        for place in range(count):
            stamp = self._stamp()
            size = self.settings.packet_size - self._rng.randrange(100)
            payload = vp8_payload(stamp, size, numbers, place == 0, keyframe)
            self._emit(payload, marker=place == count - 1)

    def _number(self, keyframe: bool) -> Vp8Numbers:
        """Three temporal layers, whose pattern begins anew with a keyframe."""
        self._pattern = 0 if keyframe else (self._pattern + 1) % 4
        temporal, sync = ((0, False), (2, True), (1, True), (2, False))[self._pattern]
        self._frames += 1
        self._lowest += temporal == 0
        self.last_numbers = Vp8Numbers(self._frames & 0x7FFF, self._lowest & 0xFF, self.keyframes & 31, temporal, sync)
        return self.last_numbers

    def _send_audio(self) -> None:
        self._emit(stamped(self._stamp(), self.settings.packet_size), marker=not self.sent)

    def _stamp(self) -> Stamp:
        return Stamp(self.settings.stream, len(self.sent), self._clock.now)

    def _emit(self, payload: bytes, marker: bool) -> None:
        packet = RtpPacket(
            self.settings.payload_type,
            marker,
            self._sequence & 0xFFFF,
            self.timestamp_at(self._clock.now),
            self.settings.ssrc,
            payload,
            self.settings.extensions,
        )
        self.sent[len(self.sent)] = self._clock.now
        self._octets += len(payload)
        self._history[self._sequence & 0xFFFF] = packet
        self._history.pop((self._sequence - HISTORY) & 0xFFFF, None)
        self._sequence += 1
        self._send(bytes(packet))

    def on_nack(self, sequences: list[int]) -> None:
        """Sends again what is asked for, over RTX (RFC 4588) when there is any."""
        for sequence in sequences:
            packet = self._history.get(sequence)
            self.nacked += 1
            if packet is None:
                continue
            if self.settings.rtx_ssrc:
                packet = replace(
                    packet,
                    ssrc=self.settings.rtx_ssrc,
                    payload_type=self.settings.rtx_payload_type,
                    sequence=self._rtx_sequence & 0xFFFF,
                    payload=sequence.to_bytes(2, "big") + packet.payload,
                )
                self._rtx_sequence += 1
            self._send(bytes(packet))

    def on_keyframe_request(self) -> None:
        self.keyframe_requests.append(self._clock.now)
        self._want_keyframe = True

    def send_report(self) -> None:
        self._report_due_us = self._clock.now + REPORT_US
        self.reports += 1
        info = {
            "ssrc": self.settings.ssrc,
            "ntp": ntp_at(self._clock.now),
            "rtp_timestamp": self.timestamp_at(self._clock.now),
            "packets": len(self.sent),
            "octets": self._octets & 0xFFFFFFFF,
        }
        self._send_rtcp(rtcp_sr(info) + rtcp_sdes(self.settings.ssrc, b"peer"))
