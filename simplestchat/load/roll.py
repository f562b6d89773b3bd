"""What the server has told one user of who is in its room and publishes what, place by place.

Kept as bits, one for each place in the room, so that a thousand people who know a thousand cost little. Of a user who
came again only its latest visit is known. People who are not ours, such as a browser, are passed over; a track of
somebody whom nobody was told of is at once a fault.

Ghosts, which are told at once, since notices are in order:
 - Somebody of another room, or a track that the plan does not let its user publish.
 - Somebody still there, or told as there, whose later visit is told too, although it left with a goodbye:
   ``room.leave`` is answered before it comes back. Who crashed may linger, for as long as the server's setting says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simplestchat.load.plan import Plan
    from simplestchat.load.rooms import Room
    from simplestchat.signaling.data import PeerInfo


class Roll:
    """Of one user, from its joining on.

    ``parted`` knows which visit of whom has ended with a goodbye; ``blame`` takes a fault word and what is wrong.
    """

    __slots__ = ("_blame", "_first", "_parted", "_plan", "_room", "_size", "_visits", "peers", "tracks")

    def __init__(
        self, plan: Plan, room: Room, parted: Callable[[int, int], bool], blame: Callable[[str, str], None]
    ) -> None:
        self._plan = plan
        self._room = room
        self._parted = parted
        self._blame = blame
        self._first = room.number * plan.room_size
        self._size = plan.members(room.number)
        self._visits: dict[int, int] = {}
        """Of those who came again: their place to their latest visit."""
        self.peers = 0
        self.tracks = {False: 0, True: 0}
        """By whether it is the video."""

    def snapshot(self, peers: Iterable[PeerInfo]) -> None:
        """Everybody who is there, anew."""
        self.peers = 0
        self.tracks = {False: 0, True: 0}
        self._visits.clear()
        for peer in peers:
            self._room.meet(peer.peer_id, peer.name)
            self.joined(peer.peer_id)
            for one in peer.producers:
                self.opened(peer.peer_id, one.producer_id, video=one.kind == "video")

    def joined(self, peer_id: str) -> None:
        """Somebody is in the room."""
        place, visit = self._place(peer_id)
        if place is None:
            return
        if not visit and not self.peers >> place & 1:
            self.peers |= 1 << place  # nearly always
            return
        known = self._visits.get(place, 0) if self.peers >> place & 1 else -1
        earlier = min(known, visit)
        if 0 <= earlier < max(known, visit) and self._parted(self._user(place), earlier):
            self._blame("ghost", f"visit {earlier} of user {self._user(place)} has ended and is still there")
        if visit > known:
            self._forget(place)
            self.peers |= 1 << place
            if visit:
                self._visits[place] = visit

    def left(self, peer_id: str) -> None:
        """Somebody is gone."""
        place, visit = self._place(peer_id)
        if place is not None and self._visits.get(place, 0) == visit:
            self._forget(place)

    def opened(self, peer_id: str, producer_id: str, *, video: bool) -> None:
        """Somebody publishes a track."""
        self._room.kinds[producer_id] = video
        if not self._room.knows(peer_id):
            self._blame("not-announced", "whose track it is that it was told of")
            return
        place, visit = self._place(peer_id)
        if place is None or visit < self._visits.get(place, 0):
            return
        publish = self._plan.scenario.publish
        if place >= self._plan.publishers(self._room.number) or not (publish.video if video else publish.audio):
            self._blame("ghost", f"user {self._user(place)} has no {'camera' if video else 'microphone'}")
        self.tracks[video] |= 1 << place

    def closed(self, peer_id: str, producer_id: str) -> None:
        """A track is gone."""
        place, visit = self._place(peer_id)
        video = self._room.kinds.get(producer_id)
        if place is not None and video is not None and self._visits.get(place, 0) == visit:
            self.tracks[video] &= ~(1 << place)

    def stale(self, visits: dict[int, int]) -> int:
        """The places of which only an earlier visit is told than the one that goes on."""
        return sum(1 << place for place, visit in visits.items() if self._visits.get(place, 0) < visit)

    def _forget(self, place: int) -> None:
        self.peers &= ~(1 << place)
        for video in self.tracks:
            self.tracks[video] &= ~(1 << place)
        self._visits.pop(place, None)

    def _place(self, peer_id: str) -> tuple[int | None, int]:
        """The place and the visit of a peer; no place for one that is not ours, or not of this room."""
        who = self._room.who(peer_id)
        if who is None:
            return None, 0
        place = who[0] - self._first
        if not 0 <= place < self._size:
            self._blame("ghost", f"user {who[0]} belongs into another room")
            return None, 0
        return place, who[1]

    def _user(self, place: int) -> int:
        return self._first + place
