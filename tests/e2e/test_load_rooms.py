"""What the server counts of a room and of each participant agrees with what the users themselves sent and received."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.load import load

pytestmark = [pytest.mark.e2e, pytest.mark.alone]

HOLD_S, SETTLE_S = 9, 0.5
STEADY = f"""
name = "steady"
[shape]
clients = 8
room_size = 4
[publish]
video = "360p30"
bitrate_bps = 300_000
[ramp]
joins_per_s = 40
hold_s = {HOLD_S}
settle_s = {SETTLE_S}
[objectives]
signaling_p99_ms = "off"
[generator]
processes = 1
lag_p99_ms = 5000
wake_p99_ms = 5000
signaling_lag_p99_ms = 5000
cpu = 1.0
socket_drops = 1_000_000
"""


def test_the_server_and_the_users_count_the_same(tmp_path: Path) -> None:
    path = tmp_path / "steady.toml"
    path.write_text(STEADY)
    run = load(tmp_path / "report", path)
    assert run.status == 0, run.output
    rooms = run.report["rooms"]
    assert [room["users"] for room in rooms] == [4, 4]
    for room in rooms:
        # Users count to the end of their stay, when publishers have been silent for a while.
        share = (HOLD_S + SETTLE_S) / HOLD_S
        assert room["server_out_per_participant"] == pytest.approx(share * room["received_kbytes_per_s"], rel=0.06)
        assert room["server_in_per_participant"] == pytest.approx(share * room["sent_kbytes_per_s"], rel=0.06)
        assert room["server_out_kbytes_per_s"] == pytest.approx(4 * room["server_out_per_participant"], rel=0.15)
        assert room["server_in_kbytes_per_s"] == pytest.approx(4 * room["server_in_per_participant"], rel=0.15)
        # To each of the three others, without the header extensions that only the server needs.
        assert 0.9 < room["server_out_kbytes_per_s"] / (3 * room["server_in_kbytes_per_s"]) < 1.02
    curves = {one["name"] for one in run.report["series"]}
    assert {"room_0_in", "room_0_out", "room_1_in", "room_1_out"} <= curves
