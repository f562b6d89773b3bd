from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families
from support.repository import ROOT

from simplestchat._native.engine.shard import Shard
from simplestchat.media.footprint import Footprint
from simplestchat.media.reading import Reading
from simplestchat.metrics import Metrics
from simplestchat.metrics.workers import COUNTERS, DROPPED, FOOTPRINT_GAUGES, GAUGES
from simplestchat.model.spans import Spans


def samples(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.values()))): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def reading(**counters: int) -> Reading:
    return Reading(
        counters=counters,
        forwarding=([50, 100], [7, 2, 1], 1_500_000),
        footprint=Footprint(rss_bytes=9000, heap_used_bytes=300, heap_held_bytes=400, cpu_us=2_500_000),
        ciphers={"AEAD_AES_128_GCM": "ipsec-mb"},
    )


def test_everything_that_a_worker_counts_has_its_metric() -> None:
    counted = Shard(1).stats()
    named = {name for name, *_ in (*COUNTERS, *GAUGES)}
    dropped = {name for name in counted if name.startswith(DROPPED)}
    assert dropped
    assert set(counted) == named | dropped
    assert {name for name, *_ in FOOTPRINT_GAUGES} | {"cpu_us"} == set(Footprint.__struct_fields__)
    guide = (ROOT / "docs" / "operating.md").read_text()
    assert not {name for name in dropped if f"| `{name.removeprefix(DROPPED)}` |" not in guide}


def test_workers_are_told_apart_and_drops_by_reason() -> None:
    metrics = Metrics()
    readings = {0: reading(packets_in=5, dropped_auth=2, transports=3), 1: reading(packets_in=7)}
    metrics.watch_workers(lambda: readings, lambda: {0: 0.1, 1: 2.5}, lambda: 4)
    found = samples(metrics)
    assert found["simplestchat_worker_packets_received_total", ("0",)] == 5
    assert found["simplestchat_worker_packets_received_total", ("1",)] == 7
    assert found["simplestchat_worker_packets_dropped_total", ("0", "auth")] == 2
    assert found["simplestchat_worker_transports", ("0",)] == 3
    assert found["simplestchat_worker_reading_age_seconds", ("1",)] == 2.5
    assert found["simplestchat_worker_restarts_total", ()] == 4
    assert found["simplestchat_workers", ()] == 2


def test_what_a_worker_takes_and_how_fast_it_forwards() -> None:
    metrics = Metrics()
    metrics.watch_workers(lambda: {9: reading()}, dict, int)
    found = samples(metrics)
    assert found["simplestchat_worker_resident_memory_bytes", ("9",)] == 9000
    assert found["simplestchat_worker_heap_used_bytes", ("9",)] == 300
    assert found["simplestchat_worker_heap_held_bytes", ("9",)] == 400
    assert found["simplestchat_worker_cpu_seconds_total", ("9",)] == 2.5
    latency = "simplestchat_worker_forward_latency_seconds"
    buckets = {labels[0]: value for (name, labels), value in found.items() if name == latency + "_bucket"}
    assert {float(bound): value for bound, value in buckets.items()} == {5e-05: 7, 1e-04: 9, float("inf"): 10}
    assert found[latency + "_count", ("9",)] == 10
    assert found[latency + "_sum", ("9",)] == 1.5


def test_requests_are_timed_by_method() -> None:
    metrics = Metrics()
    joins, others = Spans([0.001, 0.1]), Spans([0.001, 0.1])
    metrics.watch_requests(lambda: {"room.join": joins, "other": others})
    joins.add(0.05)
    found = samples(metrics)
    assert found["simplestchat_request_seconds_bucket", ("0.001", "room.join")] == 0
    assert found["simplestchat_request_seconds_bucket", ("0.1", "room.join")] == 1
    assert found["simplestchat_request_seconds_count", ("room.join",)] == 1
    assert found["simplestchat_request_seconds_sum", ("room.join",)] == 0.05
    assert found["simplestchat_request_seconds_count", ("other",)] == 0


def test_estimates_and_changes_of_layers_are_counted() -> None:
    metrics = Metrics()
    estimates = Spans([1e5, 1e6])
    metrics.watch_adaptation(lambda: estimates, lambda: {"bandwidth": 3, "wanted": 5})
    estimates.add(300_000)
    found = samples(metrics)
    assert found["simplestchat_available_bitrate_bucket", ("100000.0",)] == 0
    assert found["simplestchat_available_bitrate_bucket", ("1000000.0",)] == 1
    assert found["simplestchat_available_bitrate_sum", ()] == 300_000
    assert found["simplestchat_layer_changes_total", ("bandwidth",)] == 3
    assert found["simplestchat_layer_changes_total", ("wanted",)] == 5


def test_totals_are_asked_for_at_every_scrape() -> None:
    metrics = Metrics()
    counted = [0, 0]
    metrics.watch_messages(lambda: counted[0], lambda: counted[1])
    assert samples(metrics)["simplestchat_messages_sent_total", ()] == 0
    counted[:] = [2, 3]
    found = samples(metrics)
    assert found["simplestchat_messages_received_total", ()] == 2
    assert found["simplestchat_messages_sent_total", ()] == 3
