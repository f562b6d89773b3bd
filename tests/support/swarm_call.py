"""Calls of synthetic users with the server's engine, in virtual time: a swarm and a shard on one emulated network."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from support.netem import Link, Timer
from support.simulation import SERVER, Simulation, Socket

from simplestchat._native.peer.swarm import Swarm

if TYPE_CHECKING:
    from simplestchat._native.peer.swarm import LayerInfo, ReceiverInfo, SenderInfo

CODECS = {
    "opus": (111, -1, 48_000),
    "vp8": (96, 97, 90_000),
    "h264": (98, 99, 90_000),
    "vp9": (102, 103, 90_000),
    "av1": (45, 46, 90_000),
}
CONSUMED = {"opus": (100, -1), "vp8": (120, 121), "h264": (122, 123), "vp9": (124, 125), "av1": (126, 127)}
EXTENSIONS = {"mid": 1, "audio-level": 4}


class SwarmCall:
    """Synthetic users of one swarm; a path's number is its transport's at the shard."""

    def __init__(
        self, seed: int, up: Link | None = None, down: Link | None = None, suites: tuple[str, ...] = ()
    ) -> None:
        self.sim = Simulation(seed, up, down)
        self.swarm = Swarm(str(seed).encode(), *suites)
        self.swarm.tick(self.sim.clock.now)
        self.sockets: dict[int, Socket] = {}
        self.events: list[tuple[int, int, int, int, int]] = []
        self.sent: dict[int, list[bytes]] = defaultdict(list)
        self._timer: Timer | None = None
        self._armed_us = 0
        self._senders: dict[int, SenderInfo] = {}

    def run(self, seconds: float) -> None:
        self.sim.run(seconds)

    def do(self, method: str, *arguments: Any, **named: Any) -> Any:
        """Calls a method of the swarm at the present moment."""
        self.swarm.tick(self.sim.clock.now)
        result = getattr(self.swarm, method)(*arguments, **named)
        self.pump()
        return result

    def pump(self) -> None:
        """Sends what the swarm wants to send, keeps its events, and sets its alarm."""
        now = self.sim.clock.now
        for path, data in self.swarm.drain():
            self.sent[path].append(data)
            if path in self.sockets:
                self.sockets[path].send(data)
        self.events += [(now, *event) for event in self.swarm.take_events()]
        deadline = self.swarm.next_deadline()
        if self._timer is None or deadline < self._armed_us:
            if self._timer is not None:
                self._timer.cancel()
            self._armed_us = min(max(deadline, now + 1), now + 3_600_000_000)
            self._timer = self.sim.clock.call_at(self._armed_us, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.swarm.tick(self.sim.clock.now)
        self.pump()

    def _received(self, path: int, data: bytes) -> None:
        if path in self.sockets:
            self.swarm.feed(path, data, self.sim.clock.now)
            self.pump()

    def of(self, kind: int, id: int) -> list[tuple[int, int, int, int, int]]:
        """The events of a kind about a path or receiver."""
        return [event for event in self.events if event[1] == kind and event[2] == id]

    # Users.

    def join(self, *, up: Link | None = None, down: Link | None = None) -> int:
        """A path that begins to connect; its number."""
        path = self.sim.new_id()
        ufrag, password = self.sim.control("create_transport", path)  # type: ignore[misc]
        self.sockets[path] = self.sim.socket(lambda data: self._received(path, data), up=up, down=down)
        self.sim.control("connect_transport", path, "client", [self.swarm.fingerprint])
        fingerprint = self.sim.shard.fingerprints()[0]
        self.do("add_path", path, path, SERVER, ufrag, password, fingerprint, path)
        return path

    def leave(self, path: int) -> dict[str, int]:
        totals: dict[str, int] = self.do("remove_path", path)
        del self.sockets[path]
        return totals

    def move(self, path: int) -> None:
        """Its datagrams come from a new address; what is sent to the old one is lost."""
        old = self.sockets[path]
        self.sockets[path] = self.sim.socket(
            lambda data: self._received(path, data), up=old.up.link, down=old.down.link
        )
        self.sim.sockets[old.address] = self.sim.socket()
        self.do("rebind", path)

    def publish(self, path: int, codec: str = "opus", *, engine: tuple[Any, ...] = (), **changes: Any) -> int:
        """A track and its producer; the number of both.

        The server is not told of `hidden` header extensions; ``engine`` are further arguments of create_producer.
        """
        hidden = changes.pop("hidden", ())
        id = self.sim.new_id()
        payload_type, rtx, clock_rate = CODECS[codec]
        video = codec != "opus"
        ssrc, rtx_ssrc = (self.sim.rng.randrange(1, 1 << 32) for _ in range(2))
        layer: LayerInfo = {
            "ssrc": ssrc,
            "rtx_ssrc": rtx_ssrc if video else 0,
            "bitrate_bps": 600_000 if video else 32_000,
            "width": 640 if video else 0,
            "height": 360 if video else 0,
            "rid": "",
        }
        info: SenderInfo = {
            "user": path,
            "track": int(video),
            "codec": codec,
            "payload_type": payload_type,
            "rtx_payload_type": rtx,
            "clock_rate": clock_rate,
            "fps": 30 if video else 0,
            "max_payload": 1100,
            "ext": {"mid": 1} if video else EXTENSIONS,
            "mid": str(id),
            "talk": 1,
            "dtx": False,
            "talk_ms": 1000,
            "silence_ms": 1000,
            "seed": id,
            "layers": [layer],
        }
        info.update(changes)  # type: ignore[typeddict-item]
        self._senders[id] = info
        streams = [(layer["ssrc"], layer["rtx_ssrc"], "") for layer in info["layers"]]
        codecs = [(payload_type, rtx, clock_rate, codec, video, video, video)]
        kind = "video" if video else "audio"
        ext = {name: number for name, number in info["ext"].items() if name not in hidden}
        self.sim.control("create_producer", id, path, kind, info["mid"], streams, codecs, ext, *engine)
        self.do("add_sender", id, path, info)
        return id

    def subscribe(
        self,
        path: int,
        producer: int,
        *,
        paused: bool = False,
        visit: int = 0,
        wanted_us: int | None = None,
        rtx: bool = True,
        ext: dict[str, int] | None = None,
    ) -> int:
        """A receiver and its consumer; the number of both. `ext` are header extensions of both, by name."""
        id = self.sim.new_id()
        source = self._senders[producer]
        payload_type, rtx_payload_type = CONSUMED[source["codec"]]
        if not rtx:
            rtx_payload_type = -1
        ssrc = self.sim.rng.randrange(1, 1 << 32)
        rtx_ssrc = self.sim.rng.randrange(1, 1 << 32) if rtx_payload_type >= 0 else 0
        info: ReceiverInfo = {
            "user": source["user"],
            "visit": visit,
            "track": source["track"],
            "codec": source["codec"],
            "payload_type": payload_type,
            "rtx_payload_type": rtx_payload_type,
            "ssrc": ssrc,
            "rtx_ssrc": rtx_ssrc,
            "clock_rate": source["clock_rate"],
            "ext": ext or {},
        }
        if wanted_us is not None:
            info["wanted_us"] = wanted_us
        self.do("add_receiver", id, path, info)
        maps = [(source["payload_type"], payload_type, rtx_payload_type)]
        self.sim.control("create_consumer", id, path, producer, ssrc, rtx_ssrc, maps, ext or {}, "", paused)
        return id

    def path(self, path: int) -> dict[str, int]:
        totals: dict[str, int] = self.do("path_totals", path)
        return totals

    def sender(self, sender: int) -> dict[str, Any]:
        totals: dict[str, Any] = self.do("sender_totals", sender)
        return totals

    def receiver(self, receiver: int) -> dict[str, int]:
        totals: dict[str, int] = self.do("receiver_totals", receiver)
        return totals
