"""The pages of the load tester in a real browser: offline, without a complaint, whatever the colours and the width."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from support.chromium import Chromium, ChromiumPage, chromium
from support.runs import MadeUpRun

from simplestchat.load.files import write_report
from simplestchat.load.judge import assess
from simplestchat.load.report import BrowserReport, CapacityReport, CapacityStep, Report

pytestmark = pytest.mark.e2e
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
