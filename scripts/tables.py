"""Writes the tables of docs/*.md that the code itself can tell: modules, packages, caps, metrics, drops, measurements.

A table stands between `<!-- table: NAME -->` and `<!-- end -->`. `python scripts/tables.py` writes all of them anew,
and the plots. Measurements are those of the kept run (scripts/baseline.py); `--measured bench-output/bench.json` writes
what a generator carries from another. A test says what is stale.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "bench"))  # the tables of what it measures
DOCUMENTS = ("docs/design.md", "docs/operating.md", "docs/performance.md")
BLOCK = re.compile(r"(<!-- table: (?P<name>[a-z-]+) -->\n)(?P<body>.*?)(<!-- end -->)", re.DOTALL)
DROP = re.compile(r"^ +u64 dropped_(\w+) *(?:# *(.*))?$")
CAP = re.compile(r"^ +((?:MAX_\w+|BATCH)) = (\w+) *(?:# *(.*))?$")


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    cells = [list(head)]
    cells += [["---"] * len(cells[0]), *(list(row) for row in rows)]
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |\n" for row in cells)


def first_sentence(text: str) -> str:
    """Return the first sentence of a comment or docstring, without its full stop."""
    paragraph = " ".join(text.strip().split("\n\n")[0].split())
    return re.split(r"(?<=[^.\s]{2})[.](?:\s|$)", paragraph, maxsplit=1)[0].rstrip(":.")


def leading_comment(path: Path) -> str:
    """Return the comment at the top of a .pxd, without its marks."""
    lines: list[str] = []
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").strip())
    return "\n".join(lines)


def module_purpose(layer: Path, name: str) -> str:
    """Return what a module is for: its contract's words where it has a .pxd, else its docstring's."""
    contract = layer / f"{name}.pxd"
    if contract.exists() and (comment := leading_comment(contract)):
        return first_sentence(comment)
    match = re.match(r'"""(.*?)"""', (layer / f"{name}.pyx").read_text(), re.DOTALL)
    return first_sentence(match[1]) if match else ""


def modules(layer: str) -> str:
    """Every module of one layer of the native core, with what it is for."""
    folder = ROOT / "_native" / layer
    names = sorted({path.stem for path in folder.iterdir() if path.suffix in {".pyx", ".pxd"}})
    return table(("module", "what it is"), ((f"`{layer}/{name}`", module_purpose(folder, name)) for name in names))


def package_purpose(path: Path) -> str:
    """Return the first sentence of a package's or module's docstring."""
    source = path / "__init__.py" if path.is_dir() else path
    return first_sentence(ast.get_docstring(ast.parse(source.read_text())) or "")


def packages() -> str:
    """Every Python package, with what it may import."""
    rules = tomllib.loads((ROOT / "tests/unit/project/layers.toml").read_text())["packages"]
    rows = []
    for name, allowed in rules.items():
        found = [path for path in (ROOT / "simplestchat" / name, ROOT / f"simplestchat/{name}.py") if path.exists()]
        if found:
            rows.append((f"`{name}`", package_purpose(found[0]), ", ".join(allowed) or "nothing of ours"))
    return table(("package", "what it is", "may import"), rows)


def caps() -> str:
    """The engine's caps, from the header of its state."""
    lines = (ROOT / "_native/engine/entities.pxd").read_text().splitlines()
    found = (match for line in lines if (match := CAP.match(line)))
    return table(("cap", "value", "of what"), ((f"`{m[1]}`", m[2], m[3] or "") for m in found))


def drops() -> str:
    """Why a worker drops packets: the values of the label `reason`."""
    counters = (ROOT / "_native/engine/entities.pxd").read_text().partition("cdef struct Counters:")[2]
    found = (match for line in counters.splitlines() if (match := DROP.match(line)))
    return table(("reason", "what was dropped"), ((f"`{m[1]}`", m[2] or "") for m in found))


def metrics() -> str:
    """Every metric of ours that a scrape of a node holds."""
    from simplestchat.media.footprint import Footprint
    from simplestchat.media.reading import Reading
    from simplestchat.metrics import Metrics
    from simplestchat.model.spans import Spans

    every = Metrics()
    every.watch_rooms(lambda: {"rooms": 0, "peers": 0, "peers_away": 0})
    every.watch_connections(int)
    every.watch_messages(int, int)
    every.watch_workers(
        lambda: {0: Reading({"dropped_auth": 0}, ([], [0], 0), Footprint(0, 0, 0, 0), {"": ""})}, lambda: {0: 0.0}, int
    )
    every.watch_requests(lambda: {"room.join": Spans([])})
    every.watch_adaptation(lambda: Spans([]), lambda: {"wanted": 0})
    every.watch_refusals(lambda: {"not_found": 0})
    every.websockets_ended.labels("left")
    rows = []
    for metric in sorted(every.registry.collect(), key=lambda metric: metric.name):
        if metric.name.startswith("simplestchat_"):
            labels = sorted({label for sample in metric.samples for label in sample.labels} - {"le"})
            name = metric.name + ("_total" if metric.type == "counter" else "")
            rows.append((f"`{name}`", metric.type, ", ".join(labels), metric.documentation))
    return table(("metric", "type", "labels", "what it tells"), rows)


def generator(report: dict[str, Any]) -> str:
    """What one core of load generator carries, from the same."""
    rows = [
        (
            str(one["params"]["users"]),
            str(one["params"]["parts"]),
            f"{info['us_per_packet']:.1f}",
            str(info["users_per_core"]),
            f"{info['wake_p99_ms']:.1f}",
            f"{info['kib_per_user']:.0f}",
        )
        for one in report["benchmarks"]
        if "users_per_core" in (info := one["extra_info"])
    ]
    head = ("users", "packets in a burst", "CPU µs a packet", "users that fill a core", "read late, ms p99", "KiB")
    return table(head, rows)


def performance(name: str) -> str:
    """One of the tables of the kept benchmark run."""
    from performance.tables import made

    return table(*made(name))


def plots() -> dict[Path, str]:
    """The pictures of the same, by their paths."""
    from performance.baseline import newest
    from performance.plots import pictures

    return {ROOT / "docs" / "img" / name: text for name, text in pictures(newest()).items()}


PERFORMANCE = (
    *("machine", "bars", "trains", "rooms", "hot-functions", "sealing", "janus"),
    *("instruction-groups", "instruction-functions"),
)

TABLES: dict[str, Callable[[], str]] = {
    "packages": packages,
    "caps": caps,
    "drops": drops,
    "metrics": metrics,
    **{
        f"{layer}-modules": (lambda layer=layer: modules(layer))
        for layer in sorted(path.name for path in (ROOT / "_native").iterdir() if path.is_dir())
    },
    **{name: (lambda name=name: performance(name)) for name in PERFORMANCE},
}


def rewritten(text: str, made: dict[str, Callable[[], str]]) -> str:
    """Return a document with the tables that `made` can make in their places."""

    def fresh(match: re.Match[str]) -> str:
        make = made.get(match["name"])
        return match[1] + "\n" + make() + "\n" + match[4] if make else match[0]

    return BLOCK.sub(fresh, text)


def main() -> int:
    """Write the tables."""
    sys.path.insert(0, str(ROOT))  # of this checkout, whatever is installed
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--measured", type=Path, metavar="JSON", help="also write the measurements of this bench run")
    arguments = parser.parse_args()
    made = dict(TABLES)
    if arguments.measured:
        report = json.loads(arguments.measured.read_text())
        if any("users_per_core" in one["extra_info"] for one in report["benchmarks"]):
            made["generator"] = lambda: generator(report)
    for name in DOCUMENTS:
        path = ROOT / name
        path.write_text(rewritten(path.read_text(), made))
    for path, text in plots().items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
