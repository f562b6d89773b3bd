"""The counting rules of ``_native/peer/receiver.pxd`` in slow, plain Python: sets without bounds, not windows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

KEYFRAME = 1
SETTLE_US = 2_000_000
SLOT_US = 2**18
BACK = 64
GRACE_US = 4_000_000
RUNS = 3
RESTART = 1024

Stamp = dict[str, int]


@dataclass
class Run:
    """The packets of one encoding from a beginning on."""

    layer: int
    first: int
    highest: int
    first_frame: int
    last_frame: int
    came: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)
    #: Missing counters, and the end of the slot in which each was noticed.
    missing: dict[int, int] = field(default_factory=dict)
    slots: set[int] = field(default_factory=set)
    settled: bool = False

    def notice(self, counters: range, now: int) -> int:
        """These are missing from ``now`` on; how many they are."""
        if counters:
            end = (now // SLOT_US + 1) * SLOT_US
            end = max([end, *self.slots])
            self.slots.add(end)
            self.missing.update(dict.fromkeys(counters, end))
        return len(counters)

    def settle(self, now: int) -> list[int]:
        """The counters that are lost by now."""
        over = {end for end in self.slots if end + SETTLE_US <= now}
        self.slots -= over
        self.settled = self.settled or bool(over)
        gone = [counter for counter, end in self.missing.items() if end in over]
        for counter in gone:
            del self.missing[counter]
        self.lost.update(gone)
        return gone


@dataclass
class Picture:
    """A frame that began."""

    layer: int
    parts: int
    keyframe: bool
    due: int
    have: int = 0


class Frames:
    """What a viewer sees."""

    def __init__(self) -> None:
        self.begun: dict[tuple[int, int], Picture] = {}
        self.shown = -1
        self.layer = -1
        self.shown_at: list[int] = []
        self.over = -1
        self.totals: Counter[str] = Counter()

    def part(self, stamp: Stamp, current: bool, now: int) -> None:
        """One more packet of a frame."""
        frame, layer = stamp["frame"], stamp["layer"]
        picture = self.begun.get((frame, layer))
        if picture is None:
            switched = current and self.shown >= 0 and layer != self.layer
            if frame < self.shown or frame <= self.over or (frame == self.shown and not switched):
                return
            others = [key for key in self.begun if key[0] == frame]
            if others and not current:
                return
            for key in others:
                self._break(key)
            picture = Picture(layer, stamp["parts"], bool(stamp["flags"] & KEYFRAME), stamp["sent_us"])
            self.begun[frame, layer] = picture
        picture.have += 1
        if picture.have == picture.parts:
            self._whole(frame, picture, now)

    def expire(self, due: int) -> None:
        """Frames that were due before this are over."""
        for key in [key for key, picture in self.begun.items() if picture.due < due]:
            self.over = max(self.over, key[0])
            self._break(key)

    def _break(self, key: tuple[int, int]) -> None:
        del self.begun[key]
        self.totals["frames_broken"] += 1

    def _whole(self, frame: int, picture: Picture, now: int) -> None:
        if picture.keyframe:
            for key in [key for key in self.begun if key[0] < frame]:
                self._break(key)
        elif self.shown < 0 or frame != self.shown + 1 or picture.layer != self.layer:
            return
        self._show(frame, picture, now)
        while (after := self.begun.get((self.shown + 1, self.layer))) and after.have == after.parts:
            self._show(self.shown + 1, after, now)

    def _show(self, frame: int, picture: Picture, now: int) -> None:
        del self.begun[frame, picture.layer]
        self.totals["frames"] += 1
        self.totals["keyframes"] += picture.keyframe
        if len(self.shown_at) > 1:
            recent = self.shown_at[-31:]
            mean = (recent[-1] - recent[0]) // (len(recent) - 1)
            gap = now - self.shown_at[-1]
            if gap > max(3 * mean, mean + 150_000):
                self.totals["freezes"] += 1
                self.totals["freeze_us"] += gap
        self.shown, self.layer = frame, picture.layer
        self.shown_at.append(now)


class ReferenceReceiver:
    """Counts what the native one must count; of somebody whose stream never ends."""

    def __init__(self, user: int, track: int, video: bool, known: set[tuple[int, int]]) -> None:
        self.user, self.track, self.video = user, track, video
        self.known = known  # (layer, counter) that anybody got
        self.runs: list[Run] = []
        self.frames = Frames()
        self.totals: Counter[str] = Counter()
        self.wire = 0  # number on the wire of the newest run's highest packet
        self.begun = False  # a first transmission came: before, nobody knows which number a repair means

    def damaged(self) -> None:
        """A packet without a whole stamp."""
        self.begun = True
        self.totals["packets"] += 1
        self.totals["corrupt"] += 1

    def packet(self, stamp: Stamp, repair: bool, now: int, index: int) -> None:
        """One good stamp, of the packet with this number on the wire."""
        self.totals["packets"] += 1
        self.begun |= not repair
        index = index if self.begun else 0
        if (stamp["user"], stamp["track"]) != (self.user, self.track):
            self.totals["misdelivered"] += 1
            return
        self.known.add((stamp["layer"], stamp["counter"]))
        run = self._behind_a_gap(self._run(stamp), stamp, index)
        if run is not None:
            self._settle(run, now)
            if stamp["counter"] > run.highest and run is self.runs[-1]:
                self.wire = index
            self._count(run, stamp, repair, now)
            run.last_frame = max(run.last_frame, stamp["frame"])

    def settle(self, now: int) -> None:
        """Everything that is due is lost."""
        for run in self.runs:
            self._settle(run, now)
        self.frames.expire(now - GRACE_US)

    def result(self) -> dict[str, int]:
        """All totals that the rules speak of."""
        names = (
            "packets",
            "delivered",
            "lost",
            "lost_uplink",
            "withheld",
            "missed",
            "repaired",
            "duplicate",
            "corrupt",
        )
        names += (
            "repeated",
            "reordered",
            "misdelivered",
            "frames",
            "frames_broken",
            "keyframes",
            "freezes",
            "freeze_us",
        )
        both = self.totals + self.frames.totals
        return {name: both[name] for name in names}

    def _settle(self, run: Run, now: int) -> None:
        gone = run.settle(now)
        self.totals["lost"] += len(gone)
        self.totals["lost_uplink"] += sum((run.layer, counter) not in self.known for counter in gone)

    def _run(self, stamp: Stamp) -> Run | None:
        layer, counter, frame = stamp["layer"], stamp["counter"], stamp["frame"]
        key = bool(stamp["flags"] & KEYFRAME)
        mine = [run for run in reversed(self.runs) if run.layer == layer]
        for run in mine:
            if run.first <= counter <= run.highest:
                return run
        for run in mine:
            current = run is self.runs[-1]
            before = counter < run.first and counter + BACK >= run.first
            if before and (not self.video or key or frame == run.first_frame):
                return run
            if counter > run.highest:
                near = counter <= run.highest + BACK and (not key or frame <= run.last_frame)
                if current or near:
                    return run
        if not self.runs:
            return self._begin(stamp) if key or not self.video else None
        newest = self.runs[-1]
        return None if newest.layer == layer or frame < newest.last_frame else self._begin(stamp)

    def _behind_a_gap(self, run: Run | None, stamp: Stamp, index: int) -> Run | None:
        """Counters that are missing where no numbers are were left out by the server."""
        if run is None or run is not self.runs[-1] or stamp["counter"] <= run.highest or index <= self.wire:
            return run
        skipped, missing = stamp["counter"] - run.highest - 1, index - self.wire - 1
        if skipped <= missing or missing >= RESTART or (self.video and not stamp["flags"] & KEYFRAME):
            return run
        self.totals["withheld"] += skipped - missing
        return self._begin(stamp, missing)

    def _begin(self, stamp: Stamp, missing: int = 0) -> Run:
        first = stamp["counter"] - missing
        if len(self.runs) == RUNS:
            self._settle(self.runs.pop(0), 1 << 62)
        run = Run(stamp["layer"], first, first - 1, stamp["frame"], stamp["frame"])
        self.runs.append(run)
        return run

    def _count(self, run: Run, stamp: Stamp, repair: bool, now: int) -> None:
        counter = stamp["counter"]
        filled = False
        if counter > run.highest:
            self.totals["missed"] += run.notice(range(run.highest + 1, counter), now)
            run.highest = counter
            late = False
        elif counter < run.first:
            if run.settled:
                return
            self.totals["missed"] += run.notice(range(counter + 1, run.first), now)
            run.first = counter
            late = True
        elif counter in run.came:
            self.totals["repeated" if repair else "duplicate"] += 1
            return
        elif counter in run.lost:
            return
        else:
            del run.missing[counter]
            filled = late = True
        run.came.add(counter)
        self.totals["delivered"] += 1
        if repair:
            self.totals["repaired"] += 1
            self.totals["missed"] += not filled
        elif late:
            self.totals["reordered"] += 1
            self.totals["missed"] -= filled
        if self.video:
            self.frames.part(stamp, run is self.runs[-1], now)
        else:
            self.totals["frames"] += 1
