"""The media side of a generator: the crowd's thread, numbers for what is made in it, and its events to their owners."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import trio

from simplestchat._native.io.crowd import Crowd
from simplestchat._native.peer import swarm as native

if TYPE_CHECKING:
    from simplestchat._native.peer.swarm import Swarm

PathListener = Callable[[str, int, int], None]
"""(``connected``, ICE microseconds, DTLS microseconds), (``disconnected``, 0, 0) or (``failed``, 0, 0)."""

_STATES = {
    native.EVENT_CONNECTED: "connected",
    native.EVENT_DISCONNECTED: "disconnected",
    native.EVENT_FAILED: "failed",
}


class Media:
    """Runs a crowd; what a listener raises goes to ``on_error``."""

    def __init__(self, seed: bytes, on_error: Callable[[Exception], None], *, bind: str = "127.0.0.1") -> None:
        self.crowd = Crowd(seed, bind=bind)
        self.swarm: Swarm = self.crowd.swarm
        self._on_error = on_error
        self._number = 0
        self._paths: dict[int, PathListener] = {}
        self._heard: dict[int, Callable[[], None]] = {}
        self._seen: dict[int, Callable[[], None]] = {}
        self.connected: set[int] = set()
        """Paths that stand just now."""
        self.layers: dict[int, tuple[int, int]] = {}
        """By receiver: what is shown of a video, (encoding or spatial layer, temporal layer)."""
        self.switches: Counter[int] = Counter()
        """By receiver: changes of the first of these."""
        self._thread = threading.Thread(target=self._run_crowd, name="crowd", daemon=True)
        self._failure: OSError | None = None
        self._cpu_clock = 0

    def new_number(self) -> int:
        """A number that names nothing yet."""
        self._number += 1
        return self._number

    def listen(self, path: int, listener: PathListener) -> None:
        """Tell the state of a path from now on."""
        self._paths[path] = listener

    def forget(self, path: int) -> None:
        """Tell no more of a path."""
        self._paths.pop(path, None)
        self.connected.discard(path)

    def when_heard(self, receiver: int, call: Callable[[], None]) -> None:
        """Call once, at the receiver's next first packet."""
        self._heard[receiver] = call

    def when_seen(self, receiver: int, call: Callable[[], None]) -> None:
        """Call once, at the receiver's next first whole keyframe; of audio, at its first packet."""
        self._seen[receiver] = call

    def unhear(self, receiver: int) -> None:
        """Do not call for a receiver any more."""
        self._heard.pop(receiver, None)
        self._seen.pop(receiver, None)

    def forget_layers(self, receiver: int) -> None:
        """The receiver is gone."""
        self.layers.pop(receiver, None)
        self.switches.pop(receiver, None)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()
        assert self._thread.ident is not None
        self._cpu_clock = time.pthread_getcpuclockid(self._thread.ident)

    def _run_crowd(self) -> None:
        try:
            self.crowd.run()
        except OSError as error:
            self._failure = error
            os.eventfd_write(self.crowd.event_fd, 1)

    async def run(self) -> None:
        """Hand events to their owners; never returns. Raises OSError when the machine has no sockets left."""
        descriptor = self.crowd.event_fd
        while True:
            await trio.lowlevel.wait_readable(descriptor)
            try:
                os.read(descriptor, 8)
            except BlockingIOError:
                continue
            for event in self.swarm.take_events():
                try:
                    self._tell(event)
                except Exception as error:
                    self._on_error(error)
            if self._failure is not None:
                raise self._failure

    def stop(self) -> None:
        """End the thread."""
        if self._thread.is_alive():
            self.crowd.stop()
            self._thread.join()

    def cpu_s(self) -> float:
        """Of the media thread so far."""
        return time.clock_gettime(self._cpu_clock) if self._thread.is_alive() else 0.0

    def totals(self) -> dict[str, Any]:
        """Of the crowd's loop."""
        return self.crowd.totals()

    def _tell(self, event: tuple[int, int, int, int]) -> None:
        kind, number, first, second = event
        state = _STATES.get(kind)
        if state is not None:
            listener = self._paths.get(number)
            if listener is not None:
                (self.connected.add if state == "connected" else self.connected.discard)(number)
                listener(state, first, second)
        elif kind == native.EVENT_LAYER:
            before, now = self.layers.get(number), (second >> 8, second & 0xFF)
            self.layers[number] = now
            self.switches[number] += before is not None and before[0] != now[0]
        elif kind in (native.EVENT_FIRST_PACKET, native.EVENT_FIRST_FRAME):
            waiting = self._heard if kind == native.EVENT_FIRST_PACKET else self._seen
            call = waiting.pop(number, None)
            if call is not None:
                call()
