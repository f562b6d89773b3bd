"""JSON-RPC over one WebSocket: requests with deadlines, and notices decoded once for all users of the process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

import msgspec
import trio

from simplestchat.load.counts import Tally, now_us
from simplestchat.load.lines import Line, Lines
from simplestchat.signaling.notices import Notice
from simplestchat.signaling.registry import METHODS, NOTICES
from simplestchat.signaling.requests import Nothing

DEADLINE_US = 10_000_000  # of a request
UNANSWERED_US = 5_000_000  # of one that the run's end finds without an answer
_NOTICES_KEPT = 1024  # raw messages whose meaning is remembered: a room's members get the same bytes
_ANSWER: Final = b'{"jsonrpc":"2.0","id":'

LOST: Final = "connection-lost"
TIMEOUT: Final = "timeout"


class _ErrorData(msgspec.Struct, frozen=True):
    reason: str = "unknown"


class _Error(msgspec.Struct, frozen=True):
    message: str = ""
    data: _ErrorData = _ErrorData()


class _Message(msgspec.Struct, frozen=True):
    """An answer or a notice."""

    id: int | None = None
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: _Error | None = None
    method: str = ""
    params: msgspec.Raw = msgspec.Raw(b"{}")
    seq: int = 0


class _Request(msgspec.Struct, frozen=True, tag_field="jsonrpc", tag="2.0"):
    id: int
    method: str
    params: Any


_MESSAGE = msgspec.json.Decoder(_Message)
_RESULTS = {name: msgspec.json.Decoder(method.result) for name, method in METHODS.items()}
_NOTICE_DECODERS = {name: msgspec.json.Decoder(kind) for name, kind in NOTICES.items()}
_ENCODER = msgspec.json.Encoder()
_NOTHING = Nothing()


class RequestFailed(Exception):
    """A request was refused, not answered in time, or its connection is gone: ``reason`` is the server's word, or
    ``LOST`` or ``TIMEOUT``.
    """

    def __init__(self, method: str, reason: str, message: str = "") -> None:
        super().__init__(f"{method}: {reason}" + (f" ({message})" if message else ""))
        self.method = method
        self.reason = reason


class Listener(Protocol):
    """Who hears what a client has to tell."""

    def on_notice(self, notice: Notice, seq: int) -> None:
        """A notification; ``seq`` is 0 when it has none."""

    def on_lost(self, why: str) -> None:
        """The connection is gone, and nobody here closed it."""


class Pending:
    """A request under way. ``callback`` is called when it is over."""

    __slots__ = ("callback", "done", "due_us", "failure", "method", "result", "sent_us")

    def __init__(self, method: str, due_us: int, callback: Callable[[Pending], None] | None) -> None:
        self.method = method
        self.due_us = due_us
        self.sent_us = now_us()
        self.callback = callback
        self.done = trio.Event()
        self.result: Any = None
        self.failure: RequestFailed | None = None

    def settle(self) -> None:
        """It is over."""
        self.done.set()
        if self.callback is not None:
            self.callback(self)


class Notices:
    """Notices by their bytes: what a room is told is decoded once in this process, whoever hears it."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[Notice, int] | None] = {}

    def read(self, raw: bytes) -> tuple[Notice, int] | None:
        """The notice and its number; None for what is no notice that we know."""
        try:
            return self._known[raw]
        except KeyError:
            pass
        found = self._decode(raw)
        if len(self._known) >= _NOTICES_KEPT:
            for old in list(self._known)[: _NOTICES_KEPT // 4]:
                del self._known[old]
        self._known[raw] = found
        return found

    @staticmethod
    def _decode(raw: bytes) -> tuple[Notice, int] | None:
        try:
            message = _MESSAGE.decode(raw)
            decoder = _NOTICE_DECODERS.get(message.method)
            return None if decoder is None else (decoder.decode(message.params), message.seq)
        except msgspec.DecodeError:
            return None


class Client:
    """One user's connection, from ``open`` until it is lost, closed or dropped."""

    __slots__ = ("_last_id", "_line", "_listener", "_notices", "_pending", "_tally", "last_seq")

    def __init__(self, listener: Listener, notices: Notices, tally: Tally) -> None:
        self._listener = listener
        self._notices = notices
        self._tally = tally
        self._line: Line | None = None
        self._pending: dict[int, Pending] = {}
        self._last_id = 0
        self.last_seq = 0
        """Of the last numbered notice."""

    async def open(self, lines: Lines, url: str) -> None:
        """Connect; raises ``ConnectFailed``."""
        self._line = await lines.open(url, self._on_message, self._on_lost)

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent."""
        return self._line is not None and self._line.is_open

    def send(
        self,
        method: str,
        params: Any = _NOTHING,
        *,
        due_us: int = 0,
        callback: Callable[[Pending], None] | None = None,
    ) -> Pending:
        """Send a request; its latency counts from ``due_us`` (now, when it is 0)."""
        pending = Pending(method, due_us or now_us(), callback)
        if self._line is None or not self._line.is_open:
            pending.failure = RequestFailed(method, LOST)
            pending.settle()
            return pending
        self._last_id += 1
        self._pending[self._last_id] = pending
        self._tally.add("requests")
        self._line.send(_ENCODER.encode(_Request(self._last_id, method, params)))
        return pending

    async def wait(self, pending: Pending) -> Any:
        """The result; raises ``RequestFailed``."""
        await pending.done.wait()
        if pending.failure is not None:
            raise pending.failure
        return pending.result

    async def call(self, method: str, params: Any = _NOTHING, *, due_us: int = 0) -> Any:
        """Send a request and return its result; raises ``RequestFailed``."""
        return await self.wait(self.send(method, params, due_us=due_us))

    def expire(self) -> None:
        """Give up requests past their deadline; to be called about once a second."""
        limit = now_us() - DEADLINE_US
        for number in [number for number, one in self._pending.items() if one.sent_us < limit]:
            pending = self._pending.pop(number)
            self._tally.span("signaling", now_us() - pending.due_us)
            pending.failure = RequestFailed(pending.method, TIMEOUT)
            pending.settle()

    def conclude(self) -> list[RequestFailed]:
        """The run is over: what has no answer counts with what it waited so far. Returns what waited too long."""
        now, waiting = now_us(), self._pending.values()
        for one in waiting:
            self._tally.span("signaling", now - one.due_us)
        return [RequestFailed(one.method, TIMEOUT) for one in waiting if now - one.sent_us > UNANSWERED_US]

    def close(self) -> None:
        """Say goodbye."""
        if self._line is not None:
            self._line.close()
        self._fail_all()

    def drop(self) -> None:
        """As if the machine were gone."""
        if self._line is not None:
            self._line.drop()
        self._fail_all()

    def read(self, raw: bytes) -> None:
        """Take a notice, live or one of ``missed``."""
        found = self._notices.read(raw)
        if found is None:
            self._tally.fault("unexpected-message", detail=repr(raw[:200]))
            return
        notice, seq = found
        if seq:
            if seq <= self.last_seq:
                self._tally.fault("notice-disorder", detail=f"{notice.method} {seq} after {self.last_seq}")
            self.last_seq = seq
        self._tally.totals["notices"] += 1
        self._listener.on_notice(notice, seq)

    def _on_message(self, raw: bytes) -> None:
        if raw.startswith(_ANSWER):
            self._on_answer(raw)
        else:
            self.read(raw)

    def _on_answer(self, raw: bytes) -> None:
        try:
            message = _MESSAGE.decode(raw)
        except msgspec.DecodeError:
            self._tally.fault("unexpected-message", detail=repr(raw[:200]))
            return
        pending = self._pending.pop(message.id or 0, None)
        if pending is None:
            return  # it was given up
        self._tally.span("signaling", now_us() - pending.due_us)
        if message.error is not None:
            pending.failure = RequestFailed(pending.method, message.error.data.reason, message.error.message)
        else:
            try:
                decoder = _RESULTS.get(pending.method)  # what an older server does not know has no result
                pending.result = None if decoder is None else decoder.decode(message.result)
            except msgspec.DecodeError as error:
                pending.failure = RequestFailed(pending.method, "unreadable-answer", str(error))
        pending.settle()

    def _on_lost(self, why: str) -> None:
        self._fail_all()
        self._listener.on_lost(why)

    def _fail_all(self) -> None:
        pending, self._pending = self._pending, {}
        for one in pending.values():
            one.failure = RequestFailed(one.method, LOST)
            one.settle()
