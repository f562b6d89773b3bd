from __future__ import annotations

import os
import signal
import urllib.request

import psutil
import pytest
import trio

from simplestchat.errors import ConfigError
from simplestchat.load import server as module
from simplestchat.load.link import LinkClosed
from simplestchat.load.messages import Start
from simplestchat.load.process import Child, python
from simplestchat.load.scrape import read_metrics
from simplestchat.load.server import ServerFailed, check_settings, start_server


def test_a_server_runs_on_its_cores_and_ends_with_all_its_processes() -> None:
    core = min(os.sched_getaffinity(0))

    async def run() -> list[psutil.Process]:
        async with trio.open_nursery() as nursery:
            server = await start_server(nursery, {"max-rooms": "7"}, (core,))
            text = await trio.to_thread.run_sync(urllib.request.urlopen, server.url + "/metrics")
            assert read_metrics(text.read().decode(), 0).metrics["workers"] == 1
            text.close()
            names, processes = zip(*server.processes(), strict=True)
            assert names == ("node", "worker 0")  # one worker on one core
            node, worker = processes
            assert worker.cpu_affinity() == [core]  # to itself: signaling runs where there is room
            assert node.cpu_affinity() == sorted(os.sched_getaffinity(0))
            await server.stop()
            assert server.processes() == []
            return list(processes)

    assert not any(process.is_running() for process in trio.run(run))


def test_a_server_that_ends_says_so_with_its_last_words() -> None:
    async def run() -> str:
        async with trio.open_nursery() as nursery:
            server = await start_server(nursery, {})
            server.child.kill()
            words = await server.wait()
            await server.stop()
            return words

    assert trio.run(run).startswith("the server ended by signal 9")


@pytest.mark.parametrize(
    ("script", "timeout_s"),
    [
        ("print('no room left'); raise SystemExit(3)", 30.0),
        # Waited for in full; long enough for it to begin and say so.
        ("import signal; print('no room left'); signal.pause()", 5.0),
    ],
    ids=["ends", "waits"],
)
def test_a_server_that_never_gets_ready_is_a_failure(
    script: str, timeout_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READY_TIMEOUT_S", timeout_s)

    async def run() -> None:
        async with trio.open_nursery() as nursery:
            with pytest.raises(ServerFailed, match="no room left"):
                await start_server(nursery, {}, words=python("-u", "-c", script))

    trio.run(run)


def test_wrong_settings_are_refused_before_anything_starts() -> None:
    check_settings({"max-consumers": "500", "allowed-origins": "https://a.example,https://b.example"})
    with pytest.raises(ConfigError, match=r"server\.max-fun: there is no such setting"):
        check_settings({"max-fun": "1"})
    with pytest.raises(ConfigError, match="server: --max-rooms: 'many' is not allowed here; expected a whole number"):
        check_settings({"max-rooms": "many"})


ECHO = """
import struct, sys
sys.stderr.write("one\\ntwo\\nthree")
head = sys.stdin.buffer.read(4)
sys.stdout.buffer.write(head + sys.stdin.buffer.read(*struct.unpack(">I", head)))
"""


def test_a_child_speaks_over_its_link_and_its_errors_are_kept() -> None:
    async def run() -> None:
        child = Child("echo", python("-c", ECHO), linked=True)
        assert child.link is not None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child.read_lines)
            await child.link.send(Start(at_us=5))
            assert await child.link.receive() == Start(at_us=5)
            with pytest.raises(LinkClosed):
                await child.link.receive()
            assert await child.wait() == 0
        await child.stop()
        assert child.last_words(2) == "two | three"

    trio.run(run)


def test_a_child_that_will_not_end_is_made_to() -> None:
    grandchildren: list[int] = []

    async def run() -> int:
        script = (
            "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
            "print(os.getpid(), flush=True); signal.pause()"
        )
        child = Child("deaf", ["/bin/sh", "-c", f'{python()[0]} -c "{script}"; wait'], linked=False)
        async with trio.open_nursery() as nursery:
            up = trio.Event()

            def note(line: str) -> None:
                grandchildren.append(int(line))
                up.set()

            nursery.start_soon(child.read_lines, note)
            await up.wait()
            await child.stop(0.2)
            nursery.cancel_scope.cancel()
        return await child.wait()

    try:
        assert trio.run(run) < 0
    finally:
        for pid in grandchildren:  # outlives the shell between
            os.kill(pid, signal.SIGKILL)
