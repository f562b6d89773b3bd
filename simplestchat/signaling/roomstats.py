"""What passed a room's transports, by peer: one question to each of its workers, whatever the room's size."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from operator import add, attrgetter
from typing import Final, TypeAlias

from simplestchat.errors import MediaUnavailable
from simplestchat.model.media import MediaPort
from simplestchat.signaling import rest
from simplestchat.signaling.state import Peer, Room

_COUNTED: Final = (
    "bytes_in", "bytes_out", "packets_in", "packets_out", "media_in", "media_expected", "reported_lost",
)  # fmt: skip
_counters = attrgetter(*_COUNTED)
Sums: TypeAlias = tuple[int, ...]


async def room_stats(media: MediaPort, room: Room) -> rest.RoomStats:
    """Ask, and add up. Whoever came or went meanwhile is told as the workers saw it."""
    peers = tuple(room.peers.values())
    owners = {number: peer for peer in peers for number in _transports(peer)}
    try:
        rows = await media.traffic(room.key, list(owners)) if owners else ()
    except MediaUnavailable:  # the worker is lost, and its counters with it
        rows = ()
    nothing = (0,) * len(_COUNTED)
    sums: dict[str, Sums] = {peer.id: nothing for peer in peers}
    for row in rows:
        peer_id = owners[row.transport].id
        sums[peer_id] = _added(sums[peer_id], _counters(row))
    told = [
        rest.PeerTraffic(
            peer_id=peer.id,
            name=peer.name,
            producers=len(peer.producers),
            consumers=len(peer.consumers),
            **_named(sums[peer.id]),
        )
        for peer in peers
    ]
    return rest.RoomStats(
        id=room.id,
        peers=told,
        producers=sum(one.producers for one in told),
        consumers=sum(one.consumers for one in told),
        **_named(functools.reduce(_added, sums.values(), nothing)),
    )


def _transports(peer: Peer) -> Iterable[int]:
    return (transport.number for transport in peer.transports.values())


def _added(one: Sums, other: Sums) -> Sums:
    return tuple(map(add, one, other))


def _named(sums: Sums) -> dict[str, int]:
    return dict(zip(_COUNTED, sums, strict=True))
