"""Writes the measured runs of docs/load-testing.md from reports: `python scripts/load_figures.py FOLDER...`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs/load-testing.md"
BEGIN, END = "<!-- measured runs -->\n", "<!-- end of measured runs -->"
HEAD = (
    "| run | users | verdict | packets checked | loss, raw / repaired | latency p50 / p99, ms | signaling p99, ms "
    "| first frame p95, ms | received, kB/s each | server, cores | server, MB each | generator, cores |\n"
)


def told(value: float | None, form: str) -> str:
    """A figure of a summary; a dash where it was not measured."""
    return "-" if value is None else format(value, form)


def row(folder: Path) -> str:
    """One line for the report in a folder."""
    report = json.loads((folder / "report.json").read_text("utf-8"))
    s = report["summary"]
    latency, frames = s["media_latency_ms"], s["first_frame_ms"]
    cells = (
        f"`{report['name']}`",
        s["clients"],
        report["verdict"],
        told(s["delivered"], ",").replace(",", " "),
        f"{told(s['packet_loss_raw'], '.2%')} / {told(s['packet_loss'], '.2%')}",
        f"{told(latency['p50'], '.1f')} / {told(latency['p99'], '.1f')}",
        told(s["signaling_ms"]["p99"], ".0f"),
        told(frames["p95"], ".0f"),
        told(s["kbytes_per_s_per_participant"], ".0f"),
        told(s["server_cpu_cores"], ".2f"),
        told(s["server_mb_per_participant"], ".2f"),
        told(s["generator_cpu_cores"], ".2f"),
    )
    return "| " + " | ".join(map(str, cells)) + " |\n"


def steps(folder: Path) -> str:
    """The steps of a capacity search, as a table of its own."""
    found = json.loads((folder / "report.json").read_text("utf-8"))["capacity"]
    text = (
        "\n| people in the room | verdict | missed | busiest worker, of a core | server, cores |\n" + "|---" * 5 + "|\n"
    )
    for step in sorted(found["steps"], key=lambda one: one["value"]):
        missed = ", ".join(step["broke"]) or "-"
        text += f"| {step['value']} | {step['verdict']} | {missed} | {step['worker_cpu_max']:.2f} | "
        text += f"{step['server_cpu_cores']:.2f} |\n"
    return text + f"\n{found['why']}\n"


def main(folders: list[str]) -> None:
    """Put the table where the page has its markers."""
    paths = [Path(one) for one in folders]
    searches = [one for one in paths if json.loads((one / "report.json").read_text("utf-8"))["capacity"]]
    table = HEAD + "|---" * 12 + "|\n" + "".join(row(one) for one in paths if one not in searches)
    before, rest = PAGE.read_text("utf-8").split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(before + BEGIN + "\n" + table + "".join(map(steps, searches)) + "\n" + END + after, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
