"""UDP ports of a number that a test can choose."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
from pathlib import Path

_taken = itertools.count(os.getpid() % 1000 * 4, 4)


def free_ports(count: int) -> int:
    """The first of so many UDP ports in a row that nobody has, and that the kernel gives to nobody who asks for any.

    Every call returns others, of every process that runs tests at this time, too.
    """
    given_away = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for offset in _taken:
        first = given_away - count - offset
        assert first > 1024, "no UDP ports in a row are free"
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in range(first, first + count):
                stack.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)).bind(("::", port))
            return first
    raise AssertionError
