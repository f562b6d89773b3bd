"""Who is in which room: entering, leaving, losing one's connection and coming back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

import msgspec

from simplestchat.errors import Draining, NotFound, RateLimited, RoomFull
from simplestchat.model.ids import Entropy, new_id, new_token, same_secret
from simplestchat.ortc import ROUTER_CAPABILITIES, RtpCapabilities
from simplestchat.signaling import framing
from simplestchat.signaling.attention import Attention
from simplestchat.signaling.closing import Closer
from simplestchat.signaling.codecs import receivable
from simplestchat.signaling.data import (
    ChatState,
    IceServer,
    JoinedRoom,
    LeaveReason,
    OwnConsumer,
    OwnMedia,
    OwnProducer,
    OwnTransport,
    PeerInfo,
)
from simplestchat.signaling.deadlines import Deadlines, Reason
from simplestchat.signaling.edge import CLOSE_REPLACED
from simplestchat.signaling.limits import Limits
from simplestchat.signaling.noticelog import NoticeLog
from simplestchat.signaling.notices import PeerJoined, PeerLeft
from simplestchat.signaling.permissions import check_entry, check_kick
from simplestchat.signaling.rates import Rates
from simplestchat.signaling.requests import RoomJoin, RoomJoined
from simplestchat.signaling.rooms import RoomBook, adoptable
from simplestchat.signaling.state import Outbox, Peer, Room
from simplestchat.signaling.text import check_room_id, clean_name

#: What the server can negotiate, encoded once for all who join.
_CAPABILITIES: Final = cast("RtpCapabilities", framing.encoded(ROUTER_CAPABILITIES))


class Membership:
    """Lets peers in and out of rooms."""

    def __init__(
        self,
        rooms: RoomBook,
        closer: Closer,
        attention: Attention,
        deadlines: Deadlines,
        limits: Limits,
        *,
        clock: Callable[[], float],
        entropy: Entropy,
        ice_servers: list[IceServer],
    ) -> None:
        self._rooms = rooms
        self._closer = closer
        self._attention = attention
        self._deadlines = deadlines
        self._limits = limits
        self._clock = clock
        self._entropy = entropy
        self._ice_servers = ice_servers
        guesses = limits.wrong_passwords_per_minute
        self._guesses = Rates(guesses, guesses / 60, clock)
        self.draining = False

    def join(self, wanted: RoomJoin, token: str | None, outbox: Outbox, origin: str) -> tuple[Peer, RoomJoined]:
        """Enter a room or come back to it; raises what ``permissions.check_entry`` raises, and more.

        ``token`` is the one of the request or of the connection, ``origin`` the connection's.
        """
        room_id = check_room_id(wanted.room)
        name = clean_name(wanted.name)
        room = self._rooms.find(room_id)
        back = self._find(room, wanted.resume)
        if back is not None:
            return back, self._resume(back, wanted.last_seq, outbox)
        if self.draining:
            raise Draining()
        made_now = room is None
        if room is None:
            # Who comes back to a room that is gone is not its maker, but for the token that says so.
            room = self._rooms.open(room_id, wanted.password, token, origin, claimed=wanted.resume is None)
            owner = room.owner_token is not None
        else:
            owner = self._is_owner(room, token)
            self._check_entry(room, wanted, origin, is_owner=owner)
            if room.owner_token is None:
                room.owner_token = adoptable(token)
                owner = room.owner_token is not None
        peer = self._enter(room, name, wanted.resume, outbox, owner=owner)
        if wanted.rtp_capabilities is not None:
            learn_codecs(peer, wanted.rtp_capabilities, skip=peer)
        self._attention.resized(room)
        return peer, self._joined(peer, None, resumed=False, give_token=made_now)

    def _find(self, room: Room | None, token: str | None) -> Peer | None:
        """The peer that a resume token belongs to, if it is still in the room."""
        if room is None or token is None:
            return None
        peer_id = room.tokens.get(token)
        return room.peers[peer_id] if peer_id is not None else None

    def _is_owner(self, room: Room, token: str | None) -> bool:
        """A wrong token makes nobody owner, and keeps nobody out: the role tells."""
        return token is not None and room.owner_token is not None and same_secret(token, room.owner_token)

    def _check_entry(self, room: Room, wanted: RoomJoin, origin: str, *, is_owner: bool) -> None:
        # The lock keeps out who is new, not who was inside and lost the place with the connection.
        locked = room.locked and self._known(room, wanted.resume) is None
        fits = is_owner or locked or self._password_fits(room, wanted.password, origin)
        check_entry(locked=locked, password_fits=fits, is_owner=is_owner)
        if len(room.peers) >= self._limits.room_peers:
            raise RoomFull()

    def _password_fits(self, room: Room, password: str | None, origin: str) -> bool:
        """Whether it is the room's password; after too many wrong ones of an address its next ones are not looked at.

        Guessing is slow for each address, and keeps nobody out who comes from another one.
        """
        if room.password is None:
            return True
        if password is None:
            return False
        guesser = f"{room.key} {origin}"
        if self._guesses.wait_s(guesser):
            raise RateLimited("Too many wrong passwords were tried on this room. Wait a minute before the next one.")
        fits = room.password.fits(password)
        if not fits:
            self._guesses.take(guesser)
        return fits

    def _enter(self, room: Room, name: str, token: str | None, outbox: Outbox, *, owner: bool) -> Peer:
        identity = self._known(room, token)
        peer = Peer(
            id=new_id(self._entropy),
            name=name,
            role="owner" if owner else "member",
            room=room,
            identity=identity or new_id(self._entropy),
            resume_token=new_token(self._entropy),
            log=NoticeLog(self._limits.peer_notices, self._limits.peer_notice_bytes),
            outbox=outbox,
        )
        room.peers[peer.id] = peer
        room.tokens[peer.resume_token] = peer.id
        self._rooms.occupied(room)
        room.announce(PeerJoined(peer_id=peer.id, name=peer.name, role=peer.role, producers=[]), skip=peer)
        peer.joined_seq = room.seq
        return peer

    def _known(self, room: Room, token: str | None) -> str | None:
        """The identity of somebody who was in the room before. The token keeps it: this answer may be lost, too."""
        if token is None or token not in room.identities:
            return None
        room.identities.move_to_end(token)
        return room.identities[token]

    def _resume(self, peer: Peer, last_seq: int | None, outbox: Outbox) -> RoomJoined:
        """Put a peer on a new connection; an old one that was not yet known to be dead is closed."""
        if peer.outbox is not None:
            peer.outbox.close(CLOSE_REPLACED, "resumed on another connection")
        peer.outbox = outbox
        self._deadlines.drop(Reason.PEER_GRACE, peer.room.key, peer.id)
        missed = None if last_seq is None else peer.room.missed_by(peer, last_seq)
        return self._joined(peer, missed, resumed=True, give_token=False)

    def _joined(self, peer: Peer, missed: list[bytes] | None, *, resumed: bool, give_token: bool) -> RoomJoined:
        room, snapshot = peer.room, missed is None
        return RoomJoined(
            peer_id=peer.id,
            resume_token=peer.resume_token,
            room=JoinedRoom(
                **msgspec.structs.asdict(room.settings()),
                role=peer.role,
                owner_token=room.owner_token if give_token else None,
            ),
            peers=_others(peer) if snapshot else [],
            rtp_capabilities=_CAPABILITIES,
            ice_servers=self._ice_servers,
            chat=ChatState(
                epoch=room.chat.epoch,
                messages=room.chat.latest(self._limits.chat_snapshot) if snapshot else [],
            ),
            seq=room.seq,
            resumed=resumed,
            reset=snapshot,
            missed=[msgspec.Raw(frame) for frame in missed or ()],
            own=_own(peer),
        )

    def detach(self, peer: Peer, outbox: Outbox) -> None:
        """A connection is lost; its peer's place and media are kept for a grace time."""
        if peer.gone or peer.outbox is not outbox:
            return
        peer.outbox = None
        peer.away_since = self._clock()
        due = peer.away_since + self._limits.resume_grace_s
        self._deadlines.add(due, Reason.PEER_GRACE, peer.room.key, peer.id)

    def expire(self, room: Room, peer_id: str) -> None:
        """Let a peer go that has been away for its grace time."""
        peer = room.peers.get(peer_id)
        if peer is None or peer.outbox is not None:
            return
        if self._clock() >= peer.away_since + self._limits.resume_grace_s:
            self.leave(peer, "disconnected")

    def kick(self, by: Peer, peer_id: str) -> None:
        """Put a peer out of the room; it hears so with its own id."""
        target = by.room.peers.get(peer_id)
        if target is None:
            raise NotFound("Nobody with that peerId is in the room. They may have left.")
        check_kick(target_role=target.role, is_self=target is by)
        target.tell(PeerLeft(peer_id=target.id, reason="kicked"))
        self.leave(target, "kicked")

    def leave(self, peer: Peer, reason: LeaveReason) -> None:
        """Take a peer and its media out of its room."""
        if peer.gone:
            return
        room = peer.room
        self._closer.peer(peer)
        peer.gone = True
        self._deadlines.drop(Reason.PEER_GRACE, room.key, peer.id)
        del room.peers[peer.id]
        del room.tokens[peer.resume_token]
        if reason == "kicked":
            self._forget(room, peer)
        else:
            self._remember(room, peer)
        room.announce(PeerLeft(peer_id=peer.id, reason=reason))
        self._attention.peer_left(peer)
        if not room.peers:
            room.codecs.forget()
            self._rooms.emptied(room)
        elif peer.codecs is not None:
            room.codecs.went(peer.codecs, self._clock() + self._limits.codecs_hold_s)
            self._await_codecs(room)

    def release_codecs(self, room: Room) -> None:
        """Let those count no longer for the order of codecs who have been gone for long enough."""
        if room.codecs.release(self._clock()):
            room.announce_settings()
        self._await_codecs(room)

    def _await_codecs(self, room: Room) -> None:
        due = room.codecs.next()
        if due is not None:
            self._deadlines.add(due, Reason.CODECS, room.key)

    def _remember(self, room: Room, peer: Peer) -> None:
        """Keep a leaving peer's identity, so that what it sends again after coming back is known."""
        room.identities[peer.resume_token] = peer.identity
        while len(room.identities) > self._limits.identities:
            room.identities.popitem(last=False)

    def _forget(self, room: Room, peer: Peer) -> None:
        """Who was put out is new when coming again, whatever token of before is shown."""
        for token in [token for token, identity in room.identities.items() if identity == peer.identity]:
            del room.identities[token]


def learn_codecs(peer: Peer, capabilities: RtpCapabilities, *, skip: Peer | None = None) -> None:
    """A peer says for the first time what it can receive; the others, or all, hear when the room's order changes."""
    peer.codecs = receivable(capabilities)
    if peer.room.codecs.came(peer.codecs):
        peer.room.announce_settings(skip=skip)


def _others(peer: Peer) -> list[PeerInfo]:
    """Everyone else in the room. They are encoded already, for every one who joins gets them all."""
    return cast("list[PeerInfo]", [one.entry() for one in peer.room.peers.values() if one is not peer])


def _own(peer: Peer) -> OwnMedia:
    """What the server holds of a peer's media."""
    return OwnMedia(
        transports=[
            OwnTransport(transport_id=one.id, direction=one.direction, state=one.state)
            for one in peer.transports.values()
        ],
        producers=[
            OwnProducer(
                producer_id=one.id,
                transport_id=one.transport.id,
                paused=one.paused,
                encodings=list(one.told[0]),
                max_spatial_layer=one.told[1],
            )
            for one in peer.producers.values()
        ],
        consumers=[
            OwnConsumer(
                consumer_id=one.id,
                producer_id=one.producer.id,
                transport_id=one.transport.id,
                paused=one.paused,
                held=one.producer.held,
                spatial_layer=one.layers[0] if one.layers else None,
                temporal_layer=one.layers[1] if one.layers else None,
            )
            for one in peer.consumers.values()
        ],
    )
