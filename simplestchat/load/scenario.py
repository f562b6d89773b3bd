"""What a scenario file says: frozen data. Reading and refusing files is ``reading``'s job.

Spans are seconds, rates bits per second, shares 0 to 1. A file's tables have the names of the fields here.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

VideoPreset: TypeAlias = Literal[
    "",
    "360p15",
    "360p30",
    "360p60",
    "480p15",
    "480p30",
    "480p60",
    "720p15",
    "720p30",
    "720p60",
    "1080p15",
    "1080p30",
    "1080p60",
]
"""Height of the picture and frames a second; empty: no video."""
Share: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Seconds: TypeAlias = Annotated[float, Meta(ge=0, le=604_800)]
TalkSpan: TypeAlias = Annotated[float, Meta(ge=0, le=65)]
"""Synthetic users count it in milliseconds of 16 bits: `_native/peer/settings.pxd`."""
LinkSpan: TypeAlias = Annotated[float, Meta(ge=0, le=60)]
"""What an emulated link holds at most: `_native/peer/arguments.pyx`."""
Number: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000)]
Positive: TypeAlias = Annotated[int, Meta(ge=1, le=1_000_000)]
Rate: TypeAlias = Annotated[float, Meta(ge=0, le=100_000)]
BitsPerSecond: TypeAlias = Annotated[int, Meta(ge=0, le=100_000_000_000)]
LEAST_RATE_BPS: Final = 1000
MOST_RATE_BPS: Final = 200_000_000
"""Of an encoding: `_native/peer/sender.pyx`."""
RATES: Final = f"a whole number of bit/s from {LEAST_RATE_BPS:_} to {MOST_RATE_BPS:_} (150 kbit/s are 150_000)"
EncodingRate: TypeAlias = Annotated[int, Meta(ge=LEAST_RATE_BPS, le=MOST_RATE_BPS, extra={"words": RATES})]
Limit: TypeAlias = Annotated[float, Meta(ge=0, le=1_000_000_000)]
Faults: TypeAlias = Annotated[int, Meta(ge=0)]
Name: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9-]{0,39}$",
        extra={"words": "lower-case letters, digits and hyphens, 40 at most"},
    ),
]
Codec: TypeAlias = Literal["vp8", "h264", "vp9", "av1", "mixed"]
"""``mixed``: the publishers of a room have them in turn."""
Scalability: TypeAlias = Literal[
    "L1T1",
    "L1T2",
    "L1T3",
    "L2T1",
    "L2T1_KEY",
    "L2T2",
    "L2T2_KEY",
    "L2T3",
    "L2T3_KEY",
    "L3T1",
    "L3T1_KEY",
    "L3T2",
    "L3T2_KEY",
    "L3T3",
    "L3T3_KEY",
]
"""A mode of W3C webrtc-svc: spatial and temporal layers inside one stream."""
Layout: TypeAlias = Literal["", "gallery", "speaker"]
Talk: TypeAlias = Literal["always", "turns", "spurts", "never"]
Subscription: TypeAlias = Literal["all", "some", "page", "none"]


class Frozen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of all parts of a scenario."""


class Shape(Frozen, frozen=True, kw_only=True):
    """Who is where."""

    clients: Positive = 10
    room_size: Number = 0
    """Users of one room; 0: all in one."""
    presenters: Number = 0
    """How many of a room publish; 0: everybody."""


class Publish(Frozen, frozen=True, kw_only=True):
    """What a publisher sends."""

    audio: bool = True
    talk: Talk = "always"
    """``turns``: one of a room talks at a time; ``spurts``: everyone by an on-off model; silence is DTX where
    ``dtx``.
    """
    dtx: bool = True
    talk_s: TalkSpan = 3.0
    silence_s: TalkSpan = 5.0
    video: VideoPreset = ""
    """Empty: none."""
    codec: Codec = "vp8"
    bitrate_bps: BitsPerSecond = 0
    """Of the video; 0: the preset's own."""
    simulcast: bool = False
    """Three encodings that share the bit rate, each half as large as the next one."""
    layers: Annotated[tuple[EncodingRate, ...], Meta(max_length=3)] = ()
    """Or their bit rates, the lowest first, instead of ``bitrate_bps``; this is simulcast, too."""
    scalability: Scalability = "L1T1"
    """Layers inside an encoding: temporal ones of VP8, VP9 and AV1, spatial ones of VP9 and AV1 without simulcast."""


class Subscribe(Frozen, frozen=True, kw_only=True):
    """What a user receives of the others in its room."""

    mode: Subscription = "all"
    limit: Number = 0
    """``some``: so many others at most; ``page``: the size of the page that is looked at."""
    audio: bool = True
    video: bool = True
    layout: Layout = ""
    """What the server is told of sizes on the screen: nothing; ``gallery``: equal tiles; ``speaker``: one of 1280 by
    720 pixels, the others of 320 by 180.
    """


class Ramp(Frozen, frozen=True, kw_only=True):
    """How it begins and how long it lasts."""

    joins_per_s: Annotated[float, Meta(gt=0, le=10_000)] = 10.0
    hold_s: Seconds = 20.0
    """From the last user's joining to the end of media."""
    settle_s: Seconds = 2.0
    """Then publishers fall silent and what is under way may arrive."""


class Churn(Frozen, frozen=True, kw_only=True):
    """Coming and going, from the moment a user has joined."""

    share: Share = 0.0
    """Of the users who come and go; the others stay."""
    stay_s: Annotated[float, Meta(ge=1, le=604_800)] = 5.0
    """Mean of an exponential distribution, at least 1 s."""
    away_s: Seconds = 1.0
    crash_share: Share = 0.0
    """Of the leavings: without goodbye, sockets simply silent."""


class Behaviour(Frozen, frozen=True, kw_only=True):
    """What users do beside talking. Rates are a user's."""

    chat_per_minute: Rate = 0.0
    chat_bytes: Annotated[int, Meta(ge=32, le=4096)] = 80
    mutes_per_minute: Rate = 0.0
    """Microphone or camera off for some seconds, sending on what must not arrive (see ``STAMP_FORBIDDEN``)."""
    pages_per_minute: Rate = 0.0
    """Turned to the next one, where ``subscribe.mode`` is ``page``."""
    audio_only_share: Share = 0.0
    """Users who pause all video that they receive, half way."""
    reconnect_at_s: Seconds = 0.0
    """So long into the hold, WebSockets are cut and come back with ``resume``; 0: never."""
    reconnect_share: Share = 1.0
    refused: Number = 0
    """Strangers who try to enter locked rooms; nothing may reach them."""


class Conditions(Frozen, frozen=True, kw_only=True):
    """One direction of a path; everything 0 is a clear one."""

    loss: Share = 0.0
    burst_loss: Annotated[float, Meta(ge=0, le=0.9)] = 0.0
    """Mean loss of a Gilbert-Elliott model, over all packets."""
    burst_length: Annotated[float, Meta(ge=0, le=10_000)] = 0.0
    """Mean packets of a burst."""
    duplicate: Share = 0.0
    reorder: Share = 0.0
    corrupt: Share = 0.0
    delay_s: LinkSpan = 0.0
    jitter_s: LinkSpan = 0.0
    rate_bps: BitsPerSecond = 0
    queue_bytes: Annotated[int, Meta(ge=1500, le=100_000_000)] = 64_000
    queue_s: LinkSpan = 0.0
    """Of the bottleneck, instead of bytes: what its rate takes away in so long."""


class Step(Frozen, frozen=True, kw_only=True):
    """Something that happens, so long into the hold, to a share of the users behind emulated paths."""

    at_s: Seconds
    share: Share = 1.0
    event: Literal["conditions", "outage", "address-change"] = "conditions"
    duration_s: Seconds = 0.0
    """Of an outage, or until the profile's own conditions return; 0: for good."""
    restart_share: Share = 0.0
    """Of those whose address changes: they restart ICE, too, as browsers' clients do when they notice."""
    up: Conditions = Conditions()
    down: Conditions = Conditions()


class Network(Frozen, frozen=True, kw_only=True):
    """The paths of users, per user and direction, seeded."""

    share: Share = 0.0
    """Of the users behind the conditions below; 0: nobody, all paths are the machine's own."""
    up: Conditions = Conditions()
    down: Conditions = Conditions()
    steps: tuple[Step, ...] = ()
    watched: Number = 4
    """Of the users behind the conditions: so many of each generator are told of second by second."""


class Objectives(Frozen, frozen=True, kw_only=True):
    """Limits; a value at the limit is still good. None: not judged."""

    connection_success: Share | None = 1.0
    """At least, 0 to 1."""
    signaling_p99_ms: Limit | None = 200.0
    packet_loss: Share | None = 0.01
    """After repair, of all that should have arrived."""
    corrupt: Faults | None = 0
    misdelivered: Faults | None = 0
    duplicate: Faults | None = None
    reordered: Faults | None = None
    chat_lost: Faults | None = 0
    chat_disorder: Faults | None = 0
    errors: Faults | None = 0
    """Requests refused that should not have been, connections lost, media that never came."""
    kbytes_per_s_per_participant: Limit | None = 500.0
    """Received, median."""
    server_mb_per_participant: Limit | None = 50.0
    first_frame_p95_ms: Limit | None = None
    media_latency_p99_ms: Limit | None = None
    mos_median: Limit | None = None
    freeze_share: Share | None = None
    """Time frozen, of all viewing time."""
    audio_loss: Share | None = None
    """Packets of audio lost after repair, of all that should have arrived."""
    audio_withheld: Share | None = None
    """Packets of audio that the server leaves out, of all: 0 where a room is too small to hear only the loudest."""
    queue_p95_ms: Limit | None = None
    """How long watched users' packets wait at the bottleneck."""
    layer_back_s: Limit | None = None
    """After a bottleneck has widened to its widest: until each watched user gets the best layer again, the slowest."""
    layer_when_wide: Limit | None = None
    """Encoding or spatial layer, from 1, that watched users get, from 10 s after their link has become its widest."""
    switches_per_minute: Limit | None = None
    """Of encoding or spatial layer, in the videos of watched users, mean of a video."""
    reconnect_p95_ms: Limit | None = None
    server_rss_growth_mb: Limit | None = None
    """From after the ramp to the end: what a soak watches."""


class GeneratorLimits(Frozen, frozen=True, kw_only=True):
    """Past these the generator did not keep up and the run is void."""

    processes: Number = 0
    """0: as many as cores are left beside the server, at least one."""
    lag_p99_ms: Limit = 50.0
    """Media due to media sent."""
    wake_p99_ms: Limit = 100.0
    """The kernel's receive timestamp to being read."""
    cpu: Share = 0.98
    """Of one core, by a generator process's media thread, mean over any 5 s of the hold."""
    socket_drops: Faults = 0
    """Datagrams that the kernel dropped for a generator's full socket."""
    signaling_lag_p99_ms: Limit = 250.0
    """How late a timer of the generator's event loop fires."""
    clock_error_ms: Limit = 50.0
    """How well the clocks of several agents are known to each other: half a round trip, at worst."""


class Capacity(Frozen, frozen=True, kw_only=True):
    """A search by bisection over one dimension."""

    dimension: Literal["room_size", "rooms", "bitrate_bps", "clients"] = "clients"
    low: Positive = 10
    high: Annotated[int, Meta(ge=1, le=100_000_000_000)] = 1000
    tolerance: Annotated[float, Meta(gt=0, lt=1)] = 0.1
    """The search ends when the bounds are so near each other, as a share of the upper one."""


class Scenario(Frozen, frozen=True, kw_only=True):
    """One load test."""

    name: Name
    title: Annotated[str, Meta(max_length=120)] = ""
    description: Annotated[str, Meta(max_length=2000)] = ""
    seed: Annotated[int, Meta(ge=0, le=2**62)] = 1
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
