"""A person in a room who is no browser: mediasoup's client in Python over aiortc, in a process of its own.

    python participant.py URL ROOM NAME

Sends a moving picture and a tone, takes everything that others send, and writes what it decoded to standard output as
a line of JSON twice a second, with the loudest moment so far:
``{peer name: {"video": frames, "size": [w, h], "audio": frames, "loudness": 0..1}}``.
Ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import contextlib
import fractions
import itertools
import json
import math
import sys
import threading
from array import array
from collections.abc import Coroutine
from typing import Any

from aiortc import MediaStreamTrack
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, VideoStreamTrack
from av import AudioFrame, VideoFrame
from pymediasoup import AiortcHandler, Device
from pymediasoup.rtp_parameters import RtpCapabilities, RtpParameters
from pymediasoup.transport import Transport
from websockets.asyncio.client import ClientConnection, connect

SIZE = (320, 240)
SAMPLE_RATE_HZ = 48_000
TONE_HZ = 440
FULL_SCALE = 32_768
REPORT_S = 0.5


class Picture(VideoStreamTrack):
    """A ramp that moves a little in every frame."""

    async def recv(self) -> VideoFrame:
        pts, time_base = await self.next_timestamp()
        frame = VideoFrame(*SIZE, "yuv420p")
        for index, plane in enumerate(frame.planes):
            row = bytes((x + pts // 1000) % 256 if index == 0 else 128 for x in range(plane.line_size))
            plane.update(row * plane.height)
        frame.pts, frame.time_base = pts, time_base
        return frame


class Tone(AudioStreamTrack):
    """A sine wave at a quarter of full scale, in frames of 20 ms at the moments that the library's silence has."""

    def __init__(self) -> None:
        super().__init__()
        self._samples = itertools.count()

    async def recv(self) -> AudioFrame:
        silence = await super().recv()
        count = SAMPLE_RATE_HZ // 50
        wave = array("h", (self._sample(next(self._samples)) for _ in range(count)))
        frame = AudioFrame("s16", "mono", count)
        frame.planes[0].update(wave.tobytes())
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.pts = silence.pts * SAMPLE_RATE_HZ // silence.sample_rate
        frame.time_base = fractions.Fraction(1, SAMPLE_RATE_HZ)
        return frame

    @staticmethod
    def _sample(index: int) -> int:
        return int(FULL_SCALE / 4 * math.sin(2 * math.pi * TONE_HZ * index / SAMPLE_RATE_HZ))


def loudness(frame: AudioFrame) -> float:
    """The loudest sample of a frame, as a part of full scale."""
    samples = array("h", bytes(frame.planes[0])[: 2 * frame.samples * len(frame.layout.channels)])
    return max(map(abs, samples), default=0) / FULL_SCALE


class Participant:
    """Signaling, a device with both transports, and what has been decoded of each peer."""

    def __init__(self, socket: ClientConnection, group: asyncio.TaskGroup) -> None:
        self._socket = socket
        self._group = group
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._tracks = [Picture(), Tone()]
        self._device = Device(handlerFactory=AiortcHandler.createFactory())
        self._names: dict[str, str] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._transports: list[Transport] = []
        # A peer connection negotiates one thing at a time; the library has no queue for that.
        self._one_at_a_time = asyncio.Lock()
        # Others may publish while this one is still on its way in.
        self._receiving: asyncio.Future[Transport] = asyncio.get_running_loop().create_future()
        self.decoded: dict[str, dict[str, Any]] = {}

    async def request(self, method: str, **params: Any) -> Any:
        number = next(self._ids)
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))
        return await self._answers[number]

    async def read(self) -> None:
        """Hand answers to who waits for them and act on notifications, until the socket closes."""
        async for text in self._socket:
            message = json.loads(text)
            if "method" in message:
                self._notice(message["method"], message.get("params", {}))
            elif "error" in message:
                self._answers.pop(message["id"]).set_exception(RuntimeError(str(message["error"])))
            else:
                self._answers.pop(message["id"]).set_result(message.get("result"))

    def _notice(self, method: str, params: dict[str, Any]) -> None:
        if method == "peer.joined":
            self._names[params["peerId"]] = params["name"]
        elif method == "producer.opened":
            self.spawn(self._consume(params["peerId"], params["producerId"]))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside the rest; an error ends everything."""
        self._tasks.append(self._group.create_task(work))

    async def join(self, room: str, name: str) -> None:
        joined = await self.request("room.join", room=room, name=name)
        await self._device.load(RtpCapabilities.model_validate(joined["rtpCapabilities"]))
        send = await self._transport("send")
        self._receiving.set_result(await self._transport("recv"))
        for peer in joined["peers"]:
            self._names[peer["peerId"]] = peer["name"]
        for track in self._tracks:
            source = "camera" if track.kind == "video" else "microphone"
            await send.produce(track=track, stopTracks=False, appData={"source": source})
        for peer in joined["peers"]:
            for producer in peer["producers"]:
                self.spawn(self._consume(peer["peerId"], producer["producerId"]))

    async def _transport(self, direction: str) -> Transport:
        offer = await self.request("transport.create", direction=direction)
        create = self._device.createSendTransport if direction == "send" else self._device.createRecvTransport
        transport = create(
            id=offer["id"],
            iceParameters=offer["iceParameters"],
            iceCandidates=offer["iceCandidates"],
            dtlsParameters=offer["dtlsParameters"],
            sctpParameters=None,
            iceServers=[],
        )

        @transport.on("connect")
        async def connect_transport(parameters: Any) -> None:
            described = parameters.model_dump(exclude_none=True)
            await self.request("transport.connect", transportId=transport.id, dtlsParameters=described)

        @transport.on("produce")
        async def produce(kind: str, parameters: Any, data: dict[str, Any]) -> str:
            described = parameters.model_dump(exclude_none=True)
            created = await self.request(
                "producer.create", transportId=transport.id, kind=kind, rtpParameters=described, appData=data
            )
            producer: str = created["id"]
            return producer

        self._transports.append(transport)
        return transport

    async def _consume(self, peer: str, producer: str) -> None:
        receiving = await self._receiving
        capabilities = self._device.recvRtpCapabilities
        assert capabilities is not None
        offer = await self.request(
            "consumer.create",
            transportId=receiving.id,
            producerId=producer,
            rtpCapabilities=capabilities.model_dump(exclude_none=True),
            paused=True,
        )
        async with self._one_at_a_time:
            consumer = await receiving.consume(
                id=offer["id"],
                producerId=producer,
                kind=offer["kind"],
                rtpParameters=RtpParameters.model_validate(offer["rtpParameters"]),
            )
        await self.request("consumer.resume", consumerId=offer["id"])
        await self._decode(self._names[peer], consumer.track)

    async def _decode(self, name: str, track: MediaStreamTrack) -> None:
        seen = self.decoded.setdefault(name, {"video": 0, "size": [0, 0], "audio": 0, "loudness": 0.0})
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                seen[track.kind] += 1
                if isinstance(frame, VideoFrame):
                    seen["size"] = [frame.width, frame.height]
                elif isinstance(frame, AudioFrame):
                    seen["loudness"] = max(seen["loudness"], loudness(frame))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        for transport in self._transports:
            await transport.close()


def when_input_ends() -> asyncio.Event:
    """An event that is set at the end of standard input; waiting for it keeps no process alive."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    def watch() -> None:
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=watch, daemon=True).start()
    return ended


async def main(url: str, room: str, name: str) -> None:
    """Take part and report until standard input ends."""
    ended = when_input_ends()
    address = url.replace("http", "ws", 1) + "/ws"
    async with connect(address, max_size=16 << 20, compression=None) as socket, asyncio.TaskGroup() as group:
        participant = Participant(socket, group)
        participant.spawn(participant.read())
        await participant.join(room, name)
        while not ended.is_set():
            print(json.dumps(participant.decoded), flush=True)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), REPORT_S)
        await participant.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
