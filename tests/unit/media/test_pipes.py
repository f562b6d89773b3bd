"""The book of pipes: made once for all who want one, ended by the last, and always what the workers were told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from simplestchat.errors import MediaFull, MediaUnavailable
from simplestchat.media import wire
from simplestchat.media.channel import Answer
from simplestchat.media.groups import GroupBook
from simplestchat.media.objects import ObjectTable, Producer, Transport
from simplestchat.media.pipes import Pipe, PipeBook
from simplestchat.media.placement import Load
from simplestchat.media.supervisor import Worker
from simplestchat.model.media import CodecSpec, ProducerSpec, StreamSpec

CAMERA = ProducerSpec(
    kind="video",
    mid="7",
    streams=(StreamSpec(rid="l"), StreamSpec(rid="h")),
    codecs=(CodecSpec(96, 97, 90000, "vp8", nack=False, pli=True, fir=False),),
    extensions={"mid": 4, "rid": 10, "video-orientation": 13},
)


@dataclass(eq=False)
class FakeWorker:
    """A worker that does what it is told in order, and refuses what makes no sense as the engine does."""

    index: int
    load: Load = field(default_factory=Load)
    told: list[wire.Call] = field(default_factory=list)
    answers: list[tuple[wire.Call, Answer]] = field(default_factory=list)
    pipes: dict[int, tuple[Any, ...]] = field(default_factory=dict)
    producers: dict[int, int] = field(default_factory=dict)
    senders: dict[int, int] = field(default_factory=dict)
    highest: dict[int, list[int]] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return 40000 + self.index

    @property
    def channel(self) -> FakeWorker:
        return self

    def post(self, call: wire.Call) -> Answer:
        answer = Answer()
        self.answers.append((call, answer))
        self.tell(call)
        return answer

    def tell(self, call: wire.Call) -> None:
        self.told.append(call)
        if isinstance(call, wire.CreatePipe):
            assert call.remote not in [pipe[0] for pipe in self.pipes.values()], "the pair of addresses is taken"
            self.pipes[call.id] = (call.remote, call.local, call.send_key, call.recv_key)
            self.highest[call.id] = [0, 0]
        elif isinstance(call, wire.CloseTransport):
            self.pipes.pop(call.id, None)
            self.producers = {one: pipe for one, pipe in self.producers.items() if pipe != call.id}
            self.senders = {one: pipe for one, pipe in self.senders.items() if pipe != call.id}
        elif isinstance(call, wire.CreateProducer):
            self._take(call.transport, 0, [ssrc for row in call.streams for ssrc in row[:2] if ssrc])
            self.producers[call.id] = call.transport
        elif isinstance(call, wire.PipeProducer):
            self._take(call.transport, 1, [ssrc for row in call.rows for ssrc in row[1:] if ssrc])
            self.senders.update((row[0], call.transport) for row in call.rows)
        elif isinstance(call, wire.CloseProducer):
            self.producers.pop(call.id, None)
        elif isinstance(call, wire.CloseConsumer):
            self.senders.pop(call.id, None)

    def _take(self, pipe: int, direction: int, ssrcs: list[int]) -> None:
        assert pipe in self.pipes
        assert ssrcs == sorted(set(ssrcs))
        assert ssrcs[0] > self.highest[pipe][direction], "an SSRC that was used under these keys"
        self.highest[pipe][direction] = ssrcs[-1]

    def settle(self, error: MediaFull | MediaUnavailable | None = None) -> None:
        """Answer everything that was asked."""
        answers, self.answers = self.answers, []
        for _, answer in answers:
            answer.settle(None, error)

    def named(self, kind: type[wire.Call]) -> list[wire.Call]:
        return [call for call in self.told if isinstance(call, kind)]


class World:
    """Some workers, and a producer on the first of them."""

    def __init__(self, workers: int = 2) -> None:
        self.objects = ObjectTable()
        self.groups = GroupBook(lambda room_id, producer: None)
        self.groups.open("room")
        self.wishes: list[Producer] = []
        self.book = PipeBook(self.objects, self.groups, self.wishes.append)
        self.workers = [FakeWorker(index) for index in range(workers)]
        self.producer = self.publish(0)

    def publish(self, worker: int, spec: ProducerSpec = CAMERA, *, voice: bool = False) -> Producer:
        transport = Transport(self.objects.next_id(), "room", self.worker(worker))
        self.objects.add(transport)
        producer = Producer(self.objects.next_id(), transport, spec, voice=voice)
        self.objects.add(producer)
        return producer

    def worker(self, index: int) -> Worker:
        return cast("Worker", self.workers[index])

    def hold(self, worker: int = 1, producer: Producer | None = None) -> Pipe:
        pipe = self.book.hold(producer or self.producer, self.worker(worker))
        assert pipe is not None
        return pipe

    def settle(self) -> None:
        for worker in self.workers:
            worker.settle()


def test_at_its_own_worker_a_producer_needs_no_pipe() -> None:
    world = World()
    assert world.book.hold(world.producer, world.worker(0)) is None
    assert world.workers[0].told == []


def test_both_ends_are_told_the_same() -> None:
    world = World()
    pipe = world.hold()
    near, far = world.workers
    (here,), (there,) = near.pipes.values(), far.pipes.values()
    assert here[:2] == there[1::-1] == (("127.0.0.1", 40001), ("127.0.0.1", 40000))
    assert here[2:] == there[:1:-1]
    assert len({here[2], here[3]}) == 2
    assert {len(key) for key in here[2:]} == {28}
    (receive,), (send,) = far.named(wire.CreateProducer), near.named(wire.PipeProducer)
    assert isinstance(receive, wire.CreateProducer)
    assert isinstance(send, wire.PipeProducer)
    assert receive.streams == [(1, 2, ""), (3, 4, "")]
    assert [row[1:] for row in send.rows] == [(1, 2), (3, 4)]
    assert receive.codecs == [(96, 97, 90000, "vp8", True, True, False)]
    assert receive.extensions == {"video-orientation": 13}
    assert (receive.id, receive.mid, send.producer) == (pipe.number, "", world.producer.id)


def test_a_piped_voice_is_in_its_rooms_group_there_too() -> None:
    world = World()
    world.groups.set_limit("room", 3)
    voice = world.publish(0, voice=True)
    pipe, plain = world.hold(producer=voice), world.hold()
    told = world.workers[1].told
    groups = {call.id: call.group for call in told if isinstance(call, wire.CreateProducer)}
    assert groups == {pipe.number: 1, plain.number: 0}
    # The limit is known before the first voice comes.
    assert [type(call) for call in told].index(wire.SetLoudest) < [type(call) for call in told].index(
        wire.CreateProducer
    )


def test_layers_and_descriptors_go_along() -> None:
    world = World()
    streams = (StreamSpec(ssrc=5, spatial_layers=3, temporal_layers=2, max_bitrate_bps=900),)
    spec = replace(CAMERA, streams=streams, extensions={"dependency-descriptor": 12, "transport-cc": 3})
    world.hold(producer=world.publish(0, spec))
    (receive,) = world.workers[1].named(wire.CreateProducer)
    assert isinstance(receive, wire.CreateProducer)
    assert (receive.layers, receive.extensions) == ([(3, 2, 900)], {"dependency-descriptor": 12})


def test_a_pipe_is_a_wish_while_it_lasts() -> None:
    world = World(3)
    one, two = world.hold(1), world.hold(2)
    assert world.book.source(one.number) is world.producer
    assert world.book.source(world.producer.id) is None
    world.producer.wishes.here(0)
    world.producer.wishes.there(world.worker(1), 0b01)
    assert (world.producer.wishes.news_here(), world.wishes) == (0b11, [world.producer] * 2)
    world.book.let_go(two)
    assert (world.producer.wishes.news_here(), len(world.wishes)) == (0b01, 3)
    world.book.worker_lost(world.worker(1))
    assert (world.producer.wishes.news_here(), len(world.wishes)) == (0, 4)
    assert world.book.source(one.number) is None


def test_what_is_held_back_is_so_at_the_other_end_too() -> None:
    world = World()
    world.producer.held = True
    pipe = world.hold()
    assert world.workers[1].named(wire.PauseProducer) == [wire.PauseProducer(pipe.number)]


def test_two_who_want_it_at_once_get_one_and_the_last_one_ends_it() -> None:
    world = World()
    first, second = world.hold(), world.hold()
    assert first is second
    assert len(world.workers[1].named(wire.CreateProducer)) == 1
    world.book.let_go(first)
    assert world.workers[1].producers.keys() == {first.number}
    world.book.let_go(second)
    assert not any((world.workers[0].senders, world.workers[1].producers, len(world.book)))
    assert world.workers[0].pipes, "the way between the workers stays"


def test_ended_while_it_is_being_made_and_made_again_while_it_is_being_ended() -> None:
    world = World()
    pipe = world.hold()
    world.book.let_go(pipe)  # nothing was answered yet
    again = world.hold()
    assert again is not pipe
    assert world.workers[1].producers.keys() == {again.number}
    assert world.workers[0].senders.keys() == set(again.senders)


def test_a_pipe_of_a_muted_track_is_muted() -> None:
    world = World()
    world.producer.paused = True
    pipe = world.hold()
    assert world.workers[1].told[-1] == wire.PauseProducer(pipe.number)


def test_each_worker_has_its_own_pipe_and_links_are_shared() -> None:
    world = World(3)
    pipes = [world.hold(1), world.hold(2), world.hold(1, world.publish(0)), world.hold(0, world.publish(1))]
    assert len({pipe.number for pipe in pipes}) == 4
    assert [len(worker.pipes) for worker in world.workers] == [2, 1, 1]
    assert set(world.book.of(world.producer)) == set(pipes[:2])


async def outcome(world: World, pipe: Pipe) -> str:
    """How waiting for a pipe ended; who fails lets go, as the service does."""
    try:
        await world.book.ready(pipe)
    except (MediaFull, MediaUnavailable) as error:
        world.book.let_go(pipe)
        return type(error).__name__
    return "ready"


def wait_for(world: World, pipes: list[Pipe], answer: Any) -> list[str]:
    """Let a task wait for each, then have the workers answer; how each ended."""
    outcomes: list[str] = []

    async def main() -> None:
        async def wait(pipe: Pipe) -> None:
            outcomes.append(await outcome(world, pipe))

        async with trio.open_nursery() as nursery:
            for pipe in pipes:
                nursery.start_soon(wait, pipe)
            await trio.testing.wait_all_tasks_blocked()
            answer()

    trio.run(main)
    return outcomes


def test_everybody_waits_for_the_same_answers() -> None:
    world = World()
    pipes = [world.hold() for _ in range(3)]
    assert wait_for(world, pipes, world.settle) == ["ready"] * 3


@pytest.mark.parametrize("refusing", [0, 1])
def test_a_refused_half_fails_all_and_leaves_nothing(refusing: int) -> None:
    world = World()
    world.book.let_go(world.hold())
    world.settle()  # the link is there
    pipes = [world.hold() for _ in range(3)]

    def answer() -> None:
        world.workers[refusing].settle(MediaFull("no more"))
        world.settle()

    assert wait_for(world, pipes, answer) == ["MediaFull"] * 3
    assert not any((world.workers[0].senders, world.workers[1].producers, len(world.book)))
    assert world.workers[0].pipes
    assert wait_for(world, [world.hold()], world.settle) == ["ready"]


@pytest.mark.parametrize("refusing", [0, 1])
def test_a_refused_link_fails_all_on_it_and_the_next_is_a_new_one(refusing: int) -> None:
    world = World()
    pipes = [world.hold(), world.hold(), world.hold(1, world.publish(0))]

    def answer() -> None:
        world.workers[refusing].settle(MediaFull("no more"))
        world.settle()

    assert wait_for(world, pipes, answer) == ["MediaFull"] * 3
    assert not any(worker.pipes or worker.producers or worker.senders for worker in world.workers)
    keys = {call.send_key for call in world.workers[0].named(wire.CreatePipe) if isinstance(call, wire.CreatePipe)}
    assert wait_for(world, [world.hold()], world.settle) == ["ready"]
    assert len(keys | {pipe[2] for pipe in world.workers[0].pipes.values()}) == 2


def test_a_lost_worker_ends_what_it_had_and_what_it_got() -> None:
    world = World(3)
    gone, other, kept = world.hold(1), world.hold(0, world.publish(1)), world.hold(2)
    world.settle()
    world.book.worker_lost(world.worker(1))
    assert (gone.ended, other.ended, kept.ended) == (True, True, False)
    assert world.workers[0].producers == {}
    assert world.workers[0].senders.keys() == set(kept.senders)
    assert len(world.workers[0].pipes) == 1
    for pipe in (gone, other):
        told = len(world.workers[0].told)
        world.book.let_go(pipe)
        assert len(world.workers[0].told) == told, "it is closed already"
    # Its successor has its port, and gets a link of its own.
    world.workers[1] = FakeWorker(1)
    assert wait_for(world, [world.hold(1)], world.settle) == ["ready"]


def test_who_waits_when_a_worker_dies_is_told() -> None:
    world = World()
    pipe = world.hold()

    def answer() -> None:
        world.workers[1].settle(MediaUnavailable())
        world.book.worker_lost(world.worker(1))

    assert wait_for(world, [pipe], answer) == ["MediaUnavailable"]
    assert not any((world.workers[0].senders, world.workers[0].pipes, len(world.book)))


@given(st.lists(st.tuples(st.sampled_from(["hold", "let go", "lose", "unpublish"]), st.integers(0, 99)), max_size=60))
def test_workers_have_what_the_book_says_whatever_happens(steps: list[tuple[str, int]]) -> None:
    world = World(3)
    producers = [world.producer, world.publish(1), world.publish(2), world.publish(0)]
    held: list[Pipe] = []
    for what, number in steps:
        if what == "hold" and producers:
            pipe = world.book.hold(producers[number % len(producers)], world.worker(number % 3))
            if pipe is not None:
                held.append(pipe)
        elif what == "let go" and held:
            world.book.let_go(held.pop(number % len(held)))
        elif what == "unpublish" and producers:
            # Its own worker forgets its consumers with it; who holds a pipe of it lets go.
            gone = producers.pop(number % len(producers))
            for pipe in [pipe for pipe in held if pipe.producer is gone]:
                held.remove(pipe)
                world.book.let_go(pipe)
        elif what == "lose":
            lost = world.worker(number % 3)
            world.book.worker_lost(lost)
            producers = [one for one in producers if one.worker is not lost]
            world.workers[number % 3] = FakeWorker(number % 3)
            producers.append(world.publish(number % 3))
        alive = {pipe for pipe in held if not pipe.ended}
        assert len(world.book) == len(alive)
        for worker in world.workers:
            assert worker.producers.keys() == {pipe.number for pipe in alive if pipe.worker is cast("Worker", worker)}
            sending = {one for pipe in alive if pipe.producer.worker is cast("Worker", worker) for one in pipe.senders}
            assert worker.senders.keys() == sending
