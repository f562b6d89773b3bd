"""Everything that takes media away: bookkeeping and notifications at once, the media plane soon after.

The synchronous part never fails, so state is consistent whatever becomes of the media plane's answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

from simplestchat.errors import MediaError
from simplestchat.model.media import MediaPort, TransportStateName
from simplestchat.signaling.data import CloseReason
from simplestchat.signaling.notices import ConsumerClosed, ProducerClosed, TransportState
from simplestchat.signaling.state import Consumer, Peer, Producer, Room, Transport

Start: TypeAlias = Callable[[Callable[[], Awaitable[None]]], object]
"""Starts an async function soon, without waiting for it, such as ``nursery.start_soon``."""


class Closer:
    """Closes transports, producers and consumers, and finds them by the media plane's numbers."""

    def __init__(self, media: MediaPort, start: Start) -> None:
        self._media = media
        self._start = start
        self.transports: dict[int, Transport] = {}
        self.producers: dict[int, Producer] = {}
        self.consumers: dict[int, Consumer] = {}
        self.on_producer_closed: Callable[[Producer], None] = lambda _: None
        """Hears of each producer that is gone, unless its room is."""

    def consumer(self, consumer: Consumer, reason: CloseReason, *, tell: bool) -> None:
        """Take a consumer away; its worker-side half is the caller's matter."""
        if consumer.closed:
            return
        consumer.closed = True
        peer = consumer.transport.peer
        del peer.consumers[consumer.id]
        del consumer.transport.consumers[consumer.id]
        del consumer.producer.consumers[consumer.id]
        del self.consumers[consumer.number]
        if tell:
            peer.tell(ConsumerClosed(consumer_id=consumer.id, producer_id=consumer.producer.id, reason=reason))

    def producer(self, producer: Producer, reason: CloseReason, *, tell_owner: bool) -> None:
        """Take a producer and its consumers away; its worker-side half is the caller's matter."""
        if producer.closed:
            return
        producer.closed = True
        peer = producer.peer
        for consumer in tuple(producer.consumers.values()):
            self.consumer(consumer, reason, tell=True)
        del peer.producers[producer.id]
        del producer.transport.producers[producer.id]
        del self.producers[producer.number]
        del peer.room.producers[producer.id]
        peer.room.announce(
            ProducerClosed(peer_id=peer.id, producer_id=producer.id, reason=reason),
            skip=None if tell_owner else peer,
        )
        self.on_producer_closed(producer)

    def transport(self, transport: Transport, reason: CloseReason, *, tell_owner: bool) -> None:
        """Take a transport and all on it away; its worker-side half is the caller's matter."""
        if transport.closed:
            return
        transport.closed = True
        for consumer in tuple(transport.consumers.values()):
            self.consumer(consumer, reason, tell=tell_owner)
        for producer in tuple(transport.producers.values()):
            self.producer(producer, reason, tell_owner=tell_owner)
        del transport.peer.transports[transport.id]
        del self.transports[transport.number]

    def transport_failed(self, transport: Transport, reason: CloseReason) -> None:
        """Tell its peer that a transport broke, and take it away."""
        self._state(transport, "failed")
        self.transport(transport, reason, tell_owner=True)

    def peer(self, peer: Peer) -> None:
        """Take a leaving peer's media away, on the worker too."""
        for transport in tuple(peer.transports.values()):
            self.transport(transport, "peer-left", tell_owner=False)
            self.drop_transport(transport.number)

    def room(self, room: Room) -> None:
        """Take a closing room's media away, on the worker too."""
        for peer in room.peers.values():
            for transport in tuple(peer.transports.values()):
                self._forget(transport)
        room.producers.clear()
        if room.media_open:
            room.media_open = False
            self.drop_room(room.key)

    def worker_lost(self, numbers: Iterable[int]) -> None:
        """Take away the transports that died with a worker; who comes back for others gets a worker that lives."""
        for number in numbers:
            transport = self.transports.get(number)
            if transport is not None:
                self.transport_failed(transport, "worker-lost")

    def _state(self, transport: Transport, state: TransportStateName) -> None:
        transport.state = state
        transport.peer.tell(TransportState(transport_id=transport.id, state=state))

    def _forget(self, transport: Transport) -> None:
        """Close records without a word: the room's end says it all."""
        transport.closed = True
        for producer in transport.producers.values():
            producer.closed = True
            self.producers.pop(producer.number, None)
        for consumer in transport.consumers.values():
            consumer.closed = True
            self.consumers.pop(consumer.number, None)
        self.transports.pop(transport.number, None)
        peer = transport.peer
        peer.transports.clear()
        peer.producers.clear()
        peer.consumers.clear()

    # The media plane's half. Closing is idempotent there, and a worker that is gone has closed everything.

    def drop_transport(self, number: int) -> None:
        """Close a transport on the worker soon."""
        self.later(lambda: self._media.close_transport(number))

    def drop_producer(self, number: int) -> None:
        """Close a producer on the worker soon."""
        self.later(lambda: self._media.close_producer(number))

    def drop_consumer(self, number: int) -> None:
        """Close a consumer on the worker soon."""
        self.later(lambda: self._media.close_consumer(number))

    def drop_room(self, key: str) -> None:
        """Close a room on the worker soon."""
        self.later(lambda: self._media.close_room(key))

    def later(self, call: Callable[[], Awaitable[None]]) -> None:
        """Let the media plane do something soon that needs no answer."""
        self._start(lambda: _quietly(call))

    async def settle(self, call: Callable[[], Awaitable[None]]) -> None:
        """Let the media plane close something now; when the wait is cancelled it is closed all the same."""
        try:
            await _quietly(call)
        except BaseException:
            self.later(call)
            raise


async def _quietly(call: Callable[[], Awaitable[None]]) -> None:
    try:
        await call()
    except MediaError:
        # What cannot be closed is on a worker that is lost, and its loss is an event of its own.
        return
