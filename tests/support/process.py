"""A server as its users start it: a command in a process of its own, ready when it says so."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

READY = re.compile(r"^ready (https?://\S+)$")
STOP_TIMEOUT_S = 20.0


def children_called(name: str, parent: int) -> list[int]:
    """The processes that another one has started and that call themselves so, or that and something after it."""
    found = []
    for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split():
        with contextlib.suppress(OSError):  # gone meanwhile
            if Path(f"/proc/{pid}/comm").read_text().startswith(name):
                found.append(int(pid))
    return found


def worker_pids(node: int) -> list[int]:
    """The media workers of a node."""
    return children_called("media-worker-", node)


def spare_pids(node: int) -> list[int]:
    """The processes of a node that wait to become a worker."""
    return children_called("media-spare", node)


class ServerProcess:
    """Runs a command that ends in ``simplestchat serve``; a context that leaves nothing running behind it."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path,
        settings: Mapping[str, str],
        environment: Mapping[str, str] | None = None,
        ready_timeout_s: float = 30.0,
    ) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("SIMPLESTCHAT_")}
        self.output: list[str] = []
        self.url = ""
        self._ready = threading.Event()
        self._process = subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env={
                **clean,
                **(environment or {}),
                **{f"SIMPLESTCHAT_{name}": value for name, value in settings.items()},
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._ready.wait(ready_timeout_s) or not self.url:
            self.kill()
            raise AssertionError("the server did not become ready:\n" + "".join(self.output))

    @property
    def pid(self) -> int:
        """The process that was started."""
        return self._process.pid

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.output.append(line)
            if (match := READY.match(line.rstrip())) and not self.url:
                self.url = match[1]
                self._ready.set()
        self._ready.set()

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """Ask the process to end and wait for it; its exit status, negative for the signal that ended it."""
        self._process.send_signal(sign)
        try:
            status = self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("the server did not stop:\n" + "".join(self.output)) from None
        self._reader.join(STOP_TIMEOUT_S)
        return status

    def kill(self) -> None:
        """End the process and all of its children at once."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(STOP_TIMEOUT_S)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
