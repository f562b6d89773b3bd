"""The controlling ICE agent of a synthetic peer (RFC 8445), as far as it needs to be before an ICE-lite server.

STUN messages are made and read by aioice.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from aioice import stun
from support.netem import Clock, Timer

CHECK_PACE_US = 50_000
CONSENT_PACE_US = 2_500_000
_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_PRIORITY = 1853824767


@dataclass(frozen=True)
class IceCredentials:
    ufrag: str
    password: str


class IceAgent:
    """Checks the one server candidate until it answers, nominates it, then keeps consent fresh."""

    def __init__(self, clock: Clock, rng: random.Random, remote: IceCredentials, send: Callable[[bytes], None]) -> None:
        self._clock, self._rng, self._send = clock, rng, send
        self.remote = remote
        self.local = IceCredentials("".join(rng.choices(_CHARACTERS, k=4)), "".join(rng.choices(_CHARACTERS, k=24)))
        self._tie_breaker = rng.getrandbits(64)
        self._pending: dict[bytes, tuple[int, bool]] = {}
        self._timer: Timer | None = None
        self.nominated = False
        self.on_nominated: Callable[[], None] = lambda: None
        self.succeeded = 0
        self.last_success_us = 0
        self.mapped: tuple[str, int] | None = None
        self.errors: list[int] = []

    def start(self) -> None:
        self._check()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def restart(self, remote: IceCredentials | None = None) -> None:
        """Checks again from the beginning: with new credentials, or because our address changed."""
        if remote is not None:
            self.remote = remote
        self.nominated = False
        self._pending.clear()
        self.stop()
        self.start()

    def request(self, nominate: bool, **changes: str) -> bytes:
        """A connectivity check; `changes` may put in another `username` or `password`."""
        message = stun.Message(
            message_method=stun.Method.BINDING,
            message_class=stun.Class.REQUEST,
            transaction_id=self._rng.randbytes(12),
        )
        message.attributes["USERNAME"] = changes.get("username", f"{self.remote.ufrag}:{self.local.ufrag}")
        message.attributes["PRIORITY"] = _PRIORITY
        message.attributes["ICE-CONTROLLING"] = self._tie_breaker
        if nominate:
            message.attributes["USE-CANDIDATE"] = None
        message.add_message_integrity(changes.get("password", self.remote.password).encode())
        self._pending[message.transaction_id] = (self._clock.now, nominate)
        return bytes(message)

    def _check(self) -> None:
        self._send(self.request(nominate=self.succeeded > 0 or self.nominated))
        pace = CONSENT_PACE_US if self.nominated else CHECK_PACE_US
        self._timer = self._clock.call_in(pace, self._check)

    def receive(self, data: bytes) -> None:
        message = stun.parse_message(data)
        pending = self._pending.pop(message.transaction_id, None)
        if pending is None or not message.check_message_integrity(self.remote.password.encode()):
            return
        if message.message_class == stun.Class.ERROR:
            self.errors.append(message.attributes["ERROR-CODE"][0])
            return
        self.succeeded += 1
        self.last_success_us = self._clock.now
        self.mapped = message.attributes["XOR-MAPPED-ADDRESS"]
        if self.nominated:
            return
        self.stop()
        if pending[1]:
            self.nominated = True
            self._timer = self._clock.call_in(CONSENT_PACE_US, self._check)
            self.on_nominated()
        else:
            self._check()
