"""Who should receive what: one ``Subscription`` for each track that a user receives, one ``Member`` for its chat.

Rules of subscriptions:
 - Media is due to a subscription unless its track is paused, we paused it, or its publisher is gone. The native side
   is told each change at once; what was due to leave later than that and arrives all the same is misdelivered.
 - Pausing and closing are told by the server after its worker did it, so nothing that is due later may arrive. Leaving
   is answered sooner than carried out: see ``leaving``.
 - A receiver lives on for ``RETIRE_S`` after its end, so that what was under way is counted as what it is.
 - What is due must come, show a picture and go on: see ``vigil``.

Rules of chat: a member hears the room's messages once each, in the order of ``seq``, without gaps, from the snapshot
of its joining on; and at the end everything that was acknowledged to anybody here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from simplestchat.load.counts import now_us
from simplestchat.load.messages import StreamResult
from simplestchat.load.presets import TRACK_CAMERA, TRACK_MICROPHONE
from simplestchat.load.rooms import Room
from simplestchat.load.vigil import Vigil

if TYPE_CHECKING:
    from simplestchat._native.peer.swarm import ReceiverInfo
    from simplestchat.load.world import World
    from simplestchat.signaling.data import ChatMessage, ChatState

RETIRE_S = 2.5  # the native count settles after 2 s
CRASH_MARGIN_S = 1.0  # a publisher that the plan lets crash may do so late
MISSING_KEPT = 4096


class Subscription:
    """One track that one user receives, from ``begin`` to ``finish``."""

    __slots__ = (
        "_certain", "_due", "_due_since_us", "_due_us", "_gone", "_held", "_own_paused", "_producer_paused",
        "_receiver", "_room", "_vigil", "_world", "consumer_id", "finished", "peer_id", "producer_id", "publisher",
        "user", "video", "visit",
    )  # fmt: skip

    def __init__(
        self, world: World, room: Room, user: int, who: tuple[int, int], peer_id: str, producer_id: str, *, video: bool
    ) -> None:
        self._world = world
        self._room = room
        self.user = user
        self.publisher, self.visit = who
        self.peer_id = peer_id
        self.producer_id = producer_id
        self.video = video
        self.consumer_id = ""
        self._receiver = 0
        self._due = False
        self._due_since_us = 0
        self._due_us = 0
        self._vigil: Vigil | None = None
        self._producer_paused = False
        self._own_paused = False
        self._held = False
        self._certain = True
        self._gone = False
        self.finished = False

    @property
    def track(self) -> int:
        """Which of the publisher's tracks."""
        return TRACK_CAMERA if self.video else TRACK_MICROPHONE

    def begin(self, consumer_id: str, path: int, info: ReceiverInfo, *, producer_paused: bool) -> None:
        """The server made the consumer: from now on media is due."""
        self.consumer_id = consumer_id
        self._receiver = self._world.media.new_number()
        self._world.media.swarm.add_receiver(self._receiver, path, info)
        self._vigil = Vigil(
            self._world,
            self._receiver,
            path,
            (self._world.user_plan(self.publisher), self._world.user_plan(self.user)),
            video=self.video,
            sending=self._should_be_sending,
            publication=lambda: self._room.publication(self.producer_id),
            accuse=self._accuse,
        )
        self._producer_paused = producer_paused
        self._start()
        if producer_paused:
            self._update()
        self._watch_for_crash()

    def set_producer_paused(self, paused: bool) -> None:
        """The publisher is muted, or no longer."""
        self._producer_paused = paused
        self._update()

    def set_own_paused(self, paused: bool) -> None:
        """The server acknowledged that we do not want it for a while, or want it again."""
        self._own_paused = paused
        self._update()

    def set_held(self, held: bool) -> None:
        """The server sends nothing for a while, or something again, and says so: nothing has to come meanwhile."""
        if self._due and self._vigil is not None and held != self._held:
            (self._vigil.end if held else self._vigil.go_on)()
        self._held = held

    @property
    def held(self) -> bool:
        """Whether the server said that it sends nothing."""
        return self._held

    @property
    def receiver(self) -> int:
        """Its number in the swarm, 0 before it has begun."""
        return self._receiver

    def let_go(self) -> None:
        """We are leaving: what comes from now on is still right, but nothing has to."""
        self._certain = False

    def set_gone(self) -> None:
        """Nothing more comes from the publisher."""
        self._gone = True
        self._update()

    def retire(self) -> None:
        """It is closed; a while later it is counted for good."""
        self.set_gone()
        self._world.agenda.after(RETIRE_S, self.finish)

    def finish(self) -> None:
        """Count it for good and forget it."""
        if self.finished or not self._receiver:
            return
        self.finished = True
        self._stop_clock()
        totals = self._world.media.swarm.remove_receiver(self._receiver, self._expected())
        self._world.media.forget_layers(self._receiver)
        self._name_faults(totals)
        self._world.streams.add(
            StreamResult(
                subscriber=self.user,
                publisher=self.publisher,
                track=self.track,
                room=self._room.number,
                seconds=self._due_us / 1_000_000,
                totals=dict(totals),
            )
        )

    def _name_faults(self, totals: Mapping[str, int]) -> None:
        """What may never be, by a word for each kind."""
        words = {"misdelivered": "misdelivered" if self._certain else "media-after-leave", "corrupt": "corrupt"}
        for name, word in words.items():
            if totals[name]:
                detail = f"{totals[name]} packets for a subscriber of user {self.publisher}, track {self.track}"
                self._world.tally.fault(word, self.user, detail, totals[name])

    def _update(self) -> None:
        due = not (self._producer_paused or self._own_paused or self._gone)
        if due == self._due or self.finished or not self._receiver:
            return
        if due:
            self._world.media.swarm.resume_receiver(self._receiver)
            self._start()
        else:
            self._world.media.swarm.end_receiver(self._receiver, self._expected())
            self._stop_clock()
            self._due = False

    def _start(self) -> None:
        self._due = True
        self._due_since_us = now_us()
        if self._vigil is not None and not self._held:
            self._vigil.begin()

    def _stop_clock(self) -> None:
        if self._due:
            self._due_us += now_us() - self._due_since_us
        if self._vigil is not None:
            self._vigil.end()

    def _expected(self) -> int | None:
        """How many packets the publisher sent in all, where this process knows, and all of them must arrive."""
        publication = self._room.publication(self.producer_id)
        heard = self._vigil is not None and self._vigil.heard
        if publication is None or not (publication.certain and self._certain and heard and self._due) or self._held:
            return None
        return publication.final

    def _accuse(self, word: str) -> None:
        if word == "silent-stream":
            self._world.tally.add("silent_streams")
        self._world.tally.fault(word, self.user, f"of user {self.publisher}, track {self.track}")

    def _should_be_sending(self) -> bool:
        plan, now_s = self._world.plan, self._world.now_s()
        visits = self._world.user_plan(self.publisher).visits
        if self.visit >= len(visits) or not self._room.is_latest(self.peer_id) or now_s >= plan.media_end_s:
            return False
        return self._certain and now_s <= visits[self.visit].end_s

    def _watch_for_crash(self) -> None:
        """Whoever crashes says nothing; but everyone knows the plan."""
        visits = self._world.user_plan(self.publisher).visits
        if self.visit < len(visits) and visits[self.visit].ending == "crash":
            at_us = self._world.at_us(visits[self.visit].end_s + CRASH_MARGIN_S)
            self._world.agenda.at(at_us, self.set_gone)


class Member:
    """One user's hearing of its room's chat, from one joining to the leaving."""

    __slots__ = ("_last", "_missing", "_room", "_user", "_world")

    def __init__(self, world: World, room: Room, user: int) -> None:
        self._world = world
        self._room = room
        self._user = user
        self._last = 0
        self._missing: set[int] = set()

    def join(self, chat: ChatState) -> None:
        """A snapshot, of the joining or of a return to a room that could not tell what was missed."""
        if self._room.chat.begin(chat.epoch):
            self._missing.clear()
        for message in chat.messages:
            self._check(message)
        self._last = chat.messages[-1].seq if chat.messages else 0

    def hears(self, message: ChatMessage) -> None:
        """A message that was told live, or among what was missed."""
        self._world.tally.totals["chat_received"] += 1
        self._check(message)
        seq = message.seq
        if seq == self._last + 1:
            self._last = seq
        elif seq > self._last:
            self._missing.update(range(self._last + 1, min(seq, self._last + 1 + MISSING_KEPT)))
            self._last = seq
        elif seq in self._missing:
            self._missing.discard(seq)
            self._count("chat_disorder", "chat-disorder", 1, f"{seq} after {self._last}")
        else:
            self._count("chat_duplicate", "chat-duplicate", 1, f"{seq} again")

    def leave(self, *, present: bool) -> None:
        """It is over; who is ``present`` at the end must have heard all that was acknowledged."""
        lost = len(self._missing)
        if present:
            lost += max(0, self._room.chat.highest_acked - self._last)
        if lost:
            self._count("chat_lost", "chat-lost", lost, f"up to {self._last} of {self._room.chat.highest_acked}")
        self._missing.clear()

    def _check(self, message: ChatMessage) -> None:
        if not self._room.chat.hears(message.seq, message.client_id):
            self._count("chat_disorder", "chat-changed", 1, f"{message.seq} is not what others heard")

    def _count(self, total: str, word: str, number: int, detail: str) -> None:
        self._world.tally.add(total, number)
        self._world.tally.fault(word, self._user, detail, number)
