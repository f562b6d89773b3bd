"""The main program of a worker process: `python -m simplestchat.media.worker CONTROL_FD`.

It makes itself ready, waits to be told a UDP port, and serves the control channel with one native loop until that
closes. Signals that end a node are ignored here: the terminal sends SIGINT to the whole process group, and calls must
outlive the node's draining.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from simplestchat._native.core.errors import LIMIT, MisuseError, NativeError, PeerError
from simplestchat._native.crypto import srtp_backend
from simplestchat._native.engine.shard import Shard
from simplestchat._native.io.loop import Loop

from .footprint import Meter
from .reading import Reading
from .wire import CALLS, EVENT, FAILURE, REPLY, Call, FrameReader, Serve, Stats, frame

_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15
_READ_BYTES = 65536
SEED_BYTES = 32  # of the generator that makes credentials
EXIT_CANNOT_START = 3


class Dispatcher:
    """Turns requests into calls of the shard, by the explicit table `CALLS`; `stats` answers for the whole process."""

    def __init__(self, shard: Shard, stats: Callable[[], Reading]) -> None:
        self._methods: dict[str, tuple[Callable[..., Any], type[Call]]] = {
            name: (getattr(shard, name), call) for name, call in CALLS.items()
        }
        self._methods[Stats.METHOD] = (stats, Stats)
        self._request = msgspec.msgpack.Decoder(tuple[int, str, msgspec.Raw])
        self._encode = msgspec.msgpack.Encoder().encode

    def handle(self, payload: bytes) -> bytes:
        """Answer one request; never raises, so that no request can end the loop."""
        request_id = 0
        try:
            request_id, name, raw = self._request.decode(payload)
            method, call = self._methods[name]
            parameters = msgspec.msgpack.decode(raw, type=call)
            result = method(*(getattr(parameters, field) for field in call.__struct_fields__))
            return self._encode((REPLY, request_id, result))
        except PeerError as exc:
            return self._failure(request_id, "peer", str(exc))
        except MisuseError as exc:
            return self._failure(request_id, "limit" if exc.status == LIMIT else "misuse", str(exc))
        except (msgspec.DecodeError, KeyError) as exc:
            return self._failure(request_id, "misuse", str(exc))
        except Exception as exc:
            return self._failure(request_id, "internal", f"{type(exc).__name__}: {exc}")

    def encode_events(self, events: list[tuple[object, ...]]) -> list[bytes]:
        """Return one message for each event."""
        return [self._encode((EVENT, *event)) for event in events]

    def _failure(self, request_id: int, code: str, text: str) -> bytes:
        return self._encode((FAILURE, request_id, {"code": code, "message": text}))


def bind_to_node() -> None:
    """Die with the node even when the loop is stuck, and leave ending to the control channel otherwise."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def call_itself(name: str) -> None:
    """Take a name for `ps` and `top`; the kernel keeps 15 bytes of it."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)


def main(arguments: list[str], make_shard: Callable[[int], Shard] = Shard) -> int:
    """Serve one control channel with the shard that ``make_shard`` makes from a seed."""
    bind_to_node()
    control_fd = int(arguments[0])
    with socket.socket(fileno=control_fd) as control:
        try:
            shard = make_shard(int.from_bytes(os.urandom(SEED_BYTES), "big"))
            order = _wait(control)
            if order is None:
                return 0
            srtp_backend.choose(order.srtp_backend)
            loop, dispatcher = _build(control_fd, order, shard)
        except (NativeError, OSError) as exc:
            _send(control, (FAILURE, 0, {"code": "internal", "message": str(exc)}))
            return EXIT_CANNOT_START
        call_itself(f"media-worker-{order.index}")
        loop.send(dispatcher.encode_events([("hello", loop.port, loop.shard.fingerprints())])[0])
        gc.collect()
        gc.freeze()
        loop.run()
    return 0


def _wait(control: socket.socket) -> Serve | None:
    """Say that this process is ready and wait until it is told to serve; None when the node hangs up instead."""
    call_itself("media-spare")
    _send(control, (EVENT, "waiting"))
    reader = FrameReader()
    while data := control.recv(_READ_BYTES):
        for _, method, parameters in reader.feed(data):
            if method != Serve.METHOD:
                raise OSError(f"told to {method} before it serves")
            return msgspec.convert(parameters, Serve)
    return None


def _send(control: socket.socket, message: tuple[object, ...]) -> None:
    """Send a message to a node, if there is one still."""
    with contextlib.suppress(ConnectionError):
        control.sendall(frame(msgspec.msgpack.encode(message)))


def _build(control_fd: int, order: Serve, shard: Shard) -> tuple[Loop, Dispatcher]:
    holder: list[Dispatcher] = []
    loop = Loop(
        control_fd,
        order.port,
        shard,
        offload=order.udp_offload,
        handle=lambda payload: holder[0].handle(payload),
        encode_events=lambda events: holder[0].encode_events(events),
    )
    meter = Meter()
    ciphers = srtp_backend.chosen()
    holder.append(Dispatcher(loop.shard, lambda: Reading(loop.shard.stats(), loop.forwarding(), meter.take(), ciphers)))
    return loop, holder[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
