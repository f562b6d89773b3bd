"""A generator that generates nothing: `python stub_generator.py [TRICK]` speaks as one, on a plan of its own making.

It has the users of its part, whose media is perfect. A trick: `deaf` never says that it is ready; `refuse` fails at
once; `die` ends at the first second; `slow` is late with its media; `stay` never finishes, even when it is told to;
`lose` loses a tenth of all packets.
"""

from __future__ import annotations

import os
import sys
import time

import trio

from simplestchat.load.histogram import Histogram
from simplestchat.load.link import LinkClosed, StreamLink
from simplestchat.load.messages import Assign, Failed, Finished, Ready, Sample, Start, Stop, UserResult
from simplestchat.load.plan import Plan

PACKETS_PER_USER = 100


def now_us() -> int:
    return time.monotonic_ns() // 1000


class Stub:
    """One such generator."""

    def __init__(self, link: StreamLink, trick: str) -> None:
        self._link = link
        self._trick = trick

    async def run(self) -> None:
        assign = await self._link.receive()
        assert isinstance(assign, Assign)
        self._assign, self._plan = assign, Plan(assign.scenario, assign.seed)
        self._users = list(self._plan.indices(assign.part, assign.parts))
        if self._trick == "refuse":
            await self._link.send(Failed(part=assign.part, reason="no file is left to open"))
            return
        if self._trick == "deaf":
            await trio.sleep_forever()
        machine = {"cores": len(os.sched_getaffinity(0))}
        await self._link.send(Ready(part=assign.part, users=len(self._users), machine=machine))
        start = await self._link.receive()
        assert isinstance(start, Start)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._samples, start.at_us, nursery.cancel_scope)
            await self._until_stopped()
            nursery.cancel_scope.cancel()
        await self._link.send(self._finished())

    async def _until_stopped(self) -> None:
        while not isinstance(await self._link.receive(), Stop) or self._trick == "stay":
            pass

    async def _samples(self, start_us: int, run: trio.CancelScope) -> None:
        second = 0
        while self._trick == "stay" or now_us() < start_us + self._plan.end_s * 1e6:
            second += 1
            at_us = start_us + min(second, self._plan.end_s) * 1e6
            await trio.sleep(max(0.0, (at_us - now_us()) / 1e6))
            if self._trick == "die" and second >= 1:
                print("out of memory", file=sys.stderr, flush=True)
                os.kill(os.getpid(), 9)
            await self._link.send(self._sample(second, start_us))
        run.cancel()

    def _sample(self, second: int, start_us: int) -> Sample:
        users = len(self._users)
        lag = Histogram()
        for _ in range(100):
            lag.add(80_000 if self._trick == "slow" else 300)
        lost = users * second * PACKETS_PER_USER // 10 if self._trick == "lose" else 0
        delivered = users * second * PACKETS_PER_USER - lost
        names = ("joins_tried", "joins", "transports", "transports_connected")
        return Sample(
            part=self._assign.part,
            at_us=now_us(),
            totals={**dict.fromkeys(names, users), "delivered": delivered, "packets": delivered, "lost": lost},
            gauges={"users": users, "connected": users},
            histograms={"lag": lag.data(), "wake": lag.data(), "signaling": lag.data(), "latency_video": lag.data()},
            generator={"cpu_s": 0.1 * second, "loop_cpu_s": 0.05 * second, "rss_bytes": 1e8, "receive_drops": 0.0},
            phase=self._plan.phase((now_us() - start_us) / 1e6),
        )

    def _finished(self) -> Finished:
        users = tuple(
            UserResult(user=index, room=0, received_bytes=1000, sent_bytes=1000, receiving_s=1.0, joins=1, reconnects=0)
            for index in self._users
        )
        return Finished(part=self._assign.part, users=users, streams=(), faults={})


async def main(trick: str) -> None:
    link = StreamLink(trio.lowlevel.FdStream(os.dup(1)), trio.lowlevel.FdStream(os.dup(0)))
    try:
        await Stub(link, trick).run()
    except* LinkClosed:
        pass


if __name__ == "__main__":
    trio.run(main, sys.argv[1] if len(sys.argv) > 1 else "")
