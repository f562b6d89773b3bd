"""The media service with several real workers, all of whose rooms spread at once: pipes come and go with who looks."""

from __future__ import annotations

import os
import signal

import pytest
import trio
import trio.testing
from support.media_stage import Stage, play, until
from support.process import children_called

from simplestchat.errors import MediaMisuse, MediaUnavailable
from simplestchat.media import service
from simplestchat.media.placement import Load
from simplestchat.model.media import CodecMap, CodecSpec, ConsumerSpec, ProducerSpec, StreamSpec, WorkerLost

OPUS = ProducerSpec(
    kind="audio",
    mid="0",
    streams=(StreamSpec(ssrc=1234),),
    codecs=(CodecSpec(111, -1, 48000, "opus", nack=True, pli=False, fir=False),),
    extensions={"audio-level": 1},
)
PIPED = ("pipes", "piped_producers", "pipe_consumers")
NOTHING = {"transports": 0, "producers": 0, "consumers": 0}


def to_subscriber(ssrc: int) -> ConsumerSpec:
    return ConsumerSpec(
        ssrc=ssrc, rtx_ssrc=0, codecs=(CodecMap(111, 100, -1),), extensions={}, mid=str(ssrc), paused=False
    )


@pytest.fixture(autouse=True)
def _steady(monkeypatch: pytest.MonkeyPatch) -> None:
    """What else the machine does decides nothing: neither how long a worker takes nor how busy it seems."""
    monkeypatch.setattr(Load, "measured", lambda self, cpu_us, at_s: None)
    monkeypatch.setattr(Load, "placed", lambda self: None)
    monkeypatch.setattr(service, "PLACEMENT_TIMEOUT_S", 30)
    monkeypatch.setattr(service, "REFRESH_TIMEOUT_S", 10)


async def transports(stage: Stage, *names: str) -> dict[str, int]:
    """A transport for each participant, who sit on workers in turn."""
    await stage.service.open_room("room")
    ports, made = [], {}
    for name in names:
        transport = await stage.service.create_transport("room", name)
        made[name] = transport.id
        ports.append(transport.candidates[0].port)
    assert len(set(ports)) == min(2, len(names))
    assert ports[::2] == ports[:1] * len(ports[::2])
    return made


def test_a_track_is_piped_once_and_ends_with_the_last_who_looks() -> None:
    async def scene(stage: Stage) -> None:
        service = stage.service
        at = await transports(stage, "ada", "ben", "cleo", "dan")
        producer = await service.create_producer(at["ada"], OPUS)
        assert await stage.census(*PIPED) == {"pipes": 0, "piped_producers": 0, "pipe_consumers": 0}
        near = await service.create_consumer(at["cleo"], producer, to_subscriber(1))
        consumers: list[int] = []

        async def look(name: str, ssrc: int) -> None:
            consumers.append(await service.create_consumer(at[name], producer, to_subscriber(ssrc)))

        async with trio.open_nursery() as nursery:  # both at once
            nursery.start_soon(look, "ben", 1)
            nursery.start_soon(look, "dan", 1)
        assert await stage.census(*PIPED) == {"pipes": 2, "piped_producers": 1, "pipe_consumers": 1}
        assert await stage.census() == {"transports": 4, "producers": 1, "consumers": 3}
        await service.pause_producer(producer)
        await service.resume_producer(producer)
        for consumer in consumers:
            await service.request_keyframe(consumer)
            await service.set_preferred_layers(consumer, 0, 0)
            await service.pause_consumer(consumer)
        await service.close_consumer(consumers[0])
        assert (await stage.census(*PIPED))["piped_producers"] == 1
        await service.close_consumer(consumers[1])
        assert await stage.census(*PIPED) == {"pipes": 2, "piped_producers": 0, "pipe_consumers": 0}
        await service.pause_consumer(near)
        traffic = await service.traffic("room", [*at.values(), 12345])
        assert {row.transport for row in traffic} == set(at.values())
        assert await service.traffic("other", list(at.values())) == []

    play(scene, workers=2, spread_at=0)


def test_all_that_ends_a_consumer_ends_the_pipe() -> None:
    async def scene(stage: Stage) -> None:
        service = stage.service
        for ending in ("producer", "publisher", "subscriber", "room"):
            at = await transports(stage, "ada", "ben")
            producer = await service.create_producer(at["ada"], OPUS)
            consumer = await service.create_consumer(at["ben"], producer, to_subscriber(1))
            assert (await stage.census(*PIPED))["pipe_consumers"] == 1
            if ending == "producer":
                await service.close_producer(producer)
            elif ending == "publisher":
                await service.close_transport(at["ada"])
            elif ending == "subscriber":
                await service.close_transport(at["ben"])
            else:
                await service.close_room("room")
            with pytest.raises(MediaMisuse):
                await service.pause_consumer(consumer)
            assert not any((await stage.census("consumers", *PIPED[1:])).values())
            await service.close_room("room")
        assert await stage.census() == NOTHING

    play(scene, workers=2, spread_at=0)


async def look_again_and_again(stage: Stage, transport: int, producer: int) -> None:
    """Until the track is gone."""
    while True:
        consumer = await stage.service.create_consumer(transport, producer, to_subscriber(7))
        await stage.service.close_consumer(consumer)


def test_cancelled_or_refused_half_way_nothing_is_left() -> None:
    async def scene(stage: Stage) -> None:
        service = stage.service
        at = await transports(stage, "ada", "ben")
        producer = await service.create_producer(at["ada"], OPUS)
        for _ in range(50):
            with trio.CancelScope() as scope:
                scope.cancel()
                await service.create_consumer(at["ben"], producer, to_subscriber(1))
        with pytest.raises(MediaMisuse):
            await service.create_consumer(at["ben"], producer, to_subscriber(0))
        assert not any((await stage.census("consumers", *PIPED[1:])).values())
        # Who closes a track while somebody begins to look at it.
        async with trio.open_nursery() as nursery:
            nursery.start_soon(service.close_producer, producer)
            with pytest.raises(MediaMisuse):
                await look_again_and_again(stage, at["ben"], producer)
        assert not any((await stage.census("producers", "consumers", *PIPED[1:])).values())

    play(scene, workers=2, spread_at=0)


@pytest.mark.parametrize("victim", [0, 1])
def test_a_lost_worker_takes_what_is_on_it_and_pipes_are_made_anew(victim: int) -> None:
    async def scene(stage: Stage) -> None:
        service = stage.service
        at = await transports(stage, "ada", "ben")
        producers = {name: await service.create_producer(at[name], OPUS) for name in at}
        for name, other in (("ada", "ben"), ("ben", "ada")):
            await service.create_consumer(at[name], producers[other], to_subscriber(1))
        assert await stage.census(*PIPED) == {"pipes": 2, "piped_producers": 2, "pipe_consumers": 2}
        (pid,) = children_called(f"media-worker-{victim}", os.getpid())
        stage.reported = trio.Event()
        os.kill(pid, signal.SIGKILL)
        await stage.reported.wait()
        lost, kept = ("ada", "ben") if victim == 0 else ("ben", "ada")
        assert stage.events == [WorkerLost((at[lost],))]
        assert (await service.transport_stats(at[kept]))["producers"] == 1
        with pytest.raises(MediaMisuse):
            await service.pause_producer(producers[lost])
        await until(lambda: len(service.readings()) == 2)
        assert await stage.census() == {"transports": 1, "producers": 1, "consumers": 0}
        again = (await service.create_transport("room", lost)).id
        producer = await service.create_producer(again, OPUS)
        await service.create_consumer(at[kept], producer, to_subscriber(2))
        await service.create_consumer(again, producers[kept], to_subscriber(1))
        assert await stage.census(*PIPED) == {"pipes": 2, "piped_producers": 2, "pipe_consumers": 2}

    play(scene, workers=2, spares=1, spread_at=0)


@pytest.mark.parametrize("busy", [True, False])
def test_the_successor_of_a_dead_worker_is_waited_for_where_the_others_are_busy(
    busy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "SUCCESSOR_TIMEOUT_S", 30)

    async def scene(stage: Stage) -> None:
        await stage.service.open_room("room")
        await stage.service.open_room("other")
        kept = await stage.service.create_transport("other", "ada")
        (lost,) = children_called("media-worker-1", os.getpid())
        await stage.kill_worker(lost)
        assert len(stage.service._supervisor.workers) == 1
        transport = await stage.service.create_transport("room", "ben")
        assert (transport.candidates[0].port == kept.candidates[0].port) == (not busy)

    play(scene, workers=2, spread_at=0 if busy else 0.5)


def test_who_waits_for_a_pipe_to_a_worker_that_dies_is_told() -> None:
    async def scene(stage: Stage) -> None:
        service = stage.service
        at = await transports(stage, "ada", "ben")
        producer = await service.create_producer(at["ada"], OPUS)
        (pid,) = children_called("media-worker-0", os.getpid())
        os.kill(pid, signal.SIGSTOP)
        async with trio.open_nursery() as nursery:

            async def look() -> None:
                with pytest.raises(MediaUnavailable):
                    await service.create_consumer(at["ben"], producer, to_subscriber(1))

            for _ in range(5):
                nursery.start_soon(look)
            await trio.testing.wait_all_tasks_blocked()
            os.kill(pid, signal.SIGKILL)
        await until(lambda: len(service.readings()) == 2)
        assert not any((await stage.census("consumers", *PIPED)).values())

    play(scene, workers=2, spread_at=0)
