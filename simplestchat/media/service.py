"""The media plane behind `model.media.MediaPort`: places participants on workers and speaks to the right one."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import structlog
import trio

from simplestchat.errors import MediaError, MediaMisuse, MediaUnavailable
from simplestchat.model.media import (
    ConsumerSpec,
    Decision,
    DtlsRole,
    Fingerprint,
    IceParameters,
    MediaEvent,
    ProducerSpec,
    SpeakerChanged,
    Traffic,
    TransportInfo,
    WorkerLost,
)

from . import wire
from .addresses import candidates, host_addresses
from .channel import Answer
from .groups import GroupBook
from .objects import Consumer, MediaObject, ObjectTable, Producer, Transport
from .pipes import PipeBook
from .placement import Places
from .reading import Reading
from .reports import Reports
from .supervisor import Supervisor, Worker
from .waits import Waits

log = structlog.get_logger()

#: How long a transport waits for a worker where none serves.
PLACEMENT_TIMEOUT_S = 5.0
#: How long it waits for the successor of a dead worker where those that live are busy and could not bear its people.
SUCCESSOR_TIMEOUT_S = 1.0
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
        udp_offload: bool = True,
        handler: Callable[[MediaEvent], None],
        spread_at: float = 0.5,
        pinning: str = "off",
    ) -> None:
        """``spread_at`` is the load, as a share of a core, from which on a room goes to further workers."""
        self._announce = tuple(announce)
        self._handler = handler
        self._spread_at = spread_at
        self._supervisor = Supervisor(
            workers,
            rtc_port,
            spares=spares,
            pinning=pinning,
            srtp_backend=srtp_backend,
            udp_offload=udp_offload,
            on_event=lambda worker, event: self._reports.take(worker, event),
            on_lost=self._on_lost,
        )
        self._places = Places()
        self._objects = ObjectTable()
        self._groups = GroupBook(lambda room_id, producer: self._tell(SpeakerChanged(room_id, producer)))
        self._pipes = PipeBook(self._objects, self._groups, lambda producer: self._reports.wishes_changed(producer))
        self._reports = Reports(self._objects, self._pipes, self._groups, self._tell)
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
        """Let the room have transports; each is placed when it is made."""
        self._places.open(room_id)
        self._groups.open(room_id)

    async def close_room(self, room_id: str) -> None:
        """Forget the room and close what is left of its media."""
        self._places.close(room_id)
        self._groups.close(room_id)
        for transport in self._objects.drop(room_id=room_id):
            await self._quietly(transport.worker, wire.CloseTransport(transport.id))

    async def _place(self, room_id: str, peer_id: str) -> Worker:
        """Take a place for a transport, waiting for a restarted worker when there is none, or too few."""
        patient_until_s = trio.current_time() + SUCCESSOR_TIMEOUT_S
        with self._waits.one(), trio.move_on_after(PLACEMENT_TIMEOUT_S):
            while self._places.is_open(room_id):
                living = self._supervisor.workers
                worker = self._places.find(room_id, peer_id, living, self._spread_at)
                short = len(living) < self._supervisor.count and trio.current_time() < patient_until_s
                if worker is not None and not (short and worker.load.value >= self._spread_at):
                    self._places.take(room_id, peer_id, worker)
                    return worker
                with trio.move_on_at(math.inf if worker is None else patient_until_s):
                    await self._supervisor.changed()
            raise MediaMisuse("the room is not open")
        raise MediaUnavailable

    # Transports

    async def create_transport(self, room_id: str, peer_id: str = "") -> TransportInfo:
        """Make a transport on the participant's worker."""
        worker = await self._place(room_id, peer_id)
        transport = Transport(
            self._objects.next_id(),
            room_id,
            worker,
            on_gone=lambda: self._places.give_back(room_id, peer_id, worker),
        )
        number = transport.id
        try:
            where = candidates(self._announced(), worker.port)
            ufrag, password = await self._make(worker, wire.CreateTransport(number), wire.CloseTransport(number))
            if worker.lost or not self._places.is_open(room_id):
                worker.channel.tell(wire.CloseTransport(number))
                raise MediaUnavailable
        except BaseException:
            self._places.give_back(room_id, peer_id, worker)
            raise
        self._objects.add(transport)
        return TransportInfo(
            id=number,
            ice=IceParameters(ufrag, password),
            candidates=where,
            fingerprints=tuple(Fingerprint(algorithm, value) for algorithm, value in worker.fingerprints),
        )

    async def connect_transport(self, transport: int, role: DtlsRole, fingerprints: Sequence[Fingerprint]) -> None:
        """Tell a transport the peer's DTLS role and certificate."""
        rows = [(fingerprint.algorithm, fingerprint.value) for fingerprint in fingerprints]
        await self._request(Transport, wire.ConnectTransport(transport, role, rows))

    async def restart_ice(self, transport: int) -> IceParameters:
        """Give the transport new ICE credentials."""
        ufrag, password = await self._request(Transport, wire.RestartIce(transport))
        return IceParameters(ufrag, password)

    async def transport_stats(self, transport: int) -> dict[str, object]:
        """Return the counters of a transport."""
        stats = await self._request(Transport, wire.TransportStats(transport))
        return {str(name): value for name, value in stats.items()}

    async def traffic(self, room_id: str, transports: Sequence[int]) -> list[Traffic]:
        """Return what passed the transports of a room, by one request to each worker that has some of them."""
        asked: dict[Worker, list[int]] = {}
        for number in transports:
            found = self._objects.find(number)
            if found is not None and found.room_id == room_id:
                asked.setdefault(found.worker, []).append(number)
        answers = [worker.channel.post(wire.Traffic(numbers)) for worker, numbers in asked.items()]
        rows: list[Traffic] = []
        with self._waits.one():
            for answer in answers:
                with contextlib.suppress(MediaUnavailable):  # what was on a worker that is lost is gone
                    rows += [Traffic(*row) for row in await answer.wait()]
        return rows

    async def close_transport(self, transport: int) -> None:
        """Close a transport with its producers and consumers."""
        await self._close(Transport, wire.CloseTransport(transport))

    # Producers

    async def create_producer(self, transport: int, spec: ProducerSpec, *, voice: bool = False) -> int:
        """Begin to receive a track."""
        owner = self._objects.get(transport, Transport)
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
            layers=wire.layers(spec),
            group=self._groups.number_at(owner.room_id, owner.worker) if voice else 0,
        )
        await self._make(owner.worker, call, wire.CloseProducer(number))
        producer = Producer(number, owner, spec, voice=voice)
        self._objects.add(producer)
        if voice:
            producer.on_gone = functools.partial(self._groups.forget, owner.room_id, number)
        return number

    async def pause_producer(self, producer: int) -> None:
        """Stop forwarding a track to anyone."""
        item = self._objects.get(producer, Producer)
        item.paused = True
        await self._all(*self._stop_or_go(item))

    async def resume_producer(self, producer: int) -> None:
        """Forward a track again, unless it is held back."""
        item = self._objects.get(producer, Producer)
        item.paused = False
        await self._all(*self._stop_or_go(item))

    def hold_producer(self, producer: int, held: bool) -> None:
        """Hold a track back from everyone, or do so no longer."""
        item = self._objects.find(producer)
        if isinstance(item, Producer) and item.held != held:
            item.held = held
            self._stop_or_go(item)

    def _stop_or_go(self, item: Producer) -> tuple[Answer, list[Answer]]:
        """Tell every worker that has a track whether it is forwarded."""
        pipes = list(self._pipes.of(item))
        if item.stopped:
            here = item.worker.channel.post(wire.PauseProducer(item.id))
            return here, [pipe.worker.channel.post(wire.PauseProducer(pipe.number)) for pipe in pipes]
        # First where it is piped to, so that the keyframe to come finds them ready.
        there = [pipe.worker.channel.post(wire.ResumeProducer(pipe.number)) for pipe in pipes]
        return item.worker.channel.post(wire.ResumeProducer(item.id)), there

    async def close_producer(self, producer: int) -> None:
        """Stop receiving a track; its consumers go with it."""
        await self._close(Producer, wire.CloseProducer(producer))

    # Consumers

    async def create_consumer(self, transport: int, producer: int, spec: ConsumerSpec) -> int:
        """Begin to send a track to a subscriber."""
        owner = self._objects.get(transport, Transport)
        source = self._objects.get(producer, Producer)
        pipe = self._pipes.hold(source, owner.worker)
        number = self._objects.next_id()
        call = wire.CreateConsumer(
            id=number,
            transport=transport,
            producer=producer if pipe is None else pipe.number,
            ssrc=spec.ssrc,
            rtx_ssrc=spec.rtx_ssrc,
            codecs=[(c.producer_payload_type, c.payload_type, c.rtx_payload_type) for c in spec.codecs],
            extensions=dict(spec.extensions),
            mid=spec.mid,
            paused=spec.paused,
            cname=spec.cname,
        )
        answer = owner.worker.channel.post(call)
        try:
            with self._waits.one():
                if pipe is not None:
                    await self._pipes.ready(pipe)
                await answer.wait()
            let_go = None if pipe is None else functools.partial(self._pipes.let_go, pipe)
            self._objects.add(Consumer(number, owner.room_id, owner.worker, owner, source, on_gone=let_go))
        except BaseException:
            owner.worker.channel.tell(wire.CloseConsumer(number))
            if pipe is not None:
                self._pipes.let_go(pipe)
            raise
        return number

    async def pause_consumer(self, consumer: int) -> None:
        """Stop sending a track to this subscriber."""
        await self._request(Consumer, wire.PauseConsumer(consumer))

    async def resume_consumer(self, consumer: int) -> None:
        """Send a track to this subscriber again."""
        await self._request(Consumer, wire.ResumeConsumer(consumer))

    async def close_consumer(self, consumer: int) -> None:
        """Stop sending a track for good."""
        await self._close(Consumer, wire.CloseConsumer(consumer))

    async def request_keyframe(self, consumer: int) -> None:
        """Ask the publisher for a keyframe."""
        await self._request(Consumer, wire.RequestKeyframe(consumer))

    async def set_preferred_layers(self, consumer: int, spatial: int, temporal: int) -> None:
        """Say which layers the subscriber wants at most."""
        await self._request(Consumer, wire.SetPreferredLayers(consumer, spatial, temporal))

    def set_priority(self, consumer: int, priority: int) -> None:
        """Say how much this track matters when bandwidth is short."""
        self._tell_worker(wire.SetPriority(consumer, priority))

    def set_view(self, consumer: int, width: int, height: int) -> None:
        """Say how large the subscriber shows a track."""
        self._tell_worker(wire.SetView(consumer, width, height))

    def set_loudest(self, room_id: str, limit: int) -> None:
        """Let at most so many voices of a room be heard at a time; 0: all."""
        self._groups.set_limit(room_id, limit)

    async def decisions(self, transport: int) -> list[Decision]:
        """Return the latest changes of what is sent over a transport."""
        rows = await self._request(Transport, wire.Decisions(transport))
        return [Decision(*row) for row in rows]

    # The way to the workers and back

    async def _request(self, kind: type[MediaObject], call: wire.ById) -> Any:
        return await self._ask(self._objects.get(call.id, kind).worker, call)

    def _tell_worker(self, call: wire.ById) -> None:
        """Say something of an object to its worker, if both are there."""
        item = self._objects.find(call.id)
        if item is not None:
            item.worker.channel.tell(call)

    async def _ask(self, worker: Worker, call: wire.Call) -> Any:
        with self._waits.one():
            return await worker.channel.request(call)

    async def _all(self, here: Answer, there: Sequence[Answer]) -> None:
        """Wait for the worker that a publisher is on, and for those that its track is piped to, which may be gone."""
        with self._waits.one():
            await here.wait()
            for answer in there:
                with contextlib.suppress(MediaUnavailable, MediaMisuse):
                    await answer.wait()

    async def _make(self, worker: Worker, call: wire.ById, undo: wire.ById) -> Any:
        """Let a worker make something; what nobody heard of, late or cancelled, is closed again."""
        try:
            return await self._ask(worker, call)
        except BaseException:
            worker.channel.tell(undo)
            raise

    async def _close(self, kind: type[MediaObject], call: wire.ById) -> None:
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

    def _on_lost(self, worker: Worker) -> None:
        self._pipes.worker_lost(worker)
        transports = tuple(transport.id for transport in self._objects.drop(worker=worker))
        self._groups.worker_lost(worker)
        log.warning("worker lost", worker=worker.index, transports=len(transports))
        self._tell(WorkerLost(transports))

    def _tell(self, event: MediaEvent) -> None:
        """Hand an event over; what goes wrong with it ends neither its worker's watch nor the other rooms."""
        try:
            self._handler(event)
        except Exception:
            log.exception("media event not handled", kind=type(event).__name__)


async def _refresh(worker: Worker) -> None:
    with contextlib.suppress(MediaError):  # its supervisor finds out by itself
        await worker.share_reading()
