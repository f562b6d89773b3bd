"""Writes `docs/settings.md` from the table: `python -m simplestchat.config.docs > docs/settings.md`."""

from __future__ import annotations

import sys

from .load import CONFIG_VARIABLE
from .settings import GROUPS, entries

INTRODUCTION = f"""\
# Settings

Every setting of `simplestchat serve`, as an option, a variable or a key of the TOML file named by `--config`
(or `{CONFIG_VARIABLE}`). An option wins over a variable, a variable over the file, the file over the default.
A list is a repeated option, a comma-separated variable or a TOML array. A wrong setting is refused at start.
This page is made by `python -m simplestchat.config.docs`.
"""


def render() -> str:
    """Return the whole page."""
    lines = [INTRODUCTION]
    for group, (cls, title) in GROUPS.items():
        lines += [f"## {title.capitalize()}", "", (cls.__doc__ or "").strip(), ""]
        lines += ["| option and TOML key | variable | value | default | meaning |", "|---|---|---|---|---|"]
        for entry in entries():
            if entry.group == group:
                cells = (
                    f"`{entry.option}`",
                    f"`{entry.variable}`",
                    entry.kind.allowed,
                    entry.default_text(),
                    entry.help,
                )
                lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(render())
