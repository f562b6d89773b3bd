"""The pages of the load tester in a real browser: offline, without a complaint, whatever the colours and the width."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from support.chromium import Chromium, ChromiumPage, chromium
from support.runs import MadeUpRun

from simplestchat.load.compare import compare_folders
from simplestchat.load.files import write_report
from simplestchat.load.judge import assess
from simplestchat.load.page import compare_page, trend_page
from simplestchat.load.report import BrowserReport, CapacityReport, CapacityStep, Report
from simplestchat.load.trend import trends

pytestmark = [pytest.mark.e2e, pytest.mark.alone]
FITS = "document.documentElement.scrollWidth <= window.innerWidth"


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as running:
        yield running


def full_report() -> Report:
    """A report with everything that a page can show."""
    report = assess(MadeUpRun(clients=20, hold_s=12).record())
    browsers = (
        BrowserReport(
            name="Chromium 1",
            frames_decoded=360,
            frames_per_s=29.7,
            received_kbytes_per_s=402.5,
            packet_loss=0.001,
            jitter_ms=0.4,
            freezes=0,
            freeze_s=0,
            first_frame_ms=210,
            audio_concealed_share=0.002,
        ),
    )
    steps = (
        CapacityStep(
            value=10,
            verdict="pass",
            broke=(),
            server_cpu_cores=0.4,
            worker_cpu_max=0.3,
            packet_loss=0,
            generator_lag_p99_ms=1,
        ),
        CapacityStep(
            value=40,
            verdict="fail",
            broke=("packet_loss",),
            server_cpu_cores=1.2,
            worker_cpu_max=1,
            packet_loss=0.08,
            generator_lag_p99_ms=2,
        ),
    )
    capacity = CapacityReport(
        dimension="room_size",
        highest_good=10,
        lowest_bad=40,
        bottleneck="cpu",
        why="A worker used all of its core.",
        steps=steps,
    )
    return msgspec.structs.replace(report, browsers=browsers, capacity=capacity, faults={"a <b>fault</b>": 3})


def opened(browser: Chromium, path: Path) -> ChromiumPage:
    page = browser.page()
    page.open(path.as_uri())
    return page


def check(page: ChromiumPage) -> None:
    """Everything is drawn and fits, on a desk and on a phone, in light and in dark."""
    for size, scheme in (((1280, 800), "light"), ((390, 844), "dark")):
        page.look(size, scheme)  # type: ignore[arg-type]
        assert page.evaluate(FITS), f"wider than {size[0]}"
    assert page.evaluate("[...document.querySelectorAll('canvas')].every((one) => one.width > 100 && one.height > 100)")
    assert page.evaluate("performance.getEntriesByType('resource').length") == 0, "it fetches nothing"
    assert page.errors == []


def test_a_run(browser: Chromium, tmp_path: Path) -> None:
    _, shown = write_report(full_report(), tmp_path)
    assert shown is not None, "run `make build`"
    page = opened(browser, shown)
    titles = page.evaluate("[...document.querySelectorAll('h1, h2')].map((one) => one.textContent)")
    assert titles[:2] == ["Conference, rooms of ten with video", "Objectives"]
    assert {"Figures", "Distributions", "Rooms", "Machine", "How much it carries"} <= set(titles)
    assert page.evaluate("document.querySelector('.outcome').textContent") == "PassEvery objective was met."
    assert page.evaluate("document.querySelectorAll('canvas').length") > 15
    assert page.evaluate("document.querySelectorAll('b').length") == 0, "no text becomes an element"
    check(page)
    page.close()


def test_a_comparison_and_a_trend(browser: Chromium, tmp_path: Path) -> None:
    for number, slower in enumerate((1.0, 1.0, 1.0, 1.2)):
        report = assess(MadeUpRun(number, clients=20, hold_s=12, slower=slower).record())
        report = msgspec.structs.replace(report, started=f"2026-03-0{number + 1}T10:00:00Z")
        write_report(report, tmp_path / str(number))
    shown = tmp_path / "compare.html"
    shown.write_text(compare_page(compare_folders(tmp_path / "0", tmp_path / "3", 0.05)))
    page = opened(browser, shown)
    assert "Server CPU" in page.evaluate("document.querySelector('.outcome-fail').textContent")
    assert page.evaluate("document.querySelectorAll('.interval-worse').length") > 0
    check(page)
    page.close()
    shown = tmp_path / "trend.html"
    shown.write_text(trend_page(trends(tmp_path, 0.05)))
    page = opened(browser, shown)
    assert "Server CPU" in page.evaluate("document.querySelector('.outcome-fail').textContent")
    assert page.evaluate("document.querySelectorAll('tbody .badge-pass').length") == 4
    check(page)
    page.close()
