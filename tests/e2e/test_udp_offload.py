"""Trains between a media worker and the kernel can be switched off; media arrives either way."""

from __future__ import annotations

import re

import pytest
from support.load_run import SETTLE_S, run_here
from support.server import running

from simplestchat.load import scenario as s

pytestmark = [pytest.mark.e2e, pytest.mark.alone]
TRAINS = re.compile(r"^simplestchat_worker_trains_sent_total\{.*\} (\S+)$", re.MULTILINE)


@pytest.mark.parametrize(("options", "trains"), [((), True), (("--udp-offload", "off"), False)], ids=["on", "off"])
def test_frames_leave_as_trains_or_packet_by_packet(options: tuple[str, ...], trains: bool) -> None:
    scenario = s.Scenario(
        name="pair",
        shape=s.Shape(clients=2),
        publish=s.Publish(video="360p30", bitrate_bps=1_000_000),  # several packets a frame
        ramp=s.Ramp(joins_per_s=20, hold_s=2, settle_s=SETTLE_S),
    )
    with running(*options) as server:
        outcome = run_here(scenario, server.url)
        metrics = server.get("/metrics")
    assert outcome.totals["delivered"] > 100
    assert outcome.totals["corrupt"] == 0
    assert outcome.totals["lost"] <= outcome.receive_drops
    (sent,) = TRAINS.findall(metrics)
    assert (float(sent) > 0) == trains
