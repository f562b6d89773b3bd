"""A real redis-server for a test: a socket of its own, nothing on disk, gone with the test."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

READY_S = 20.0


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """The URL of an empty one."""
    path = folder / "redis.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", "", "--appendonly", "no"]
    with subprocess.Popen([*command, "--dir", str(folder)], stdout=subprocess.DEVNULL) as server:
        try:
            deadline = time.monotonic() + READY_S
            while not path.exists():
                assert server.poll() is None, "redis-server ended"
                assert time.monotonic() < deadline, "redis-server is not ready"
                time.sleep(0.01)
            yield f"unix://{path}"
        finally:
            server.terminate()
