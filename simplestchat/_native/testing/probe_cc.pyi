"""Python doors to the congestion control layer (see ``_native/testing/probe_cc.pyx``)."""

from typing import Literal, TypedDict, type_check_only

LEAST_BPS: int
MOST_BPS: int
NEVER_US: int

@type_check_only
class State(TypedDict):
    estimate_bps: int
    delay_bps: int
    loss_bps: int
    arrived_bps: int
    sent_bps: int
    rtt_us: int
    queue_us: int
    slope: float
    trend_ms: float
    threshold_ms: float
    loss: float
    usage: Literal["normal", "over", "under"]
    capacity_bps: int
    probes: int
    bytes: int

class Estimator:
    def __init__(self, start_bps: int, now: int = 0) -> None: ...
    def send(self, size: int, now: int, cluster: int = 0) -> int: ...
    def feedback(self, base: int, arrivals: list[int | None], now: int) -> None: ...
    def remb(self, bitrate_bps: int, now: int) -> None: ...
    def loss(self, fraction: int, now: int) -> None: ...
    def rtt(self, rtt: int, now: int) -> None: ...
    def want(self, next_step_bps: int, all_bps: int, now: int) -> None: ...
    def tick(self, now: int) -> int: ...
    def probe(self, now: int) -> tuple[int, int] | int: ...
    def state(self) -> State: ...
    def time_send(self, first: int, packets: int) -> None: ...
    def time_feedback(self, first: int, packets: int) -> None: ...

class Network:
    def __init__(self, seed: int, rate_bps: int, delay_us: int = 25000, queue_us: int = 300000) -> None: ...
    def set(
        self,
        *,
        rate_bps: int | None = None,
        queue_us: int | None = None,
        delay_us: int | None = None,
        jitter_us: int | None = None,
        reorders: bool | None = None,
        loss: float | None = None,
        to_bad: float | None = None,
        to_good: float | None = None,
        bucket_bps: int | None = None,
        bucket_bytes: int | None = None,
    ) -> None: ...
    def add(
        self,
        kind: Literal["fills", "layers", "tcp", "blind"],
        *,
        start_bps: int = 300000,
        begins_us: int = 0,
        rate_bps: int = 0,
        most_bps: int = 20000000,
        steps: tuple[int, ...] = (),
        voice: bool = False,
        least_gap_us: int = 50000,
        most_gap_us: int = 100000,
        back_loss: float = 0.0,
        back_us: int = -1,
        drift: float = 0.0,
        offset_us: int = 0,
    ) -> int: ...
    def change(
        self,
        index: int,
        *,
        rate_bps: int | None = None,
        silent: bool | None = None,
        back_loss: float | None = None,
        back_us: int | None = None,
    ) -> None: ...
    def run(self, until: int) -> list[tuple[int, ...]]: ...
    def state(self, index: int) -> State: ...
    def counters(self) -> tuple[int, int]: ...
