"""Calls to be measured: publishers with layers, receivers behind bottlenecks, and what became of both."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from support.netem import US_PER_S, Link
from support.swarm_call import SwarmCall

from adapt.network import Bottleneck, Queue, access, thin

#: Encodings of a publisher: bit/s, width, height.
LADDER = ((150_000, 320, 180), (500_000, 640, 360), (1_500_000, 1280, 720))
EXTENSIONS = {"transport-cc": 5}


@dataclass
class Viewer:
    """A receiving path and the bottleneck in front of it."""

    path: int
    queue: Queue


class Call(SwarmCall):
    """Synthetic users around one engine, in virtual time."""

    @property
    def now_us(self) -> int:
        """The present moment."""
        return self.sim.clock.now

    def publisher(self, up: Link | None = None, down: Link | None = None) -> int:
        """A path that limits nothing, unless told."""
        return self.join(up=up or access(), down=down or access())

    def viewer(self, link: Link, queue: Queue | None = None, up: Link | None = None) -> Viewer:
        """A receiver whose downlink is the bottleneck; with ``queue``, one that others share."""
        path = self.join(up=up or access(), down=link)
        socket = self.sockets[path]
        viewer = Viewer(path, queue or Queue())
        socket.down = Bottleneck(self.sim.clock, self.sim.rng, link, socket.down.deliver, viewer.queue, path)
        return viewer

    def limit(self, viewer: Viewer, rate_bps: float, **more: object) -> None:
        """Gives the bottleneck another rate; what stands in its queue takes as many bytes as before."""
        path = self.sockets[viewer.path].down
        waiting = max(0, viewer.queue.free_at - self.now_us)
        viewer.queue.free_at = self.now_us + waiting * path.link.rate_bps // round(rate_bps)
        path.link = thin(rate_bps, **more)

    def camera(
        self, path: int, ladder: tuple[tuple[int, int, int], ...] = LADDER, codec: str = "vp8", **more: Any
    ) -> int:
        """A video with an encoding for each step of the ladder."""
        rng = self.sim.rng
        layers = [
            {
                "ssrc": rng.randrange(1, 1 << 32),
                "rtx_ssrc": rng.randrange(1, 1 << 32),
                "bitrate_bps": rate,
                "width": width,
                "height": height,
                "rid": f"r{at}" if len(ladder) > 1 else "",
            }
            for at, (rate, width, height) in enumerate(ladder)
        ]
        return self.publish(path, codec, layers=layers, **more)

    def watch(self, viewer: Viewer, producer: int) -> int:
        """Subscribes with transport-wide numbers."""
        return self.subscribe(viewer.path, producer, ext=EXTENSIONS)

    def told(self, viewer: Viewer) -> dict[str, Any]:
        """What the engine tells of a receiver's path."""
        stats: Any = self.sim.control("transport_stats", viewer.path)
        return dict(stats)

    def layers(self, consumer: int) -> list[tuple[int, int]]:
        """(when, spatial layer) of each change of what the consumer is sent."""
        return [(when, event[2]) for when, event in self.sim.events.named("consumer.layers") if event[1] == consumer]  # type: ignore[misc]

    def switches(self, consumer: int, since_us: int, until_us: int | None = None) -> int:
        """Changes of its spatial layer in this time."""
        end = until_us if until_us is not None else 1 << 62
        steps = self.layers(consumer)
        return sum(since_us <= when < end and before != after for (_, before), (when, after) in pairwise(steps))

    def follow_wishes(self) -> None:
        """Publishers switch encodings off and on as they are told, half a round trip later."""
        told = 0

        def look() -> None:
            nonlocal told
            events = self.sim.events.all
            for _, event in events[told:]:
                if event[0] == "producer.layers":
                    producer, mask = event[1], event[2]
                    self.sim.clock.call_in(25_000, lambda p=producer, m=mask: self.do("set_layers", p, m))  # type: ignore[misc]
            told = len(events)
            self.sim.clock.call_in(10_000, look)

        look()

    def at(self, seconds: float) -> int:
        """The moment so many seconds from now."""
        return self.now_us + round(seconds * US_PER_S)
