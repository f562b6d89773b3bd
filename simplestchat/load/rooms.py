"""What all users of one process know of their rooms together: who is who, whose tracks are whose, what was said.

Bounded: of everything only the latest is kept.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

from simplestchat.load.plan import who_is

PEERS_KEPT = 65_536
PUBLICATIONS_KEPT = 65_536
MESSAGES_KEPT = 16_384

Key = TypeVar("Key")
Value = TypeVar("Value")


class Latest(OrderedDict[Key, Value], Generic[Key, Value]):
    """A dictionary that forgets its oldest entries past ``limit``."""

    def __init__(self, limit: int) -> None:
        super().__init__()
        self.limit = limit

    def __setitem__(self, key: Key, value: Value) -> None:
        super().__setitem__(key, value)
        if len(self) > self.limit:
            self.popitem(last=False)


class Publication:
    """A track that a user of this process publishes."""

    __slots__ = ("certain", "final", "layers", "producer_id", "sender", "user", "video")

    def __init__(self, user: int, *, video: bool, sender: int, certain: bool) -> None:
        self.user = user
        self.video = video
        self.sender = sender
        self.producer_id = ""
        self.certain = certain
        """Whether everything it sends must arrive but for the server: one encoding over a clear path."""
        self.layers: int | None = None
        """Which encodings the server wants, a bit each; None: it never said."""
        self.final: int | None = None
        """Once it has stopped for good: how many packets its encoding has had."""


class Chat:
    """A room's messages, as its members here hear them."""

    def __init__(self) -> None:
        self.epoch = ""
        self.said: Latest[int, str] = Latest(MESSAGES_KEPT)
        """``seq`` to the sender's own id."""
        self.highest_acked = 0

    def begin(self, epoch: str) -> bool:
        """Someone joined and was told the epoch; True when numbering began anew."""
        if epoch == self.epoch:
            return False
        anew, self.epoch = bool(self.epoch), epoch
        self.said.clear()
        self.highest_acked = 0
        return anew

    def hears(self, seq: int, client_id: str) -> bool:
        """A member heard a message; False when another member heard something else under the number."""
        return self.said.setdefault(seq, client_id) == client_id

    def acknowledged(self, seq: int, client_id: str) -> bool:
        """A message of ours is stored; False when the number belongs to another one."""
        self.highest_acked = max(self.highest_acked, seq)
        return self.said.setdefault(seq, client_id) == client_id


class Room:
    """One room."""

    def __init__(self, number: int, name: str, token: str | None) -> None:
        self.number = number
        self.name = name
        self.token = token
        """What every user presents, where strangers are to be kept out: it makes them owners, whom a lock lets in."""
        self.locked = False
        self.chat = Chat()
        self._peers: Latest[str, tuple[int, int] | None] = Latest(PEERS_KEPT)
        self._publications: Latest[str, Publication] = Latest(PUBLICATIONS_KEPT)
        self._latest: dict[int, str] = {}
        self.parted: Latest[tuple[int, int], bool] = Latest(PEERS_KEPT)
        """Visits of users of this process whose ``room.leave`` was answered."""
        self.kinds: Latest[str, bool] = Latest(PUBLICATIONS_KEPT)
        """Whether a producer that was announced to anybody here is a video."""

    def meet(self, peer_id: str, name: str) -> None:
        """Someone is in the room."""
        if peer_id in self._peers:
            return
        who = who_is(name)
        self._peers[peer_id] = who
        if who is not None:
            known = self.who(self._latest.get(who[0], ""))
            if known is None or known[1] <= who[1]:
                self._latest[who[0]] = peer_id

    def who(self, peer_id: str) -> tuple[int, int] | None:
        """The index and the visit of a peer; None for people who are not ours."""
        return self._peers.get(peer_id)

    def knows(self, peer_id: str) -> bool:
        """Whether anybody was told of a peer, ours or not."""
        return peer_id in self._peers

    def is_latest(self, peer_id: str) -> bool:
        """Whether no later visit of the same user is known: an earlier one is a ghost."""
        who = self.who(peer_id)
        return who is not None and self._latest.get(who[0]) == peer_id

    def publish(self, publication: Publication) -> None:
        """A track of this process is open."""
        self._publications[publication.producer_id] = publication

    def publication(self, producer_id: str) -> Publication | None:
        """The track, if it is one of this process."""
        return self._publications.get(producer_id)
