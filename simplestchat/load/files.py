"""Reports on disk: written whole or not at all, read with complaints that say what to do."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from simplestchat.errors import ConfigError
from simplestchat.load import page
from simplestchat.load.report import SCHEMA_VERSION, Report

JSON_NAME: Final = "report.json"
HTML_NAME: Final = "report.html"
_STEP: Final = re.compile(r"step-\d+")
MAX_BYTES: Final = 256 * 1024 * 1024
"""A larger file is no report of ours."""
MAX_REPORTS: Final = 10_000
"""More under one folder are not looked for."""


class ReportError(ConfigError):
    """A file that is no report, or one of another time."""

    reason = "report"
    default = "The report cannot be read."


def write_report(report: Report, folder: Path) -> tuple[Path, Path | None]:
    """Write ``report.json`` and ``report.html`` into a folder, which is made; return their paths.

    The second is None where the page is not built. Raises ``OSError`` when the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figures = folder / JSON_NAME
    write_whole(figures, msgspec.json.format(msgspec.json.encode(report), indent=1))
    try:
        shown = page.run_page(report)
    except page.PageNotBuilt:
        return figures, None
    write_whole(folder / HTML_NAME, shown.encode())
    return figures, folder / HTML_NAME


def write_whole(path: Path, data: bytes) -> None:
    """Put a file in place in one step: who looks sees the old one or the new one, and never half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_report(path: Path) -> Report:
    """Return the report of a file, or of ``report.json`` in a folder. Raises ``ReportError``."""
    file = path / JSON_NAME if path.is_dir() else path
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ReportError(f"{file}: has more than {MAX_BYTES} bytes; it is no report.")
        data = file.read_bytes()
    except OSError as error:
        raise ReportError(f"{file}: cannot be read ({error.strerror}). Name a report.json or its folder.") from None
    try:
        version = msgspec.json.decode(data, type=_Version).schema
        if version != SCHEMA_VERSION:
            raise ReportError(f"{file}: is of schema {version}; this version reads {SCHEMA_VERSION}. Run it again.")
        return msgspec.json.decode(data, type=Report)
    except msgspec.DecodeError as error:
        raise ReportError(f"{file}: is no report: {error}") from None


def find_reports(folder: Path) -> Iterator[Path]:
    """Every ``report.json`` in a folder and the folders in it, by path; of a capacity search only its outcome."""
    found = 0
    for path in sorted(folder.rglob(JSON_NAME)):
        step = _STEP.fullmatch(path.parent.name) and (path.parent.parent / JSON_NAME).exists()
        if step:
            continue
        found += 1
        if found > MAX_REPORTS:
            return
        yield path


class _Version(msgspec.Struct):
    schema: int
