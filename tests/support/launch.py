"""Starts the server of this checkout for calls: as many workers as by default, under a wrapper if need be."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from support.process import ServerProcess
from support.repository import ROOT
from support.server import COMMAND, FREE_PORTS


def serve(home: Path, *options: str, wrapper: Sequence[str] = (), **settings: str) -> ServerProcess:
    """``simplestchat serve`` on free ports; ``wrapper`` is a command to run it under."""
    return ServerProcess(
        [*wrapper, *COMMAND, *options], cwd=ROOT, settings={**FREE_PORTS, "STATE_DIR": str(home), **settings}
    )
