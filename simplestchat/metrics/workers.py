"""What the media workers tell of themselves, as the node last heard it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from simplestchat.media.reading import Reading

from .spans import histogram

#: Name of a worker's own counter, name of the metric and what it counts.
COUNTERS: tuple[tuple[str, str, str], ...] = (
    ("packets_in", "packets_received", "datagrams received"),
    ("bytes_in", "bytes_received", "bytes of datagrams received"),
    ("packets_out", "packets_sent", "datagrams sent"),
    ("bytes_out", "bytes_sent", "bytes of datagrams sent"),
    ("media_in", "media_received", "media packets of publishers that arrived, repaired ones included"),
    ("media_expected", "media_expected", "media packets that publishers have sent: those not received were lost"),
    ("trains_out", "trains_sent", "messages to the kernel that carried several datagrams for one destination"),
    ("forwarded", "packets_forwarded", "media packets sealed for a subscriber"),
    ("padding_out", "padding_bytes_sent", "bytes of padding that bring the packets of a train to one size"),
    ("frames_dropped", "frames_dropped", "frames of video left out because a socket was full for too long"),
    ("piped_in", "pipe_packets_received", "media packets that came from other workers, repaired ones included"),
    ("piped_expected", "pipe_packets_expected", "media packets that other workers have sent"),
    ("piped_out", "pipe_packets_sent", "media packets sealed for another worker"),
    ("resent", "packets_resent", "media packets sent again on request"),
    ("reported_lost", "packets_reported_lost", "media packets that subscribers' reports say were lost"),
    ("feedbacks_in", "feedbacks_received", "reports of subscribers on when their packets came"),
    ("feedbacks_out", "feedbacks_sent", "reports to publishers on when their packets came"),
    ("probes_out", "probes_sent", "packets sent to find out what a path carries"),
    ("paced", "packets_paced", "packets of video that waited for their turn"),
    ("layer_switches", "layer_switches", "changes of the layers that a subscriber is sent"),
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
    ("pipes", "pipes to other workers that are open"),
    ("piped_producers", "producers of other workers that are piped here"),
    ("pipe_consumers", "encodings that are piped to other workers"),
    ("tuples", "addresses from which transports were checked"),
    ("credentials", "ICE user names that are valid"),
    ("dtls_associations", "DTLS associations: their handshakes wait, are under way or are over"),
    ("dtls_handshakes", "DTLS handshakes that are under way"),
    ("handshakes_waiting", "DTLS datagrams that wait for their turn"),
    ("handshakes_waiting_bytes", "bytes of DTLS datagrams that wait for their turn"),
    ("srtp_contexts", "SRTP contexts that are prepared, one each way"),
    ("sources", "SSRCs that transports receive"),
    ("sent_ssrcs", "SSRCs that transports send or sent: none is used twice"),
    ("cache_bytes", "memory of received packets that are kept for repairs"),
    ("sent_bytes", "memory of what consumers know of what they sent, for repairs"),
    ("adaptation_bytes", "memory of estimates, of what packets are in their videos, and of packets that wait"),
)
#: The same for what a worker's process takes.
FOOTPRINT_GAUGES: tuple[tuple[str, str, str], ...] = (
    ("rss_bytes", "resident_memory_bytes", "memory of the process that is resident"),
    ("heap_used_bytes", "heap_used_bytes", "native heap that is in use"),
    ("heap_held_bytes", "heap_held_bytes", "native heap that is held from the system, in use or not"),
)
PREFIX = "simplestchat_worker_"
_US_PER_S = 1_000_000

Readings = Callable[[], Mapping[int, Reading]]
Ages = Callable[[], Mapping[int, float]]


class WorkerCollector(Collector):
    """Turns the last readings into metrics when they are asked for; the only labels are worker and reason."""

    def __init__(self, readings: Readings, ages: Ages, restarts: Callable[[], int]) -> None:
        self._readings = readings
        self._ages = ages
        self._restarts = restarts

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, with a sample for each living worker."""
        readings = {str(worker): reading for worker, reading in self._readings().items()}
        counters = {worker: reading.counters for worker, reading in readings.items()}
        for name, metric, text in COUNTERS:
            yield _family(CounterMetricFamily, metric, text, _each(counters, name))
        yield _dropped(counters)
        for name, text in GAUGES:
            yield _family(GaugeMetricFamily, name, text, _each(counters, name))
        for name, metric, text in FOOTPRINT_GAUGES:
            values = {worker: getattr(reading.footprint, name) for worker, reading in readings.items()}
            yield _family(GaugeMetricFamily, metric, text, values)
        cpu = {worker: reading.footprint.cpu_us / _US_PER_S for worker, reading in readings.items()}
        ages = {str(worker): age_s for worker, age_s in self._ages().items()}
        yield _family(GaugeMetricFamily, "reading_age_seconds", "how long ago the worker told all this", ages)
        yield _family(CounterMetricFamily, "cpu_seconds", "processor time, user and system", cpu)
        yield _ciphers(readings)
        yield histogram(
            PREFIX + "forward_latency_seconds",
            "From a media packet's arrival at the machine until its last copy was sent",
            "worker",
            {worker: reading.forwarding_spans for worker, reading in readings.items()},
        )
        yield CounterMetricFamily(PREFIX + "restarts", "Workers started anew", value=self._restarts())
        yield GaugeMetricFamily("simplestchat_workers", "Media workers that serve", value=len(readings))


_Single = TypeVar("_Single", CounterMetricFamily, GaugeMetricFamily)


def _family(kind: type[_Single], metric: str, text: str, values: Mapping[str, float]) -> _Single:
    family = kind(PREFIX + metric, _sentence(text), labels=["worker"])
    for worker, value in values.items():
        family.add_metric([worker], value)
    return family


def _each(counters: Mapping[str, Mapping[str, int]], name: str) -> dict[str, float]:
    return {worker: counted.get(name, 0) for worker, counted in counters.items()}


def _dropped(counters: Mapping[str, Mapping[str, int]]) -> CounterMetricFamily:
    dropped = CounterMetricFamily(PREFIX + "packets_dropped", "Packets dropped", labels=["worker", "reason"])
    for worker, counted in counters.items():
        for name, value in counted.items():
            if name.startswith(DROPPED):
                dropped.add_metric([worker, name.removeprefix(DROPPED)], value)
    return dropped


def _ciphers(readings: Mapping[str, Reading]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        PREFIX + "srtp_backend",
        "1 for the library that encrypts media of a suite",
        labels=["worker", "suite", "backend"],
    )
    for worker, reading in readings.items():
        for suite, backend in reading.ciphers.items():
            family.add_metric([worker, suite, backend], 1)
    return family


def _sentence(text: str) -> str:
    """Begin with a capital, and leave the rest: DTLS stays DTLS."""
    return text[0].upper() + text[1:]
