"""What the server counts of a room and of each participant agrees with what the users themselves sent and received."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.load import PATIENT, LoadRun, load

pytestmark = [pytest.mark.e2e, pytest.mark.alone]

HOLD_S = 12
STEADY_FROM, STEADY_TO = 6, 10  # seconds in which nothing begins or ends: samples and looks fall on other moments
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
settle_s = 0.5
[objectives]
signaling_p99_ms = "off"
packet_loss = 0.05
"""


def test_the_server_and_the_users_count_the_same(tmp_path: Path) -> None:
    path = tmp_path / "steady.toml"
    path.write_text(STEADY + PATIENT)
    # Who stands still at an edge of these seconds counts in another one than the other; not so in every run.
    assert any(agree_in_steady_seconds(load(tmp_path / f"report-{number}", path)) for number in range(3))


def agree_in_steady_seconds(run: LoadRun) -> bool:
    """Whether server and users counted the same in the steady seconds; over the whole run they must."""
    assert run.status == 0, run.output
    assert run.report["summary"]["server_objects_left"] == 0, "they are all gone"
    rooms = run.report["rooms"]
    assert [room["users"] for room in rooms] == [4, 4]
    for room in rooms:
        assert room["server_out_kbytes_per_s"] == pytest.approx(4 * room["server_out_per_participant"], rel=0.2)
        assert room["server_in_kbytes_per_s"] == pytest.approx(4 * room["server_in_per_participant"], rel=0.2)
        # To each of the three others, without the header extensions that only the server needs.
        assert 0.9 < room["server_out_kbytes_per_s"] / (3 * room["server_in_kbytes_per_s"]) < 1.02
    curves = {one["name"]: one["values"] for one in run.report["series"]}
    agree = True
    for ours, theirs in (("users_bytes_out", "in"), ("users_bytes_in", "out")):
        users, *of_rooms = (
            sum(curves[name][STEADY_FROM:STEADY_TO]) for name in (ours, f"room_0_{theirs}", f"room_1_{theirs}")
        )
        print(f"{ours}: the users counted {users:.3f}, the rooms {sum(of_rooms):.3f}")
        agree &= sum(of_rooms) == pytest.approx(users, rel=0.04)
    return agree
