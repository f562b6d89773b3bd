"""What workers report by themselves, in the words of rooms: a piped producer goes by the number of its source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog

from simplestchat.model.media import (
    BandwidthChanged,
    LayersForwarded,
    LayersWanted,
    MediaEvent,
    ProducerLevels,
    TransportStateChanged,
)

from . import wire
from .groups import NOBODY, GroupBook
from .objects import ObjectTable, Producer
from .pipes import PipeBook
from .supervisor import Worker

log = structlog.get_logger()


class Reports:
    """Takes the events of all workers; what rooms should know of goes to ``tell``."""

    def __init__(
        self, objects: ObjectTable, pipes: PipeBook, groups: GroupBook, tell: Callable[[MediaEvent], None]
    ) -> None:
        self._objects = objects
        self._pipes = pipes
        self._groups = groups
        self._tell = tell

    def take(self, worker: Worker, event: list[Any]) -> None:
        """Take an event of a worker."""
        match event:
            case ["transport.state", int(transport), ("connected" | "disconnected" | "failed") as state]:
                self._tell(TransportStateChanged(transport, state))
            case ["levels", list(rows)]:
                self._tell(ProducerLevels(tuple((int(producer), int(level)) for producer, level in rows)))
            case ["speaker", int(group), int(producer)]:
                voice = self._producer(producer)
                self._groups.named(worker, group, NOBODY if voice is None else voice.id)
            case ["producer.layers", int(producer), int(mask)]:
                self._layers_wanted(worker, producer, mask)
            case ["consumer.layers", int(consumer), int(spatial), int(temporal), str(reason)]:
                self._tell(LayersForwarded(consumer, spatial, temporal, reason))
            case ["transport.bandwidth", int(transport), int(available_bps)]:
                self._tell(BandwidthChanged(transport, available_bps))
            case _:
                log.error("worker sent an unknown event", worker=worker.index)

    def wishes_changed(self, producer: Producer) -> None:
        """Tell the publisher's worker what the others want, and the rooms what is wanted altogether."""
        if producer.spec.kind == "audio" or self._objects.find(producer.id) is not producer:
            return
        others, wanted = producer.wishes.news_here(), producer.wishes.news()
        if others is not None:
            producer.worker.channel.tell(wire.SetWanted(producer.id, others))
        if wanted is not None:
            self._tell(LayersWanted(producer.id, wanted))

    def _layers_wanted(self, worker: Worker, number: int, mask: int) -> None:
        producer = self._producer(number)
        if producer is None:
            return
        if producer.id == number:
            producer.wishes.here(mask)
        else:
            producer.wishes.there(worker, mask)
        self.wishes_changed(producer)

    def _producer(self, number: int) -> Producer | None:
        """Find a producer by its number at its own worker or at another one to which it is piped."""
        found = self._pipes.source(number) or self._objects.find(number)
        return found if isinstance(found, Producer) else None
