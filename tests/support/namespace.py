"""A network of the test's own: a namespace with a loopback interface and one other, whatever the machine has."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Self

ADDRESS = "10.77.0.1"
SETUP = f"""
set -e
PATH=$PATH:/usr/sbin:/sbin
ip link set lo up
ip link add sc0 type veth peer name sc1
ip address add {ADDRESS}/24 dev sc0
ip link set sc0 up
ip link set sc1 up
"""


class Namespace:
    """Lives as long as a process that waits for its standard input to end, so that a killed test leaves none behind."""

    def __init__(self) -> None:
        unshare = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--net"]
        self._holder = subprocess.Popen(
            [*unshare, "sh", "-c", "echo ready; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n"
        subprocess.run([*self.enter, "sh", "-c", SETUP], check=True)

    @property
    def enter(self) -> list[str]:
        """The command that runs another one inside."""
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        return ["nsenter", "--target", str(self._holder.pid), "--net", *user, "--"]

    def script(self, folder: Path, program: str) -> Path:
        """An executable file that runs a program inside, for those that take a file and no command."""
        path = folder / Path(program).name
        path.write_text(f'#!/bin/sh\nexec {" ".join(self.enter)} {program} "$@"\n')
        path.chmod(0o755)
        return path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._holder.stdin is not None
        assert self._holder.stdout is not None
        self._holder.stdin.close()
        self._holder.stdout.close()
        self._holder.wait()
