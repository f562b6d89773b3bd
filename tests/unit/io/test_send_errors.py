"""A kernel that takes no datagram now costs a worker those datagrams, and not its life."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest
from support.refused_calls import SENDMMSG
from support.repository import ROOT

PATIENCE_S = 120

# The socket is writable, so nothing is to be waited for; only the number of tries ends it.
WORKER_WITHOUT_BUFFERS = """
import errno
from support.refused_calls import refuse_sendmmsg
refuse_sendmmsg(errno.ENOBUFS)
from support.live_call import live_call, until
with live_call() as call:
    call.join()
    until(lambda: call.server.call("stats")["dropped_send"] >= 3, "answers that could not be sent")
    stats = call.server.call("stats")
    assert stats["dropped_send"] <= stats["packets_out"], stats
print("still there")
"""


@pytest.mark.skipif(platform.machine() not in SENDMMSG, reason="the number of sendmmsg is not known here")
def test_a_writable_socket_without_buffers_is_not_tried_for_ever() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WORKER_WITHOUT_BUFFERS],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "still there"
