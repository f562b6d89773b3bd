"""Janus and our worker, each with an audience of its own: invited, connected and played to in one way.

Both have the server's core in turn: who is not being played to has next to nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Protocol

from rig.audience import PUBLISHER_PATH, Audience, Door
from rig.processes import pinned, two_cores
from rig.worker import FORWARDED_PAYLOAD_TYPE, VIDEO_PAYLOAD_TYPE, Worker

from simplestchat._native.peer.swarm import Swarm

from . import sdp
from .api import Session
from .process import Janus, own_address, running

SUITE = "SRTP_AEAD_AES_128_GCM"  # Janus prefers AES-256 of what users offer; our worker takes this one
FEED = PUBLISHER_TRANSPORT = PRODUCER = 1
SSRC = 0x1234
FIRST_SSRC = 1_000_000


class Contestant(Protocol):
    """A server with one publisher, which is connected."""

    name: str
    pid: int
    audience: Audience

    def invite(self, receivers: int) -> None:
        """Make transports for these, and all that can be agreed on before the first datagram."""

    def connect(self) -> None:
        """ICE and DTLS of who is invited; returns when all are through."""


class Names:
    """The ICE credentials of an audience's paths that are not made yet. They follow from a path's number.

    Janus wants them in offers and answers; a path has them only once it checks.
    """

    def __init__(self, fingerprint: tuple[str, str]) -> None:
        self._fingerprint = fingerprint
        self._twins = Swarm(b"twins")  # without a loop: nothing is ever sent

    def endpoint(self, path: int) -> sdp.Endpoint:
        self._twins.add_path(path, path, ("127.0.0.1", 9), "u" * 4, "p" * 22, self._fingerprint, path)
        ufrag, password = self._twins.credentials(path)
        self._twins.remove_path(path)
        return sdp.Endpoint(ufrag, password, self._fingerprint)


class Theirs:
    """Janus, its video room."""

    def __init__(self, name: str, janus: Janus, session: Session, audience: Audience) -> None:
        self.name = name
        self.pid = janus.pid
        self.audience = audience
        self._session = session
        self._names = Names(audience.fingerprint)
        self._invited: list[tuple[int, sdp.Description]] = []
        self._receivers = 0
        stream = sdp.Stream(VIDEO_PAYLOAD_TYPE, SSRC)
        offer = sdp.describe(self._names.endpoint(PUBLISHER_PATH), stream, "sendonly")
        answer = sdp.Description.parse(session.attach().publish(Janus.ROOM, FEED, offer))
        audience.add_publisher(_door(answer), ssrc=SSRC, payload_type=VIDEO_PAYLOAD_TYPE)
        audience.wait_publisher()  # nobody can subscribe to who is not connected

    def invite(self, receivers: int) -> None:
        for _ in range(receivers):
            handle = self._session.attach()
            offer = sdp.Description.parse(handle.subscribe(Janus.ROOM, FEED))
            stream = offer.stream.without_rtx()
            handle.start(sdp.describe(self._names.endpoint(self._receivers), stream, "recvonly"))
            self._invited.append((self._receivers, offer))
            self._receivers += 1

    def connect(self) -> None:
        for number, offer in self._invited:
            stream = offer.stream
            self.audience.add_receiver(number, _door(offer), ssrc=stream.ssrc, payload_type=stream.payload_type)
        self._invited.clear()
        self.audience.wait_connected()


def _door(description: sdp.Description) -> Door:
    endpoint = description.endpoint
    if endpoint.address is None:
        raise sdp.NotUnderstood("Janus names no candidate")
    return Door(*endpoint.address, endpoint.ufrag, endpoint.password, endpoint.fingerprint)


class Ours:
    """Our worker."""

    name = "ours"

    def __init__(self, worker: Worker, audience: Audience) -> None:
        self.pid = worker.pid
        self.audience = audience
        self._worker = worker
        self._invited: list[tuple[int, Door]] = []
        self._receivers = 0
        door = worker.open_transport(PUBLISHER_TRANSPORT, audience.fingerprint)
        audience.add_publisher(door, ssrc=SSRC, payload_type=VIDEO_PAYLOAD_TYPE)
        worker.publish(PRODUCER, PUBLISHER_TRANSPORT, SSRC)
        audience.wait_publisher()

    def invite(self, receivers: int) -> None:
        for _ in range(receivers):
            number = self._receivers
            transport = PUBLISHER_TRANSPORT + 1 + number
            self._invited.append((number, self._worker.open_transport(transport, self.audience.fingerprint)))
            self._worker.subscribe(1 + number, transport, PRODUCER, FIRST_SSRC + number)
            self._receivers += 1

    def connect(self) -> None:
        for number, door in self._invited:
            self.audience.add_receiver(number, door, ssrc=FIRST_SSRC + number, payload_type=FORWARDED_PAYLOAD_TYPE)
        self._invited.clear()
        self.audience.wait_connected()


@contextmanager
def theirs(*, check_every: int = 20, loops: int = 1) -> Iterator[Theirs]:
    """Janus on the server's core, its audience on the other one. See ``running`` for the loops."""
    server, others = two_cores()
    with ExitStack() as stack:
        with pinned(server):
            janus = stack.enter_context(running(loops))
        stack.enter_context(pinned(others))
        session = stack.enter_context(Session(janus.api))
        audience = stack.enter_context(Audience(check_every=check_every, bind=own_address(), suites=SUITE))
        yield Theirs("janus" if loops else "janus_threads", janus, session, audience)


@contextmanager
def ours() -> Iterator[Ours]:
    """Our worker, likewise."""
    server, others = two_cores()
    with pinned(others), Worker(server) as worker, Audience(suites=SUITE) as audience:
        yield Ours(worker, audience)
