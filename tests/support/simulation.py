"""Whole calls in virtual time: one shard of the engine, an emulated network, synthetic peers, all from one seed."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from support.dtls_native import NativeDtls
from support.dtls_openssl import OpensslDtls
from support.ice_agent import IceCredentials
from support.netem import US_PER_S, Clock, Link, Path, Timer
from support.peer import Peer
from support.publisher import AUDIO_US, FRAME_US, Track, TrackSettings
from support.rtp import RTCP_TYPES, extended_sequence
from support.secure import SUITES, DtlsEndpoint, DtlsRole, Identity, SrtpPair, shared_identity
from support.subscriber import ConsumerSettings, Reception

from simplestchat._native.engine.shard import Shard

Address = tuple[str, int]
SERVER: Address = ("192.0.2.1", 40000)
OWN_DATAGRAM_LIMIT = 1200
FORWARDED_LIMIT = 1400
VIDEO_PT, VIDEO_RTX_PT, AUDIO_PT = 96, 97, 111
SUBSCRIBER_VIDEO_PT, SUBSCRIBER_RTX_PT, SUBSCRIBER_AUDIO_PT = 120, 121, 100


class Socket:
    """An address on the emulated network with a path to the server and one back."""

    def __init__(
        self, sim: Simulation, address: Address, up: Link, down: Link, deliver: Callable[[bytes], None]
    ) -> None:
        self.address, self._deliver = address, deliver
        self.received: list[tuple[int, bytes]] = []
        self.received_bytes = 0
        self.sent_bytes = 0
        self._clock = sim.clock
        self.up = Path(sim.clock, sim.rng, up, lambda data: sim.server_receives(data, address))
        self.down = Path(sim.clock, sim.rng, down, self._arrived)
        self.keep = False

    def send(self, data: bytes) -> None:
        self.sent_bytes += len(data)
        self.up.send(data)

    def _arrived(self, data: bytes) -> None:
        self.received_bytes += len(data)
        if self.keep:
            self.received.append((self._clock.now, data))
        self._deliver(data)


class SealCheck:
    """No packet index of an SSRC may be used for two different packets: what leaves twice must be equal."""

    def __init__(self) -> None:
        self._highest: dict[int, int] = {}
        self._digests: dict[tuple[int, int], bytes] = {}
        self.repeats: list[tuple[int, int]] = []
        self.resealed = 0

    def see(self, data: bytes) -> None:
        ssrc, sequence = int.from_bytes(data[8:12], "big"), int.from_bytes(data[2:4], "big")
        index = extended_sequence(sequence, self._highest.get(ssrc, sequence))
        self._highest[ssrc] = max(index, self._highest.get(ssrc, index))
        digest = hashlib.blake2b(data, digest_size=16).digest()
        known = self._digests.setdefault((ssrc, index), digest)
        if known is not digest:
            self.resealed += 1
            if known != digest:
                self.repeats.append((ssrc, index))


@dataclass
class Member:
    """A peer, its transport and its socket."""

    peer: Peer
    transport: int
    socket: Socket


@dataclass
class Published:
    id: int
    track: Track
    member: Member


@dataclass
class Consumed:
    id: int
    reception: Reception
    member: Member
    source: Published


@dataclass
class Events:
    """What the shard reported, each with its time."""

    all: list[tuple[int, tuple[object, ...]]] = field(default_factory=list)

    def states(self, transport: int) -> list[str]:
        return [str(e[2]) for _, e in self.all if e[0] == "transport.state" and e[1] == transport]

    def named(self, name: str) -> list[tuple[int, tuple[object, ...]]]:
        return [(when, event) for when, event in self.all if event[0] == name]


class Simulation:
    """`run` lets time pass; everything else happens at the present moment."""

    def __init__(self, seed: int, up: Link | None = None, down: Link | None = None, clock: Clock | None = None) -> None:
        """``clock`` is that of another worker, to which this one is piped."""
        self.clock, self.rng = clock or Clock(), random.Random(seed)
        self.up, self.down = up or Link(), down or Link()
        self.shard = Shard(seed)
        self.sockets: dict[Address, Socket] = {}
        self.members: list[Member] = []
        self.events = Events()
        self.seals = SealCheck()
        self.oversize: list[int] = []
        self.sent_to_nowhere = 0
        self.gather_us = 0  # what arrives within so long reaches the shard as one batch, as at a busy worker
        self._waiting: list[tuple[bytes, tuple[str, int, str, int]]] = []
        self._ids = 0
        self._timer: Timer | None = None
        self._armed_us = 0

    def run(self, seconds: float) -> None:
        self.clock.run_until(self.clock.now + round(seconds * US_PER_S))

    def new_id(self) -> int:
        self._ids += 1
        return self._ids

    # The network.

    def socket(
        self,
        deliver: Callable[[bytes], None] = lambda _: None,
        address: Address | None = None,
        up: Link | None = None,
        down: Link | None = None,
    ) -> Socket:
        """A new address; without `deliver` it only counts what it receives."""
        number = len(self.sockets) + 1
        address = address or (f"198.51.{number // 250}.{number % 250 + 1}", 50_000 + number)
        socket = Socket(self, address, up or self.up, down or self.down, deliver)
        self.sockets[address] = socket
        return socket

    def server_receives(self, data: bytes, source: Address) -> None:
        self._waiting.append((data, (*source, *SERVER)))
        if self.gather_us == 0:
            self._feed()
        elif len(self._waiting) == 1:
            self.clock.call_at(self.clock.now + self.gather_us, self._feed)

    def _feed(self) -> None:
        batch, self._waiting = self._waiting, []
        self.shard.feed(batch, self.clock.now)
        self.pump()

    def pump(self) -> None:
        """Sends what the shard wants to send, keeps its events, and sets its alarm."""
        now = self.clock.now
        for data, (remote_ip, remote_port, local_ip, local_port) in self.shard.drain(now):
            assert (local_ip, local_port) == SERVER
            self._server_sends(data, (remote_ip, remote_port))
        self.events.all += [(now, event) for event in self.shard.take_events()]
        deadline = self.shard.next_deadline()
        if self._timer is None or deadline < self._armed_us:
            if self._timer is not None:
                self._timer.cancel()
            # Seldom further than an hour: a tick that comes early does nothing.
            self._armed_us = min(max(deadline, now + 1), now + 3600 * US_PER_S)
            self._timer = self.clock.call_at(self._armed_us, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.shard.tick(self.clock.now)
        self.pump()

    def _server_sends(self, data: bytes, to: Address) -> None:
        media = data[0] >> 6 == 2 and data[1] not in RTCP_TYPES
        if media:
            self.seals.see(data)
        if len(data) > (FORWARDED_LIMIT if media else OWN_DATAGRAM_LIMIT):
            self.oversize.append(len(data))
        socket = self.sockets.get(to)
        if socket is None:
            self.sent_to_nowhere += 1
        else:
            socket.down.send(data)

    # Control, as the node does it.

    def control(self, method: str, *arguments: object) -> object:
        """Calls a method of the shard at the present moment."""
        self.shard.tick(self.clock.now)
        result = getattr(self.shard, method)(*arguments)
        self.pump()
        return result

    def add_peer(
        self,
        name: str,
        *,
        suites: list[str] | None = None,
        role: DtlsRole = "client",
        identity: Identity | None = None,
        up: Link | None = None,
        down: Link | None = None,
        fingerprints: list[tuple[str, str]] | None = None,
        announced_role: str | None = None,
        native_dtls: bool = False,
        announce: bool = True,
        start: bool = True,
    ) -> Member:
        """A peer with a transport of its own; it starts to connect at once."""
        transport = self.new_id()
        ufrag, password = self.control("create_transport", transport)  # type: ignore[misc]

        def make_dtls(send: Callable[[bytes], None], on_connected: Callable[[SrtpPair], None]) -> DtlsEndpoint:
            if native_dtls:
                digest = bytes.fromhex(dict(self.shard.fingerprints())["sha-256"].replace(":", ""))
                return NativeDtls(self.clock, role, digest, send, on_connected)
            own = identity or shared_identity(transport % 8)
            return OpensslDtls(role, own, suites or list(SUITES), send, on_connected)

        peer = Peer(
            self.clock,
            self.rng,
            name,
            IceCredentials(ufrag, password),
            make_dtls=make_dtls,
            transmit=lambda data: member.socket.send(data),
        )
        member = Member(peer, transport, self.socket(peer.receive, up=up, down=down))
        self.members.append(member)
        if announce:
            self.announce(member, announced_role or role, fingerprints)
        if start:
            peer.start()
        return member

    def announce(self, member: Member, role: str, fingerprints: list[tuple[str, str]] | None = None) -> None:
        """What signaling's transport.connect does; `role` is the peer's."""
        self.control("connect_transport", member.transport, role, fingerprints or [member.peer.dtls.fingerprint()])

    def publish(
        self,
        member: Member,
        kind: str,
        *,
        rtx: bool = True,
        start: bool = True,
        nack: bool = True,
        mid: str = "",
        mapped: dict[str, int] | None = None,
        announced: bool = True,
        **changes: object,
    ) -> Published:
        """A track of this member, and the producer for it; `changes` replace fields of TrackSettings."""
        id = self.new_id()
        video = kind == "video"
        settings = self.track_settings(id, kind, rtx and video, changes)
        track = member.peer.publish(settings)
        rtx_payload_type = VIDEO_RTX_PT if settings.rtx_ssrc else -1
        codec = (
            settings.payload_type,
            rtx_payload_type,
            settings.clock_rate,
            "vp8" if video else "opus",
            nack,
            video,
            video,
        )
        stream = (settings.ssrc, settings.rtx_ssrc, "") if announced else (0, 0, "")
        self.control("create_producer", id, member.transport, kind, mid, [stream], [codec], mapped or {})
        if start:
            track.start()
        return Published(id, track, member)

    def track_settings(self, id: int, kind: str, rtx: bool, changes: dict[str, object]) -> TrackSettings:
        """What a track of this kind is like unless `changes` say otherwise."""
        video = kind == "video"
        values: dict[str, object] = {
            "kind": kind,
            "stream": id,
            "ssrc": self.rng.randrange(1, 1 << 32),
            "rtx_ssrc": self.rng.randrange(1, 1 << 32) if rtx else 0,
            "payload_type": VIDEO_PT if video else AUDIO_PT,
            "rtx_payload_type": VIDEO_RTX_PT,
            "clock_rate": 90_000 if video else 48_000,
            "first_sequence": self.rng.randrange(1 << 15),
            "first_timestamp": self.rng.getrandbits(32),
            "interval_us": FRAME_US if video else AUDIO_US,
            "packet_size": 1000 if video else 120,
        }
        return TrackSettings(**{**values, **changes})  # type: ignore[arg-type]

    def subscribe(
        self,
        member: Member,
        source: Published,
        *,
        rtx: bool = True,
        paused: bool = False,
        nack: bool = True,
        pli: bool = True,
        mapped: dict[str, int] | None = None,
    ) -> Consumed:
        """A consumer of that producer at this member."""
        id = self.new_id()
        video = source.track.settings.kind == "video"
        settings = ConsumerSettings(
            kind=source.track.settings.kind,
            ssrc=self.rng.randrange(1, 1 << 32),
            rtx_ssrc=self.rng.randrange(1, 1 << 32) if rtx and video else 0,
            payload_type=SUBSCRIBER_VIDEO_PT if video else SUBSCRIBER_AUDIO_PT,
            rtx_payload_type=SUBSCRIBER_RTX_PT,
            clock_rate=source.track.settings.clock_rate,
            nack=nack,
            pli=pli,
        )
        reception = member.peer.consume(settings)
        codec = (
            source.track.settings.payload_type,
            settings.payload_type,
            SUBSCRIBER_RTX_PT if settings.rtx_ssrc else -1,
        )
        self.control(
            "create_consumer",
            id,
            member.transport,
            source.id,
            settings.ssrc,
            settings.rtx_ssrc,
            [codec],
            mapped or {},
            "",
            paused,
        )
        return Consumed(id, reception, member, source)

    def move(self, member: Member, address: Address | None = None) -> Socket:
        """The member's packets come from a new address; its old one is dead."""
        old = member.socket
        member.socket = self.socket(member.peer.receive, address, old.up.link, old.down.link)
        dead = self.socket(address=old.address, up=old.up.link, down=old.down.link)
        self.sockets[old.address] = dead
        return dead
