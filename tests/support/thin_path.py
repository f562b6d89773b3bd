"""A path of a chosen bitrate between a browser and the server's media port: the emulated network in real time."""

from __future__ import annotations

import random
import select
import socket
import threading
import time
from typing import Self

from support.netem import Clock, Link, Path

TICK_S = 0.002
DATAGRAM = 2048
NUMBER_BYTES = 2
QUEUE_S = 0.3
OPEN = Link(delay_us=10_000)


def thin(rate_bps: int) -> Link:
    """A path of that bitrate, with a queue of 300 ms."""
    return OPEN.but(rate_bps=rate_bps, queue_bytes=round(rate_bps / 8 * QUEUE_S))


# Of the server's addresses only the one on this machine is left, with another port.
REROUTE = r"""
(() => {
  const native = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function ({ type, sdp }) {
    const lines = sdp.split("\r\n").filter((line) => !line.startsWith("a=candidate:") || line.includes(" 127.0.0.1 "));
    const moved = lines.map((line) => line.replace(/^(a=candidate:.* 127\.0\.0\.1) \d+ /, "$1 PORT "));
    return native.call(this, { type, sdp: moved.join("\r\n") });
  };
})();
"""


def reroute(port: int) -> str:
    """A script for a page, ahead of its own: media goes to this port of this machine, not where the server says."""
    return REROUTE.replace("PORT", str(port))


class ThinPath:
    """Passes datagrams on both ways; all that goes to the browser shares one bottleneck."""

    def __init__(self, server_port: int) -> None:
        self._server = ("127.0.0.1", server_port)
        self._outer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._outer.bind(("127.0.0.1", 0))
        self._inner: dict[tuple[str, int], socket.socket] = {}
        self._browsers: list[tuple[str, int]] = []
        self._clock = Clock(self._now_us())
        self.down = Path(self._clock, random.Random(1), OPEN, self._deliver)
        self.port: int = self._outer.getsockname()[1]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @staticmethod
    def _now_us() -> int:
        return time.monotonic_ns() // 1000

    def _deliver(self, data: bytes) -> None:
        number = int.from_bytes(data[:NUMBER_BYTES], "big")
        self._outer.sendto(data[NUMBER_BYTES:], self._browsers[number])

    def _upstream(self, browser: tuple[str, int]) -> socket.socket:
        """The server sees each of the browser's sockets as one of its own."""
        if browser not in self._inner:
            made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            made.connect(self._server)
            self._inner[browser] = made
            self._browsers.append(browser)
        return self._inner[browser]

    def _run(self) -> None:
        while not self._over.is_set():
            readable, _, _ = select.select([self._outer, *self._inner.values()], [], [], TICK_S)
            self._clock.run_until(max(self._clock.now, self._now_us()))
            if self._outer in readable:
                data, browser = self._outer.recvfrom(DATAGRAM)
                self._upstream(browser).send(data)
            for number, browser in enumerate(self._browsers):
                if self._inner[browser] in readable:
                    self.down.send(number.to_bytes(NUMBER_BYTES, "big") + self._inner[browser].recv(DATAGRAM))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        for one in (self._outer, *self._inner.values()):
            one.close()
