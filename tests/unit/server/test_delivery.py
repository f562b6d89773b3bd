"""Slices of delivery, on a clock of their own: what is said to many keeps no request waiting."""

from __future__ import annotations

from support.intrio import in_trio
from trio import open_nursery
from trio.lowlevel import checkpoint

from simplestchat.server import bounds
from simplestchat.server.delivery import Delivery
from simplestchat.server.outbox import Outbox

PEOPLE = 100
WRITE_S = bounds.SLICE_MIN_S * 0.4


class Slow(Outbox):
    """Writes nowhere, and takes its time."""

    def __init__(self, scene: Scene, number: int) -> None:
        super().__init__(100, 10_000, scene.delivery.owed)
        self.scene = scene
        self.number = number

    def deliver(self) -> bool:
        super().deliver()
        self.scene.write(self.number, self.take(10_000))
        return True


class Scene:
    """A room of people, and requests that come meanwhile."""

    def __init__(self, *, request_s: float = 0.0, writes: bool = True) -> None:
        self.now_s = 1000.0
        self.request_s = request_s
        self.delivery = Delivery(lambda: self.now_s)
        self.written: list[tuple[int, bytes]] = []
        self.outboxes: list[Outbox] = [
            Slow(self, number) if writes else Outbox(100, 10_000, self.delivery.owed) for number in range(PEOPLE)
        ]

    def write(self, number: int, data: bytes) -> None:
        self.now_s += WRITE_S
        self.written.append((number, data))

    def say(self, message: bytes) -> None:
        for outbox in self.outboxes:
            outbox.push(message)

    async def slices(self) -> list[int]:
        """How many were written to between two turns of requests, until there are no more."""
        counts: list[int] = []
        async with open_nursery() as nursery:
            nursery.start_soon(self.delivery.run)
            idle = 0
            while idle < 10:
                before = len(self.written)
                await checkpoint()
                self.now_s += self.request_s
                counts.append(len(self.written) - before)
                idle = 0 if counts[-1] else idle + 1
            nursery.cancel_scope.cancel()
        return [count for count in counts if count]


@in_trio
async def test_requests_have_their_turn_between_slices() -> None:
    scene = Scene()
    scene.say(b"x")
    assert scene.written == []
    slices = await scene.slices()
    assert scene.written == [(number, b"\x81\x01x") for number in range(PEOPLE)]
    assert 3 <= max(slices) <= 2 * 3  # of 0.4 each, in 1; two slices may be beside each other


@in_trio
async def test_a_slice_lasts_as_long_as_requests_took_but_not_for_ever() -> None:
    for request_s, most in ((6 * WRITE_S, 6), (10.0, round(bounds.SLICE_MAX_S / WRITE_S))):
        scene = Scene(request_s=request_s)
        scene.say(b"x")
        assert most <= max(await scene.slices()) <= 2 * most + 4  # turns may come in pairs
        assert len(scene.written) == PEOPLE


@in_trio
async def test_what_came_together_leaves_in_one_call() -> None:
    scene = Scene()
    scene.say(b"x")
    scene.say(b"yz")
    await scene.slices()
    scene.say(b"!")
    await scene.slices()
    both = [(number, b"\x81\x01x\x81\x02yz") for number in range(PEOPLE)]
    assert scene.written == both + [(number, b"\x81\x01!") for number in range(PEOPLE)]


@in_trio
async def test_who_attends_delivers_and_leaves_the_rest_to_the_task() -> None:
    scene = Scene()
    with scene.delivery.attended():
        scene.say(b"x")
        assert scene.delivery.slice()
        first = len(scene.written)
        assert 0 < first < PEOPLE
    await scene.slices()
    assert len(scene.written) == PEOPLE
    with scene.delivery.attended():
        scene.say(b"y")
        while scene.delivery.slice():
            pass
    assert len(scene.written) == 2 * PEOPLE
    assert await scene.slices() == []


@in_trio
async def test_few_writers_are_woken_in_a_slice() -> None:
    scene = Scene(writes=False)
    scene.say(b"x")

    async def writer(outbox: Outbox) -> None:
        await outbox.wait()
        scene.written.append((0, outbox.take(1000)))

    async with open_nursery() as nursery:
        for outbox in scene.outboxes:
            nursery.start_soon(writer, outbox)
        most = max(await scene.slices())
    assert len(scene.written) == PEOPLE
    assert most <= 2 * bounds.SLICE_WAKES
