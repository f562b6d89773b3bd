from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat.load import scrape
from simplestchat.load.scrape import MetricsError, read_metrics

TEXT = """\
# HELP simplestchat_peers People in rooms
# TYPE simplestchat_peers gauge
simplestchat_peers 12.0
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 1.5
# TYPE python_info gauge
python_info{version="3"} 1.0
# TYPE simplestchat_requests_refused_total counter
simplestchat_requests_refused_total{reason="quota"} 2.0
# TYPE simplestchat_worker_packets_forwarded_total counter
simplestchat_worker_packets_forwarded_total{worker="0"} 100.0
simplestchat_worker_packets_forwarded_total{worker="3"} 50.0
# TYPE simplestchat_worker_packets_dropped_total counter
simplestchat_worker_packets_dropped_total{reason="replay",worker="0"} 7.0
# TYPE simplestchat_worker_forward_seconds histogram
simplestchat_worker_forward_seconds_bucket{le="0.001",worker="0"} 4.0
simplestchat_worker_forward_seconds_bucket{le="+Inf",worker="0"} 5.0
simplestchat_worker_forward_seconds_count{worker="0"} 5.0
simplestchat_worker_forward_seconds_sum{worker="0"} 0.25
simplestchat_worker_forward_seconds_bucket{le="0.001",worker="3"} 1.0
simplestchat_worker_forward_seconds_bucket{le="+Inf",worker="3"} 1.0
# TYPE simplestchat_websockets_ended_total counter
simplestchat_websockets_ended_total{how="closed"} 3.0
# TYPE simplestchat_websockets_ended_created gauge
simplestchat_websockets_ended_created{how="closed"} 1.7e9
"""


def test_names_lose_what_all_have_and_keep_what_tells_them_apart() -> None:
    sample = read_metrics(TEXT, 17)
    assert sample.at_us == 17
    assert sample.metrics == {
        "peers": 12,
        "process_cpu_seconds": 1.5,
        "requests_refused.quota": 2,
        "websockets_ended.closed": 3,
    }
    assert sample.workers["3"] == {"packets_forwarded": 50}
    first = sample.workers["0"]
    assert first["packets_forwarded"] == 100
    assert first["packets_dropped.replay"] == 7
    assert first["forward_seconds_sum"] == 0.25


def test_histograms_of_workers_add_up() -> None:
    assert read_metrics(TEXT, 0).histograms == {"forward_seconds": [(0.001, 5), (math.inf, 6)]}


def test_what_is_no_metrics_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MetricsError, match="no Prometheus text"):
        read_metrics("<html>not found", 0)
    monkeypatch.setattr(scrape, "MAX_VALUES", 3)
    with pytest.raises(MetricsError, match="more than 3 values"):
        read_metrics(TEXT, 0)
    monkeypatch.setattr(scrape, "MAX_TEXT_BYTES", 10)
    with pytest.raises(MetricsError, match="at most 10"):
        read_metrics(TEXT, 0)


@given(st.text(max_size=200) | st.lists(st.sampled_from(TEXT.splitlines())).map("\n".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        sample = read_metrics(text, 0)
    except MetricsError:
        return
    assert all(math.isfinite(value) for value in sample.metrics.values())
