"""A media worker whose shard forwards wrongly: `python faulty_worker.py CONTROL_FD`, the fault in the environment.

`patch()` makes a node of this process start such workers; `python faulty_worker.py serve …` is a server that has them.
"""

from __future__ import annotations

import os
import sys

from simplestchat._native.testing.faults import FaultyShard
from simplestchat.media import recruit, worker

FAULT, EVERY = "SIMPLESTCHAT_TEST_FAULT", "SIMPLESTCHAT_TEST_FAULT_EVERY"


def make_shard(seed: int) -> FaultyShard:
    """The shard that the environment asks for."""
    shard = FaultyShard(seed)
    shard.begin(os.environ[FAULT], int(os.environ[EVERY]))
    return shard


def main(arguments: list[str]) -> int:
    """Be a worker, or a server that starts workers like this one."""
    if arguments[:1] == ["serve"]:
        from simplestchat.cli.main import main as command

        recruit.WORKER_COMMAND = (sys.executable, __file__)
        return command(arguments)
    return worker.main(arguments, make_shard)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
