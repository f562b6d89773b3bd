"""A synthetic WebRTC endpoint without sockets or clocks of its own: ICE, DTLS, SRTP, and media that can be checked."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from support.ice_agent import IceAgent, IceCredentials
from support.netem import Clock
from support.publisher import Track, TrackSettings
from support.rtp import RTCP_TYPES, RtpPacket
from support.secure import DtlsEndpoint, Refusal, SrtpPair
from support.subscriber import ConsumerSettings, Reception

from simplestchat._native.testing.probe_rtcp import rtcp_parse

_SENDER_REPORT, _RECEIVER_REPORT, _BYE, _RTP_FEEDBACK, _PAYLOAD_FEEDBACK = 200, 201, 203, 205, 206
_NACK, _PLI, _FIR, _APPLICATION = 1, 1, 4, 15


class Peer:
    """Tracks that it publishes and receptions of what it consumes, over one transport.

    `transmit` sends a datagram to the server; whoever runs the network calls `receive` with what comes back.
    """

    def __init__(
        self,
        clock: Clock,
        rng: random.Random,
        name: str,
        credentials: IceCredentials,
        *,
        make_dtls: Callable[[Callable[[bytes], None], Callable[[SrtpPair], None]], DtlsEndpoint],
        transmit: Callable[[bytes], None],
    ) -> None:
        self.clock, self.rng, self.name = clock, rng, name
        self.transmit = transmit
        self.ice = IceAgent(clock, rng, credentials, self._transmit)
        self.ice.on_nominated = self._start_dtls
        self.dtls = make_dtls(self._transmit, self._secured)
        self._dtls_started = False
        self.srtp: SrtpPair | None = None
        self.connected_us = 0
        self.tracks: dict[int, Track] = {}
        self.receptions: dict[int, Reception] = {}
        self._repairs: dict[int, Reception] = {}
        self.received: Counter[str] = Counter()
        self.last_received_us = 0
        self.remb: list[tuple[int, int]] = []
        self.reports: list[tuple[int, dict[str, int]]] = []

    def start(self) -> None:
        self.ice.start()

    def stop(self) -> None:
        """Falls silent at once, as a crashed page does."""
        self.ice.stop()
        for track in self.tracks.values():
            track.stop()
        for reception in self.receptions.values():
            reception.stop()

    def publish(self, settings: TrackSettings) -> Track:
        """A track that is not started yet."""
        track = Track(self.clock, self.rng, settings, self.send_rtp, self.send_rtcp)
        self.tracks[settings.ssrc] = track
        return track

    def consume(self, settings: ConsumerSettings) -> Reception:
        reception = Reception(self.clock, settings, self.send_rtcp)
        self.receptions[settings.ssrc] = reception
        if settings.rtx_ssrc:
            self._repairs[settings.rtx_ssrc] = reception
        reception.start()
        return reception

    # What leaves.

    def _transmit(self, data: bytes) -> None:
        self.transmit(data)

    def send_rtp(self, packet: bytes) -> None:
        if self.srtp is not None:
            self._transmit(self.srtp.protect(packet))

    def send_rtcp(self, packet: bytes) -> None:
        if self.srtp is not None:
            self._transmit(self.srtp.protect_rtcp(packet))

    def _start_dtls(self) -> None:
        if not self._dtls_started:
            self._dtls_started = True
            self.dtls.start()

    def _secured(self, srtp: SrtpPair) -> None:
        self.srtp = srtp
        self.connected_us = self.clock.now

    # What comes.

    def receive(self, data: bytes) -> None:
        self.last_received_us = self.clock.now
        if data[0] < 4:
            self.received["stun"] += 1
            self.ice.receive(data)
        elif 20 <= data[0] < 64:
            self.received["dtls"] += 1
            self.dtls.receive(data)
        elif data[1] in RTCP_TYPES:
            self._receive_rtcp(data)
        else:
            self._receive_rtp(data)

    def _receive_rtp(self, data: bytes) -> None:
        plain = self.srtp.unprotect(data) if self.srtp else Refusal.FORGED
        if isinstance(plain, Refusal):
            self.received[plain.value] += 1
            return
        packet = RtpPacket.parse(plain)
        if packet.ssrc in self.receptions:
            self.received["media"] += 1
            self.receptions[packet.ssrc].receive(packet)
        elif packet.ssrc in self._repairs:
            self.received["rtx"] += 1
            self._repairs[packet.ssrc].receive_rtx(packet)
        else:
            self.received["unknown ssrc"] += 1

    def _receive_rtcp(self, data: bytes) -> None:
        plain = self.srtp.unprotect_rtcp(data) if self.srtp else Refusal.FORGED
        if isinstance(plain, Refusal):
            self.received[plain.value] += 1
            return
        self.received["rtcp"] += 1
        for report in rtcp_parse(plain):
            self._read_report(report)

    def _read_report(self, report: dict[str, Any]) -> None:
        kind, count = report["type"], report["count"]
        if kind == _SENDER_REPORT:
            reception = self.receptions.get(report["info"]["ssrc"])
            if reception is not None:
                reception.receive_sender_report(report["info"])
        elif kind == _RTP_FEEDBACK and count == _NACK:
            self._on_nack(report)
        elif kind == _PAYLOAD_FEEDBACK:
            self._on_payload_feedback(report)
        if kind in (_SENDER_REPORT, _RECEIVER_REPORT):
            self.reports += [(self.clock.now, block) for block in report["reports"]]
        elif kind == _BYE:
            self.received["bye"] += 1

    def _on_nack(self, report: dict[str, Any]) -> None:
        if "nack" not in report:
            self.received["feedback"] += 1
            return
        self.received["nack"] += 1
        track = self.tracks.get(report["media_ssrc"])
        if track is not None:
            wanted = [
                (pid + offset) & 0xFFFF
                for pid, mask in report["nack"]
                for offset in range(17)
                if offset == 0 or mask >> (offset - 1) & 1
            ]
            track.on_nack(wanted)

    def _on_payload_feedback(self, report: dict[str, Any]) -> None:
        if report["count"] == _PLI:
            targets = [report["media_ssrc"]]
        elif report["count"] == _FIR:
            targets = [ssrc for ssrc, _ in report["fir"]]
        else:
            if report["count"] == _APPLICATION and "bitrate_bps" in report:
                self.remb.append((self.clock.now, report["bitrate_bps"]))
            return
        self.received["keyframe request"] += 1
        for ssrc in targets:
            if ssrc in self.tracks:
                self.tracks[ssrc].on_keyframe_request()
