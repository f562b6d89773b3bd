"""The requests about media: they ask the media plane first and change state only when it has agreed.

While the media plane works, anything may happen: the peer leaves, the producer closes, the worker dies. So after every
``await`` the state is looked at again, and what came too late is given back. Between two ``await`` nothing else runs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Final

import msgspec

from simplestchat.errors import (
    Conflict,
    InvalidParams,
    MediaError,
    NotFound,
    NotInRoom,
    Quota,
    SimplestChatError,
)
from simplestchat.model.ids import Entropy, new_id
from simplestchat.model.media import MediaPort, TransportInfo
from simplestchat.ortc import Production, consume, produce
from simplestchat.signaling import requests
from simplestchat.signaling.attention import Attention
from simplestchat.signaling.closing import Closer
from simplestchat.signaling.data import Source
from simplestchat.signaling.limits import Limits
from simplestchat.signaling.membership import learn_codecs
from simplestchat.signaling.notices import ProducerOpened, ProducerPaused, ProducerResumed
from simplestchat.signaling.permissions import check_publish
from simplestchat.signaling.requests import Nothing
from simplestchat.signaling.shapes import created, decision, fingerprints, ice_parameters, size
from simplestchat.signaling.state import Consumer, Peer, Producer, Transport
from simplestchat.signaling.views import Views

_SOURCES: Final[dict[str, tuple[Source, ...]]] = {
    "audio": ("microphone", "screen-audio"),
    "video": ("camera", "screen"),
}
_ALL_TEMPORAL_LAYERS: Final = 7
_US_PER_S: Final = 1_000_000


class MediaCalls:
    """Handlers of ``transport.*``, ``producer.*`` and ``consumer.*`` for a peer."""

    def __init__(
        self,
        media: MediaPort,
        closer: Closer,
        attention: Attention,
        limits: Limits,
        entropy: Entropy,
        clock: Callable[[], float],
    ) -> None:
        self._media = media
        self._closer = closer
        self._attention = attention
        self._clock = clock
        self.views = Views(media, burst=limits.view_burst, rate_per_s=limits.views_per_s, clock=clock)
        self._limits = limits
        self._entropy = entropy

    # Transports

    async def transport_create(self, peer: Peer, params: requests.TransportCreate) -> requests.TransportCreated:
        """Make a transport on one of the workers."""
        with self._reserved(peer, "transports", len(peer.transports), self._limits.transports):
            info = await self._new_transport(peer)
        transport = Transport(
            id=new_id(self._entropy),
            number=info.id,
            peer=peer,
            direction=params.direction,
            next_ssrc=int.from_bytes(self._entropy(4), "big"),
        )
        peer.transports[transport.id] = transport
        self._closer.transports[transport.number] = transport
        return created(transport.id, info)

    async def _new_transport(self, peer: Peer) -> TransportInfo:
        room = peer.room
        if not room.media_open:
            await self._media.open_room(room.key)
            if room.closed:
                self._closer.drop_room(room.key)
                raise NotInRoom("The room was closed.")
            room.media_open = True
            self._attention.resized(room)
        info = await self._media.create_transport(room.key, peer.id)
        if peer.gone:
            self._closer.drop_transport(info.id)
            raise NotInRoom("You left the room meanwhile.")
        return info

    async def transport_connect(self, peer: Peer, params: requests.TransportConnect) -> Nothing:
        """Hand the client's certificate and role to the media plane, once."""
        transport = _transport(peer, params.transport_id)
        if transport.connected:
            raise Conflict("This transport is connected already. Use transport.restartIce to change its path.")
        certificates = fingerprints(params.dtls_parameters.fingerprints)
        transport.connected = True
        try:
            await self._media.connect_transport(transport.number, params.dtls_parameters.role or "auto", certificates)
        except MediaError:
            transport.connected = False
            raise
        except BaseException:
            # Nobody knows how far it got, so it cannot be tried again.
            self._closer.transport_failed(transport, "transport-closed")
            self._closer.drop_transport(transport.number)
            raise
        return Nothing()

    async def transport_restart_ice(self, peer: Peer, params: requests.TransportRef) -> requests.IceRestarted:
        """Give a transport new ICE credentials."""
        ice = await self._media.restart_ice(_transport(peer, params.transport_id).number)
        return requests.IceRestarted(ice_parameters=ice_parameters(ice))

    async def transport_stats(self, peer: Peer, params: requests.TransportRef) -> requests.TransportCounters:
        """The worker's counters of a transport."""
        stats = await self._media.transport_stats(_transport(peer, params.transport_id).number)
        return msgspec.convert(SimpleNamespace(**stats), requests.TransportCounters, from_attributes=True)

    async def transport_decisions(self, peer: Peer, params: requests.TransportRef) -> requests.Decisions:
        """The latest choices of layers for what a transport sends."""
        rows = await self._media.decisions(_transport(peer, params.transport_id).number)
        now_us = self._clock() * _US_PER_S
        told = []
        for row in rows:
            consumer = self._closer.consumers.get(row.consumer)
            if consumer is not None:
                told.append(decision(row, consumer.id, now_us))
        return requests.Decisions(decisions=told)

    async def transport_close(self, peer: Peer, params: requests.TransportRef) -> Nothing:
        """Give a transport back, with all that is on it."""
        transport = _transport(peer, params.transport_id)
        self._closer.transport(transport, "transport-closed", tell_owner=False)
        await self._closer.settle(lambda: self._media.close_transport(transport.number))
        return Nothing()

    # Producers

    async def producer_create(self, peer: Peer, params: requests.ProducerCreate) -> requests.ProducerCreated:
        """Publish a track and tell the others."""
        transport = _transport(peer, params.transport_id, "send")
        check_publish(params.kind, audio_only=peer.room.audio_only)
        source = _source(params)
        production = produce(params.kind, params.rtp_parameters)
        _check_free(transport, production)
        with self._reserved(peer, "producers", len(peer.producers), self._limits.producers):
            number = await self._media.create_producer(transport.number, production.spec, voice=source == "microphone")
            try:
                if params.paused:
                    await self._media.pause_producer(number)
                _check_open(transport)
                check_publish(params.kind, audio_only=peer.room.audio_only)
                _check_free(transport, production)
            except BaseException:
                self._closer.drop_producer(number)
                raise
        producer = Producer(
            id=new_id(self._entropy),
            number=number,
            transport=transport,
            production=production,
            source=source,
            paused=bool(params.paused),
        )
        for owner in (peer.producers, transport.producers, peer.room.producers):
            owner[producer.id] = producer
        self._closer.producers[number] = producer
        peer.room.announce(
            ProducerOpened(
                peer_id=peer.id,
                producer_id=producer.id,
                kind=params.kind,
                source=source,
                paused=producer.paused,
            ),
            skip=peer,
        )
        self._attention.producer_opened(producer)
        return requests.ProducerCreated(id=producer.id)

    async def producer_pause(self, peer: Peer, params: requests.ProducerRef) -> Nothing:
        """Mute a track and tell the others."""
        producer = _producer(peer, params.producer_id)
        await self._either(self._media.pause_producer, self._media.resume_producer, producer.number)
        if not producer.closed and not producer.paused:
            producer.paused = True
            peer.room.announce(ProducerPaused(peer_id=peer.id, producer_id=producer.id), skip=peer)
        return Nothing()

    async def producer_resume(self, peer: Peer, params: requests.ProducerRef) -> Nothing:
        """Unmute a track and tell the others."""
        producer = _producer(peer, params.producer_id)
        await self._either(self._media.resume_producer, self._media.pause_producer, producer.number)
        if not producer.closed and producer.paused:
            producer.paused = False
            peer.room.announce(ProducerResumed(peer_id=peer.id, producer_id=producer.id), skip=peer)
        return Nothing()

    async def producer_close(self, peer: Peer, params: requests.ProducerRef) -> Nothing:
        """Stop publishing a track and tell the others."""
        producer = _producer(peer, params.producer_id)
        self._closer.producer(producer, "closed", tell_owner=False)
        await self._closer.settle(lambda: self._media.close_producer(producer.number))
        return Nothing()

    # Consumers

    async def consumer_create(self, peer: Peer, params: requests.ConsumerCreate) -> requests.ConsumerCreated:
        """Send a track of the room to this peer, in its own payload types and extension ids."""
        transport = _transport(peer, params.transport_id, "recv")
        producer = peer.room.producers.get(params.producer_id)
        if producer is None:
            raise NotFound("There is no such producer in this room. It may have been closed.")
        if peer.codecs is None:
            learn_codecs(peer, params.rtp_capabilities)
        paused = params.paused is not False
        consumption = consume(
            producer.production,
            params.rtp_capabilities,
            mid=transport.new_mid(),
            new_ssrc=transport.new_ssrc,
            paused=paused,
        )
        with self._reserved(peer, "consumers", len(peer.consumers), self._limits.consumers):
            number = await self._media.create_consumer(transport.number, producer.number, consumption.spec)
            try:
                _check_open(transport)
                if producer.closed:
                    raise NotFound("The producer was closed meanwhile.")
            except Exception:
                self._closer.drop_consumer(number)
                raise
        consumer = Consumer(
            id=new_id(self._entropy), number=number, transport=transport, producer=producer, paused=paused
        )
        for owner in (peer.consumers, transport.consumers, producer.consumers):
            owner[consumer.id] = consumer
        self._closer.consumers[number] = consumer
        self._attention.consumer_opened(consumer)
        return requests.ConsumerCreated(
            id=consumer.id,
            producer_id=producer.id,
            kind=producer.production.kind,
            rtp_parameters=consumption.rtp_parameters,
            type=producer.production.type,
            producer_paused=producer.paused,
            spatial_layers=producer.production.spatial_layers,
            temporal_layers=producer.production.temporal_layers,
            held=producer.held,
        )

    async def consumer_pause(self, peer: Peer, params: requests.ConsumerRef) -> Nothing:
        """Stop a track for a while."""
        consumer = _consumer(peer, params.consumer_id)
        await self._either(self._media.pause_consumer, self._media.resume_consumer, consumer.number)
        consumer.paused = True
        return Nothing()

    async def consumer_resume(self, peer: Peer, params: requests.ConsumerRef) -> Nothing:
        """Begin a track, or go on with it."""
        consumer = _consumer(peer, params.consumer_id)
        await self._either(self._media.resume_consumer, self._media.pause_consumer, consumer.number)
        consumer.paused = False
        return Nothing()

    async def consumer_close(self, peer: Peer, params: requests.ConsumerRef) -> Nothing:
        """Stop a track for good."""
        consumer = _consumer(peer, params.consumer_id)
        self._closer.consumer(consumer, "closed", tell=False)
        await self._closer.settle(lambda: self._media.close_consumer(consumer.number))
        return Nothing()

    async def consumer_set_preferred_layers(self, peer: Peer, params: requests.ConsumerLayersWanted) -> Nothing:
        """Say which layers of a track are of use."""
        consumer = _consumer(peer, params.consumer_id)
        temporal = _ALL_TEMPORAL_LAYERS if params.temporal_layer is None else params.temporal_layer
        await self._media.set_preferred_layers(consumer.number, params.spatial_layer, temporal)
        return Nothing()

    def consumer_set_priority(self, peer: Peer, params: requests.ConsumerPriority) -> Nothing:
        """Say how much a track matters."""
        consumer = _consumer(peer, params.consumer_id)
        consumer.priority = params.priority
        self._attention.rank(consumer)
        return Nothing()

    def consumer_set_view(self, peer: Peer, params: requests.ConsumerView) -> Nothing:
        """Say how large a track is shown."""
        self.views.show(peer, [(_consumer(peer, params.consumer_id), size(params))])
        return Nothing()

    def consumer_set_views(self, peer: Peer, params: requests.ConsumerViews) -> Nothing:
        """Say it of many; some of them may have been closed meanwhile."""
        known = [(peer.consumers.get(one.consumer_id), size(one)) for one in params.views]
        self.views.show(peer, [(consumer, shown) for consumer, shown in known if consumer is not None])
        return Nothing()

    async def consumer_request_key_frame(self, peer: Peer, params: requests.ConsumerRef) -> Nothing:
        """Ask the publisher of a track for a keyframe."""
        await self._media.request_keyframe(_consumer(peer, params.consumer_id).number)
        return Nothing()

    async def _either(
        self, do: Callable[[int], Awaitable[None]], undo: Callable[[int], Awaitable[None]], number: int
    ) -> None:
        """Switch something on the worker; when the wait is cancelled it is switched back."""
        try:
            await do(number)
        except Exception:
            raise
        except BaseException:
            self._closer.later(lambda: undo(number))
            raise

    @contextmanager
    def _reserved(self, peer: Peer, what: str, held: int, most: int) -> Iterator[None]:
        """Hold a place in the quota while the media plane works."""
        if held + peer.pending[what] >= most:
            raise Quota(f"You hold {most} {what}, which is the most. Close some first.")
        peer.pending[what] += 1
        try:
            yield
        finally:
            peer.pending[what] -= 1


def overtaken(peer: Peer, params: object) -> SimplestChatError | None:
    """What to say when the media plane did not know something that went away while it was asked."""
    if peer.gone:
        return NotInRoom("You left the room meanwhile.")
    held: dict[str, Collection[str]] = {
        "transport_id": peer.transports,
        "producer_id": peer.room.producers,
        "consumer_id": peer.consumers,
    }
    for field, things in held.items():
        if getattr(params, field, None) not in (None, *things):
            return NotFound(f"The {field.partition('_')[0]} was closed meanwhile.")
    return None


def _transport(peer: Peer, transport_id: str, direction: str = "") -> Transport:
    transport = peer.transports.get(transport_id)
    if transport is None:
        raise NotFound("You have no such transport. It may have been closed; create another one.")
    if direction and transport.direction != direction:
        raise InvalidParams(
            f"This transport was made to {transport.direction}. Use one whose direction is {direction!r}."
        )
    return transport


def _producer(peer: Peer, producer_id: str) -> Producer:
    producer = peer.producers.get(producer_id)
    if producer is None:
        raise NotFound("You have no such producer. It may have been closed.")
    return producer


def _consumer(peer: Peer, consumer_id: str) -> Consumer:
    consumer = peer.consumers.get(consumer_id)
    if consumer is None:
        raise NotFound("You have no such consumer. Its producer may have been closed.")
    return consumer


def _check_open(transport: Transport) -> None:
    """Raise when the transport went away while the media plane worked."""
    if transport.peer.gone:
        raise NotInRoom("You left the room meanwhile.")
    if transport.closed:
        raise NotFound("The transport was closed meanwhile. Create another one.")


def _check_free(transport: Transport, production: Production) -> None:
    """Raise when another producer of the transport has one of the SSRCs, or the MID: a second claim is refused."""
    for other in transport.producers.values():
        if shared := other.production.ssrcs & production.ssrcs:
            raise InvalidParams(f"SSRC {min(shared)} belongs to another producer of this transport. Choose a new one.")
        mid = production.spec.mid
        if mid and mid == other.production.spec.mid:
            raise InvalidParams(f"MID {mid} belongs to another producer of this transport. Close that one first.")


def _source(params: requests.ProducerCreate) -> Source:
    allowed = _SOURCES[params.kind]
    source = params.app_data.source if params.app_data else None
    if source is not None and source not in allowed:
        raise InvalidParams(f"A source {source!r} is no {params.kind}. Use {' or '.join(allowed)}.")
    return source or allowed[0]
