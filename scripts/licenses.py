"""Writes licenses/browser-client.txt: what the browser client and the page of reports are made of, and its licences.

    python scripts/licenses.py

Reads ``package-lock.json`` and the installed packages (``node_modules``) of ``simplestchat/web``.
"""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WEB = ROOT / "simplestchat/web"
WRITTEN = ROOT / "licenses/browser-client.txt"
HEAD = "The browser client and the page of load reports contain these packages, compiled together.\n"
RULE = "\n" + "-" * 80 + "\n\n"


def packages() -> dict[str, dict[str, str]]:
    """Return what is packed, by its folder: everything that is not only for building, declarations of types aside."""
    locked = json.loads((WEB / "package-lock.json").read_text())["packages"]
    return {
        folder: entry
        for folder, entry in sorted(locked.items())
        if folder and not entry.get("dev") and not entry.get("optional") and "/@types/" not in folder
    }


def title(folder: str, entry: dict[str, str]) -> str:
    """Return a package's name, version and licence in a line."""
    return f"{folder.rpartition('node_modules/')[2]} {entry['version']}, {entry['license']}"


def text(folder: str) -> str:
    """Return the licence that a package carries."""
    files = sorted(path for path in (WEB / folder).iterdir() if path.stem.lower() in {"license", "licence"})
    if not files:
        return "The package carries no text of its licence.\n"
    return files[0].read_text().strip() + "\n"


def main() -> None:
    """Write the page."""
    parts = [f"{title(folder, entry)}\n\n{text(folder)}" for folder, entry in packages().items()]
    WRITTEN.write_text(RULE.join([HEAD, *parts]))


if __name__ == "__main__":
    main()
