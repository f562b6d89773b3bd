from __future__ import annotations

import trio

from simplestchat.load.coordinate import now_us
from simplestchat.load.record import ServerSample
from simplestchat.load.server import start_server
from simplestchat.load.watch import ServerWatch


def samples(metrics: str) -> tuple[ServerSample, ServerSample, str, list[int]]:
    """A server seen from its own machine and as a remote one, why a look found nothing, and its processes."""

    async def run() -> tuple[ServerSample, ServerSample, str, list[int]]:
        async with trio.open_nursery() as nursery:
            server = await start_server(nursery, {"workers": "1", "metrics": metrics})
            try:
                remote = ServerWatch(server.url, None)
                near, far = await ServerWatch(server.url, server).sample(now_us()), await remote.sample(now_us())
                return near, far, remote.trouble, [process.pid for _name, process in server.processes()]
            finally:
                await server.stop()

    return trio.run(run)


def test_a_remote_server_describes_its_processes_itself() -> None:
    near, far, trouble, pids = samples("local")
    assert trouble == ""
    assert [(one.name, one.pid) for one in near.processes] == [("node", pids[0]), ("worker 0", pids[1])]
    assert far.metrics["workers"] == near.metrics["workers"] == 1
    assert "packets_forwarded" in far.workers["0"]
    assert [one.pid for one in far.processes] == [0] * len(far.processes)
    assert far.processes[0].name == "node"
    told = {one.name: one for one in far.processes}
    for one in near.processes:
        if one.name in told:  # a worker tells of itself once it was asked for the first time
            assert abs(told[one.name].rss_bytes - one.rss_bytes) < 20_000_000
            assert abs(told[one.name].cpu_s - one.cpu_s) < 2


def test_a_server_without_metrics_is_seen_by_its_processes_only() -> None:
    near, far, trouble, _pids = samples("off")
    assert len(near.processes) == 2
    assert near.metrics == far.metrics == {}
    assert far.processes == ()
    assert "/metrics: HTTP Error 404" in trouble
