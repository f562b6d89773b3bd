"""A media worker dies in a call: its people see and hear each other again within five seconds, without a reload."""

from __future__ import annotations

import os
import secrets
import signal
import time
from pathlib import Path

import pytest
from support.call_page import WATCH, CallPage
from support.chromium import chromium
from support.judge import expect_everyone_sees_everyone
from support.launch import serve
from support.process import spare_pids, worker_pids
from support.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.alone]

BACK_WITHIN_S = 5.0
PATIENCE_S = 30.0
TRIES = 3


def new_pictures(person: CallPage, old_tracks: set[str]) -> bool:
    """Whether a page decodes pictures that do not come over what it had before."""
    return any(seen.track not in old_tracks and seen.frames > 0 for seen in person.seen().values())


def lose_the_worker(node: int, people: list[CallPage]) -> float:
    """Kill the only worker once another process stands ready; after how many seconds everyone decodes new pictures."""
    before = {person.name: {seen.track for seen in person.seen().values()} for person in people}
    (worker,) = worker_pids(node)
    (spare,) = eventually(lambda: spare_pids(node), bool)
    os.kill(worker, signal.SIGKILL)
    killed = time.monotonic()
    for person in people:
        eventually(lambda person=person: new_pictures(person, before[person.name]), bool, PATIENCE_S)
    took_s = time.monotonic() - killed
    expect_everyone_sees_everyone(people)
    assert worker_pids(node) == [spare]
    return took_s


def test_media_flows_again(tmp_path: Path) -> None:
    room = f"crash-{secrets.token_hex(4)}"
    with serve(tmp_path, "--workers", "1") as server, chromium() as browser:
        people = [CallPage(browser.page(before=WATCH), name) for name in ("Ada", "Ben")]
        for person in people:
            person.join(server.url, room)
        expect_everyone_sees_everyone(people)
        # Media comes back each time; that it is quick may be hidden by what else the machine does, but not each time.
        assert any(lose_the_worker(server.pid, people) < BACK_WITHIN_S for _ in range(TRIES))
        assert all(person.page.evaluate("window.neverReloaded") for person in people)
        people[0].say("still here")
        people[1].wait_for_messages(["still here"])
