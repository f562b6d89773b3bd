"""Debian's Janus (package ``janus``) in a process of its own: only the video room, one event loop, one core.

Rules:
 - Its settings, plugins and sockets are in a folder of its own; nothing of /etc/janus is read.
 - Signaling is a WebSocket on a Unix socket, so no TCP port is taken. UDP ports are the system's choice.
 - ICE-lite and no STUN server, as our worker. Janus leaves loopback interfaces alone, so it is reached under another
   address of this machine; datagrams to it go over the loopback interface as those to 127.0.0.1 do.
"""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

LIBRARIES = Path("/usr/lib/janus"), *Path("/usr/lib").glob("*/janus")
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 20.0
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")

_MAIN = """
general: {{
    plugins_folder = "{folder}/plugins"
    transports_folder = "{folder}/transports"
    events_folder = "{folder}/events"
    loggers_folder = "{folder}/loggers"
    debug_level = 3
    debug_colors = false
    session_timeout = 0
    {loops}
}}
media: {{ ipv6 = false }}
nat: {{
    ice_lite = true
    ice_enforce_list = "{address}"
}}
"""
_WEBSOCKETS = """
general: {{
    json = "compact"
    ws = true
    ws_unix = "{folder}/api"
}}
"""
_ROOM = """
general: {{ events = false }}
room-{room}: {{
    description = "one publisher"
    publishers = 1
    bitrate = 0
    fir_freq = 0
    videocodec = "vp8"
    notify_joining = false
}}
"""


class Failed(Exception):
    """Janus is not there, or did not come up."""


def own_address() -> str:
    """An IPv4 address of this machine that is not its loopback's; raises ``Failed`` without one."""
    for name, addresses in psutil.net_if_addrs().items():
        for one in addresses:
            if one.family == socket.AF_INET and not one.address.startswith("127.") and psutil.net_if_stats()[name].isup:
                return one.address
    raise Failed("Janus uses no loopback interface, and this machine has no other one with an IPv4 address")


class Janus:
    """A running one. ``api`` is its socket."""

    ROOM = 1

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        self._process = process
        self.pid = process.pid
        self.api = folder / "api"
        self.log = folder / "log"

    def stop(self) -> None:
        """End it, and wait until it has."""
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _library(kind: str, name: str) -> Path:
    for folder in LIBRARIES:
        if (found := folder / kind / name).exists():
            return found
    raise Failed(f"{name} is missing; Debian has it in the package janus")


def _settle(folder: Path, loops: int) -> None:
    """Fill a folder with everything that it reads."""
    for kind, name in (("plugins", "libjanus_videoroom.so"), ("transports", "libjanus_websockets.so")):
        (folder / kind).mkdir()
        (folder / kind / name).symlink_to(_library(kind, name))
    for kind in ("events", "loggers", "settings"):
        (folder / kind).mkdir()
    values = {
        "folder": folder,
        "address": own_address(),
        "room": Janus.ROOM,
        "loops": f"event_loops = {loops}" if loops else "",
    }
    for name, text in (
        ("janus", _MAIN),
        ("janus.transport.websockets", _WEBSOCKETS),
        ("janus.plugin.videoroom", _ROOM),
    ):
        (folder / "settings" / f"{name}.jcfg").write_text(text.format(**values))


@contextmanager
def running(loops: int = 1) -> Iterator[Janus]:
    """Janus on the cores of the calling thread. ``loops`` 0 gives each handle a thread, as its default is."""
    with tempfile.TemporaryDirectory(prefix="janus-") as name:
        folder = Path(name)
        _settle(folder, loops)
        settings = folder / "settings"
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*DIES_WITH_US, "janus", f"--configs-folder={settings}", f"--config={settings / 'janus.jcfg'}"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        janus = Janus(process, folder)
        try:
            _wait(janus, process)
            yield janus
        finally:
            janus.stop()


def _wait(janus: Janus, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while True:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(janus.api)) == 0:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise Failed("Janus did not come up:\n" + janus.log.read_text())
        time.sleep(0.02)
