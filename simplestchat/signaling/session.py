"""One WebSocket's side of signaling: text in, answer out, notifications through the outbox."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec
import structlog

from simplestchat.errors import (
    AlreadyInRoom,
    Internal,
    InternalError,
    MediaMisuse,
    MediaUnavailable,
    Misuse,
    NotInRoom,
    RateLimited,
    SimplestChatError,
    WrongPassword,
)
from simplestchat.signaling import framing, requests
from simplestchat.signaling.bucket import TokenBucket
from simplestchat.signaling.chat import Chat
from simplestchat.signaling.costs import undone
from simplestchat.signaling.edge import CLOSE_FLOOD
from simplestchat.signaling.framing import BadCall, Call
from simplestchat.signaling.limits import Limits
from simplestchat.signaling.mediacalls import MediaCalls, overtaken
from simplestchat.signaling.membership import Membership
from simplestchat.signaling.permissions import check_method
from simplestchat.signaling.registry import PING
from simplestchat.signaling.requests import Nothing
from simplestchat.signaling.rooms import RoomBook
from simplestchat.signaling.state import Outbox, Peer

Ending: TypeAlias = Literal["lost", "left"]
"""How a socket ended: ``left`` when the client's page went away (close code 1001), else ``lost``."""

Answer: TypeAlias = bytes | None
"""What is sent back to one message, if anything."""

_Handler: TypeAlias = Callable[[Peer, Any], object]
_WorkersHandler: TypeAlias = Callable[[Peer, Any], Coroutine[Any, Any, object]]


class _Question(NamedTuple):
    """A checked request whose result a worker has a part in."""

    handler: _WorkersHandler
    peer: Peer
    params: Any


log = structlog.stdlib.get_logger("simplestchat.signaling")


class Session:
    """Feed it every text frame with ``handle``, one after the other, and push what it returns, or what comes of
    awaiting that, to the outbox at once: no other task may run in between, so that answers and notifications keep their
    order. ``handle`` never raises, and awaiting only for cancellation. Call ``closed`` when the socket is gone.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        rooms: RoomBook,
        membership: Membership,
        chat: Chat,
        calls: MediaCalls,
        limits: Limits,
        clock: Callable[[], float],
        on_closed: Callable[[Session], None],
        on_refused: Callable[[str], None],
        on_handled: Callable[[str, float], None],
        token: str | None = None,
        origin: str = "",
    ) -> None:
        """``token`` is what the client presented when it connected. ``on_handled`` hears of each request its method, as
        the client wrote it, and how many seconds its answer took.
        """
        self.outbox = outbox
        self._rooms = rooms
        self._membership = membership
        self._chat = chat
        self._clock = clock
        self._on_closed = on_closed
        self._on_refused = on_refused
        self._on_handled = on_handled
        self._wrong_password_cost = limits.wrong_password_cost
        self._chat_spread = limits.chat_spread
        self._most_cost = limits.request_burst // 2
        self._bucket = TokenBucket(limits.request_burst, limits.requests_per_s, limits.flood_requests, clock())
        self._peer: Peer | None = None
        self._token = token
        self._origin = origin
        self._handlers: dict[str, _Handler] = {
            "room.leave": self._leave,
            "room.update": self._update,
            "room.close": self._close_room,
            "peer.kick": self._kick,
            "chat.send": self._send,
            "chat.history": self._history,
            "consumer.setPriority": calls.consumer_set_priority,
            "consumer.setView": calls.consumer_set_view,
            "consumer.setViews": calls.consumer_set_views,
        }
        self._workers_handlers = self._table(calls)

    def _table(self, calls: MediaCalls) -> dict[str, _WorkersHandler]:
        """Every method that a worker has a part in, to what carries it out."""
        return {
            "transport.create": calls.transport_create,
            "transport.connect": calls.transport_connect,
            "transport.restartIce": calls.transport_restart_ice,
            "transport.stats": calls.transport_stats,
            "transport.decisions": calls.transport_decisions,
            "transport.close": calls.transport_close,
            "producer.create": calls.producer_create,
            "producer.pause": calls.producer_pause,
            "producer.resume": calls.producer_resume,
            "producer.close": calls.producer_close,
            "consumer.create": calls.consumer_create,
            "consumer.pause": calls.consumer_pause,
            "consumer.resume": calls.consumer_resume,
            "consumer.close": calls.consumer_close,
            "consumer.setPreferredLayers": calls.consumer_set_preferred_layers,
            "consumer.requestKeyFrame": calls.consumer_request_key_frame,
        }

    @property
    def peer(self) -> Peer | None:
        """Who this connection is, if it is in a room and was not resumed elsewhere."""
        peer = self._peer
        if peer is not None and (peer.gone or peer.outbox is not self.outbox):
            self._peer = peer = None
        return peer

    def handle(self, text: str | bytes) -> Answer | Coroutine[Any, Any, Answer]:
        """Carry out one message; the answer, or what to await it from when a worker has to be asked."""
        began_s = self._clock()
        verdict = self._bucket.take(began_s)
        if verdict == "flood":
            self._on_refused("flood")
            self.outbox.close(CLOSE_FLOOD, "too many requests")
            return None
        try:
            call = framing.parse(text)
        except BadCall as bad:
            self._on_refused(bad.error.reason)
            return framing.failure(bad.id, bad.error)
        try:
            if verdict == "refuse":
                raise RateLimited()
            result = self._carry_out(call)
            if isinstance(result, _Question):
                return self._later(call, began_s, result)
            answer = _success(call, result)
        except Exception as error:
            answer = self._refuse(call, error)
        self._on_handled(call.method, self._clock() - began_s)
        return answer

    async def _later(self, call: Call, began_s: float, question: _Question) -> Answer:
        """The answer once a worker has done its part."""
        try:
            try:
                answer = _success(call, await question.handler(question.peer, question.params))
            except MediaMisuse as error:
                raise overtaken(question.peer, question.params) or error from error
        except Exception as error:
            answer = self._refuse(call, error)
        self._on_handled(call.method, self._clock() - began_s)
        return answer

    def _carry_out(self, call: Call) -> object:
        """The result, or a question to a worker."""
        framing.check_known(call)
        peer = self.peer
        check_method(call.method, peer.role if peer else None)
        params = framing.params_of(call)
        if call.method == PING:
            return params
        if call.method == "auth":
            self._token = params.token
            return Nothing()
        if call.method == "room.join":
            return self._join(params)
        if peer is None:
            raise NotInRoom()
        self._charge_undoing(peer, call.method, params)
        handler = self._handlers.get(call.method)
        if handler is not None:
            return handler(peer, params)
        return _Question(self._workers_handlers[call.method], peer, params)

    def _refuse(self, call: Call, error: Exception) -> bytes | None:
        """The answer to a call that failed; our own faults go to the log."""
        if isinstance(error, WrongPassword):
            self._bucket.take(self._clock(), self._wrong_password_cost)
        known = error if isinstance(error, SimplestChatError) else InternalError()
        self._on_refused(known.reason)
        if isinstance(known, MediaUnavailable):
            # A lost worker meets every request of its rooms; its loss has a record of its own.
            log.info("media unavailable", method=call.method)
        elif isinstance(known, (Internal, Misuse)):
            log.error("request failed", method=call.method, error=type(error).__name__, exc_info=error)
        return None if isinstance(call.id, msgspec.UnsetType) else framing.failure(call.id, known)

    async def closed(self, ending: Ending = "lost") -> None:
        """The socket is gone. What was lost may come back within the grace time; what left is gone at once."""
        self._on_closed(self)
        peer = self.peer
        self._peer = None
        if peer is None:
            return
        if ending == "left":
            self._membership.leave(peer, "left")
        else:
            self._membership.detach(peer, self.outbox)

    # Rooms and chat

    def _join(self, params: requests.RoomJoin) -> requests.RoomJoined:
        if self.peer is not None:
            raise AlreadyInRoom()
        token = self._token if params.token is None else params.token
        self._peer, joined = self._membership.join(params, token, self.outbox, self._origin)
        return joined

    def _leave(self, peer: Peer, params: Nothing) -> Nothing:
        self._membership.leave(peer, "left")
        return params

    def _update(self, peer: Peer, params: requests.RoomUpdate) -> Nothing:
        if params.video_limit not in (None, peer.room.last_n.limit):
            held = sum(len(one.consumers) for one in peer.room.peers.values())
            self._charge(min(held // self._chat_spread, self._most_cost))
        self._rooms.update(peer.room, params)
        return Nothing()

    def _close_room(self, peer: Peer, params: Nothing) -> Nothing:
        self._rooms.close(peer.room, "closed")
        return params

    def _kick(self, peer: Peer, params: requests.PeerKick) -> Nothing:
        self._membership.kick(peer, params.peer_id)
        return Nothing()

    def _send(self, peer: Peer, params: requests.ChatSend) -> requests.ChatSent:
        cost = len(peer.room.peers) // self._chat_spread
        if cost:
            self._charge(cost)
        return self._chat.send(peer, params)

    def _charge(self, cost: int) -> None:
        """Let a request count for more than the one that it is counted as already."""
        now = self._clock()
        if not self._bucket.has(now, cost):
            raise RateLimited("What reaches that many people counts for several requests. Wait a second and try again.")
        self._bucket.take(now, cost)

    def _charge_undoing(self, peer: Peer, method: str, params: object) -> None:
        """What everybody was told of is undone: that is never refused for its cost, but what follows may be."""
        spread = len(peer.room.peers) // self._chat_spread
        if spread and (count := undone(peer, method, params)):
            self._bucket.take(self._clock(), min(2 * spread * count, self._most_cost))

    def _history(self, peer: Peer, params: requests.ChatHistory) -> requests.ChatPage:
        return self._chat.history(peer, params)


def _success(call: Call, result: object) -> Answer:
    return None if isinstance(call.id, msgspec.UnsetType) else framing.success(call.id, result)
