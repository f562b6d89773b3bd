"""A server whose node says too little or too much: `python faulty_node.py serve …`, the fault in the environment.

The media workers are sound. ``VICTIM`` is the name of the user to whom it happens; of what is about ``OTHER``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import trio

from simplestchat.cli.main import main as command
from simplestchat.errors import NotFound
from simplestchat.signaling import framing, notices, requests
from simplestchat.signaling.mediacalls import MediaCalls
from simplestchat.signaling.membership import Membership
from simplestchat.signaling.state import Peer, Room

FAULT = "SIMPLESTCHAT_TEST_NODE_FAULT"
VICTIM, OTHER = "u1", "u2"  # who comes after the victim


def swallow(kind: type[notices.Notice]) -> None:
    """The victim never hears one kind of notice about the other."""
    announce = Room.announce

    def tell_others(self: Room, notice: notices.Notice, skip: Peer | None = None) -> None:
        victim = next((one for one in self.peers.values() if one.name == VICTIM), None)
        about = self.peers.get(getattr(notice, "peer_id", ""))
        if not isinstance(notice, kind) or victim is None or about is None or about.name != OTHER:
            announce(self, notice, skip)
            return
        outbox, victim.outbox = victim.outbox, None
        try:
            announce(self, notice, skip)
        finally:
            victim.outbox = outbox

    Room.announce = tell_others  # type: ignore[method-assign]


def refuse() -> None:
    """The victim is told that the other's producers do not exist."""
    create = MediaCalls.consumer_create

    async def consumer_create(self: MediaCalls, peer: Peer, params: requests.ConsumerCreate) -> Any:
        producer = peer.room.producers.get(params.producer_id)
        if peer.name == VICTIM and producer is not None and producer.peer.name == OTHER:
            raise NotFound("There is no such producer in this room. It may have been closed.")
        return await create(self, peer, params)

    MediaCalls.consumer_create = consumer_create  # type: ignore[method-assign]


def hang() -> None:
    """The victim's requests for the other's producers are never answered."""
    create = MediaCalls.consumer_create

    async def consumer_create(self: MediaCalls, peer: Peer, params: requests.ConsumerCreate) -> Any:
        producer = peer.room.producers.get(params.producer_id)
        if peer.name == VICTIM and producer is not None and producer.peer.name == OTHER:
            await trio.sleep_forever()
        return await create(self, peer, params)

    MediaCalls.consumer_create = consumer_create  # type: ignore[method-assign]


def keep() -> None:
    """Who leaves is not told to have left."""
    leave = Membership.leave

    def quietly(self: Membership, peer: Peer, reason: Any) -> None:
        outboxes = {one: one.outbox for one in peer.room.peers.values()}
        for one in outboxes:
            one.outbox = None
        try:
            leave(self, peer, reason)
        finally:
            for one, outbox in outboxes.items():
                one.outbox = outbox

    Membership.leave = quietly  # type: ignore[method-assign]


def make_up() -> None:
    """Whoever joins is told of somebody of another room."""
    joined = Membership._joined

    def with_stranger(self: Membership, peer: Peer, missed: Any, **how: bool) -> Any:
        answer = joined(self, peer, missed, **how)
        if answer.reset and peer.outbox is not None:
            stranger = notices.PeerJoined(peer_id="nobody", name="u999", role="member", producers=[])
            peer.outbox.push(framing.notification(stranger, None))
        return answer

    Membership._joined = with_stranger  # type: ignore[method-assign]


FAULTS: dict[str, Callable[[], None]] = {
    "track": lambda: swallow(notices.ProducerOpened),
    "peer": lambda: swallow(notices.PeerJoined),
    "refuse": refuse,
    "hang": hang,
    "keep": keep,
    "make-up": make_up,
}

if __name__ == "__main__":
    FAULTS[os.environ[FAULT]]()
    sys.exit(command(sys.argv[1:]))
