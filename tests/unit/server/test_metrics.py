from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families
from support.repository import ROOT

from simplestchat._native.engine.shard import Shard
from simplestchat.metrics import Metrics
from simplestchat.metrics.workers import COUNTERS, DROPPED, GAUGES


def samples(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.values()))): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def test_everything_that_a_worker_counts_has_its_metric() -> None:
    counted = Shard(1).stats()
    named = {name for name, *_ in (*COUNTERS, *GAUGES)}
    dropped = {name for name in counted if name.startswith(DROPPED)}
    assert dropped
    assert set(counted) == named | dropped
    guide = (ROOT / "docs" / "operating.md").read_text()
    assert not {name for name in dropped if f"| `{name.removeprefix(DROPPED)}` |" not in guide}


def test_workers_are_told_apart_and_drops_by_reason() -> None:
    metrics = Metrics()
    readings = {0: {"packets_in": 5, "dropped_auth": 2, "transports": 3}, 1: {"packets_in": 7}}
    metrics.watch_workers(lambda: readings, lambda: 4)
    found = samples(metrics)
    assert found["simplestchat_worker_packets_received_total", ("0",)] == 5
    assert found["simplestchat_worker_packets_received_total", ("1",)] == 7
    assert found["simplestchat_worker_packets_dropped_total", ("0", "auth")] == 2
    assert found["simplestchat_worker_transports", ("0",)] == 3
    assert found["simplestchat_worker_restarts_total", ()] == 4
    assert found["simplestchat_workers", ()] == 2


def test_totals_are_asked_for_at_every_scrape() -> None:
    metrics = Metrics()
    counted = [0, 0]
    metrics.watch_messages(lambda: counted[0], lambda: counted[1])
    assert samples(metrics)["simplestchat_messages_sent_total", ()] == 0
    counted[:] = [2, 3]
    found = samples(metrics)
    assert found["simplestchat_messages_received_total", ()] == 2
    assert found["simplestchat_messages_sent_total", ()] == 3
