"""The requests about chat."""

from __future__ import annotations

from collections.abc import Callable

from simplestchat.model.ids import Entropy, new_id
from simplestchat.signaling.data import ChatMessage
from simplestchat.signaling.notices import ChatMessageNotice
from simplestchat.signaling.requests import ChatHistory, ChatPage, ChatSend, ChatSent
from simplestchat.signaling.state import Peer
from simplestchat.signaling.text import clean_text


class Chat:
    """Handlers of ``chat.*`` for a peer."""

    def __init__(self, *, wall_ms: Callable[[], int], entropy: Entropy) -> None:
        self._wall_ms = wall_ms
        self._entropy = entropy

    def send(self, peer: Peer, params: ChatSend) -> ChatSent:
        """Store a message and send it to everyone; what was stored before is only answered again."""
        log = peer.room.chat
        message = log.known(peer.identity, params.client_id)
        if message is None:
            message = ChatMessage(
                id=new_id(self._entropy),
                seq=log.last + 1,
                peer_id=peer.id,
                name=peer.name,
                text=clean_text(params.text),
                time=self._wall_ms(),
                client_id=params.client_id,
            )
            log.store(message, peer.identity)
            peer.room.announce(
                ChatMessageNotice(
                    id=message.id,
                    seq=message.seq,
                    peer_id=message.peer_id,
                    name=message.name,
                    text=message.text,
                    time=message.time,
                    client_id=message.client_id,
                )
            )
        return ChatSent(id=message.id, seq=message.seq, time=message.time)

    def history(self, peer: Peer, params: ChatHistory) -> ChatPage:
        """A page of the room's messages."""
        return peer.room.chat.page(params)
