"""The UDP sockets that this process has at a port, native code's among them."""

from __future__ import annotations

import os
import socket
from contextlib import closing


def set_option(port: int, option: int, value: int) -> None:
    """Set an option of SOL_SOCKET on every UDP socket of this port."""
    found_any = False
    for name in os.listdir("/proc/self/fd"):
        try:
            found = socket.socket(fileno=os.dup(int(name)))
        except OSError:
            continue  # closed meanwhile, or no socket
        with closing(found):
            if found.type == socket.SOCK_DGRAM and found.getsockname()[1] == port:
                found.setsockopt(socket.SOL_SOCKET, option, value)
                found_any = True
    assert found_any, f"no UDP socket has port {port}"
