"""A run's own server: ``simplestchat serve`` of this installation on free ports, watched until the run ends it."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping, Sequence

import psutil
import trio

from simplestchat import config
from simplestchat.config.load import FOREIGN_PREFIX
from simplestchat.config.settings import ENV_PREFIX, Entry, entries
from simplestchat.errors import ConfigError, Internal
from simplestchat.load.process import Child, python

READY = re.compile(r"^ready (https?://\S+)$")
READY_TIMEOUT_S = 30.0
DEFAULTS = {"port": "0", "rtc-port": "0", "log-level": "warning"}
_WORKER = re.compile(r"media-worker-(\d+)")


class ServerFailed(Internal):
    """The server did not begin, or ended while it was needed."""

    reason = "server_failed"
    default = "The server failed."


def check_settings(settings: Mapping[str, str]) -> None:
    """Raise ``ConfigError`` when a scenario's ``[server]`` has a key or a value that a server would refuse."""
    known = {entry.key: entry for entry in entries()}
    for key in settings:
        if key not in known:
            raise ConfigError(f"server.{key}: there is no such setting. docs/settings.md lists them all.")
    try:
        config.load({known[key].field_name: _raw(known[key], value) for key, value in settings.items()}, {})
    except config.SettingError as error:
        raise ConfigError(f"server: {error}") from None


def _raw(entry: Entry, value: str) -> object:
    return value.split(",") if entry.kind.many else value


class LocalServer:
    """A server that runs, with the processes that it consists of."""

    def __init__(self, child: Child) -> None:
        self.child = child
        self._ready = trio.Event()
        self.url = ""

    def heard(self, line: str) -> None:
        """Look at one line that it wrote."""
        if (match := READY.match(line)) and not self.url:
            self.url = match[1]
            self._ready.set()

    async def until_ready(self) -> None:
        """Wait until it may be used. Raises ``ServerFailed``."""
        with trio.move_on_after(READY_TIMEOUT_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._wake_at_end)
                await self._ready.wait()
                nursery.cancel_scope.cancel()
        if not self.url:
            raise ServerFailed(f"The server did not become ready. It said: {self.child.last_words() or 'nothing'}")

    async def _wake_at_end(self) -> None:
        await self.child.wait()
        self._ready.set()

    async def wait(self) -> str:
        """Wait until it ends, which it should not; how, in words."""
        status = await self.child.wait()
        how = f"by signal {-status}" if status < 0 else f"with status {status}"
        words = self.child.last_words(but=READY)
        return f"the server ended {how}" + (f"; its last words: {words}" if words else "")

    async def stop(self) -> None:
        """End it in order, or by force when that takes too long."""
        await self.child.stop()

    def processes(self) -> list[tuple[str, psutil.Process]]:
        """Its processes by name: ``node``, then ``worker 0`` and so on; a spare that waits is none of them."""
        try:
            node = psutil.Process(self.child.pid)
            workers = {index: child for child in node.children() if (index := _worker_index(child)) is not None}
        except psutil.Error:
            return []
        return [("node", node), *((f"worker {index}", workers[index]) for index in sorted(workers))]


def _worker_index(process: psutil.Process) -> int | None:
    """Which worker a process calls itself, if any."""
    try:
        named = _WORKER.fullmatch(process.name())
    except psutil.Error:
        return None
    return int(named[1]) if named else None


async def start_server(
    nursery: trio.Nursery, settings: Mapping[str, str], cores: tuple[int, ...] = (), words: Sequence[str] = ()
) -> LocalServer:
    """Start a server and wait until it is ready; the caller calls its ``stop``. ``words``: another command that serves.

    Raises ``ServerFailed``, or ``ConfigError`` for a setting that no server takes.
    """
    check_settings(settings)
    clean = {name: value for name, value in os.environ.items() if not _is_setting(name)}
    options = [f"--{key}={value}" for key, value in {**DEFAULTS, **settings}.items()]
    command = [*(words or python("-m", "simplestchat", "serve")), *options]
    server = LocalServer(Child("server", command, cores, environment=clean))
    nursery.start_soon(server.child.read_lines, server.heard)
    try:
        await server.until_ready()
    except BaseException:
        await server.child.stop(0)
        raise
    if len(cores) == 1:
        _unpin(server.child.pid)
    return server


def _unpin(pid: int) -> None:
    """Let the node run anywhere: signaling and media of a server with a single core would take it from each other."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(ProcessLookupError):
            os.sched_setaffinity(int(task), os.sched_getaffinity(0))


def _is_setting(name: str) -> bool:
    """Settings of the caller's own server are none of this one's; what the tests set is."""
    return name.startswith(ENV_PREFIX) and not name.startswith(FOREIGN_PREFIX)
