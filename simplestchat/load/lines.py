"""All WebSockets of a generator: one task waits for all of them in one epoll, since a task each would cost more than
the messages do. Whole text frames are cut out here, which is nearly all that comes; everything else (the handshake,
control frames, fragments, what is wrong) is left to the sans-I/O protocol of `websockets`. A line to a `wss://` server
is the same with a socket that encrypts.

Rules:
 - A line is opened by ``Lines.open`` and over after ``on_lost``, ``drop`` or the other end's close; ``on_lost`` is
   called once, and not after ``drop`` or ``close``.
 - Sending never waits: what the socket does not take at once is kept and sent when it can be.
"""

from __future__ import annotations

import logging
import select
import socket
import ssl
import struct
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

import trio
from websockets.client import ClientProtocol
from websockets.exceptions import WebSocketException
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from simplestchat.load.trust import Trust, refusal

MAX_MESSAGE_BYTES = 16 * 1024 * 1024  # what the protocol's page tells clients to take
READ_BYTES = 256 * 1024
_READY = 512  # sockets looked at before other tasks run again
_RESET = struct.pack("ii", 1, 0)
_WHOLE_TEXT = 0x81  # the first byte of an unfragmented text frame (RFC 6455 section 5.2)
_MASKED = 0x80
_LENGTH_16 = 126

#: Nothing to be had now: of a socket, and of one that encrypts.
_LATER = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)

#: The library's own log would cost more than the messages.
_silent = logging.getLogger("simplestchat.load.websockets")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False
_silent.setLevel(logging.CRITICAL)


Value = TypeVar("Value")


class ConnectFailed(Exception):
    """There is no connection; the reason in words."""


class Line:
    """One WebSocket."""

    __slots__ = (
        "_fragments", "_lines", "_on_lost", "_on_message", "_partial", "_protocol", "_sock", "_tls", "_unsent",
        "_watches_out",
    )  # fmt: skip

    def __init__(
        self,
        lines: Lines,
        sock: socket.socket,
        protocol: ClientProtocol,
        on_message: Callable[[bytes], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self._lines = lines
        self._sock: socket.socket | None = sock
        self._tls = isinstance(sock, ssl.SSLSocket)
        self._protocol = protocol
        self._on_message: Callable[[bytes], None] | None = on_message
        self._on_lost: Callable[[str], None] | None = on_lost
        self._partial = b""
        self._unsent = bytearray()
        self._fragments: list[bytes] = []
        self._watches_out = False

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""
        return self._sock is not None and self._protocol.state is OPEN

    def send(self, text: bytes) -> None:
        """Send a text message; without effect when the line is over."""
        if self.is_open:
            self._protocol.send_text(text)
            self._push()

    def close(self) -> None:
        """Say goodbye; the rest happens by itself. Nothing is handed on any more."""
        self._on_message = self._on_lost = None
        if self.is_open:
            self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
            self._push()
        else:
            self.drop()

    def drop(self) -> None:
        """As when the network or the machine is gone: a reset, without a word."""
        self._on_message = self._on_lost = None
        if self._sock is not None:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._shut()

    def ready(self, events: int) -> None:
        """The socket can be read or written."""
        if self._sock is None:
            return
        if events & select.EPOLLOUT:
            self._push()
        if events & ~select.EPOLLOUT:
            self._read()
            if self._tls:
                self._read_decrypted()

    def received(self, data: bytes) -> None:
        """Take bytes: whole frames, and a part of one that is kept."""
        if self._partial:
            data, self._partial = self._partial + data, b""
        begin, end = 0, len(data)
        while begin < end and self._sock is not None:
            head, size, masked = _frame_size(data, begin)
            stop = begin + head + size
            whole = data[begin] == _WHOLE_TEXT and not masked and not self._fragments
            if size > MAX_MESSAGE_BYTES:
                stop, whole = end, False  # the protocol refuses it
            if not head or stop > end:
                self._partial = data[begin:]
                return
            if whole:
                if self._on_message is not None:
                    self._on_message(data[begin + head : stop])
            else:
                self._protocol.receive_data(data[begin:stop])
                self._handle()
            begin = stop

    def _handle(self) -> None:
        """Hand on what the protocol has made of the bytes."""
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._frame(event)
        self._push()
        if self._protocol.close_rcvd is not None:
            self._over(f"closed by the server ({self._protocol.close_rcvd.code})")

    def _read(self) -> None:
        assert self._sock is not None
        try:
            data = self._lines.receive(self._sock)
        except _LATER:
            return
        except OSError as error:
            self._over(f"lost ({error.strerror or error})")
            return
        if data:
            self.received(data)
        else:
            self._over("hung up")

    def _read_decrypted(self) -> None:
        """What was decrypted and not read makes no socket readable; and what could not be written may be now."""
        while isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            self._read()
        self._push()

    def _frame(self, frame: Frame) -> None:
        if frame.opcode is Opcode.TEXT and frame.fin and not self._fragments:
            message = bytes(frame.data)
        elif frame.opcode in (Opcode.TEXT, Opcode.CONT):
            self._fragments.append(bytes(frame.data))
            if not frame.fin:
                return
            message = b"".join(self._fragments)
            self._fragments.clear()
        else:
            return
        if self._on_message is not None:
            self._on_message(message)

    def _push(self) -> None:
        for data in self._protocol.data_to_send():
            self._unsent += data
        if self._sock is None or not (self._unsent or self._watches_out):
            return
        try:
            while self._unsent:
                del self._unsent[: self._sock.send(self._unsent)]
        except _LATER:
            pass
        except OSError as error:
            self._over(f"lost ({error.strerror or error})")
            return
        if self._watches_out != bool(self._unsent):
            self._watches_out = bool(self._unsent)
            self._lines.watch(self._sock.fileno(), out=self._watches_out)

    def _over(self, why: str) -> None:
        on_lost, self._on_message, self._on_lost = self._on_lost, None, None
        self._shut()
        if on_lost is not None:
            on_lost(why)

    def _shut(self) -> None:
        if self._sock is not None:
            self._lines.forget(self._sock.fileno())
            self._sock.close()
            self._sock = None


class Lines:
    """The lines of a process. What a callback raises goes to ``on_error``."""

    def __init__(self, on_error: Callable[[Exception], None], trust: Trust | None = None) -> None:
        self._trust = trust or Trust()
        self._context: ssl.SSLContext | None = None
        self._epoll = select.epoll()
        self._buffer = bytearray(READ_BYTES)
        self._view = memoryview(self._buffer)
        self._lines: dict[int, Line] = {}
        self._on_error = on_error

    def __len__(self) -> int:
        return len(self._lines)

    async def open(
        self, url: str, on_message: Callable[[bytes], None], on_lost: Callable[[str], None], *, timeout_s: float = 10.0
    ) -> Line:
        """Connect to ``ws://host:port/path`` or ``wss://…``; raises ``ConnectFailed``."""
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss") or parts.hostname is None:
            raise ConnectFailed(f"{url} is no ws:// or wss:// address")
        context = self._encryption() if parts.scheme == "wss" else None
        protocol = ClientProtocol(parse_uri(url), max_size=MAX_MESSAGE_BYTES, logger=_silent)
        try:
            with trio.fail_after(timeout_s):
                sock = await _connect(parts.hostname, parts.port or (443 if context else 80), context)
                try:
                    events = await _shake_hands(sock, protocol)
                except BaseException:
                    sock.close()
                    raise
        except ssl.SSLError as error:
            raise ConnectFailed(refusal(error)) from None
        except (OSError, trio.TooSlowError, WebSocketException) as error:
            raise ConnectFailed(str(error) or "no answer in time") from None
        line = Line(self, sock, protocol, on_message, on_lost)
        self._lines[sock.fileno()] = line
        self._epoll.register(sock.fileno(), select.EPOLLIN)
        for event in events:
            line._frame(event)
        if context is not None:
            line._read_decrypted()
        return line

    def _encryption(self) -> ssl.SSLContext:
        """One for all lines: what is believed is read once."""
        if self._context is None:
            self._context = self._trust.context()
        return self._context

    async def run(self) -> None:
        """Read and write; never returns."""
        while True:
            await trio.lowlevel.wait_readable(self._epoll.fileno())
            for descriptor, events in self._epoll.poll(0, _READY):
                line = self._lines.get(descriptor)
                if line is None:
                    continue
                try:
                    line.ready(events)
                except Exception as error:
                    self._on_error(error)

    def receive(self, sock: socket.socket) -> bytes:
        """What has arrived, through a buffer that all share; raises OSError."""
        return bytes(self._view[: sock.recv_into(self._buffer)])

    def watch(self, descriptor: int, *, out: bool) -> None:
        """Wait for a socket to take more, or no longer."""
        self._epoll.modify(descriptor, select.EPOLLIN | (select.EPOLLOUT if out else 0))

    def forget(self, descriptor: int) -> None:
        """A socket is about to be closed."""
        if self._lines.pop(descriptor, None) is not None:
            self._epoll.unregister(descriptor)

    def close(self) -> None:
        """Drop all lines."""
        for line in tuple(self._lines.values()):
            line.drop()


def _frame_size(data: bytes, begin: int) -> tuple[int, int, bool]:
    """The bytes of a frame's header and of its payload, and whether it is masked; a header of 0 is not whole yet."""
    have = len(data) - begin
    if have < 2:
        return 0, 0, False
    masked = data[begin + 1] >= _MASKED
    size = data[begin + 1] & ~_MASKED
    head = 2
    if size >= _LENGTH_16:
        head = 4 if size == _LENGTH_16 else 10
        if have < head:
            return 0, 0, masked
        size = int.from_bytes(data[begin + 2 : begin + head], "big")
    return head + 4 * masked, size, masked


async def _connect(host: str, port: int, context: ssl.SSLContext | None) -> socket.socket:
    """A socket that never waits, encrypted where there is a context. Raises OSError."""
    stream = await trio.open_tcp_stream(host, port)
    sock = socket.socket(fileno=stream.socket.detach())
    sock.setblocking(False)
    if context is None:
        return sock
    try:
        secure = context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False)
    except BaseException:
        sock.close()
        raise
    try:
        await _until_done(secure, secure.do_handshake)
    except BaseException:
        secure.close()
        raise
    return secure


async def _until_done(sock: socket.socket, step: Callable[[], Value]) -> Value:
    """The outcome of something that a socket may not be ready for."""
    while True:
        try:
            return step()
        except (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            if isinstance(error, ssl.SSLWantWriteError):
                await trio.lowlevel.wait_writable(sock)
            else:
                await trio.lowlevel.wait_readable(sock)


async def _shake_hands(sock: socket.socket, protocol: ClientProtocol) -> list[Frame]:
    """Upgrade; the frames that came with the answer. Raises ``ConnectFailed``."""
    protocol.send_request(protocol.connect())
    request = b"".join(protocol.data_to_send())
    # A new connection has room for so little.
    if await _until_done(sock, lambda: sock.send(request)) != len(request):
        raise ConnectFailed("the socket does not take a request")
    while True:
        data = await _until_done(sock, lambda: sock.recv(READ_BYTES))
        if data:
            protocol.receive_data(data)
        else:
            protocol.receive_eof()
        events = protocol.events_received()
        if protocol.handshake_exc is not None:
            raise ConnectFailed(str(protocol.handshake_exc))
        if events:
            return [event for event in events if isinstance(event, Frame)]
        if not data:
            raise ConnectFailed("hung up instead of an answer")
