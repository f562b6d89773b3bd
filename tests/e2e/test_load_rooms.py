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
settle_s = 2.5
[objectives]
signaling_p99_ms = "off"
packet_loss = 0.05
"""


def test_the_server_and_the_users_count_the_same(tmp_path: Path) -> None:
    path = tmp_path / "steady.toml"
    path.write_text(STEADY + PATIENT)
    # Where one of them stands still for a while, the server leaves media out, or the two count the same in different
    # seconds; that does not happen in three runs in a row.
    assert any(agree(load(tmp_path / f"report-{number}", path)) for number in range(3))


def agree(run: LoadRun) -> bool:
    """Whether the rooms, the participants and the users of a run were counted alike."""
    assert run.status == 0, run.output
    assert run.report["summary"]["server_objects_left"] == 0, "they are all gone"
    rooms = run.report["rooms"]
    assert [room["users"] for room in rooms] == [4, 4]
    pairs = [
        (room[f"server_{way}_kbytes_per_s"], pytest.approx(4 * room[f"server_{way}_per_participant"], rel=0.2))
        for room in rooms
        for way in ("in", "out")
    ]
    # To each of the three others, without the header extensions that only the server needs.
    pairs += [
        (room["server_out_kbytes_per_s"], pytest.approx(0.96 * 3 * room["server_in_kbytes_per_s"], rel=0.0625))
        for room in rooms
    ]
    curves = {one["name"]: one["values"] for one in run.report["series"]}
    for ours, theirs in (("users_bytes_out", "in"), ("users_bytes_in", "out")):
        users, *of_rooms = (
            sum(curves[name][STEADY_FROM:STEADY_TO]) for name in (ours, f"room_0_{theirs}", f"room_1_{theirs}")
        )
        pairs.append((sum(of_rooms), pytest.approx(users, rel=0.04)))
    wrong = [(found, wanted) for found, wanted in pairs if found != wanted]
    print(*wrong, sep="\n")
    return not wrong
