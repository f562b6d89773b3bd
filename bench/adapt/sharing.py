"""Several receivers behind one bottleneck, and one beside a flow like TCP's."""

from __future__ import annotations

from collections.abc import Iterable

from adapt.call import Call
from adapt.links import _fill
from adapt.network import Bottleneck, Queue, Reno, thin
from adapt.verdict import Row, jain, least

CAPACITY_BPS = 4e6


def receivers(seed: int = 23) -> Iterable[Row]:
    """Two and four that begin five seconds apart."""
    for count in (2, 4):
        call, queue = Call(seed), Queue()
        publisher = call.publisher()
        viewers = [call.viewer(thin(CAPACITY_BPS), queue) for _ in range(count)]
        call.run(1)
        for viewer in viewers:
            video = call.camera(publisher, ((300_000, 640, 360),))
            call.watch(viewer, video)
            _fill(call, viewer, video)
            call.run(5)
        call.run(30)
        since_us = call.now_us
        call.run(60)
        rates = [queue.rate_bps(since_us, call.now_us, viewer.path) for viewer in viewers]
        yield least(f"{count} receivers on 4 Mbit/s", "Jain's fairness", jain(rates), 0.9)
        yield least(f"{count} receivers on 4 Mbit/s", "used", 100 * sum(rates) / CAPACITY_BPS, 70, "%")


def beside_tcp(seed: int = 29) -> Iterable[Row]:
    """One beside a greedy flow: the least that it has in any ten seconds, of half the link."""
    call, queue = Call(seed), Queue()
    publisher = call.publisher()
    viewer = call.viewer(thin(CAPACITY_BPS), queue)
    call.run(1)
    video = call.camera(publisher, ((300_000, 640, 360),))
    call.watch(viewer, video)
    _fill(call, viewer, video)
    call.run(20)
    Reno(Bottleneck(call.sim.clock, call.sim.rng, thin(CAPACITY_BPS), lambda _: None, queue, -1))
    call.run(10)
    begun_us = call.now_us
    worst = 1.0
    for _ in range(9):
        since_us = call.now_us
        call.run(10)
        worst = min(worst, queue.rate_bps(since_us, call.now_us, viewer.path) / (CAPACITY_BPS / 2))
    other = queue.rate_bps(begun_us, call.now_us, -1) / (CAPACITY_BPS / 2)
    yield least("beside a flow like TCP's", "of its share, in the worst ten seconds", 100 * worst, 10, "%")
    yield least("beside a flow like TCP's", "of its share, the other flow", 100 * other, 50, "%")
