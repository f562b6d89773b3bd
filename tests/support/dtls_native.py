"""DTLS by the product's own endpoint: it keeps virtual time, so it sends again what a bad path lost."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Literal, cast

from support.netem import Clock, Timer
from support.secure import SUITES, DtlsRole, SrtpPair

from simplestchat._native.testing.probe_dtls import Dtls, DtlsContext


@cache
def _context() -> DtlsContext:
    """A key and certificate for all peers of a run: making them is what costs."""
    return DtlsContext()


class NativeDtls:
    """One association that offers every suite."""

    def __init__(
        self,
        clock: Clock,
        role: DtlsRole,
        server_digest: bytes,
        send: Callable[[bytes], None],
        on_connected: Callable[[SrtpPair], None],
    ) -> None:
        self._clock, self._send, self._on_connected = clock, send, on_connected
        self._dtls = Dtls(_context(), role)
        self._dtls.set_fingerprint("sha-256", server_digest)
        self._timer: Timer | None = None
        self._connected = False
        self.error: str | None = None
        self.closed_by_peer = False

    def fingerprint(self, algorithm: str = "sha-256") -> tuple[str, str]:
        digest = _context().fingerprint(cast(Literal["sha-256", "sha-384", "sha-512"], algorithm))
        return algorithm, digest.hex(":").upper()

    def start(self) -> None:
        if self._dtls.state == "new":
            self._dtls.start(self._clock.now)
            self._after()

    def receive(self, datagram: bytes) -> None:
        self.start()
        self._dtls.feed(datagram, self._clock.now)
        self._after()

    def close(self) -> None:
        self._dtls.close()
        self._after()

    def _tick(self) -> None:
        self._dtls.tick(self._clock.now)
        self._after()

    def _after(self) -> None:
        for datagram in self._dtls.drain():
            self._send(datagram)
        state = self._dtls.state
        self.closed_by_peer = state == "closed"
        self.error = "the handshake failed" if state == "failed" else None
        if state == "connected" and not self._connected:
            self._connected = True
            number, key, salt, their_key, their_salt = self._dtls.keys()
            suite = next(suite for suite in SUITES.values() if suite.number == number)
            self._on_connected(SrtpPair(suite, key + salt, their_key + their_salt))
        if self._timer is not None:
            self._timer.cancel()
        deadline = self._dtls.deadline
        self._timer = None if deadline is None else self._clock.call_at(deadline, self._tick)
