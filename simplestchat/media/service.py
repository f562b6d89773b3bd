"""The media plane behind `model.media.MediaPort`: places rooms on workers and speaks to the right one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import structlog
import trio

from simplestchat.errors import MediaError, MediaMisuse, MediaUnavailable
from simplestchat.model.media import (
    ConsumerSpec,
    DtlsRole,
    Fingerprint,
    IceParameters,
    MediaEvent,
    ProducerLevels,
    ProducerSpec,
    Traffic,
    TransportInfo,
    TransportStateChanged,
    WorkerLost,
)

from . import wire
from .addresses import candidates, host_addresses
from .objects import ObjectTable
from .reading import Reading
from .supervisor import Supervisor, Worker
from .waits import Waits

log = structlog.get_logger()

#: How long the first transport of a room waits for a worker that is being restarted.
PLACEMENT_TIMEOUT_S = 5.0
#: How old a reading may be that several scrapes share, and how long a scrape waits for a new one.
READING_AGE_S = 0.2
REFRESH_TIMEOUT_S = 0.5
#: How long the list of this machine's addresses is believed.
ADDRESSES_AGE_S = 5.0


class MediaService:
    """Implements MediaPort over worker processes. `run` keeps them; events go to `handler`."""

    def __init__(
        self,
        *,
        workers: int,
        spares: int,
        rtc_port: int,
        announce: Sequence[str],
        srtp_backend: str = "auto",
        handler: Callable[[MediaEvent], None],
    ) -> None:
        self._announce = tuple(announce)
        self._handler = handler
        self._supervisor = Supervisor(
            workers,
            rtc_port,
            spares=spares,
            srtp_backend=srtp_backend,
            on_event=self._on_event,
            on_lost=self._on_lost,
        )
        self._rooms: dict[str, Worker | None] = {}
        self._objects = ObjectTable()
        self._waits = Waits()
        self._addresses: tuple[str, ...] = ()
        self._addresses_until_s = float("-inf")

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the workers alive until cancelled; started when all serve."""
        await self._supervisor.run(task_status)

    def give_up(self) -> None:
        """The node ends: every request fails from now on, those under way too."""
        self._waits.give_up()

    @property
    def ready(self) -> bool:
        """Whether a worker serves."""
        return bool(self._supervisor.workers)

    @property
    def restarts(self) -> int:
        """How often a worker has been started anew."""
        return self._supervisor.restarts

    def readings(self) -> dict[int, Reading]:
        """Return what each living worker told last."""
        told = ((worker.index, worker.reading) for worker in self._supervisor.workers)
        return {index: reading for index, reading in told if reading is not None}

    def reading_ages(self) -> dict[int, float]:
        """Return how many seconds ago each of them told it."""
        now_s = trio.current_time()
        return {worker.index: now_s - worker.read_at_s for worker in self._supervisor.workers if worker.reading}

    async def refresh_readings(self) -> None:
        """Ask every worker whose reading is older than READING_AGE_S; one that is slow to answer keeps its last one."""
        with trio.move_on_after(REFRESH_TIMEOUT_S):
            async with trio.open_nursery() as nursery:
                for worker in self._supervisor.workers:
                    if trio.current_time() - worker.read_at_s > READING_AGE_S:
                        nursery.start_soon(_refresh, worker)

    # Rooms

    async def open_room(self, room_id: str) -> None:
        """Place the room on a worker; one without media yet does not wait for a worker that restarts."""
        if self._rooms.get(room_id) is None:
            self._rooms[room_id] = self._least_loaded()

    async def close_room(self, room_id: str) -> None:
        """Forget the room and close what is left of its media."""
        self._rooms.pop(room_id, None)
        for transport in self._objects.drop(room_id=room_id):
            await self._quietly(transport.worker, wire.CloseTransport(transport.id))

    def _least_loaded(self) -> Worker | None:
        rooms: dict[int, int] = {}
        for worker in self._rooms.values():
            if worker is not None:
                rooms[worker.index] = rooms.get(worker.index, 0) + 1
        workers = self._supervisor.workers
        return min(workers, key=lambda worker: (worker.load, rooms.get(worker.index, 0)), default=None)

    async def _worker_of(self, room_id: str) -> Worker:
        """Return the room's worker, waiting for a restarted one when there is none."""
        with self._waits.one(), trio.move_on_after(PLACEMENT_TIMEOUT_S):
            while room_id in self._rooms:
                worker = self._rooms[room_id] or self._least_loaded()
                if worker is not None:
                    self._rooms[room_id] = worker
                    return worker
                await self._supervisor.changed()
            raise MediaMisuse("the room is not open")
        raise MediaUnavailable

    # Transports

    async def create_transport(self, room_id: str) -> TransportInfo:
        """Make a transport on the room's worker."""
        worker = await self._worker_of(room_id)
        where = candidates(self._announced(), worker.port)
        number = self._objects.next_id()
        ufrag, password = await self._make(worker, wire.CreateTransport(number), wire.CloseTransport(number))
        if self._rooms.get(room_id) is not worker:
            await self._quietly(worker, wire.CloseTransport(number))
            raise MediaUnavailable
        self._objects.add(number, "transport", room_id, worker)
        return TransportInfo(
            id=number,
            ice=IceParameters(ufrag, password),
            candidates=where,
            fingerprints=tuple(Fingerprint(algorithm, value) for algorithm, value in worker.fingerprints),
        )

    async def connect_transport(self, transport: int, role: DtlsRole, fingerprints: Sequence[Fingerprint]) -> None:
        """Tell a transport the peer's DTLS role and certificate."""
        rows = [(fingerprint.algorithm, fingerprint.value) for fingerprint in fingerprints]
        await self._request("transport", wire.ConnectTransport(transport, role, rows))

    async def restart_ice(self, transport: int) -> IceParameters:
        """Give the transport new ICE credentials."""
        ufrag, password = await self._request("transport", wire.RestartIce(transport))
        return IceParameters(ufrag, password)

    async def transport_stats(self, transport: int) -> dict[str, object]:
        """Return the counters of a transport."""
        stats = await self._request("transport", wire.TransportStats(transport))
        return {str(name): value for name, value in stats.items()}

    async def traffic(self, room_id: str, transports: Sequence[int]) -> list[Traffic]:
        """Return what passed the transports of a room, by one request to its worker."""
        worker = self._rooms.get(room_id)
        if worker is None or not transports:
            return []
        return [Traffic(*row) for row in await self._ask(worker, wire.Traffic(list(transports)))]

    async def close_transport(self, transport: int) -> None:
        """Close a transport with its producers and consumers."""
        await self._close("transport", wire.CloseTransport(transport))

    # Producers

    async def create_producer(self, transport: int, spec: ProducerSpec) -> int:
        """Begin to receive a track."""
        owner = self._objects.get(transport, "transport")
        number = self._objects.next_id()
        call = wire.CreateProducer(
            id=number,
            transport=transport,
            kind=spec.kind,
            mid=spec.mid,
            streams=[(stream.ssrc, stream.rtx_ssrc, stream.rid) for stream in spec.streams],
            codecs=[
                (c.payload_type, c.rtx_payload_type, c.clock_rate, c.name, c.nack, c.pli, c.fir) for c in spec.codecs
            ],
            extensions=dict(spec.extensions),
        )
        await self._make(owner.worker, call, wire.CloseProducer(number))
        self._objects.add(number, "producer", owner.room_id, owner.worker, owner)
        return number

    async def pause_producer(self, producer: int) -> None:
        """Stop forwarding a track to anyone."""
        await self._request("producer", wire.PauseProducer(producer))

    async def resume_producer(self, producer: int) -> None:
        """Forward a track again."""
        await self._request("producer", wire.ResumeProducer(producer))

    async def close_producer(self, producer: int) -> None:
        """Stop receiving a track; its consumers go with it."""
        await self._close("producer", wire.CloseProducer(producer))

    # Consumers

    async def create_consumer(self, transport: int, producer: int, spec: ConsumerSpec) -> int:
        """Begin to send a track to a subscriber."""
        owner = self._objects.get(transport, "transport")
        source = self._objects.get(producer, "producer")
        if source.worker is not owner.worker:
            raise MediaMisuse("the producer is on another worker")
        number = self._objects.next_id()
        call = wire.CreateConsumer(
            id=number,
            transport=transport,
            producer=producer,
            ssrc=spec.ssrc,
            rtx_ssrc=spec.rtx_ssrc,
            codecs=[(c.producer_payload_type, c.payload_type, c.rtx_payload_type) for c in spec.codecs],
            extensions=dict(spec.extensions),
            mid=spec.mid,
            paused=spec.paused,
            cname=spec.cname,
        )
        await self._make(owner.worker, call, wire.CloseConsumer(number))
        self._objects.add(number, "consumer", owner.room_id, owner.worker, owner, source)
        return number

    async def pause_consumer(self, consumer: int) -> None:
        """Stop sending a track to this subscriber."""
        await self._request("consumer", wire.PauseConsumer(consumer))

    async def resume_consumer(self, consumer: int) -> None:
        """Send a track to this subscriber again."""
        await self._request("consumer", wire.ResumeConsumer(consumer))

    async def close_consumer(self, consumer: int) -> None:
        """Stop sending a track for good."""
        await self._close("consumer", wire.CloseConsumer(consumer))

    async def request_keyframe(self, consumer: int) -> None:
        """Ask the publisher for a keyframe."""
        await self._request("consumer", wire.RequestKeyframe(consumer))

    async def set_preferred_layers(self, consumer: int, spatial: int, temporal: int) -> None:
        """Say which layers the subscriber wants at most."""
        await self._request("consumer", wire.SetPreferredLayers(consumer, spatial, temporal))

    async def set_priority(self, consumer: int, priority: int) -> None:
        """Say how much this track matters when bandwidth is short."""
        await self._request("consumer", wire.SetPriority(consumer, priority))

    # The way to the workers and back

    async def _request(self, kind: str, call: wire.ById) -> Any:
        return await self._ask(self._objects.get(call.id, kind).worker, call)

    async def _ask(self, worker: Worker, call: wire.Call) -> Any:
        with self._waits.one():
            return await worker.channel.request(call)

    async def _make(self, worker: Worker, call: wire.ById, undo: wire.ById) -> Any:
        """Let a worker make something; what nobody heard of, late or cancelled, is closed again."""
        try:
            return await self._ask(worker, call)
        except BaseException:
            worker.channel.tell(undo)
            raise

    async def _close(self, kind: str, call: wire.ById) -> None:
        gone = self._objects.pop(call.id, kind)
        if gone is not None:
            await self._quietly(gone.worker, call)

    async def _quietly(self, worker: Worker, call: wire.ById) -> None:
        """Close something on a worker; a worker that is gone has closed it, too."""
        try:
            await self._ask(worker, call)
        except (MediaUnavailable, MediaMisuse):
            return

    def _announced(self) -> tuple[str, ...]:
        if self._announce:
            return self._announce
        if trio.current_time() >= self._addresses_until_s:
            self._addresses = tuple(host_addresses())
            self._addresses_until_s = trio.current_time() + ADDRESSES_AGE_S
        return self._addresses

    def _on_event(self, worker: Worker, event: list[Any]) -> None:
        match event:
            case ["transport.state", int(transport), ("connected" | "disconnected" | "failed") as state]:
                self._tell(TransportStateChanged(transport, state))
            case ["levels", list(rows)]:
                self._tell(ProducerLevels(tuple((int(producer), int(level)) for producer, level in rows)))
            case _:
                log.error("worker sent an unknown event", worker=worker.index)

    def _on_lost(self, worker: Worker) -> None:
        rooms = tuple(room_id for room_id, placed in self._rooms.items() if placed is worker)
        for room_id in rooms:
            self._rooms[room_id] = None
        self._objects.drop(worker=worker)
        log.warning("worker lost", worker=worker.index, rooms=len(rooms))
        if rooms:
            self._tell(WorkerLost(rooms))

    def _tell(self, event: MediaEvent) -> None:
        """Hand an event over; what goes wrong with it ends neither its worker's watch nor the other rooms."""
        try:
            self._handler(event)
        except Exception:
            log.exception("media event not handled", kind=type(event).__name__)


async def _refresh(worker: Worker) -> None:
    with contextlib.suppress(MediaError):  # its supervisor finds out by itself
        await worker.share_reading()
