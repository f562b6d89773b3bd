"""Counters and censuses of the media workers, as the node last heard them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

#: Name of a worker's own counter, name of the metric and what it counts.
COUNTERS: tuple[tuple[str, str, str], ...] = (
    ("packets_in", "packets_received", "datagrams received"),
    ("bytes_in", "bytes_received", "bytes of datagrams received"),
    ("packets_out", "packets_sent", "datagrams sent"),
    ("bytes_out", "bytes_sent", "bytes of datagrams sent"),
    ("forwarded", "packets_forwarded", "media packets sealed for a subscriber"),
    ("resent", "packets_resent", "media packets sent again on request"),
    ("nacks_in", "nacks_received", "NACKs of subscribers: each asks for one or more packets again"),
    ("nacks_out", "nacks_sent", "NACKs sent to publishers"),
    ("keyframe_requests_in", "keyframe_requests_received", "keyframes that subscribers asked for"),
    ("keyframe_requests_out", "keyframe_requests_sent", "keyframes that publishers were asked for"),
    ("handshakes", "handshakes", "DTLS handshakes that succeeded"),
    ("handshakes_failed", "handshakes_failed", "DTLS handshakes that failed"),
)
#: A worker's counters of dropped packets; the rest of the name is the label `reason`.
DROPPED = "dropped_"
GAUGES: tuple[tuple[str, str], ...] = (
    ("transports", "transports that are open"),
    ("producers", "producers that are open"),
    ("consumers", "consumers that are open"),
    ("tuples", "addresses from which transports were checked"),
    ("credentials", "ICE user names that are valid"),
)
PREFIX = "simplestchat_worker_"

Reading = Callable[[], Mapping[int, Mapping[str, int]]]


class WorkerCollector(Collector):
    """Turns the last readings into metrics when they are asked for; the only labels are worker and reason."""

    def __init__(self, reading: Reading, restarts: Callable[[], int]) -> None:
        self._reading = reading
        self._restarts = restarts

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, with a sample for each living worker."""
        reading = self._reading()
        for name, metric, text in COUNTERS:
            counter = CounterMetricFamily(PREFIX + metric, _sentence(text), labels=["worker"])
            for worker, stats in reading.items():
                counter.add_metric([str(worker)], stats.get(name, 0))
            yield counter
        dropped = CounterMetricFamily(PREFIX + "packets_dropped", "Packets dropped", labels=["worker", "reason"])
        for worker, stats in reading.items():
            for name, value in stats.items():
                if name.startswith(DROPPED):
                    dropped.add_metric([str(worker), name.removeprefix(DROPPED)], value)
        yield dropped
        for name, text in GAUGES:
            gauge = GaugeMetricFamily(PREFIX + name, _sentence(text), labels=["worker"])
            for worker, stats in reading.items():
                gauge.add_metric([str(worker)], stats.get(name, 0))
            yield gauge
        yield CounterMetricFamily(PREFIX + "restarts", "Workers started anew", value=self._restarts())
        yield GaugeMetricFamily("simplestchat_workers", "Media workers that serve", value=len(reading))


def _sentence(text: str) -> str:
    """Begin with a capital, and leave the rest: DTLS stays DTLS."""
    return text[0].upper() + text[1:]
