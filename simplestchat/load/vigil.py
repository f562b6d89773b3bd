"""Whether what is due to a subscription comes, shows a picture and goes on.

Rules:
 - Nothing for ``PATIENCE_S`` since it is due: a silent stream; nothing any more for so long: a stopped one. Only time
   counts in which the path stood and the publisher sent: a publisher of this process is asked how far it is, of one
   of another process the plan says it, and ``LONG_PATIENCE_S`` are granted.
 - A publisher that was told that nobody takes any encoding of it is no excuse: here somebody does.
 - A camera has shown a whole keyframe ``PICTURE_S`` after its first packet.
 - Where the plan disturbs a path of either end, ``LONG_PATIENCE_S`` are granted for everything, and nothing is said in
   an outage, nor so long after any change, nor where more is lost than comes.
 - Several looks in a row must agree, so that a machine that stood still for a while accuses nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from simplestchat._native.core.errors import MisuseError
from simplestchat.load.counts import now_us

if TYPE_CHECKING:
    from simplestchat.load.plan import UserPlan
    from simplestchat.load.rooms import Publication
    from simplestchat.load.world import World

PATIENCE_S = 4.0
LONG_PATIENCE_S = 10.0
PICTURE_S = 3.0
LOOK_S = 1.0
LOOKS_PER_S = 500  # of all streams that flow: more of them are looked at less often
LEAST_LOOKS = 3
HOPELESS_LOSS = 0.5
_US = 1_000_000


class Vigil:
    """Over one receiver. ``sending`` tells of the plan whether its publisher should send now; ``publication`` is the
    track, where it is this process's; ``accuse`` takes a fault word.
    """

    __slots__ = (
        "_accuse", "_began_us", "_ends", "_last_us", "_path", "_publication", "_quiet_looks", "_quiet_us",
        "_receiver", "_sending", "_sent", "_video", "_world", "heard", "seen",
    )  # fmt: skip

    def __init__(
        self,
        world: World,
        receiver: int,
        path: int,
        ends: tuple[UserPlan, UserPlan],
        *,
        video: bool,
        sending: Callable[[], bool],
        publication: Callable[[], Publication | None],
        accuse: Callable[[str], None],
    ) -> None:
        self._world = world
        self._receiver = receiver
        self._path = path
        self._ends = ends
        self._video = video
        self._sending = sending
        self._publication = publication
        self._accuse = accuse
        self._began_us = 0
        self._quiet_us = 0
        self._quiet_looks = 0
        self._last_us = 0
        self._sent: int | None = None
        self.heard = False
        """Whether anything came since it is due."""
        self.seen = False
        """Whether a whole keyframe came since then; of audio, a packet."""

    def begin(self) -> None:
        """From now on media is due."""
        self.heard = self.seen = False
        self._watch()

    def go_on(self) -> None:
        """Media is due again after a while of nothing; what came until then counts, also what was not told yet."""
        totals = self._world.media.swarm.receiver_totals(self._receiver)
        self.heard = totals["first_packet_us"] > 0
        self.seen = totals["first_frame_us"] > 0
        self._watch()

    def _watch(self) -> None:
        self._began_us = self._quiet_us = now_us()
        self._quiet_looks = 0
        self._sent = self._count()
        self._world.vigils += 1
        if not self.heard:
            self._world.media.when_heard(self._receiver, self._hears)
        if not self.seen:
            self._world.media.when_seen(self._receiver, self._sees)
        self._look_after(LOOK_S)

    def end(self) -> None:
        """Nothing is due any more."""
        if self._began_us:
            self._began_us = 0
            self._world.vigils -= 1
            self._world.media.unhear(self._receiver)

    @property
    def disturbed(self) -> bool:
        """Whether the plan disturbs a path of either end."""
        return any(plan.up or plan.down or plan.changes for plan in self._ends)

    def _hears(self) -> None:
        self.heard = True
        if self._video and self._began_us:
            began_us = self._began_us
            patience_s = LONG_PATIENCE_S if self.disturbed else PICTURE_S
            self._world.agenda.after(patience_s, lambda: self._check_picture(began_us))

    def _sees(self) -> None:
        self.seen = True

    def _check_picture(self, began_us: int) -> None:
        if began_us == self._began_us and not self.seen and self._judgeable():
            self._accuse("no-picture")

    # That it goes on

    def _look_after(self, span_s: float) -> None:
        began_us = self._began_us
        self._world.agenda.after(span_s, lambda: self._look(began_us))

    def _look(self, began_us: int) -> None:
        if not began_us or began_us != self._began_us:
            return
        now = now_us()
        if self._lacks():
            self._quiet_looks += 1
        else:
            self._quiet_us, self._quiet_looks = now, 0
        ours = self._sent is not None
        patience_s = PATIENCE_S if ours and not self.disturbed else LONG_PATIENCE_S
        if self._quiet_looks >= LEAST_LOOKS and now - self._quiet_us >= patience_s * _US:
            self._accuse("stream-stopped" if self.heard else "silent-stream")
            return
        flows = self.heard and not self._quiet_looks
        self._look_after(max(LOOK_S, self._world.vigils / LOOKS_PER_S) if flows else LOOK_S)

    def _lacks(self) -> bool:
        """Whether something should have come since the last look, and nothing did."""
        before, self._sent = self._sent, self._count()
        if self.heard:
            last_us, self._last_us = (
                self._last_us,
                self._world.media.swarm.receiver_totals(self._receiver)["last_packet_us"],
            )
            if last_us != self._last_us:
                return False
        if self._sent is not None and self._sent <= (before or 0) and not self._stopped_by_server():
            return False
        return self._judgeable()

    def _stopped_by_server(self) -> bool:
        """Whether the publisher was told that nobody takes what is due here."""
        publication = self._publication()
        return publication is not None and publication.layers == 0

    def _count(self) -> int | None:
        """How many packets the publisher has made; None when it is not of this process."""
        publication = self._publication()
        if publication is None:
            return None
        try:
            return int(sum(self._world.media.swarm.sender_totals(publication.sender)["counters"]))
        except MisuseError:  # not begun, or gone with its path
            return 0

    def _judgeable(self) -> bool:
        world = self._world
        if world.silent or self._path not in world.media.connected or not self._sending():
            return False
        now_s = world.now_s()
        return not any(_troubled(plan, now_s) for plan in self._ends)


def _troubled(plan: UserPlan, now_s: float) -> bool:
    """Whether the plan lets a user's network do what explains silence."""
    past = [change for change in plan.changes if change.at_s <= now_s]
    if past and (past[-1].event == "outage" or now_s - past[-1].at_s < LONG_PATIENCE_S):
        return True
    present = [(one.up, one.down) for one in past if one.event == "conditions"][-1:] or [(plan.up, plan.down)]
    return any(one and max(one.loss, one.burst_loss) > HOPELESS_LOSS for pair in present for one in pair)
