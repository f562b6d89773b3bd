"""The tables of docs/performance.md."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from instructions import BURSTS, GROUPS, LEAST, SAVED, grouped

from performance.bars import NOT_MEASURED, rows, shown
from performance.baseline import Run, figures, newest

Rows = Iterable[Iterable[str]]
Table = tuple[tuple[str, ...], Rows]


def machine(run: Run) -> Table:
    """The machine of the run, and when it was."""
    info = run["machine_info"]
    told = [("kept run", run["datetime"][:10])]
    if info:
        cpu = info["cpu"]
        told += [
            ("processor", f"{cpu['brand_raw']}, {cpu['count']} cores"),
            ("kernel", f"{info['system']} {info['release']}"),
            ("Python", info["python_version"]),
            ("OpenSSL", info.get("openssl", "")),
            ("memory", info.get("memory", "")),
        ]
    return ("what", ""), [row for row in told if row[1]]


def bars(run: Run) -> Table:
    """Every figure to reach."""
    return ("figure", "measured", "ratio", "wanted", "reached", "mediasoup 3.27, measured earlier"), rows(figures(run))


def _beside_floor(run: Run, file: str) -> list[dict[str, Any]]:
    return [
        one for one in run["benchmarks"] if f"/{file}::" in one["fullname"] and "ns_per_packet" in one["extra_info"]
    ]


def _nanoseconds(one: dict[str, Any]) -> tuple[str, str, str]:
    info = one["extra_info"]
    floor, ratio = info.get("floor_ns_per_packet"), info.get("ratio_to_floor")
    return (
        f"{info['ns_per_packet']:.0f}" if info["ns_per_packet"] >= 100 else f"{info['ns_per_packet']:.1f}",
        f"{floor:.0f}" if floor else "",
        f"{ratio:.2f}" if ratio else "",
    )


def trains(run: Run) -> Table:
    """Engine and real sends beside the bare loop."""
    found = sorted(
        _beside_floor(run, "test_fanout.py"), key=lambda one: (one["params"]["burst"], one["params"]["receivers"])
    )
    head = ("packets in a train", "receivers", "engine and sends, ns a packet", "floor, ns", "ratio")
    return head, [(str(one["params"]["burst"]), str(one["params"]["receivers"]), *_nanoseconds(one)) for one in found]


def rooms(run: Run) -> Table:
    """The engine alone, in memory."""
    counted = {
        one["params"]["name"]: one["extra_info"]["instructions_per_packet"]
        for one in run["benchmarks"]
        if "instructions_per_packet" in one["extra_info"]
    }
    head = ("room", "engine, ns a packet", "bare seals, ns", "ratio", "instructions a packet")
    found = _beside_floor(run, "test_rooms.py")
    names = [one["params"]["name"] for one in found]
    instructions = [f"{counted[name]:.0f}" if name in counted else "" for name in names]
    return head, [
        (name, *_nanoseconds(one), count) for name, one, count in zip(names, found, instructions, strict=True)
    ]


def hot_functions(run: Run) -> Table:
    """Each hot function by itself."""
    found = [*_beside_floor(run, "test_parse.py"), *_beside_floor(run, "test_stream.py")]
    return ("what", "ns", "floor, ns", "ratio"), [(one["params"]["name"], *_nanoseconds(one)) for one in found]


def sealing(run: Run) -> Table:
    """SRTP by suite."""
    found = _beside_floor(run, "test_srtp.py")
    names = [one["name"].removeprefix("test_").replace("[", " ").rstrip("]") for one in found]
    head = ("what", "ours, ns a packet", "libcrypto alone, ns", "ratio")
    return head, [(name, *_nanoseconds(one)) for name, one in zip(names, found, strict=True)]


JANUS = {
    "cpu_us": "CPU a forwarded packet, µs",
    "p50_ms": "added latency p50, ms",
    "p99_ms": "added latency p99, ms",
    "packets_per_s": "highest rate with < 0.1 % missing, packets/s",
    "cpu_ms": "CPU of a join, ms",
    "connected_kib": "memory of a receiver, connected, KiB",
    "after_media_kib": "the same after media, KiB",
}


def janus(run: Run) -> Table:
    """Debian's Janus, measured in turn with our worker."""
    lines = []
    for name, info in figures(run).items():
        for key, what in JANUS.items() if name.startswith("test_janus.py::") else ():
            if {f"ours_{key}", f"janus_{key}"} <= set(info):
                ours, theirs = info[f"ours_{key}"], info[f"janus_{key}"]
                case = name.partition("::test_")[2].replace("_", " ").replace("[", ", ").rstrip("]")
                lines.append((case, what, shown(ours), shown(theirs), f"{theirs / ours:.1f}"))
    nothing = [("100 receivers, bursts and joins", NOT_MEASURED, "", "", "")]
    return ("load", "what", "ours", "Janus", "Janus / ours"), lines or nothing


def _profile(name: str) -> dict[str, Any]:
    path = SAVED / f"{name}.json"
    loaded: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"revision": "", "instructions": {}}
    return loaded


def instruction_groups(run: Run) -> Table:
    """Instructions of a packet by what they are for, before and after."""
    sides = [_profile("before"), _profile("after")]
    head = ["for what"]
    columns = []
    for burst in BURSTS:
        for side, name in zip(sides, ("before", "after"), strict=True):
            head.append(f"bursts of {burst}, {name}")
            costs = side["instructions"].get(str(burst))
            columns.append({**grouped(costs), "all": costs[""]} if costs else {})
    return tuple(head), [
        (group, *(f"{column[group]:.0f}" if group in column else "" for column in columns))
        for group in (*GROUPS, "else", "all")
    ]


def instruction_functions(run: Run) -> Table:
    """Instructions of a packet by function, bursts of 10."""
    sides = [_profile(name)["instructions"].get("10", {}) for name in ("before", "after")]
    names = sorted(
        {name for side in sides for name in side if name},
        key=lambda name: (-max(side.get(name, 0) for side in sides), name),
    )
    return ("function, or call into a library", "before", "after"), [
        (f"`{name}`", *(f"{side[name]:.0f}" if side.get(name, 0) >= LEAST else "" for side in sides))
        for name in names
        if max(side.get(name, 0) for side in sides) >= 1
    ]


TABLES: dict[str, Callable[[Run], Table]] = {
    "machine": machine,
    "bars": bars,
    "trains": trains,
    "rooms": rooms,
    "hot-functions": hot_functions,
    "sealing": sealing,
    "janus": janus,
    "instruction-groups": instruction_groups,
    "instruction-functions": instruction_functions,
}


def made(name: str) -> Table:
    """Return a table by its name, of the newest kept run."""
    return TABLES[name](newest())
