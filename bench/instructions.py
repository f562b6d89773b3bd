"""Where the instructions of a forwarded packet go: one publisher to 200 receivers in memory, under callgrind.

`python bench/instructions.py` prints a table by function. `--save before` or `--save after` keeps the figures for
docs/performance.md, `--tree build/compare/<commit>` profiles a build that `make bench-compare` has made.
"""

from __future__ import annotations

import argparse
import json
import ssl
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

from compare.callgrind import Function, Profile
from compare.counting import Counting
from compare.trees import ROOT, Tree

BURSTS = (1, 3, 10)
SAVED = ROOT / "bench" / "profiles"
LEAST = 0.5
"""Functions below this many instructions a packet are summed up."""
GROUPS = {
    "cipher": ("libcrypto", "srtp", "seal"),
    "header": ("rtp", "header"),
    "maps": ("seqmap", "tsmap"),
    "cache": ("cache",),
    "memory of what was sent": ("sent", "send"),
    "queue": ("output", "udp"),
    "forwarding": ("consumer", "fanout", "producer", "flush", "ice"),
}

Costs = dict[str, float]


def group_of(part: str) -> str:
    """Return what a part, such as `cache: cache_find`, belongs to."""
    module, _, name = part.partition(": ")
    if "header" in name:
        return "header"
    return next((group for group, modules in GROUPS.items() if module in modules), "else")


def is_foreign(function: Function) -> bool:
    """Say whether a function is a library's: its costs are told by the call of ours that led there."""
    return function.library.startswith(("lib", "ld-", "python", "???"))  # ???: stubs between libraries


def parts(profile: Profile, packets: int) -> Costs:
    """Return instructions a packet of each function of ours itself, and of each call from there into a library."""
    costs: Counter[str] = Counter()
    for function, count in profile.own.items():
        if not is_foreign(function):
            costs[f"{function.library}: {function.name}"] += count
    for (caller, callee), count in profile.calls.items():
        if is_foreign(callee) and not is_foreign(caller):
            costs[f"{callee.library}: {callee.name.strip('_')}"] += count
    return {name: count / packets for name, count in costs.most_common()}


def profiled(tree: Tree) -> dict[str, Costs]:
    """Return the parts of a packet's instructions by the length of the burst."""
    names = {f"fan-out 1 -> 200, bursts of {burst}": str(burst) for burst in BURSTS}
    with tempfile.TemporaryDirectory() as folder:
        counts = Counting(tree, list(names), Path(folder)).result()
    return {
        burst: {"": counts[name].instructions} | parts(counts[name].profile, counts[name].packets)
        for name, burst in names.items()
    }


def grouped(costs: Mapping[str, float]) -> Costs:
    """Return the sums of the groups. What is not told by a part is Python's own, between the marks."""
    sums: dict[str, float] = defaultdict(float)
    for part, count in costs.items():
        sums[group_of(part)] += count if part else 0
    sums["else"] += costs[""] - sum(sums.values())
    return dict(sums)


def printed(found: Mapping[str, Costs]) -> str:
    """Return the table by function, and the sums of the groups below it."""
    names = [name for name in found[str(BURSTS[0])] if name]
    rows = [(name, [found[str(burst)].get(name, 0) for burst in BURSTS]) for name in names]
    rows = [row for row in rows if max(row[1]) >= LEAST]
    rows.append(("all", [found[str(burst)][""] for burst in BURSTS]))
    sums = [grouped(found[str(burst)]) for burst in BURSTS]
    rows += [(f"= {group}", [each.get(group, 0) for each in sums]) for group in (*GROUPS, "else")]
    head = f"{'instructions a forwarded packet, bursts of':48}" + "".join(f"{burst:>9}" for burst in BURSTS)
    return "\n".join([head, *(f"{name:48}" + "".join(f"{cost:9.1f}" for cost in costs) for name, costs in rows)])


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tree", type=Path, default=ROOT, help="a checkout with its core built in place")
    parser.add_argument("--save", choices=("before", "after"), help="keep the figures in bench/profiles")
    arguments = parser.parse_args()
    found = profiled(Tree(str(arguments.tree), arguments.tree.resolve()))
    print(printed(found))
    if arguments.save:
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=arguments.tree, capture_output=True, text=True, check=True
        ).stdout.strip()
        SAVED.mkdir(exist_ok=True)
        kept = {
            burst: {name: round(cost, 1) for name, cost in costs.items() if cost >= LEAST}
            for burst, costs in found.items()
        }
        text = json.dumps({"revision": commit, "openssl": ssl.OPENSSL_VERSION, "instructions": kept}, indent=1)
        (SAVED / f"{arguments.save}.json").write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
