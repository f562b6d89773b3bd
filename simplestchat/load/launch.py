"""Becomes another program, pinned to cores and ended with its parent: ``python -m simplestchat.load.launch CORES …``.

CORES are numbers with commas between them, or ``-``. A process that pins itself before it begins has no thread that
was made too early; one that is told to end with its parent stays behind nowhere, however its parent ends.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def command(cores: tuple[int, ...], *words: str) -> list[str]:
    """The command line that starts ``words`` this way."""
    return [sys.executable, "-m", "simplestchat.load.launch", ",".join(map(str, cores)) or "-", *words]


def main(arguments: list[str]) -> None:
    """Pin, bind and become; does not return."""
    cores, *words = arguments
    if cores != "-":
        os.sched_setaffinity(0, [int(core) for core in cores.split(",")])
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    os.execv(words[0], words)


if __name__ == "__main__":
    main(sys.argv[1:])
