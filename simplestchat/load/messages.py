"""What a coordinator and its generators say to each other, over a pipe or Redis: msgpack of these structs, tagged.

Order: the coordinator sends ``Assign``, a generator answers ``Ready``; at ``Start`` all begin at the same moment;
each
generator then sends a ``Sample`` every second and at the end one ``Finished`` (or ``Failed`` at any time).
``Stop`` asks
it to end early; it still sends ``Finished``.
"""

from __future__ import annotations

from typing import Any

import msgspec

from simplestchat.load.histogram import HistogramData
from simplestchat.load.scenario import Scenario
from simplestchat.load.trust import Trust


class Message(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Base of all messages."""


class Assign(Message, frozen=True, kw_only=True):
    """The whole run and a generator's share of it: the users whose index is ``part`` modulo ``parts``."""

    run: str
    """A random word, part of room names, so that runs against one server do not meet."""
    scenario: Scenario
    seed: int
    url: str
    """Of the server: ``http://127.0.0.1:8080``."""
    part: int
    parts: int
    trust: Trust = Trust()
    """Which certificates of the server are believed."""
    cores: tuple[int, ...] = ()
    """To be pinned to; empty: not pinned."""


class Ready(Message, frozen=True, kw_only=True):
    """The generator stands and knows its users. ``machine`` describes where it runs."""

    part: int
    users: int
    machine: dict[str, Any]


class Clock(Message, frozen=True, kw_only=True):
    """Asked by the coordinator, sent back with the generator's monotonic clock: offsets between machines."""

    asked_us: int
    answered_us: int = 0


class Start(Message, frozen=True, kw_only=True):
    """Begin when the generator's monotonic clock (microseconds) reads this."""

    at_us: int


class Epoch(Message, frozen=True, kw_only=True):
    """The moment of the start as the generator's clock reads it now: clocks drift, and stamps carry times since it."""

    at_us: int


class Stop(Message, frozen=True, kw_only=True):
    """End in order, soon."""


class Sample(Message, frozen=True, kw_only=True):
    """One second of one generator. ``totals`` only grow; ``gauges`` are of the moment; histograms are of this second.

    totals: joins_tried, joins, join_failures, requests, request_errors, reconnects, connections_lost,
    transports, transports_connected,
    transports_failed, chat_sent, chat_acked, chat_received, chat_lost, chat_disorder, silent_streams (subscribed, and
    nothing came: see ``vigil``), pages_turned, audio_only, ice_restarts, all of ``Swarm.sample()['totals']``,
    and what ``watched`` tells.
    gauges: users (in rooms), publishing, receiving, connected (paths), and what ``watched`` tells.
    histograms: signaling (request to answer), join (socket opened to room.join's answer), ready (user's begin
    to transports connected),
    reconnect, loop_lag, chat (sent to seen), and all of ``Swarm.sample()['histograms']``.
    generator: cpu_s (of this process so far), loop_cpu_s (of the media thread), rss_bytes, sockets,
    receive_drops, send_failures, events_lost.
    """

    part: int
    at_us: int
    totals: dict[str, int]
    gauges: dict[str, int]
    histograms: dict[str, HistogramData]
    generator: dict[str, float]
    phase: str
    """ramp, hold, settle or done."""


class StreamResult(Message, frozen=True, kw_only=True):
    """One subscription, whole: who got what of whom, by the names of ReceiverTotals."""

    subscriber: int
    publisher: int
    track: int
    room: int
    seconds: float
    totals: dict[str, int]


class QualityData(Message, frozen=True, kw_only=True):
    """What all streams of a generator come to, in sums that add up: see ``quality``."""

    viewing_s: float = 0.0
    """Of all video streams."""
    frozen_s: float = 0.0
    scores: dict[int, int] = {}
    """MOS in hundredths to how many audio streams had it."""
    rooms: dict[int, tuple[int, int]] = {}
    """Room to packets lost after repair and packets due."""
    audio: tuple[int, int, int] = (0, 0, 0)
    """The same of all audio, and how much the server left out."""


class UserResult(Message, frozen=True, kw_only=True):
    """One user's call."""

    user: int
    room: int
    received_bytes: int
    sent_bytes: int
    receiving_s: float
    """How long its receiving transport was connected."""
    joins: int
    reconnects: int
    faults: tuple[str, ...] = ()
    """What went wrong, in words."""


class Finished(Message, frozen=True, kw_only=True):
    """All that a generator knows at the end. Streams are cut to the worst ones past a cap; ``quality`` is of all."""

    part: int
    users: tuple[UserResult, ...]
    streams: tuple[StreamResult, ...]
    quality: QualityData = QualityData()
    faults: dict[str, int]
    """Words for faults the oracle found, and how often: see ``oracle``."""
    details: dict[str, list[str]] = {}
    """The first ones of each word: to whom it happened, and of whom."""
    acked: dict[str, list[tuple[int, str]]] = {}
    """Room to (seq, client id) of chat messages acknowledged to this generator's users, for the check across
    generators.
    """


class Failed(Message, frozen=True, kw_only=True):
    """The generator cannot go on."""

    part: int
    reason: str
