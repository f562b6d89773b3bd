"""Spans as Prometheus has them."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client.core import HistogramMetricFamily

from simplestchat.model.spans import Spans


def histogram(name: str, text: str, label: str, rows: Mapping[str, Spans]) -> HistogramMetricFamily:
    """Return a histogram with a series for each value of its only label, or a single one where that is ""."""
    family = HistogramMetricFamily(name, text, labels=[label] if label else [])
    for value, spans in rows.items():
        buckets = [(_bound(bound), count) for bound, count in spans.cumulative()]
        family.add_metric([value] if label else [], buckets, spans.sum_s)
    return family


def _bound(bound_s: float) -> str:
    return "+Inf" if bound_s == float("inf") else str(bound_s)
