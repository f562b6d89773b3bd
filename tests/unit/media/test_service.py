"""The media service with real worker processes."""

from __future__ import annotations

import errno
import gc
import os
import signal
from collections.abc import Awaitable, Callable

import pytest
import structlog.testing
import trio
import trio.testing
from support.media_stage import Stage, play, until

from simplestchat.errors import MediaError, MediaMisuse, MediaUnavailable
from simplestchat.media import channel, recruit, service, supervisor
from simplestchat.model.media import (
    CodecMap,
    CodecSpec,
    ConsumerSpec,
    Fingerprint,
    MediaEvent,
    ProducerSpec,
    StreamSpec,
    WorkerLost,
)

OLD_S = 0.3
OPUS = ProducerSpec(
    kind="audio",
    mid="0",
    streams=(StreamSpec(ssrc=1234),),
    codecs=(CodecSpec(111, -1, 48000, "opus", nack=True, pli=False, fir=False),),
)
TO_SUBSCRIBER = ConsumerSpec(
    ssrc=99, rtx_ssrc=0, codecs=(CodecMap(111, 100, -1),), extensions={"mid": 1}, mid="0", paused=False, cname="p"
)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new worker on a busy machine may take its time; nothing here is about that."""
    monkeypatch.setattr(service, "PLACEMENT_TIMEOUT_S", 30)
    monkeypatch.setattr(service, "REFRESH_TIMEOUT_S", 10)


def test_a_call_from_its_beginning_to_its_end() -> None:
    async def scene(stage: Stage) -> None:
        service = stage.service
        await service.open_room("room")
        sending, receiving = await service.create_transport("room"), await service.create_transport("room")
        assert sending.id != receiving.id
        assert [candidate.address for candidate in sending.candidates] == ["192.0.2.1"]
        assert sending.candidates[0].port > 0
        assert {fingerprint.algorithm for fingerprint in sending.fingerprints} >= {"sha-256", "sha-512"}
        await service.connect_transport(sending.id, "client", [Fingerprint("sha-256", ":".join(["AB"] * 32))])
        assert await service.restart_ice(sending.id) != sending.ice
        producer = await service.create_producer(sending.id, OPUS)
        consumer = await service.create_consumer(receiving.id, producer, TO_SUBSCRIBER)
        await service.pause_producer(producer)
        await service.resume_producer(producer)
        await service.pause_consumer(consumer)
        await service.resume_consumer(consumer)
        await service.request_keyframe(consumer)
        await service.set_preferred_layers(consumer, 0, 0)
        service.set_priority(consumer, 5)
        service.set_view(consumer, 640, 360)
        service.set_loudest("room", 3)
        assert await service.decisions(receiving.id) == []
        for held in (True, True, False):
            service.hold_producer(producer, held)
        assert (await service.transport_stats(sending.id))["producers"] == 1
        assert await stage.census() == {"transports": 2, "producers": 1, "consumers": 1}
        await service.close_producer(producer)
        with pytest.raises(MediaMisuse):
            await service.pause_consumer(consumer)  # it went with its producer
        await service.close_room("room")
        assert await stage.census() == {"transports": 0, "producers": 0, "consumers": 0}

    play(scene)


def test_closing_is_idempotent_and_what_is_gone_is_named() -> None:
    async def scene(stage: Stage) -> None:
        service = stage.service
        await service.open_room("room")
        transport = await service.create_transport("room")
        producer = await service.create_producer(transport.id, OPUS)
        for _ in range(2):
            await service.close_transport(transport.id)
            await service.close_producer(producer)
            await service.close_consumer(12345)
        for gone in (
            service.restart_ice(transport.id),
            service.create_producer(transport.id, OPUS),
            service.pause_producer(producer),
            service.pause_consumer(12345),
        ):
            with pytest.raises(MediaMisuse):
                await gone
        await service.close_room("room")
        await service.close_room("room")
        with pytest.raises(MediaMisuse):
            await service.create_transport("room")

    play(scene)


def test_what_the_worker_refuses_is_raised_and_leaves_nothing() -> None:
    async def scene(stage: Stage) -> None:
        service = stage.service
        await service.open_room("room")
        transport = await service.create_transport("room")
        with pytest.raises(MediaError):
            await service.connect_transport(transport.id, "client", [Fingerprint("sha-256", "nonsense")])
        producer = await service.create_producer(transport.id, OPUS)
        with pytest.raises(MediaError):
            await service.create_producer(transport.id, OPUS)  # its SSRC is taken
        await service.close_producer(producer)
        await service.create_producer(transport.id, OPUS)

    play(scene)


def test_rooms_are_spread_by_load() -> None:
    async def scene(stage: Stage) -> None:
        ports = []
        for number in range(4):
            await stage.service.open_room(f"room-{number}")
            ports.append((await stage.service.create_transport(f"room-{number}")).candidates[0].port)
        assert len(set(ports)) == 2
        assert ports[0] != ports[1]
        # One room stays on one worker, however full that is.
        more = [(await stage.service.create_transport("room-0")).candidates[0].port for _ in range(10)]
        assert set(more) == {ports[0]}
        for number in range(4, 9):
            await stage.service.open_room(f"room-{number}")
            transport = await stage.service.create_transport(f"room-{number}")
            assert transport.candidates[0].port == ports[1]

    play(scene, workers=2)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGABRT])
def test_a_dead_worker_is_reported_once_and_replaced(sign: signal.Signals) -> None:
    async def scene(stage: Stage) -> None:
        service = stage.service
        await service.open_room("room")
        transport = await service.create_transport("room")
        (before,) = stage.pids()
        os.kill(before, sign)
        await stage.reported.wait()
        assert stage.events == [WorkerLost((transport.id,))]
        again = await service.create_transport("room")  # waits for the successor
        assert again.id > transport.id
        assert stage.pids() != [before]
        assert service.restarts == 1
        with pytest.raises(MediaMisuse):
            await service.transport_stats(transport.id)
        await service.close_transport(transport.id)
        assert len(stage.events) == 1

    play(scene)


@pytest.mark.parametrize("spares", [0, 1])
def test_no_place_for_a_process_is_a_worker_that_does_not_start(monkeypatch: pytest.MonkeyPatch, spares: int) -> None:
    monkeypatch.setattr("simplestchat.media.spares.DELAY_S", 0.05)

    async def scene(stage: Stage) -> None:
        await stage.service.open_room("room")
        whole = recruit._spawn
        refused = iter(range(2))

        def crowded() -> object:
            if next(refused, None) is not None:
                raise OSError(errno.EMFILE, "Too many open files")
            return whole()

        monkeypatch.setattr(recruit, "_spawn", crowded)
        await stage.kill_worker(*stage.pids())
        with trio.fail_after(30):
            await until(stage.pids)
        await until(lambda: stage.service.ready)
        assert (await stage.service.create_transport("room")).id
        assert any("Too many open files" in entry.get("problem", "") for entry in logs)

    with structlog.testing.capture_logs() as logs:
        play(scene, spares=spares)


def test_a_descriptor_of_a_socket_pair_is_given_back_when_no_process_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recruit, "WORKER_COMMAND", ("/nowhere/python",))
    gc.collect()  # what it closes later, if anything, must not look like something that was opened
    before = set(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with pytest.raises(recruit.WorkerStartError, match="No such file"):
            recruit.Recruit()
    assert set(os.listdir("/proc/self/fd")) <= before


def test_the_end_of_a_process_is_seen_without_a_descriptor_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(_pid: int) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    async def scene(stage: Stage) -> None:
        await stage.service.open_room("room")
        monkeypatch.setattr(os, "pidfd_open", none_left)
        for _ in range(2):  # the second one is watched without
            await stage.kill_worker(*stage.pids())
            await stage.service.create_transport("room")

    play(scene)


def test_an_event_that_cannot_be_handled_harms_nobody() -> None:
    def broken(event: MediaEvent) -> None:
        stage_events.append(event)
        raise ValueError("a bug of the hub")

    stage_events: list[MediaEvent] = []

    async def scene(stage: Stage) -> None:
        stage.service._handler = broken
        await stage.service.open_room("room")
        await stage.service.create_transport("room")
        (before,) = stage.pids()
        os.kill(before, signal.SIGKILL)
        await until(lambda: stage_events)
        await stage.service.create_transport("room")
        assert stage_events == [WorkerLost((1,))]
        (worker,) = stage.service._supervisor.workers
        worker.channel._on_event(["transport.state", 1, "failed"])
        assert (await stage.service.transport_stats(2))["producers"] == 0

    play(scene)


def test_requests_under_way_fail_when_the_worker_dies() -> None:
    async def scene(stage: Stage) -> None:
        service = stage.service
        await service.open_room("room")
        transport = await service.create_transport("room")
        (worker,) = stage.pids()
        os.kill(worker, signal.SIGSTOP)
        outcomes: list[type[BaseException]] = []

        async def ask() -> None:
            try:
                await service.transport_stats(transport.id)
            except MediaError as error:
                outcomes.append(type(error))

        async with trio.open_nursery() as nursery:
            for _ in range(100):
                nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked()
            os.kill(worker, signal.SIGKILL)
        assert outcomes == [MediaUnavailable] * 100

    play(scene)


def test_a_cancelled_request_disturbs_nobody() -> None:
    async def scene(stage: Stage) -> None:
        service = stage.service
        await service.open_room("room")
        for _ in range(50):
            with trio.CancelScope() as scope:
                scope.cancel()
                await service.create_transport("room")
        transport = await service.create_transport("room")
        assert (await service.transport_stats(transport.id))["producers"] == 0
        for _ in range(50):
            with trio.CancelScope() as scope:
                scope.cancel()
                await service.create_producer(transport.id, OPUS)
        producer = await service.create_producer(transport.id, OPUS)  # its SSRC is free
        for _ in range(50):
            with trio.CancelScope() as scope:
                scope.cancel()
                await service.create_consumer(transport.id, producer, TO_SUBSCRIBER)
        assert await stage.census() == {"transports": 1, "producers": 1, "consumers": 0}

    play(scene)


def test_what_was_made_too_late_is_closed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "POLL_INTERVAL_S", 1e6)

    async def scene(stage: Stage) -> None:
        await stage.service.open_room("room")
        await until(stage.service.readings)
        (worker,) = stage.pids()
        os.kill(worker, signal.SIGSTOP)
        with monkeypatch.context() as impatient:
            impatient.setattr(channel, "REQUEST_TIMEOUT_S", 0.1)
            with pytest.raises(MediaUnavailable):
                await stage.service.create_transport("room")
        os.kill(worker, signal.SIGCONT)
        assert await stage.census() == {"transports": 0, "producers": 0, "consumers": 0}

    play(scene)


def test_a_transport_that_cannot_be_announced_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left() -> list[str]:
        raise OSError(errno.EMFILE, "Too many open files")

    async def scene(stage: Stage) -> None:
        await stage.service.open_room("room")
        stage.service._announce = ()
        with monkeypatch.context() as crowded:
            crowded.setattr(service, "host_addresses", none_left)
            with pytest.raises(OSError, match="Too many"):
                await stage.service.create_transport("room")
        assert await stage.census() == {"transports": 0, "producers": 0, "consumers": 0}
        await stage.service.close_room("room")

    play(scene)


def test_giving_up_ends_every_wait_behind_a_shield_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel, "REQUEST_TIMEOUT_S", 1e6)
    monkeypatch.setattr(service, "PLACEMENT_TIMEOUT_S", 1e6)

    async def scene(stage: Stage) -> None:
        await stage.service.open_room("room")
        transport = await stage.service.create_transport("room")
        outcomes: list[type[BaseException]] = []

        async def ask(request: Callable[[], Awaitable[object]]) -> None:
            with trio.CancelScope(shield=True):
                try:
                    await request()
                except MediaError as error:
                    outcomes.append(type(error))

        (worker,) = stage.pids()
        os.kill(worker, signal.SIGSTOP)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, lambda: stage.service.create_transport("room"))
            nursery.start_soon(ask, lambda: stage.service.transport_stats(transport.id))
            nursery.start_soon(ask, lambda: stage.service.traffic("room", [transport.id]))
            await trio.testing.wait_all_tasks_blocked()  # tasks begin in any order, and who closes comes last
            nursery.start_soon(ask, lambda: stage.service.close_room("room"))
            await trio.testing.wait_all_tasks_blocked()
            stage.service._supervisor._slots[:] = [None]  # a room that has no worker yet waits for one
            await stage.service.open_room("other")
            nursery.start_soon(ask, lambda: stage.service.create_transport("other"))
            await trio.testing.wait_all_tasks_blocked()
            stage.service.give_up()
        assert outcomes == [MediaUnavailable] * 4  # closing is quiet
        with pytest.raises(MediaUnavailable):
            await stage.service.create_transport("other")

    play(scene)


def test_workers_are_gone_when_the_service_is() -> None:
    stages: list[Stage] = []

    async def scene(stage: Stage) -> None:
        stages.append(stage)
        assert len(stage.pids()) == 2

    play(scene, workers=2)
    assert stages[0].pids() == []
    assert stages[0].events == []


def test_scrapes_share_a_reading_and_its_age_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    # After the first reading, which the supervisor asks for, nobody but the scrapes here reads.
    monkeypatch.setattr(supervisor, "POLL_INTERVAL_S", 1e6)

    async def scene(stage: Stage) -> None:
        media = stage.service
        await until(media.readings)
        (beginning,) = media.readings().values()
        monkeypatch.setattr(service, "READING_AGE_S", 0)
        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(media.refresh_readings)
        (first,) = media.readings().values()
        assert first is not beginning
        monkeypatch.setattr(service, "READING_AGE_S", 1e6)
        await media.refresh_readings()
        assert media.readings()[0] is first, "it is young enough"
        monkeypatch.setattr(service, "READING_AGE_S", OLD_S)
        await trio.sleep(OLD_S)
        assert media.reading_ages()[0] >= OLD_S
        asked_s = trio.current_time()
        await media.refresh_readings()
        assert media.readings()[0] is not first
        assert media.reading_ages()[0] <= trio.current_time() - asked_s

    play(scene)


def test_scrapes_do_not_hide_that_a_worker_is_stuck(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "POLL_INTERVAL_S", 0.1)

    async def scene(stage: Stage) -> None:
        await stage.service.open_room("room")
        (worker,) = stage.pids()
        monkeypatch.setattr(channel, "REQUEST_TIMEOUT_S", 0.5)
        os.kill(worker, signal.SIGSTOP)
        # Each scrape gives up before the worker may be taken for dead.
        monkeypatch.setattr(service, "REFRESH_TIMEOUT_S", 0.1)
        while not stage.reported.is_set():
            began_s = trio.current_time()
            await stage.service.refresh_readings()
            assert trio.current_time() - began_s < 5
            await trio.sleep(0.01)
        assert stage.events == [WorkerLost(())]

    play(scene)
