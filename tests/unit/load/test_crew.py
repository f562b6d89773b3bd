"""A crew whose machines' clocks go their own way, in virtual time."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from simplestchat.load.clocks import Course
from simplestchat.load.crew import Crew, Member
from simplestchat.load.link import AnyMessage, LinkClosed
from simplestchat.load.messages import Assign, Clock, Epoch, Finished, Ready, Sample, Start
from simplestchat.load.scenario import Scenario

US = 1_000_000
AHEAD_US = 5_000_000
TRIP_S = 0.002


def now_us() -> int:
    return round(trio.current_time() * US)


class Drifting:
    """A generator on a machine whose clock is ahead and drifts; the coordinator's end of its link."""

    def __init__(self, ppm: float, seconds: int, jump_us: int = 0) -> None:
        self.ppm, self.seconds, self.jump_us = ppm, seconds, jump_us
        self.epochs: list[tuple[int, int]] = []
        self.started_us = 0
        self._out, self._in = trio.open_memory_channel[AnyMessage](1000)

    def clock_us(self) -> int:
        jumped = self.jump_us if self.started_us and now_us() > self.seconds * US // 2 else 0
        return round(now_us() * (1 + self.ppm / US)) + AHEAD_US + jumped

    async def send(self, message: AnyMessage) -> None:
        await trio.sleep(TRIP_S / 2)
        match message:
            case Assign():
                self._out.send_nowait(Ready(part=message.part, users=1, machine={}))
            case Clock():
                self._out.send_nowait(Clock(asked_us=message.asked_us, answered_us=self.clock_us()))
            case Start():
                self.started_us = message.at_us
            case Epoch():
                self.epochs.append((now_us(), message.at_us))

    async def receive(self) -> AnyMessage:
        try:
            message = await self._in.receive()
        except trio.EndOfChannel:
            raise LinkClosed("gone") from None
        await trio.sleep(TRIP_S / 2)
        return message

    async def live(self) -> None:
        for _ in range(self.seconds):
            await trio.sleep(1)
            self._out.send_nowait(
                Sample(part=0, at_us=self.clock_us(), totals={}, gauges={}, histograms={}, generator={}, phase="hold")
            )
        self._out.send_nowait(Finished(part=0, users=(), streams=(), faults={}))


def run(machines: list[Drifting]) -> tuple[Crew, int, list[int]]:
    late: list[int] = []

    async def body() -> tuple[Crew, int]:
        members = [
            Member(part=part, link=one, agent=f"agent {part}", course=Course()) for part, one in enumerate(machines)
        ]
        crew = Crew(members, now_us)
        await crew.prepare(Assign(run="r", scenario=Scenario(name="s"), seed=1, url="", part=0, parts=1))
        start_us = await crew.start([0.0, machines[0].seconds - 4.0])
        async with trio.open_nursery() as nursery:
            for one in machines:
                nursery.start_soon(one.live)
            await crew.listen(lambda sample: late.append(now_us() - sample.at_us))
        return crew, start_us

    crew, start_us = trio.run(body, clock=MockClock(autojump_threshold=0))
    return crew, start_us, late


def test_clocks_that_drift_are_followed_through_the_run() -> None:
    machines = [Drifting(120.0, 600), Drifting(-80.0, 600)]
    crew, start_us, late = run(machines)
    # A sample is as old as its way took, on the coordinator's clock, whatever the drift had added up to.
    assert len(late) == 2 * 600
    assert all(0 <= age_us < 2 * TRIP_S * US for age_us in late)
    for machine, member in zip(machines, crew.members, strict=True):
        # What stamps count from follows: at every moment it is the start, as that machine's clock reads it now.
        assert len(machine.epochs) >= 55
        for at_us, epoch_us in machine.epochs:
            true_us = start_us + at_us * machine.ppm / US + AHEAD_US
            assert abs(epoch_us - true_us) < TRIP_S * US, at_us
        told = member.record().clock
        assert told is not None
        assert abs(told.drift_ppm - machine.ppm) < 5
        assert not told.jump_us
        assert told.error_us <= TRIP_S * US
        assert told.comparisons == len(machine.epochs) + 1
        assert abs((told.end_offset_us - told.offset_us) - 590 * machine.ppm) < 4000


def test_a_clock_that_jumps_is_caught() -> None:
    crew, start_us, _ = run([Drifting(0.0, 120, jump_us=30_000)])
    told = crew.members[0].record().clock
    assert told is not None
    assert abs(told.jump_us - 30_000) < TRIP_S * US
    assert abs((told.jumped_at_us - start_us) / US - 60) < 12


def test_clocks_are_compared_once_more_when_media_ends() -> None:
    crew, start_us, _ = run([Drifting(0.0, 17)])
    course = crew.members[0].course
    assert course is not None
    assert [round((one.at_us - start_us) / US) for one in course.readings[1:]] == [0, 11, 13]
