"""One room of Janus with one publisher, and an audience that receives it.

Janus wants the user's ICE credentials in an offer or answer, and a path has them only once it is there and checks. They
follow from the path's seed, so they are known beforehand: descriptions are exchanged first, and then all paths begin.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rig.audience import PUBLISHER_PATH, Audience, Door
from rig.processes import pinned
from simplestchat._native.peer.swarm import Swarm

from . import sdp
from .api import Session
from .process import Janus, own_address, running

SUITE = "SRTP_AEAD_AES_128_GCM"  # Janus would take AES-256 of what users offer; our worker takes this one
FEED = 1
PAYLOAD_TYPE = 96
SSRC = 0x1234
CONNECT_S = 10.0


class Names:
    """The ICE credentials of paths that are not made yet."""

    def __init__(self, fingerprint: tuple[str, str]) -> None:
        self._fingerprint = fingerprint
        self._twins = Swarm(b"twins")  # without a loop: nothing is ever sent

    def endpoint(self, path: int) -> sdp.Endpoint:
        """What an audience's path will be known by: its number is its seed."""
        self._twins.add_path(path, path, ("127.0.0.1", 9), "u" * 4, "p" * 22, self._fingerprint, path)
        ufrag, password = self._twins.credentials(path)
        self._twins.remove_path(path)
        return sdp.Endpoint(ufrag, password, self._fingerprint)


class Stage:
    """Transports of a room: made with Janus by ``invite``, connected by ``connect``."""

    def __init__(self, janus: Janus, session: Session, audience: Audience) -> None:
        self.janus = janus
        self.audience = audience
        self._session = session
        self._names = Names(audience.fingerprint)
        self._invited: list[tuple[int, sdp.Description]] = []
        self._receivers = 0
        stream = sdp.Stream(PAYLOAD_TYPE, SSRC)
        offer = sdp.describe(self._names.endpoint(PUBLISHER_PATH), stream, "sendonly")
        answer = sdp.Description.parse(session.attach().publish(Janus.ROOM, FEED, offer))
        audience.add_publisher(_door(answer), ssrc=SSRC, payload_type=PAYLOAD_TYPE)
        self._await_publisher()

    def _await_publisher(self) -> None:
        """Who is not connected publishes nothing that others could subscribe to."""
        deadline = time.monotonic() + CONNECT_S
        while not self.audience.sink.swarm.sample()["connected"]:
            if time.monotonic() > deadline:
                raise TimeoutError("the publisher did not connect")
            time.sleep(0.005)

    def invite(self, receivers: int) -> None:
        """Have Janus make transports and exchange descriptions; nothing is sent to them yet."""
        for _ in range(receivers):
            handle = self._session.attach()
            offer = sdp.Description.parse(handle.subscribe(Janus.ROOM, FEED))
            handle.start(sdp.describe(self._names.endpoint(self._receivers), offer.stream.without_rtx(), "recvonly"))
            self._invited.append((self._receivers, offer))
            self._receivers += 1

    def connect(self) -> None:
        """ICE and DTLS of all that are invited."""
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


@contextmanager
def staged(core: int, rest: int, loops: int = 1) -> Iterator[Stage]:
    """Janus on one core, its audience on another one."""
    with (
        running(core, loops) as janus,
        pinned(rest),
        Session(janus.api) as session,
        Audience(bind=own_address(), suites=SUITE) as audience,
    ):
        yield Stage(janus, session, audience)
