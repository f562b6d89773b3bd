"""A process that a run starts, watches and ends: the server, a generator, a browser."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import trio

from simplestchat.load.launch import command
from simplestchat.load.link import StreamLink

KEPT_LINES = 200
MAX_LINE_BYTES = 8192
LAST_WORDS_S = 1.0  # they are in the pipe when a process is gone, unless others hold it open
STOP_S = 20.0  # a server waits some seconds for its clients to go


def python(*words: str) -> list[str]:
    """A command of this Python that finds the same modules as this process."""
    return [sys.executable, *words]


class Child:
    """One process. ``linked``: a link is spoken over its standard input and output, and only its errors are text."""

    def __init__(
        self,
        name: str,
        words: Sequence[str],
        cores: tuple[int, ...] = (),
        *,
        linked: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start it at once, in a session of its own: a terminal's Ctrl-C is ours to hear, and to pass on in order."""
        self.name = name
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)
        # Not trio's: it starts processes from a thread of a pool, and a process that ends with its parent would end
        # with that thread.
        self._process = subprocess.Popen(
            command(cores, *words),
            stdin=subprocess.PIPE if linked else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if linked else subprocess.STDOUT,
            env=dict(environment) if environment is not None else None,
            bufsize=0,
            start_new_session=True,
        )
        self.pid = self._process.pid
        self._pidfd = os.pidfd_open(self.pid)
        assert self._process.stdout is not None
        output = os.dup(self._process.stdout.fileno())
        self._process.stdout.close()
        self.link: StreamLink | None = None
        if linked:
            assert self._process.stdin is not None
            assert self._process.stderr is not None
            inputs, errors = os.dup(self._process.stdin.fileno()), os.dup(self._process.stderr.fileno())
            self._process.stdin.close()
            self._process.stderr.close()
            self.link = StreamLink(trio.lowlevel.FdStream(inputs), trio.lowlevel.FdStream(output))
            output = errors
        self._text = trio.lowlevel.FdStream(output)
        self._reading = False
        self._read = trio.Event()

    async def read_lines(self, heard: Callable[[str], None] | None = None) -> None:
        """Keep the last lines that it writes until it writes no more; each is also passed to ``heard``."""
        rest = b""
        self._reading = True
        try:
            async for data in self._text:
                *lines, rest = (rest + data).split(b"\n")
                rest = rest[-MAX_LINE_BYTES:]
                for line in lines:
                    self._keep(line, heard)
        except trio.ClosedResourceError:
            pass  # it ended, and somebody else holds its pipe
        finally:
            self._read.set()
            if rest:
                self._keep(rest, heard)

    def _keep(self, line: bytes, heard: Callable[[str], None] | None) -> None:
        text = line[:MAX_LINE_BYTES].decode("utf-8", "replace").rstrip()
        self.lines.append(text)
        if heard is not None:
            heard(text)

    def last_words(self, count: int = 5, but: re.Pattern[str] | None = None) -> str:
        """The last lines that it wrote, in one; those that match ``but`` are left out."""
        lines = [line for line in self.lines if line.strip() and not (but and but.match(line))]
        return " | ".join(lines[-count:])

    async def wait(self) -> int:
        """Its exit status, negative for the signal that ended it; its last lines are there by then."""
        while (status := self._process.poll()) is None:
            await trio.lowlevel.wait_readable(self._pidfd)
        if self._reading:
            with trio.move_on_after(LAST_WORDS_S):
                await self._read.wait()
        return status

    async def stop(self, grace_s: float = STOP_S) -> None:
        """End it in order, or by force after ``grace_s``; it is gone when this returns."""
        with trio.CancelScope(shield=True):
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGTERM)
                with trio.move_on_after(grace_s):
                    await self.wait()
            self.kill()
            await self.wait()
            await self._close()

    def kill(self) -> None:
        """End it and all that it started, at once."""
        if self._process.poll() is None:
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    async def _close(self) -> None:
        await self._text.aclose()
        if self.link is not None:
            await self.link.aclose()
        if self._pidfd >= 0:
            os.close(self._pidfd)
            self._pidfd = -1
