"""An in-memory media port that remembers what it was asked, and signaling around it, for tests of rooms."""

from __future__ import annotations

import itertools
import json
import random
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from simplestchat.errors import MediaMisuse, MediaUnavailable
from simplestchat.model.media import (
    ConsumerSpec,
    Decision,
    DtlsRole,
    Fingerprint,
    IceCandidate,
    IceParameters,
    ProducerSpec,
    Traffic,
    TransportInfo,
)
from simplestchat.signaling.hub import Hub
from simplestchat.signaling.limits import Limits
from simplestchat.signaling.session import Session

VP8 = {
    "codecs": [{"mimeType": "video/VP8", "payloadType": 96, "clockRate": 90000}],
    "encodings": [{"ssrc": 1111}],
}
OPUS = {
    "codecs": [{"mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2}],
    "encodings": [{"ssrc": 2222}],
}
CAPABILITIES = {
    "codecs": [
        {
            "mimeType": "audio/opus",
            "kind": "audio",
            "preferredPayloadType": 109,
            "clockRate": 48000,
            "channels": 2,
        },
        {"mimeType": "video/VP8", "kind": "video", "preferredPayloadType": 120, "clockRate": 90000},
        {"mimeType": "video/VP9", "kind": "video", "preferredPayloadType": 121, "clockRate": 90000},
        {"mimeType": "video/AV1", "kind": "video", "preferredPayloadType": 122, "clockRate": 90000},
        {
            "mimeType": "video/H264",
            "kind": "video",
            "preferredPayloadType": 123,
            "clockRate": 90000,
            "parameters": {"packetization-mode": 1, "profile-level-id": "42e01f"},
        },
    ]
}
DTLS = {
    "role": "client",
    "fingerprints": [{"algorithm": "sha-256", "value": ":".join(["AB"] * 32)}],
}


class Hold:
    """Suspends a coroutine until somebody drives it on."""

    def __await__(self) -> Any:
        return (yield self)


class Recorder:
    """Holds rooms, transports, producers and consumers as a worker would; can be told to fail or to wait."""

    def __init__(self) -> None:
        self.rooms: set[str] = set()
        self.transports: dict[int, str] = {}
        self.producers: dict[int, int] = {}
        self.consumers: dict[int, tuple[int, int]] = {}
        self.paused: set[int] = set()
        self.held: set[int] = set()
        self.voices: set[int] = set()
        self.specs: dict[int, ProducerSpec | ConsumerSpec] = {}
        self.connected: dict[int, tuple[str, tuple[Fingerprint, ...]]] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.chosen: list[Decision] = []
        """What is answered when somebody asks for decisions."""
        self.fail: dict[str, Exception] = {}
        self.hold: set[str] = set()
        """Calls that wait before they have done anything."""
        self.hold_answer: set[str] = set()
        """Calls that wait when all is done."""
        self._numbers = itertools.count(1)

    async def _enter(self, name: str, *arguments: object) -> None:
        self.calls.append((name, *arguments))
        if name in self.hold:
            await Hold()
        if name in self.fail:
            raise self.fail[name]

    async def _answer(self, name: str, undo: Callable[[], object]) -> None:
        """The work is done and its answer under way; who is cancelled meanwhile has it undone, as the port promises."""
        if name in self.hold_answer:
            try:
                await Hold()
            except BaseException:
                undo()
                raise

    def lose_worker(self, *rooms: str) -> tuple[int, ...]:
        """Forget the transports of these rooms, by default of all, as a killed worker does; their numbers."""
        lost = tuple(one for one, room in self.transports.items() if not rooms or room in rooms)
        for number in lost:
            self._close_transport(number)
        return lost

    async def open_room(self, room_id: str) -> None:
        await self._enter("open_room", room_id)
        self.rooms.add(room_id)

    async def close_room(self, room_id: str) -> None:
        await self._enter("close_room", room_id)
        self.rooms.discard(room_id)
        for number in [one for one, room in self.transports.items() if room == room_id]:
            self._close_transport(number)

    async def create_transport(self, room_id: str, peer_id: str = "") -> TransportInfo:
        await self._enter("create_transport", room_id, peer_id)
        if room_id not in self.rooms:
            raise MediaUnavailable()
        number = next(self._numbers)
        self.transports[number] = room_id
        await self._answer("create_transport", lambda: self._close_transport(number))
        if number not in self.transports:
            raise MediaUnavailable()
        return TransportInfo(
            id=number,
            ice=IceParameters("ufrag", "password"),
            candidates=(IceCandidate("1", 2130706431, "192.0.2.1", 40000),),
            fingerprints=(Fingerprint("sha-256", "00:11"),),
        )

    async def connect_transport(self, transport: int, role: DtlsRole, fingerprints: Sequence[Fingerprint]) -> None:
        await self._enter("connect_transport", transport)
        self._need(transport in self.transports)
        self.connected[transport] = (role, tuple(fingerprints))

    async def restart_ice(self, transport: int) -> IceParameters:
        await self._enter("restart_ice", transport)
        self._need(transport in self.transports)
        return IceParameters("again", "secret")

    async def transport_stats(self, transport: int) -> dict[str, object]:
        await self._enter("transport_stats", transport)
        self._need(transport in self.transports)
        return {
            "state": "new",
            **dict.fromkeys(("packets_in", "packets_out", "bytes_in", "bytes_out", "dropped_in"), 0),
            **dict.fromkeys(("producers", "consumers", "round_trip_us", "available_bitrate_bps"), 0),
            **dict.fromkeys(("sent_bitrate_bps", "queue_us"), 0),
            "loss": 0.0,
            "bwe": "",
        }

    async def traffic(self, room_id: str, transports: Sequence[int]) -> Sequence[Traffic]:
        await self._enter("traffic", room_id, *transports)
        return [Traffic(one, 1000 * one, 10 * one, 100, 1, 90, 95, 2) for one in transports if one in self.transports]

    async def close_transport(self, transport: int) -> None:
        await self._enter("close_transport", transport)
        self._close_transport(transport)

    def _close_transport(self, transport: int) -> None:
        self.transports.pop(transport, None)
        for number in [one for one, home in self.producers.items() if home == transport]:
            self._close_producer(number)
        for number in [one for one, (home, _) in self.consumers.items() if home == transport]:
            del self.consumers[number]

    async def create_producer(self, transport: int, spec: ProducerSpec, *, voice: bool = False) -> int:
        await self._enter("create_producer", transport, spec)
        self._need(transport in self.transports)
        number = next(self._numbers)
        self.producers[number] = transport
        self.specs[number] = spec
        if voice:
            self.voices.add(number)
        await self._answer("create_producer", lambda: self._close_producer(number))
        return number

    async def pause_producer(self, producer: int) -> None:
        await self._enter("pause_producer", producer)
        self._need(producer in self.producers)
        self.paused.add(producer)

    async def resume_producer(self, producer: int) -> None:
        await self._enter("resume_producer", producer)
        self._need(producer in self.producers)
        self.paused.discard(producer)

    def hold_producer(self, producer: int, held: bool) -> None:
        self.calls.append(("hold_producer", producer, held))
        (self.held.add if held else self.held.discard)(producer)

    async def close_producer(self, producer: int) -> None:
        await self._enter("close_producer", producer)
        self._close_producer(producer)

    def _close_producer(self, producer: int) -> None:
        self.producers.pop(producer, None)
        self.held.discard(producer)
        for number in [one for one, (_, source) in self.consumers.items() if source == producer]:
            del self.consumers[number]

    async def create_consumer(self, transport: int, producer: int, spec: ConsumerSpec) -> int:
        await self._enter("create_consumer", transport, producer, spec)
        self._need(transport in self.transports and producer in self.producers)
        number = next(self._numbers)
        self.consumers[number] = (transport, producer)
        self.specs[number] = spec
        if spec.paused:
            self.paused.add(number)
        await self._answer("create_consumer", lambda: self.consumers.pop(number, None))
        return number

    async def pause_consumer(self, consumer: int) -> None:
        await self._enter("pause_consumer", consumer)
        self._need(consumer in self.consumers)
        self.paused.add(consumer)

    async def resume_consumer(self, consumer: int) -> None:
        await self._enter("resume_consumer", consumer)
        self._need(consumer in self.consumers)
        self.paused.discard(consumer)

    async def close_consumer(self, consumer: int) -> None:
        await self._enter("close_consumer", consumer)
        self.consumers.pop(consumer, None)

    async def request_keyframe(self, consumer: int) -> None:
        await self._enter("request_keyframe", consumer)
        self._need(consumer in self.consumers)

    async def set_preferred_layers(self, consumer: int, spatial: int, temporal: int) -> None:
        await self._enter("set_preferred_layers", consumer, spatial, temporal)
        self._need(consumer in self.consumers)

    def set_priority(self, consumer: int, priority: int) -> None:
        self.calls.append(("set_priority", consumer, priority))

    def set_view(self, consumer: int, width: int, height: int) -> None:
        self.calls.append(("set_view", consumer, width, height))

    def set_loudest(self, room_id: str, limit: int) -> None:
        self.calls.append(("set_loudest", room_id, limit))

    async def decisions(self, transport: int) -> Sequence[Decision]:
        await self._enter("decisions", transport)
        self._need(transport in self.transports)
        return self.chosen

    @staticmethod
    def _need(there: bool) -> None:
        if not there:
            raise MediaMisuse("gone")


class Waiting:
    """A coroutine that waits at a ``Hold``."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any] | bytes | None) -> None:
        assert isinstance(coroutine, Coroutine), "nothing was waited for"
        self._coroutine = coroutine
        self._coroutine.send(None)

    def go_on(self) -> Any:
        """Let it finish; its result."""
        return finish(self._coroutine)

    def cancel(self) -> None:
        """Cancel it where it waits, as an event loop does."""
        self._coroutine.close()


def finish(coroutine: Coroutine[Any, Any, Any] | bytes | None) -> Any:
    """Run a coroutine that waits for nothing but holds to its end; what is no coroutine is its own end."""
    if coroutine is None or isinstance(coroutine, bytes):
        return coroutine
    try:
        while True:
            coroutine.send(None)
    except StopIteration as stop:
        return stop.value


class Box:
    """An outbox that keeps what it is given."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.closed: tuple[int, str] | None = None

    def push(self, message: bytes) -> None:
        self.frames.append(message)

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)

    def take(self) -> list[dict[str, Any]]:
        """The notifications since the last call."""
        frames, self.frames = self.frames, []
        return [json.loads(frame) for frame in frames]


class Client:
    """A connection with short words for calls."""

    def __init__(self, world: World, origin: str = "") -> None:
        self.box = Box()
        self.session: Session = world.hub.open_session(self.box, origin=origin)
        self._ids = itertools.count(1)
        self.joined: dict[str, Any] = {}

    def request(self, method: str, **params: object) -> str:
        return json.dumps({"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params})

    def raw(self, text: str | bytes) -> dict[str, Any] | None:
        answer = finish(self.session.handle(text))
        return None if answer is None else json.loads(answer)

    def ask(self, method: str, **params: object) -> dict[str, Any]:
        """The whole answer to a request."""
        answer = self.raw(self.request(method, **params))
        assert answer is not None
        return answer

    def call(self, method: str, **params: object) -> Any:
        """The result of a request that must work."""
        answer = self.ask(method, **params)
        assert "result" in answer, answer
        return answer["result"]

    def refused(self, method: str, **params: object) -> str:
        """The reason why a request is refused."""
        answer = self.ask(method, **params)
        assert "error" in answer, answer
        return str(answer["error"]["data"]["reason"])

    def begin(self, method: str, **params: object) -> Waiting:
        """Start a request that will wait at a hold."""
        return Waiting(self.session.handle(self.request(method, **params)))

    def join(self, room: str = "room", name: str = "Ada", **params: object) -> dict[str, Any]:
        self.joined = self.call("room.join", room=room, name=name, **params)
        return self.joined

    @property
    def id(self) -> str:
        return str(self.joined["peerId"])

    def transport(self, direction: str) -> str:
        return str(self.call("transport.create", direction=direction)["id"])

    def produce(self, transport: str, kind: str = "video", ssrc: int = 0, **extra: object) -> str:
        parameters = VP8 if kind == "video" else OPUS
        if ssrc:
            parameters = {**parameters, "encodings": [{"ssrc": ssrc}]}
        result = self.call("producer.create", transportId=transport, kind=kind, rtpParameters=parameters, **extra)
        return str(result["id"])

    def consume(self, transport: str, producer: str, **extra: object) -> dict[str, Any]:
        result: dict[str, Any] = self.call(
            "consumer.create", transportId=transport, producerId=producer, rtpCapabilities=CAPABILITIES, **extra
        )
        return result

    def drop(self) -> None:
        """Lose the socket."""
        finish(self.session.closed("lost"))

    def methods(self) -> list[str]:
        """The names of the notifications since the last look."""
        return [one["method"] for one in self.box.take()]


class World:
    """A hub on a media recorder, with a clock that the test moves and randomness from a seed."""

    def __init__(self, limits: Limits | None = None, seed: int = 1) -> None:
        self.media = Recorder()
        self.now = 1000.0
        self.todo: deque[Callable[[], Awaitable[None]]] = deque()
        self._random = random.Random(seed)
        self.hub = Hub(
            self.media,
            clock=lambda: self.now,
            wall_ms=lambda: 1_700_000_000_000 + int(self.now * 1000),
            start=self.todo.append,
            entropy=self._random.randbytes,
            limits=limits,
        )

    def client(self, origin: str = "") -> Client:
        return Client(self, origin)

    def joined(self, room: str = "room", name: str = "Ada", **params: object) -> Client:
        client = Client(self)
        client.join(room, name, **params)
        return client

    def settle(self) -> None:
        """Run what was started."""
        while self.todo:
            finish(self.todo.popleft()())  # type: ignore[arg-type]

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.hub.tick()
        self.settle()
