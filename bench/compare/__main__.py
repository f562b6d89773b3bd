"""Compares the working tree with a revision: `make bench-compare REV=main`.

The exit status is 1 when something is more than 5 % worse, 2 when nothing could be said.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from workloads import every_workload

from compare.counting import Count, Counting, CountingError
from compare.table import last_words, table
from compare.timing import Timed, TimingError, measure_once, timings
from compare.trees import ROOT, Tree, TreeError, revision, working_tree
from compare.verdict import judge

SECONDS = 150
"""For the timing; with the counting and a build, a comparison takes about four minutes."""


def _say(text: str) -> None:
    print(f"==> {text}", file=sys.stderr, flush=True)


def _counts(before: Tree, after: Tree, names: Sequence[str]) -> tuple[dict[str, Count], dict[str, Count]]:
    folder = ROOT / "build" / "compare" / "counts"
    running = [Counting(tree, names, folder / side) for side, tree in (("before", before), ("after", after))]
    return running[0].result(), running[1].result()


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(prog="make bench-compare REV=…", description=__doc__)
    parser.add_argument("revision", help="what the working tree is compared with: a branch, a tag, a commit")
    parser.add_argument("--only", default="", help="only workloads whose name holds this")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for the timing; 0: only counts")
    arguments = parser.parse_args()
    names = [name for name in every_workload() if arguments.only in name]
    begun = time.monotonic()
    try:
        _say(f"building {arguments.revision}")
        before, after = revision(arguments.revision), working_tree()
        _say("counting instructions and system calls")
        counts = _counts(before, after, names)
        timed: dict[str, Timed] = {}
        if arguments.seconds:
            _say("timing both in turn")
            timed = timings(
                [n for n in names if n in counts[0] and n in counts[1]], measure_once(before, after), arguments.seconds
            )
    except (TreeError, CountingError, TimingError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    verdicts = [judge(name, counts[0].get(name), counts[1].get(name), timed.get(name)) for name in names]
    verdicts = [verdict for verdict in verdicts if verdict.before or verdict.after]
    print(f"{before.name} -> {after.name}, figures for one packet\n\n{table(verdicts)}\n")
    print(f"{last_words(verdicts)} ({time.monotonic() - begun:.0f} s)")
    return int(any(verdict.failed for verdict in verdicts))


if __name__ == "__main__":
    sys.exit(main())
