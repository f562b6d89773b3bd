"""What can only be learnt by trying: sockets on loopback, limits of this process, the cost of the clock."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import importlib
import os
import resource
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

from simplestchat.media.addresses import host_addresses
from simplestchat.media.ciphers import ipsec_mb_problem, ipsec_mb_version

_UDP_SEGMENT, _UDP_GRO = 103, 104  # linux/udp.h
_SO_TIMESTAMPNS = 35  # asm-generic/socket.h; so is its control message
_RCVBUFFORCE, _SNDBUFFORCE = 33, 32
_SEGMENT_BYTES, _SEGMENTS = 1200, 3
_WAIT_S = 1.0
_CLOCK_ROUNDS, _CLOCK_READS = 5, 1000


@dataclass(frozen=True, slots=True)
class Buffers:
    """What a UDP socket gets when it asks for much, in bytes."""

    receive: int
    send: int


class Probes:
    """Asks the machine that this program runs on; a test answers in its place."""

    def buffers(self, wanted: int) -> Buffers:
        """Ask for socket buffers as a media worker does: by force, or as far as the limits allow."""
        return Buffers(_buffer(_RCVBUFFORCE, socket.SO_RCVBUF, wanted), _buffer(_SNDBUFFORCE, socket.SO_SNDBUF, wanted))

    def segments(self) -> bool:
        """Whether one call sends several datagrams (GSO): tried on loopback."""
        with _pair() as (sender, receiver):
            try:
                sender.setsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT, _SEGMENT_BYTES)
                sender.send(bytes(_SEGMENTS * _SEGMENT_BYTES))
                return [len(receiver.recv(65536)) for _ in range(_SEGMENTS)] == [_SEGMENT_BYTES] * _SEGMENTS
            except OSError:
                return False

    def coalesces(self) -> bool:
        """Whether one call receives several datagrams of a sender (GRO): tried on loopback."""
        with _pair() as (sender, receiver):
            try:
                sender.setsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT, _SEGMENT_BYTES)
                receiver.setsockopt(socket.IPPROTO_UDP, _UDP_GRO, 1)
                sender.send(bytes(_SEGMENTS * _SEGMENT_BYTES))
                return len(receiver.recv(65536)) == _SEGMENTS * _SEGMENT_BYTES
            except OSError:
                return False

    def arrival_delay_s(self) -> float | None:
        """Return how long a datagram lay in its socket, by the kernel's time of arrival; None when it tells none."""
        with _pair() as (sender, receiver):
            try:
                receiver.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
                sender.send(b"?")
                _, control, _, _ = receiver.recvmsg(1, socket.CMSG_SPACE(16))
            except OSError:
                return None
            for level, kind, data in control:
                if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
                    seconds, nanoseconds = struct.unpack("ll", data)
                    return float(time.time() - seconds - nanoseconds / 1e9)
            return None

    def file_limits(self) -> tuple[float, float]:
        """Return how many files this process may open now, and how many if it asks for more."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        return _unlimited(soft), _unlimited(hard)

    def cores(self) -> int:
        """Return how many cores this process may run on."""
        return len(os.sched_getaffinity(0))

    def clock_read_ns(self) -> float:
        """Return what reading the monotonic clock costs, Python's part included; the best of a few rounds."""
        best = float("inf")
        for _ in range(_CLOCK_ROUNDS):
            began = time.perf_counter_ns()
            for _ in range(_CLOCK_READS):
                time.monotonic_ns()
            best = min(best, (time.perf_counter_ns() - began) / _CLOCK_READS)
        return best

    def pause(self, seconds: float) -> None:
        """Let time pass between two looks."""
        time.sleep(seconds)

    def refusal(self, kind: int, host: str, port: int) -> str | None:
        """Say why a port (of a `socket.SOCK_…` kind) cannot be had; None when it can. `::` does without IPv6, too."""
        try:
            _bind(kind, host, port)
        except OSError as exc:
            if host == "::" and exc.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL):
                return self.refusal(kind, "0.0.0.0", port)
            return exc.strerror or str(exc)
        return None

    def addresses(self) -> list[str]:
        """Return the addresses that the server would announce by itself."""
        return host_addresses()

    def native_problem(self) -> str | None:
        """Say why the native core cannot be loaded; None when it can."""
        try:
            importlib.import_module("simplestchat._native.io.loop")
        except ImportError as exc:
            return str(exc)
        return None

    def openssl(self) -> tuple[str, tuple[int, int, int]] | None:
        """Return the text and the number of the OpenSSL that the native core is linked to; None without one."""
        with contextlib.suppress(ImportError, OSError, AttributeError):
            # Asked through a module that calls it: a wheel's is not the system's, and both may be loaded.
            library = ctypes.CDLL(importlib.import_module("simplestchat._native.crypto.random").__file__)
            library.OpenSSL_version.restype = ctypes.c_char_p
            library.OpenSSL_version_num.restype = ctypes.c_ulong
            number = int(library.OpenSSL_version_num())
            return library.OpenSSL_version(0).decode(), (number >> 28 & 15, number >> 20 & 255, number >> 4 & 255)
        return None

    def ipsec_mb(self) -> tuple[str | None, str | None]:
        """Return the version of the ipsec-mb that works here, or None and why none does."""
        problem = ipsec_mb_problem()
        return (None, problem) if problem else (ipsec_mb_version(), None)


@contextlib.contextmanager
def _pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two UDP sockets on loopback, the first one connected to the second."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
    ):
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(_WAIT_S)
        sender.connect(receiver.getsockname())
        yield sender, receiver


def _bind(kind: int, host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        probe.bind((host, port))


def _buffer(force: int, option: int, wanted: int) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, force, wanted)
        except OSError:
            probe.setsockopt(socket.SOL_SOCKET, option, wanted)
        return probe.getsockopt(socket.SOL_SOCKET, option) // 2  # the kernel doubles it for its own needs


def _unlimited(limit: int) -> float:
    return float("inf") if limit == resource.RLIM_INFINITY else limit
