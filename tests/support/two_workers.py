"""Two workers in virtual time with a pipe between them: each is a simulation of its own, on one clock."""

from __future__ import annotations

import itertools

from support.netem import Link
from support.publisher import Track
from support.simulation import SERVER, Consumed, Published, Simulation, Socket

Address = tuple[str, int]
NEAR: Address = ("203.0.113.1", 40000)
FAR: Address = ("203.0.113.2", 40000)
KEYS = (bytes(range(28)), bytes(range(100, 128)))
EXTENSIONS = {"mid": 4, "rid": 10, "audio-level": 1, "video-orientation": 13}
PIPED = ("audio-level", "video-orientation")


class TwoWorkers:
    """``near`` has the publishers, ``far`` gets them by a pipe; ``there`` and ``back`` are its two directions."""

    def __init__(self, seed: int, link: Link | None = None) -> None:
        self.near = Simulation(seed)
        self.far = Simulation(seed + 1000, clock=self.near.clock)
        self.pipes = (self.near.new_id(), self.far.new_id())
        self.there = self._end(self.near, FAR, self.far, NEAR, link or Link())
        self.back = self._end(self.far, NEAR, self.near, FAR, link or Link())
        self.near.control("create_pipe", self.pipes[0], FAR, SERVER, *KEYS)
        self.far.control("create_pipe", self.pipes[1], NEAR, SERVER, *reversed(KEYS))
        self._ssrcs = itertools.count(1000)

    @staticmethod
    def _end(sim: Simulation, other: Address, receiver: Simulation, own: Address, link: Link) -> Socket:
        return sim.socket(lambda data: receiver.server_receives(data, own), other, down=link)

    def set_link(self, link: Link) -> None:
        """What the pipe is like from now on."""
        self.there.down.link = self.back.down.link = link

    def run(self, seconds: float) -> None:
        self.near.run(seconds)

    def new_streams(self, count: int, rtx: bool) -> list[tuple[int, int]]:
        """SSRCs that no producer had on this pipe."""
        return [(next(self._ssrcs), next(self._ssrcs) if rtx else 0) for _ in range(count)]

    def pipe(
        self, source: Published, encodings: list[Track] | None = None, mapped: dict[str, int] | None = None
    ) -> Published:
        """The producer at the far worker."""
        tracks = encodings or [source.track]
        settings = tracks[0].settings
        video = settings.kind == "video"
        rtx = settings.rtx_payload_type if settings.rtx_ssrc else -1
        codec = (settings.payload_type, rtx, settings.clock_rate, "vp8" if video else "opus", True, video, video)
        streams = self.new_streams(len(tracks), rtx >= 0)
        id = self.far.new_id()
        extensions = {name: value for name, value in (mapped or {}).items() if name in PIPED}
        rows = [(ssrc, rtx_ssrc, "") for ssrc, rtx_ssrc in streams]
        self.far.control("create_producer", id, self.pipes[1], settings.kind, "", rows, [codec], extensions)
        pipes = [(self.near.new_id(), *pair) for pair in streams]
        self.near.control("pipe_producer", self.pipes[0], source.id, pipes)
        return Published(id, source.track, source.member)

    def subscribe(self, name: str, source: Published, **changes: object) -> Consumed:
        """A new peer at the far worker that receives this."""
        member = self.far.add_peer(name)
        self.run(1)
        return self.far.subscribe(member, source, **changes)  # type: ignore[arg-type]
