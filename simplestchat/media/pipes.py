"""Which producers are piped to which workers, and over what: the only place that makes and ends pipes.

Rules:

- A *link* is the native pipe between two workers, a transport at each end. It is made with the first producer that goes
  from one to the other and lasts until either dies, or one of them refuses it. Its keys are of it alone; its SSRCs only
  grow.
- A *pipe* is one producer at one other worker: there it is a producer too, with a number of its own. It is there while
  somebody holds it: each consumer that was made of it, and each that is being made. The last one to let go ends it.
- Everything is decided at once. Records change and workers are told in one step, without a wait between; a worker does
  what it is told in the order in which it was told. So a pipe may be ended while it is being made, or made again while
  it is being ended, and records and workers still agree.
- Only answers are waited for, by everybody who wants the pipe. Where a worker refused its half, all of them fail, let
  go and so end it; whoever comes next begins anew.
- What dies with a worker is forgotten here, and the other end of it is closed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from simplestchat.errors import MediaError
from simplestchat.model.media import ProducerSpec

from . import wire
from .channel import Answer
from .groups import GroupBook
from .objects import ObjectTable, Producer
from .supervisor import Worker

#: Both ends are on this machine.
_ADDRESS = "127.0.0.1"
_KEY_BYTES = 28  # an AES-128-GCM key and its salt
#: What travels with the packets of a piped producer (`_native/engine/pipe.pxd`).
_EXTENSIONS = ("audio-level", "video-orientation", "dependency-descriptor")


class _Link:
    """The way between two workers."""

    def __init__(self, transports: dict[Worker, int], answers: list[Answer]) -> None:
        self.transports = transports
        self.answers = answers
        self._last_ssrc = dict.fromkeys(transports, 0)

    def next_ssrc(self, sender: Worker) -> int:
        self._last_ssrc[sender] += 1
        return self._last_ssrc[sender]


class Pipe:
    """A producer at another worker than its own."""

    def __init__(self, producer: Producer, worker: Worker, link: _Link, number: int, senders: list[int]) -> None:
        self.producer = producer
        self.worker = worker
        self.link = link
        self.number = number
        """Of the producer at ``worker``."""
        self.senders = senders
        """Numbers of the consumers at the producer's own worker."""
        self.answers: list[Answer] = []
        self.holders = 0
        self.ended = False


class PipeBook:
    """All pipes of the node."""

    def __init__(
        self, objects: ObjectTable, groups: GroupBook, on_wishes: Callable[[Producer], None] = lambda _: None
    ) -> None:
        """``on_wishes`` hears of a producer of which more or fewer workers want something."""
        self._objects = objects
        self._groups = groups
        self._on_wishes = on_wishes
        self._links: dict[frozenset[Worker], _Link] = {}
        self._pipes: dict[int, dict[Worker, Pipe]] = {}  # by the producer's number
        self._by_number: dict[int, Pipe] = {}

    def hold(self, producer: Producer, worker: Worker) -> Pipe | None:
        """Return the producer's pipe to a worker, made if there is none; None at its own worker. It is to be let go."""
        if worker is producer.worker:
            return None
        pipe = self._pipes.get(producer.id, {}).get(worker)
        if pipe is None:
            pipe = self._make(producer, worker)
            self._pipes.setdefault(producer.id, {})[worker] = pipe
            self._by_number[pipe.number] = pipe
            producer.wishes.piped(worker)
            self._on_wishes(producer)
        pipe.holders += 1
        return pipe

    async def ready(self, pipe: Pipe) -> None:
        """Return when both workers have made their halves; raises a MediaError when one refused."""
        try:
            for answer in pipe.link.answers:
                await answer.wait()
        except MediaError:
            self._end_link(pipe.link)
            raise
        for answer in pipe.answers:
            await answer.wait()

    def let_go(self, pipe: Pipe) -> None:
        """Hold it no longer."""
        pipe.holders -= 1
        if pipe.holders == 0 and not pipe.ended:
            self._forget(pipe)
            pipe.worker.channel.tell(wire.CloseProducer(pipe.number))
            for sender in pipe.senders:
                pipe.producer.worker.channel.tell(wire.CloseConsumer(sender))

    def of(self, producer: Producer) -> Iterator[Pipe]:
        """Walk through a producer's pipes."""
        return iter(self._pipes.get(producer.id, {}).values())

    def source(self, number: int) -> Producer | None:
        """Return the producer that has this number at another worker than its own."""
        pipe = self._by_number.get(number)
        return None if pipe is None else pipe.producer

    def worker_lost(self, worker: Worker) -> None:
        """Forget what was on a worker, and close the other ends."""
        for link in list(self._links.values()):
            if worker in link.transports:
                self._end_link(link)

    def __len__(self) -> int:
        return sum(map(len, self._pipes.values()))

    def _make(self, producer: Producer, worker: Worker) -> Pipe:
        link = self._link(producer.worker, worker)
        spec, number = producer.spec, self._objects.next_id()
        ssrcs = _choose_ssrcs(link, producer.worker, spec)
        pipe = Pipe(producer, worker, link, number, [self._objects.next_id() for _ in ssrcs])
        receive = wire.CreateProducer(
            id=number,
            transport=link.transports[worker],
            kind=spec.kind,
            mid="",
            streams=[(ssrc, rtx_ssrc, "") for ssrc, rtx_ssrc in ssrcs],
            # Asked for again whatever the publisher does: here the sender is a worker of ours.
            codecs=[
                (c.payload_type, c.rtx_payload_type, c.clock_rate, c.name, True, c.pli, c.fir) for c in spec.codecs
            ],
            extensions={name: value for name, value in spec.extensions.items() if name in _EXTENSIONS},
            layers=wire.layers(spec),
            group=self._groups.number_at(producer.room_id, worker) if producer.voice else 0,
        )
        send = wire.PipeProducer(
            transport=link.transports[producer.worker],
            producer=producer.id,
            rows=[(sender, *pair) for sender, pair in zip(pipe.senders, ssrcs, strict=True)],
        )
        pipe.answers = [worker.channel.post(receive), producer.worker.channel.post(send)]
        if producer.stopped:
            pipe.answers.append(worker.channel.post(wire.PauseProducer(number)))
        return pipe

    def _link(self, one: Worker, other: Worker) -> _Link:
        link = self._links.get(frozenset((one, other)))
        if link is None:
            keys = {worker: os.urandom(_KEY_BYTES) for worker in (one, other)}  # each seals with its own
            transports = {worker: self._objects.next_id() for worker in (one, other)}
            answers = [
                here.channel.post(
                    wire.CreatePipe(
                        id=transports[here],
                        remote=(_ADDRESS, there.port),
                        local=(_ADDRESS, here.port),
                        send_key=keys[here],
                        recv_key=keys[there],
                    )
                )
                for here, there in ((one, other), (other, one))
            ]
            link = self._links[frozenset((one, other))] = _Link(transports, answers)
        return link

    def _end_link(self, link: _Link) -> None:
        """Close a link with all pipes on it, at the ends that live."""
        if self._links.get(frozenset(link.transports)) is not link:
            return
        del self._links[frozenset(link.transports)]
        for worker, number in link.transports.items():
            worker.channel.tell(wire.CloseTransport(number))
        for pipe in [pipe for pipes in self._pipes.values() for pipe in pipes.values() if pipe.link is link]:
            self._forget(pipe)

    def _forget(self, pipe: Pipe) -> None:
        pipe.ended = True
        pipes = self._pipes[pipe.producer.id]
        del pipes[pipe.worker]
        if not pipes:
            del self._pipes[pipe.producer.id]
        del self._by_number[pipe.number]
        pipe.producer.wishes.ended(pipe.worker)
        self._on_wishes(pipe.producer)


def _choose_ssrcs(link: _Link, sender: Worker, spec: ProducerSpec) -> list[tuple[int, int]]:
    """An SSRC and one for RTX, if the publisher has that, for each encoding."""
    rtx = any(codec.rtx_payload_type >= 0 for codec in spec.codecs)
    return [(link.next_ssrc(sender), link.next_ssrc(sender) if rtx else 0) for _ in spec.streams]
