"""The text of a server's ``/metrics`` as a ``ServerSample``: whatever it counts, by short names."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from simplestchat.errors import PeerFault
from simplestchat.load.record import ProcessSample, ServerSample

PREFIX = "simplestchat_"
WORKER_PREFIX = "worker_"
PROCESS_PREFIX = "process_"  # the node's own, as prometheus_client reports it
MAX_TEXT_BYTES = 4 * 1024 * 1024
MAX_VALUES = 20_000  # one sample of a server with a hundred workers has fewer


class MetricsError(PeerFault):
    """What a server gives as its metrics is no Prometheus text, or has no end."""


def read_metrics(text: str, at_us: int, processes: tuple[ProcessSample, ...] = ()) -> ServerSample:
    """Return one sample, taken at ``at_us`` of the coordinator's clock. Raises ``MetricsError``."""
    if len(text) > MAX_TEXT_BYTES:
        raise MetricsError(f"the server's metrics have {len(text)} characters; at most {MAX_TEXT_BYTES} are read")
    reading = _Reading()
    try:
        for family in text_string_to_metric_families(text):
            reading.take(family)
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        raise MetricsError(f"the server's metrics are no Prometheus text: {error}") from None
    return ServerSample(
        at_us=at_us,
        metrics=reading.metrics,
        workers=reading.workers,
        histograms={name: sorted(bounds.items()) for name, bounds in reading.histograms.items()},
        processes=processes,
    )


class _Reading:
    """What was found so far."""

    def __init__(self) -> None:
        self.metrics: dict[str, float] = {}
        self.workers: dict[str, dict[str, float]] = {}
        self.histograms: dict[str, dict[float, float]] = {}
        self._values = 0

    def take(self, family: Metric) -> None:
        for name, labels, value in _samples(family):
            self._values += 1
            if self._values > MAX_VALUES:
                raise MetricsError(f"the server's metrics have more than {MAX_VALUES} values")
            if not math.isfinite(value):
                continue
            if name.endswith("_bucket") and "le" in labels:
                bounds = self.histograms.setdefault(_short(name.removesuffix("_bucket")), {})
                bound = float(labels["le"])
                bounds[bound] = bounds.get(bound, 0.0) + value
                continue
            self._keep(name, labels, value)

    def _keep(self, name: str, labels: dict[str, str], value: float) -> None:
        worker = labels.get("worker")
        rest = [text for label, text in sorted(labels.items()) if label != "worker"]
        short = sys.intern(".".join((_short(name), *rest)))  # the same in thousands of samples
        if worker is None:
            self.metrics[short] = value
        else:
            self.workers.setdefault(worker, {})[short] = value


def _samples(family: Metric) -> Iterator[tuple[str, dict[str, str], float]]:
    """Ours and the node process's; ``*_created`` are times of birth and say nothing."""
    for sample in family.samples:
        if not sample.name.endswith("_created") and sample.name.startswith((PREFIX, PROCESS_PREFIX)):
            yield sample.name, dict(sample.labels), float(sample.value)


def _short(name: str) -> str:
    return name.removeprefix(PREFIX).removeprefix(WORKER_PREFIX).removesuffix("_total")
