"""All rooms of a server and what happens to them from outside: connections, media events, time, the HTTP API.

Sans-IO: time and randomness are arguments, nothing here waits. The owner of the event loop

- makes one ``Session`` per WebSocket with ``open_session``;
- calls ``on_media_event`` for every event of the media plane;
- calls ``tick`` at ``next_deadline`` (or once a second, which is often enough);
- runs what is handed to ``start`` soon (closing things on media workers).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence

from simplestchat.config.settings import VIDEO_CODECS
from simplestchat.model.ids import Entropy
from simplestchat.model.media import (
    BandwidthChanged,
    LayersForwarded,
    LayersWanted,
    MediaEvent,
    MediaPort,
    ProducerLevels,
    SpeakerChanged,
    TransportStateChanged,
    WorkerLost,
)
from simplestchat.model.spans import Spans
from simplestchat.signaling import framing, memory
from simplestchat.signaling.attention import Attention
from simplestchat.signaling.chat import Chat
from simplestchat.signaling.closing import Closer, Start
from simplestchat.signaling.data import IceServer
from simplestchat.signaling.deadlines import Deadlines, Reason
from simplestchat.signaling.limits import Limits
from simplestchat.signaling.mediacalls import MediaCalls
from simplestchat.signaling.membership import Membership
from simplestchat.signaling.notices import (
    ServerDraining,
    SpeakerLevel,
    SpeakerLevels,
    TransportBandwidth,
    TransportState,
)
from simplestchat.signaling.registry import METHODS
from simplestchat.signaling.requests import RoomUpdate
from simplestchat.signaling.rest import RoomCreate, RoomMade, RoomPage, RoomStats, RoomView
from simplestchat.signaling.rooms import RoomBook, view
from simplestchat.signaling.roomstats import room_stats
from simplestchat.signaling.session import Session
from simplestchat.signaling.state import Outbox, Room

#: Where the times of requests are cut: most take well under a millisecond, one that waits for a worker a few.
REQUEST_BOUNDS_S = (
    0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0,
)  # fmt: skip
#: Where what transports can take is cut, in bits a second.
ESTIMATE_BOUNDS_BPS = (
    50e3, 100e3, 200e3, 300e3, 500e3, 750e3, 1e6, 1.5e6, 2e6, 3e6, 5e6, 7.5e6, 10e6, 20e6, 50e6,
)  # fmt: skip
#: Words of the media plane that are counted apart: it has far fewer.
MAX_REASONS = 32
#: In the place of a method that there is not.
OTHER_METHOD = "other"


class Hub:
    """The one owner of signaling state; every method runs on the event loop's thread."""

    def __init__(
        self,
        media: MediaPort,
        *,
        clock: Callable[[], float],
        wall_ms: Callable[[], int],
        start: Start,
        entropy: Entropy = os.urandom,
        limits: Limits | None = None,
        ice_servers: Sequence[IceServer] = (),
        video_codecs: Sequence[str] = VIDEO_CODECS,
    ) -> None:
        """``clock`` gives monotonic seconds, ``wall_ms`` milliseconds since 1970; ``video_codecs`` are in the order in
        which rooms prefer them.
        """
        self.limits = limits or Limits()
        self._clock = clock
        self._media = media
        self._sessions: set[Session] = set()
        self.refusals: Counter[str] = Counter()
        """How many requests were refused, by the reason in their answers."""
        self.request_times = {method: Spans(REQUEST_BOUNDS_S) for method in (*METHODS, OTHER_METHOD)}
        """How long requests took to be answered, workers' part included, by method."""
        self.layer_changes: Counter[str] = Counter()
        """How often the layers of a consumer changed, by the media plane's reason."""
        self.estimates = Spans(ESTIMATE_BOUNDS_BPS)
        """What transports could take, each time that it was told, in bits a second."""
        self._deadlines = Deadlines()
        self._look_at_s = 0.0
        self._closer = Closer(media, start)
        self._attention = Attention(media, self.limits)
        self._closer.on_producer_closed = self._attention.producer_closed
        self._rooms = RoomBook(
            self._closer,
            self._attention,
            self._deadlines,
            self.limits,
            video_codecs=video_codecs,
            clock=clock,
            wall_ms=wall_ms,
            entropy=entropy,
        )
        self._membership = Membership(
            self._rooms,
            self._closer,
            self._attention,
            self._deadlines,
            self.limits,
            clock=clock,
            entropy=entropy,
            ice_servers=list(ice_servers),
        )
        self._chat = Chat(wall_ms=wall_ms, entropy=entropy)
        self._calls = MediaCalls(media, self._closer, self._attention, self.limits, entropy, clock)

    # Connections

    def open_session(self, outbox: Outbox, token: str | None = None, origin: str = "") -> Session:
        """One WebSocket's side, with the token that came with it; call its ``closed`` when the socket is gone.

        ``origin`` is one for all that a limit takes for one, such as an address; "" is this machine itself.
        """
        session = Session(
            outbox,
            rooms=self._rooms,
            membership=self._membership,
            chat=self._chat,
            calls=self._calls,
            limits=self.limits,
            clock=self._clock,
            on_closed=self._sessions.discard,
            on_refused=self._count_refusal,
            on_handled=self._count_handled,
            token=token,
            origin=origin,
        )
        self._sessions.add(session)
        return session

    def _count_refusal(self, reason: str) -> None:
        self.refusals[reason] += 1

    def _count_handled(self, method: str, span_s: float) -> None:
        spans = self.request_times.get(method)
        (self.request_times[OTHER_METHOD] if spans is None else spans).add(span_s)

    def drain(self, deadline_ms: int) -> None:
        """Take no new peers, and tell every connection that the server stops at ``deadline_ms`` (since 1970)."""
        self._membership.draining = True
        frame = framing.notification(ServerDraining(deadline=deadline_ms), None)
        for session in tuple(self._sessions):
            session.outbox.push(frame)

    @property
    def draining(self) -> bool:
        """Whether the server takes no new peers."""
        return self._membership.draining

    def census(self) -> dict[str, int]:
        """How much of everything there is, for metrics."""
        peers = [peer for room in self._rooms for peer in room.peers.values()]
        return {
            "connections": len(self._sessions),
            "rooms": len(self._rooms),
            "peers": len(peers),
            "peers_away": sum(peer.outbox is None for peer in peers),
            "transports": len(self._closer.transports),
            "producers": len(self._closer.producers),
            "consumers": sum(len(peer.consumers) for peer in peers),
        }

    # Time

    def next_deadline(self) -> float | None:
        """When ``tick`` will have something to do, in the clock's seconds."""
        return self._deadlines.next()

    def tick(self) -> None:
        """Let grace times end and what waits pass, and see that all rooms do not remember too much together."""
        now = self._clock()
        self._calls.views.tick()
        if now >= self._look_at_s:
            self._look_at_s = now + memory.LOOK_INTERVAL_S
            memory.bound(self._rooms, self.limits.history_bytes)
        while (due := self._deadlines.take(now)) is not None:
            reason, key, peer_id = due
            room = self._rooms.by_key(key)
            if room is None:
                continue
            if reason is Reason.PEER_GRACE:
                self._membership.expire(room, peer_id)
            elif reason is Reason.CODECS:
                self._membership.release_codecs(room)
            else:
                self._rooms.expire(room)

    # Media events

    def on_media_event(self, event: MediaEvent) -> None:
        """Take an event of the media plane."""
        if isinstance(event, TransportStateChanged):
            self._transport_state(event)
        elif isinstance(event, ProducerLevels):
            self._levels(event)
        elif isinstance(event, LayersForwarded):
            self._layers_forwarded(event)
        elif isinstance(event, BandwidthChanged):
            self._bandwidth(event)
        elif isinstance(event, SpeakerChanged):
            self._speaker(event)
        elif isinstance(event, LayersWanted):
            producer = self._closer.producers.get(event.producer)
            if producer is not None:
                self._attention.layers_wanted(producer, event.mask)
        elif isinstance(event, WorkerLost):
            self._closer.worker_lost(event.transports)

    def _transport_state(self, event: TransportStateChanged) -> None:
        transport = self._closer.transports.get(event.transport)
        if transport is None or transport.state == event.state:
            return
        if event.state == "failed":
            self._closer.transport_failed(transport, "transport-closed")
            self._closer.drop_transport(transport.number)
            return
        transport.state = event.state
        transport.peer.tell(TransportState(transport_id=transport.id, state=event.state))

    def _levels(self, event: ProducerLevels) -> None:
        heard: dict[Room, dict[str, int]] = {}
        for number, level in event.levels:
            producer = self._closer.producers.get(number)
            if producer is None or producer.paused or producer.source != "microphone":
                continue
            of_room = heard.setdefault(producer.peer.room, {})
            of_room[producer.peer.id] = min(level, of_room.get(producer.peer.id, 127))
        for room, levels in heard.items():
            if len(room.peers) <= self.limits.levels_peers:
                room.announce(
                    SpeakerLevels(levels=[SpeakerLevel(peer_id=one, level=level) for one, level in levels.items()])
                )

    def _speaker(self, event: SpeakerChanged) -> None:
        room = self._rooms.by_key(event.room_id)
        producer = self._closer.producers.get(event.producer)
        if room is not None and (producer is None or producer.peer.room is room):
            self._attention.speaker_changed(room, None if producer is None else producer.peer)

    def _layers_forwarded(self, event: LayersForwarded) -> None:
        if event.reason in self.layer_changes or len(self.layer_changes) < MAX_REASONS:
            self.layer_changes[event.reason] += 1
        self._attention.layers_forwarded(self._closer.consumers.get(event.consumer), event)

    def _bandwidth(self, event: BandwidthChanged) -> None:
        self.estimates.add(event.available_bps)
        transport = self._closer.transports.get(event.transport)
        if transport is not None:
            transport.peer.tell(TransportBandwidth(transport_id=transport.id, available_bitrate=event.available_bps))

    # The HTTP API; every method raises ``SimplestChatError``s only

    def create_room(self, wanted: RoomCreate) -> RoomMade:
        """``POST /api/rooms``."""
        room, token = self._rooms.create(wanted)
        return RoomMade(room=view(room), owner_token=token)

    def list_rooms(self, query: str = "", cursor: str | None = None) -> RoomPage:
        """``GET /api/rooms``."""
        return self._rooms.page(query, cursor)

    def find_room(self, room_id: str) -> RoomPage:
        """``GET /api/rooms?id=``: whoever only asks whether a room is there is not told of an error."""
        return self._rooms.named(room_id)

    def show_room(self, room_id: str) -> RoomView:
        """``GET /api/rooms/{room}``."""
        return view(self._rooms.get(room_id))

    async def room_stats(self, room_id: str, token: str, *, operator: bool) -> RoomStats:
        """``GET /api/rooms/{room}/stats`` with the owner's bearer token, or by an operator."""
        room = self._rooms.get(room_id) if operator else self._rooms.managed(room_id, token)
        return await room_stats(self._media, room)

    def update_room(self, room_id: str, token: str, wanted: RoomUpdate) -> RoomView:
        """``PATCH /api/rooms/{room}`` with the owner's bearer token ("" when there is none)."""
        room = self._rooms.managed(room_id, token)
        self._rooms.update(room, wanted)
        return view(room)

    def close_room(self, room_id: str, token: str) -> None:
        """``DELETE /api/rooms/{room}`` with the owner's bearer token ("" when there is none)."""
        self._rooms.close(self._rooms.managed(room_id, token), "closed")
