"""What a scenario file says: frozen data. Reading and refusing files is ``reading``'s job.

Spans are seconds, rates bits per second, shares 0 to 1. A file's tables have the names of the fields here.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

VideoPreset: TypeAlias = str
"""``360p30``: height 360, 480, 720 or 1080; 15, 30 or 60 frames a second."""
Codec: TypeAlias = Literal["vp8", "h264", "vp9", "av1"]
Talk: TypeAlias = Literal["always", "turns", "spurts", "never"]
Subscription: TypeAlias = Literal["all", "some", "page", "none"]


class Frozen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all parts of a scenario."""


class Shape(Frozen, frozen=True, kw_only=True):
    """Who is where."""

    clients: int = 10
    room_size: int = 0
    """Users of one room; 0: all in one."""
    presenters: int = 0
    """How many of a room publish; 0: everybody."""


class Publish(Frozen, frozen=True, kw_only=True):
    """What a publisher sends."""

    audio: bool = True
    talk: Talk = "always"
    """``turns``: one of a room talks at a time; ``spurts``: everyone by an on-off model; silence is DTX where
    ``dtx``.
    """
    dtx: bool = True
    talk_s: float = 3.0
    silence_s: float = 5.0
    video: VideoPreset = ""
    """Empty: none."""
    codec: Codec = "vp8"
    bitrate_bps: int = 0
    """Of the video; 0: the preset's own."""
    simulcast: bool = False


class Subscribe(Frozen, frozen=True, kw_only=True):
    """What a user receives of the others in its room."""

    mode: Subscription = "all"
    limit: int = 0
    """``some``: so many others at most; ``page``: the size of the page that is looked at."""
    audio: bool = True
    video: bool = True


class Ramp(Frozen, frozen=True, kw_only=True):
    """How it begins and how long it lasts."""

    joins_per_s: float = 10.0
    hold_s: float = 20.0
    """From the last user's joining to the end of media."""
    settle_s: float = 2.0
    """Then publishers fall silent and what is under way may arrive."""


class Churn(Frozen, frozen=True, kw_only=True):
    """Coming and going, from the moment a user has joined."""

    share: float = 0.0
    """Of the users who come and go; the others stay."""
    stay_s: float = 5.0
    """Mean of an exponential distribution, at least 1 s."""
    away_s: float = 1.0
    crash_share: float = 0.0
    """Of the leavings: without goodbye, sockets simply silent."""


class Behaviour(Frozen, frozen=True, kw_only=True):
    """What users do beside talking. Rates are a user's."""

    chat_per_minute: float = 0.0
    chat_bytes: int = 80
    mutes_per_minute: float = 0.0
    """Microphone or camera off for some seconds, sending on what must not arrive (see ``STAMP_FORBIDDEN``)."""
    audio_only_share: float = 0.0
    """Users who pause all video that they receive, half way."""
    reconnect_at_s: float = 0.0
    """So long into the hold, WebSockets are cut and come back with ``resume``; 0: never."""
    reconnect_share: float = 1.0
    refused: int = 0
    """Strangers who try to enter locked rooms; nothing may reach them."""


class Conditions(Frozen, frozen=True, kw_only=True):
    """One direction of a path; everything 0 is a clear one."""

    loss: float = 0.0
    burst_loss: float = 0.0
    """Mean loss of a Gilbert-Elliott model, over all packets."""
    burst_length: float = 0.0
    """Mean packets of a burst."""
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    rate_bps: int = 0
    queue_bytes: int = 64_000


class Step(Frozen, frozen=True, kw_only=True):
    """Something that happens to the networks of a share of the users, so long into the hold."""

    at_s: float
    share: float = 1.0
    event: Literal["conditions", "outage", "address-change"] = "conditions"
    duration_s: float = 0.0
    """Of an outage, or until the profile's own conditions return; 0: for good."""
    up: Conditions = Conditions()
    down: Conditions = Conditions()


class Network(Frozen, frozen=True, kw_only=True):
    """The paths of users, per user and direction, seeded."""

    share: float = 0.0
    """Of the users behind the conditions below; 0: nobody, all paths are the machine's own."""
    up: Conditions = Conditions()
    down: Conditions = Conditions()
    steps: tuple[Step, ...] = ()


class Objectives(Frozen, frozen=True, kw_only=True):
    """Limits; a value at the limit is still good. None: not judged."""

    connection_success: float | None = 1.0
    """At least, 0 to 1."""
    signaling_p99_ms: float | None = 200.0
    packet_loss: float | None = 0.01
    """After repair, of all that should have arrived."""
    corrupt: int | None = 0
    misdelivered: int | None = 0
    duplicate: int | None = None
    chat_lost: int | None = 0
    chat_disorder: int | None = 0
    errors: int | None = 0
    """Requests refused that should not have been, connections lost, media that never came."""
    kbytes_per_s_per_participant: float | None = 500.0
    """Received, median."""
    server_mb_per_participant: float | None = 50.0
    first_frame_p95_ms: float | None = None
    media_latency_p99_ms: float | None = None
    mos_median: float | None = None
    freeze_share: float | None = None
    """Time frozen, of all viewing time."""
    reconnect_p95_ms: float | None = None
    server_rss_growth_mb: float | None = None
    """From after the ramp to the end: what a soak watches."""


class GeneratorLimits(Frozen, frozen=True, kw_only=True):
    """Past these the generator did not keep up and the run is void."""

    processes: int = 0
    """0: as many as cores are left beside the server, at least one."""
    lag_p99_ms: float = 50.0
    """Media due to media sent."""
    wake_p99_ms: float = 100.0
    """The kernel's receive timestamp to being read."""
    cpu: float = 0.98
    """Of one core, by a generator process's media thread, mean over any 5 s of the hold."""
    socket_drops: int = 0
    """Datagrams that the kernel dropped for a generator's full socket."""
    signaling_lag_p99_ms: float = 250.0
    """How late a timer of the generator's event loop fires."""


class Capacity(Frozen, frozen=True, kw_only=True):
    """A search by bisection over one dimension."""

    dimension: Literal["room_size", "rooms", "bitrate_bps", "clients"] = "clients"
    low: int = 10
    high: int = 1000
    tolerance: float = 0.1
    """The search ends when the bounds are so near each other, as a share of the upper one."""


class Scenario(Frozen, frozen=True, kw_only=True):
    """One load test."""

    name: str
    title: str = ""
    description: str = ""
    seed: int = 1
    shape: Shape = Shape()
    publish: Publish = Publish()
    subscribe: Subscribe = Subscribe()
    ramp: Ramp = Ramp()
    churn: Churn = Churn()
    behaviour: Behaviour = Behaviour()
    network: Network = Network()
    objectives: Objectives = Objectives()
    generator: GeneratorLimits = GeneratorLimits()
    capacity: Capacity | None = None
    server: dict[str, str] = {}
    """Settings of a server that the run starts itself, by the names of its TOML file."""
