"""A run's figures for Prometheus while it goes on: served to scrapes, or pushed to a Pushgateway.

Names begin with ``simplestchat_load_``; the only labels are a total's ``kind``, a process and an objective. The
dashboard of ``dashboards/load.json`` shows them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self
from urllib.error import URLError

import trio
from prometheus_client import CollectorRegistry, push_to_gateway, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from simplestchat.errors import ConfigError
from simplestchat.load.histogram import Histogram, bounds_of
from simplestchat.load.live import FAULTS, Live

PREFIX: Final = "simplestchat_load_"
PUSH_EVERY_S: Final = 5.0
PUSH_TIMEOUT_S: Final = 5.0
BOUNDS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: Gauge of the samples, and what it says.
GAUGES: Final = {
    "users": "Users in rooms",
    "publishing": "Users who publish",
    "receiving": "Users who receive",
    "connected": "Transports that are connected",
}
#: Total of the samples, and what it counts.
COUNTERS: Final = {
    "joins": "Joins that succeeded",
    "requests": "Signaling requests",
    "packets": "Media packets received",
    "bytes": "Bytes of media received",
    "delivered": "Distinct media packets received",
    "lost": "Media packets that never came, repair included",
    "repaired": "Media packets that came by retransmission",
    "duplicate": "Media packets that came twice",
    "reordered": "Media packets that came after a later one",
    "frames": "Frames received whole",
    "freezes": "Freezes of video",
    "sent_packets": "Media packets sent",
    "sent_bytes": "Bytes of media sent",
    "chat_sent": "Chat messages sent",
    "chat_received": "Chat messages received",
    "reconnects": "WebSockets that came back",
}
#: Histogram of the samples, and what it measures.
SPANS: Final = {
    "signaling": "From a request to its answer",
    "latency_audio": "Audio, one way",
    "latency_video": "Video, one way",
    "first_frame": "From subscribing to the first whole keyframe",
    "ready": "From a user's begin to its transports being connected",
    "lag": "From media due to media sent: the generator's own lateness",
    "wake": "From a datagram's arrival to its being read: the generator's own lateness",
}


class Snapshot(Collector):
    """The metrics of one moment: scrapes come from another thread than the run's."""

    def __init__(self) -> None:
        self.families: tuple[Metric, ...] = ()

    def collect(self) -> Iterator[Metric]:
        """Yield them all."""
        yield from self.families


def families(live: Live, now_us: int) -> Iterator[Metric]:
    """The present of a run as metrics."""
    yield GaugeMetricFamily(PREFIX + "elapsed_seconds", "Since the start", value=live.elapsed_s(now_us))
    yield GaugeMetricFamily(PREFIX + "planned_seconds", "From the start to the plan's end", value=live.plan.end_s)
    yield GaugeMetricFamily(PREFIX + "clients", "Users that the run wants", value=live.plan.clients)
    phase = GaugeMetricFamily(PREFIX + "phase", "1 for the phase of now", labels=["phase"])
    for name in ("prepare", "ramp", "hold", "settle", "done"):
        phase.add_metric([name], float(live.phase(now_us) == name))
    yield phase
    for name, text in GAUGES.items():
        yield GaugeMetricFamily(PREFIX + name, text, value=live.gauge(name))
    for name, text in COUNTERS.items():
        yield CounterMetricFamily(PREFIX + name, text, value=live.total(name))
    yield from _judged(live)
    for name, text in SPANS.items():
        buckets, total_s = cumulative(live.histograms.get(name, Histogram()))
        yield HistogramMetricFamily(f"{PREFIX}{name}_seconds", text, buckets=buckets, sum_value=total_s)


def _judged(live: Live) -> Iterator[Metric]:
    faults = CounterMetricFamily(PREFIX + "faults", "What must not be", labels=["kind"])
    for name in FAULTS:
        faults.add_metric([name], live.total(name))
    yield faults
    met = GaugeMetricFamily(PREFIX + "objective_met", "1 while an objective is met", labels=["objective"])
    for one in live.standings():
        met.add_metric([one.name], float(one.ok))
    yield met
    cpu = GaugeMetricFamily(PREFIX + "cpu_cores", "Cores that a side uses", labels=["process"])
    cpu.add_metric(["server"], sum(live.server_cpu()))
    cpu.add_metric(["server_worker_max"], max(live.server_cpu("worker"), default=0.0))
    cpu.add_metric(["generator"], live.generator_cpu)
    cpu.add_metric(["generator_media_max"], live.generator_cpu_max)
    yield cpu
    yield GaugeMetricFamily(PREFIX + "server_memory_bytes", "Resident, all processes", value=live.server_rss_mb * 2**20)


def cumulative(histogram: Histogram) -> tuple[list[tuple[str, float]], float]:
    """Counts at or under each of our bounds; a bucket that straddles one counts where its upper end lies."""
    counts = [0] * (len(BOUNDS_S) + 1)
    for bucket, count in histogram.buckets.items():
        upper_s = (bounds_of(bucket)[1] - 1) / 1e6
        place = next((index for index, bound in enumerate(BOUNDS_S) if upper_s <= bound), len(BOUNDS_S))
        counts[place] += count
    total, found = 0, []
    for bound, count in zip((*BOUNDS_S, math.inf), counts, strict=True):
        total += count
        found.append(("+Inf" if math.isinf(bound) else repr(bound), float(total)))
    return found, histogram.sum / 1e6


class Exporter:
    """Serves and pushes as wanted. A context; an observer of a run (see ``coordinate.Observer``)."""

    def __init__(self, port: int | None, gateway: str, job: str) -> None:
        """``port`` None: not served, 0: a free one; ``gateway`` empty: not pushed; ``job`` names the group there."""
        self.port = port
        self.trouble = ""
        """Why the last push did not arrive; empty: it did."""
        self._gateway = gateway
        self._job = job
        self._snapshot = Snapshot()
        self._registry = CollectorRegistry()
        self._registry.register(self._snapshot)

    def tick(self, live: Live, now_us: int) -> None:
        """See ``coordinate.Observer``."""
        self._snapshot.families = tuple(families(live, now_us))

    def __enter__(self) -> Self:
        if self.port is not None:
            try:
                self._server, self._thread = start_http_server(self.port, "0.0.0.0", registry=self._registry)
            except OSError as error:
                raise ConfigError(f"--metrics-port {self.port}: {error.strerror}. Choose another, or 0.") from None
            self.port = int(self._server.server_port)
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self.port is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()

    async def push_on(self) -> None:
        """Push every few seconds until cancelled; then once more, so that the end is there."""
        if not self._gateway:
            return
        try:
            while True:
                await trio.sleep(PUSH_EVERY_S)
                await self.push()
        finally:
            with trio.CancelScope(shield=True):
                await self.push()

    async def push(self) -> None:
        """Put the figures of now in the place of the last ones. A gateway that fails does not disturb the run."""
        try:
            await trio.to_thread.run_sync(self._push)
        except (URLError, OSError) as error:
            self.trouble = f"{self._gateway}: {error}"
        else:
            self.trouble = ""

    def _push(self) -> None:
        push_to_gateway(self._gateway, job=self._job, registry=self._registry, timeout=PUSH_TIMEOUT_S)
