"""Everything that one run left behind, unjudged: what ``judge.assess`` makes a ``Report`` of.

Every time in here is in microseconds of the coordinator's monotonic clock, those of other machines' samples too: they
were shifted by what their clock read more at the time. Totals and counters only grow; figures of a second are the
difference to the sample before.
"""

from __future__ import annotations

from typing import Any

import msgspec

from simplestchat.load.messages import Finished, Sample
from simplestchat.load.report import BrowserReport
from simplestchat.load.scenario import Scenario
from simplestchat.load.strain import Strain


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all parts of a run's record."""


class ClockRecord(Record, frozen=True, kw_only=True):
    """How another machine's clock went beside the coordinator's (see ``clocks``)."""

    offset_us: int
    """What it read more before the start."""
    end_offset_us: int
    """And at the last comparison."""
    error_us: int
    """Offsets are known to this, more or less: half the shortest round trip of the worst comparison."""
    drift_ppm: float = 0.0
    comparisons: int = 1
    jump_us: int = 0
    """The largest step that no drift explains; 0: none."""
    jumped_at_us: int = 0


class GeneratorRecord(Record, frozen=True, kw_only=True):
    """One generator process, from its ``Ready`` to its end."""

    part: int
    agent: str = ""
    """The machine that ran it, by its agent's name; empty: the coordinator's own."""
    users: int
    machine: dict[str, Any]
    cores: tuple[int, ...] = ()
    """That it was pinned to; empty: none."""
    clock: ClockRecord | None = None
    """Its machine's; None: the coordinator's own. Already taken off the times of ``samples``."""
    samples: tuple[Sample, ...] = ()
    """Folded as the run grew (see ``logbook``)."""
    strain: Strain | None = None
    """What its samples said before they were folded; None: they never were."""
    finished: Finished | None = None
    """None: it never said so, and the run is void or failed for it."""


class ProcessSample(Record, frozen=True, kw_only=True):
    """One process of the server, as the kernel counts it; of a remote one, as its metrics say."""

    name: str
    """``node``, or ``worker 0``, ``worker 1``, … in the order in which they began."""
    pid: int
    """0: remote."""
    cpu_s: float
    """User and system time so far."""
    rss_bytes: int


class ServerSample(Record, frozen=True, kw_only=True):
    """One look at the server: its ``/metrics``, and its processes where it is local.

    Names of metrics stand without ``simplestchat_`` and ``_total``: ``peers``, ``loop_lag_seconds_count``; those of a
    worker without ``worker_`` too, by its number: ``workers["0"]["packets_forwarded"]``. Further labels follow after
    dots: ``workers["0"]["packets_dropped.replayed"]``.
    """

    at_us: int
    metrics: dict[str, float] = {}
    workers: dict[str, dict[str, float]] = {}
    histograms: dict[str, list[tuple[float, float]]] = {}
    """Name to pairs of (upper bound, how many so far lie at or under it), all workers together; the last bound is
    infinite. Bounds are in the metric's own unit, which is seconds.
    """
    processes: tuple[ProcessSample, ...] = ()
    """Empty when neither the kernel nor the metrics tell."""


class Passed(Record, frozen=True, kw_only=True):
    """Bytes of a room or of one participant that passed the server, as it counts them, between two moments."""

    us: int = 0
    """Of a look: when. Of a participant: how long it was watched."""
    bytes_in: int = 0
    bytes_out: int = 0

    def plus(self, us: int, bytes_in: int, bytes_out: int) -> Passed:
        """With more of it."""
        return Passed(us=self.us + us, bytes_in=self.bytes_in + bytes_in, bytes_out=self.bytes_out + bytes_out)


class RoomRecord(Record, frozen=True, kw_only=True):
    """What the server said of one room over the hold."""

    room: int
    looks: tuple[Passed, ...]
    """Each with what passed since the first."""
    peers: dict[str, Passed]
    """By the users' names."""


class RunRecord(Record, frozen=True, kw_only=True):
    """One run, whole or cut short."""

    run: str
    """The word that was part of its rooms' names."""
    scenario: Scenario
    """With all overrides in it."""
    seed: int
    command: str
    """What reproduces it."""
    started: str
    """UTC, ISO 8601, of ``start_us``."""
    start_us: int
    end_us: int
    """When the last generator had finished, or the run was given up."""
    phases: tuple[tuple[str, int], ...]
    """(ramp, hold, settle or done; when it began, by the plan), those that were reached."""
    generators: tuple[GeneratorRecord, ...]
    server: tuple[ServerSample, ...]
    server_local: bool
    """The run started it itself, on this machine."""
    pinning: str
    """Who was kept on which cores, in words."""
    machine: dict[str, Any]
    versions: dict[str, str]
    """Of what the coordinator ran on: python, kernel, openssl and libraries."""
    version: str
    """Of simplestchat."""
    commit: str
    """Of the checkout; empty outside one."""
    void: tuple[str, ...] = ()
    """Reasons, in words, why nothing can be concluded; none: the generators kept up."""
    failures: tuple[str, ...] = ()
    """What failed beside the objectives, in words: the server ended, a generator broke."""
    browsers: tuple[BrowserReport, ...] = ()
    rooms: tuple[RoomRecord, ...] = ()
    """Some of them, where the server tells."""
