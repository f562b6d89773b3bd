"""The node's metrics. Labels are words of fixed lists: never a room, a name or an address."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from simplestchat.model.spans import Spans

from .spans import histogram
from .workers import Ages, Readings, WorkerCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST
_LAG_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Totals(Collector):
    """A counter that is kept elsewhere."""

    def __init__(self, name: str, text: str, total: Callable[[], int]) -> None:
        self._name = name
        self._text = text
        self._total = total

    def collect(self) -> Iterator[Metric]:
        """Yield the only sample."""
        yield CounterMetricFamily(self._name, self._text, value=self._total())


class Refusals(Collector):
    """Requests that were refused, by the reason words of the protocol."""

    def __init__(self, totals: Callable[[], Mapping[str, int]]) -> None:
        self._totals = totals

    def collect(self) -> Iterator[Metric]:
        """Yield a sample for each reason there was."""
        text = "Requests answered with an error, by its reason"
        counter = CounterMetricFamily("simplestchat_requests_refused", text, labels=["reason"])
        for reason, total in self._totals().items():
            counter.add_metric([reason], total)
        yield counter


class RequestTimes(Collector):
    """How long requests took, by their methods: a fixed list."""

    def __init__(self, times: Callable[[], Mapping[str, Spans]]) -> None:
        self._times = times

    def collect(self) -> Iterator[Metric]:
        """Yield the only histogram, with every method from the start: a rate needs the zero before the first one."""
        text = "From a request's arrival until its answer is ready"
        yield histogram("simplestchat_request_seconds", text, "method", self._times())


class Adaptation(Collector):
    """What receivers' paths can take, and how often the layers that they get change."""

    def __init__(self, estimates: Callable[[], Spans], changes: Callable[[], Mapping[str, int]]) -> None:
        self._estimates = estimates
        self._changes = changes

    def collect(self) -> Iterator[Metric]:
        """Yield the histogram and a sample for each reason there was."""
        text = "What could be sent over a transport, in bits a second, each time that its peer was told"
        yield histogram("simplestchat_available_bitrate", text, "", {"": self._estimates()})
        counter = CounterMetricFamily(
            "simplestchat_layer_changes", "Changes of the layers that somebody gets, by reason", labels=["reason"]
        )
        for reason, total in self._changes().items():
            counter.add_metric([reason], total)
        yield counter


class RoomCensus(Collector):
    """What is open, from one look at it."""

    GAUGES = (
        ("rooms", "Rooms that are open"),
        ("peers", "People in rooms"),
        ("peers_away", "People without connection"),
    )

    def __init__(self, census: Callable[[], Mapping[str, int]]) -> None:
        self._census = census

    def collect(self) -> Iterator[Metric]:
        """Yield every gauge."""
        census = self._census()
        for name, text in self.GAUGES:
            yield GaugeMetricFamily("simplestchat_" + name, text, value=census[name])


class Metrics:
    """All metrics of one node, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        self.websockets = Gauge("simplestchat_websockets", "WebSockets that are open", registry=registry)
        self.websockets_ended = Counter(
            "simplestchat_websockets_ended", "WebSockets that have ended, by how", ["how"], registry=registry
        )
        self.connections_refused = Counter(
            "simplestchat_connections_refused", "Connections that were refused for want of place", registry=registry
        )
        self.http_throttled = Counter(
            "simplestchat_http_throttled",
            "HTTP requests refused because their address sends too many",
            registry=registry,
        )
        self.origins_refused = Counter(
            "simplestchat_origins_refused", "Requests of foreign web pages that were refused", registry=registry
        )
        self.loop_lag = Histogram(
            "simplestchat_loop_lag_seconds",
            "How late a timer of the event loop fires",
            buckets=_LAG_BUCKETS_S,
            registry=registry,
        )

    def watch_rooms(self, census: Callable[[], Mapping[str, int]]) -> None:
        """Report how many rooms and people there are, asked at every scrape."""
        self.registry.register(RoomCensus(census))

    def watch_connections(self, connections: Callable[[], int]) -> None:
        """Report how many TCP connections there are, asked at every scrape."""
        gauge = Gauge("simplestchat_connections", "TCP connections that are open", registry=self.registry)
        gauge.set_function(connections)

    def watch_messages(self, received: Callable[[], int], sent: Callable[[], int]) -> None:
        """Report totals that their owners count: nothing is spent on them for each message."""
        self.registry.register(Totals("simplestchat_messages_received", "Messages received from clients", received))
        self.registry.register(Totals("simplestchat_messages_sent", "Messages queued for clients", sent))

    def watch_refusals(self, totals: Callable[[], Mapping[str, int]]) -> None:
        """Report how many requests were refused, rate limits included."""
        self.registry.register(Refusals(totals))

    def watch_requests(self, times: Callable[[], Mapping[str, Spans]]) -> None:
        """Report how long requests take, by method."""
        self.registry.register(RequestTimes(times))

    def watch_adaptation(self, estimates: Callable[[], Spans], changes: Callable[[], Mapping[str, int]]) -> None:
        """Report estimates of bandwidth and changes of layers."""
        self.registry.register(Adaptation(estimates, changes))

    def watch_workers(self, readings: Readings, ages: Ages, restarts: Callable[[], int]) -> None:
        """Report what the media workers tell of themselves."""
        self.registry.register(WorkerCollector(readings, ages, restarts))

    def render(self) -> bytes:
        """Return the text for a scrape."""
        return generate_latest(self.registry)
