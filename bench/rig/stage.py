"""A worker on one core with a publisher and many receivers, and the floor in turn with it on the same sockets."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from simplestchat.media.recruit import WORKER_COMMAND

from .audience import PAYLOAD_BYTES, Audience, Trial
from .floor import FloorProcess, Paced
from .processes import cpu_ns, pinned, two_cores, undisturbed, wakes
from .worker import FORWARDED_PAYLOAD_TYPE, VIDEO_PAYLOAD_TYPE, Worker

PUBLISHER_TRANSPORT, PRODUCER, PUBLISHER_SSRC = 1, 1, 0x1234
FIRST_SSRC = 1_000_000  # the floor's packets have other ones


@dataclass(frozen=True)
class Slice:
    """A play through the worker, and what the worker used for it."""

    trial: Trial
    ns_per_packet: float
    wakes_per_packet: float
    """How often the worker went to sleep, for each packet of the publisher."""


@dataclass
class Stage:
    """Both, ready to be measured."""

    worker: Worker
    audience: Audience
    floor: FloorProcess

    def undisturbed(self) -> contextlib.AbstractContextManager[None]:
        """Meanwhile nothing else of this machine has their core while one of them has something to do."""
        return undisturbed(self.worker.pid, self.floor.pid)

    def play(self, rate: float, burst: float, seconds: float) -> Slice:
        """Through the worker. Everything that it used meanwhile counts, its reports and timers too."""
        cpu, slept = cpu_ns(self.worker.pid), wakes(self.worker.pid)
        trial = self.audience.play(rate=rate, burst=burst, seconds=seconds)
        used = cpu_ns(self.worker.pid) - cpu
        return Slice(trial, used / trial.expected, (wakes(self.worker.pid) - slept) / trial.sent)

    def play_floor(self, rate: float, burst: float, seconds: float) -> Paced:
        """The same by the floor."""
        with self.audience.elsewhere(self.floor.port) as came:
            paced = self.floor.paced(rate, burst, seconds)
            came(paced.packets)
        return paced

    def saturate_floor(self, burst: int, packets: int) -> float:
        """CPU ns a packet of the floor without pauses, over so many packets to each receiver."""
        rounds = max(1, packets // burst)
        with self.audience.elsewhere(self.floor.port) as came:
            cost = self.floor.saturated(burst, rounds)
            came(rounds * burst)
        return cost


@contextlib.contextmanager
def stage(
    receivers: int, *, check_every: int = 20, trains: bool = False, command: Sequence[str] = WORKER_COMMAND
) -> Iterator[Stage]:
    """Everybody is connected and has got a keyframe. The worker and the floor have one core, all else the other."""
    server, others = two_cores()
    with (
        pinned(others),
        Worker(server, command) as worker,
        Audience(check_every=check_every, trains=trains) as audience,
    ):
        audience.add_publisher(
            worker.open_transport(PUBLISHER_TRANSPORT, audience.fingerprint),
            ssrc=PUBLISHER_SSRC,
            payload_type=VIDEO_PAYLOAD_TYPE,
        )
        worker.publish(PRODUCER, PUBLISHER_TRANSPORT, PUBLISHER_SSRC)
        for i in range(receivers):
            transport, ssrc = PUBLISHER_TRANSPORT + 1 + i, FIRST_SSRC + i
            door = worker.open_transport(transport, audience.fingerprint)
            audience.add_receiver(transport, door, ssrc=ssrc, payload_type=FORWARDED_PAYLOAD_TYPE)
            worker.subscribe(1 + i, transport, PRODUCER, ssrc)
        audience.wait_connected()
        audience.anchor()
        with contextlib.ExitStack() as stack:
            with pinned(server):
                floor = stack.enter_context(FloorProcess(audience.addresses(), PAYLOAD_BYTES))
            yield Stage(worker, audience, floor)
            audience.assert_sound()
