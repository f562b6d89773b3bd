from __future__ import annotations

import http.server
import json
import math
import re
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trio
import trio.testing
from prometheus_client.parser import text_string_to_metric_families
from support.repository import ROOT
from support.runs import START_US, MadeUpRun

from simplestchat.errors import ConfigError
from simplestchat.load.exporter import BOUNDS_S, Exporter, cumulative, families
from simplestchat.load.histogram import Histogram
from simplestchat.load.live import Live
from simplestchat.load.plan import Plan
from simplestchat.metrics import Metrics

RECORD = MadeUpRun(clients=20, hold_s=6).record()
NOW_US = START_US + 8_000_000


def half_way() -> Live:
    """A made-up run after eight seconds."""
    live = Live(Plan(RECORD.scenario, RECORD.seed), START_US)
    for generator in RECORD.generators:
        for sample in generator.samples[:8]:
            live.heard(sample)
    for sample in RECORD.server[:8]:
        live.seen(sample)
    return live


def read(text: str) -> dict[str, float]:
    return {
        ".".join((sample.name, *sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_run_is_served_to_scrapes() -> None:
    live = half_way()
    with Exporter(0, "", "load") as exporter:
        exporter.tick(live, NOW_US)
        with urllib.request.urlopen(f"http://127.0.0.1:{exporter.port}/metrics") as answer:
            values = read(answer.read().decode())
    assert values["simplestchat_load_users"] == live.gauge("users") == 20
    assert values["simplestchat_load_packets_total"] == live.total("packets") > 0
    assert values["simplestchat_load_phase.hold"] == 1
    assert values["simplestchat_load_phase.ramp"] == 0
    assert values["simplestchat_load_elapsed_seconds"] == 8
    assert values["simplestchat_load_objective_met.packet_loss"] == 1
    assert values["simplestchat_load_faults_total.corrupt"] == 0
    assert values["simplestchat_load_cpu_cores.server"] > 0
    assert values["simplestchat_load_signaling_seconds_count"] == live.histograms["signaling"].count


def test_a_port_that_is_taken_is_refused_by_its_option() -> None:
    with (
        Exporter(0, "", "load") as first,
        pytest.raises(ConfigError, match=rf"--metrics-port {first.port}: .*in use"),
        Exporter(first.port, "", "load"),
    ):
        pass


@contextmanager
def gateway() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """A Pushgateway that remembers what was put where."""
    put: list[tuple[str, str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            put.append((self.path, self.rfile.read(int(self.headers["Content-Length"])).decode()))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", put
        server.shutdown()
        thread.join()


def test_a_run_is_pushed_to_a_gateway_and_at_its_end_once_more() -> None:
    async def run(url: str) -> Exporter:
        exporter = Exporter(None, url, "simplestchat-load-conference")
        exporter.tick(half_way(), NOW_US)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(exporter.push_on)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        return exporter

    with gateway() as (url, put):
        assert trio.run(run, url).trouble == ""
    ((path, text),) = put
    assert path == "/metrics/job/simplestchat-load-conference"
    assert read(text)["simplestchat_load_users"] == 20


def test_a_gateway_that_is_not_there_does_not_disturb() -> None:
    with gateway() as (url, _put):
        pass
    exporter = Exporter(None, url, "load")
    trio.run(exporter.push)
    assert exporter.trouble.startswith(url + ": ")


def test_spans_are_counted_under_the_bounds_that_hold_them() -> None:
    histogram = Histogram()
    for value in (10, 400, 400, 30_000, 20_000_000):
        histogram.add(value)
    buckets, total_s = cumulative(histogram)
    counts = {float(bound): count for bound, count in buckets}
    assert counts[0.0005] == 3
    assert counts[0.025] == 3
    assert counts[0.05] == counts[BOUNDS_S[-1]] == 4
    assert counts[math.inf] == 5
    assert total_s == pytest.approx(20.03081)


def test_the_dashboard_asks_only_for_what_there_is() -> None:
    dashboard = json.loads((ROOT / "dashboards" / "load.json").read_text("utf-8"))
    metrics = Metrics()
    metrics.watch_workers(dict, dict, lambda: 0)
    found = [*families(half_way(), NOW_US), *metrics.registry.collect()]
    endings = {"counter": "_total", "histogram": "_bucket"}
    known = {family.name + endings.get(family.type, "") for family in found}
    asked = set()
    for panel in dashboard["panels"]:
        assert panel["title"]
        assert panel["targets"]
        for target in panel["targets"]:
            asked |= set(re.findall(r"simplestchat_\w+", target["expr"]))
    assert asked
    assert asked <= known
    places = [tuple(panel["gridPos"][side] for side in "xywh") for panel in dashboard["panels"]]
    assert all(x + w <= 24 for x, _y, w, _h in places)
    cells = [(x + dx, y + dy) for x, y, w, h in places for dx in range(w) for dy in range(h)]
    assert len(cells) == len(set(cells))
