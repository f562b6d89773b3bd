"""One HTML file that shows a report, a comparison or a trend: script, style and figures inside, nothing fetched.

The script and the style sheet are built from ``simplestchat/web/src/report`` (``npm run build``). The page forbids
itself every connection; only its own script, named by its hash, may run.
"""

from __future__ import annotations

import base64
import hashlib
import html
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from simplestchat.errors import ConfigError
from simplestchat.load.history import Comparisons, Trends
from simplestchat.load.objectives import told
from simplestchat.load.report import Report

BUILT: Final = Path(__file__).with_name("assets")
Kind: TypeAlias = Literal["run", "compare", "trend"]

_ICON: Final = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Crect width='32' height='32' rx='9' fill='%2319776a'/%3E%3C/svg%3E"
)


class PageNotBuilt(ConfigError):
    """The page's script and style sheet are not there."""

    reason = "page_not_built"
    default = "The report's page is not built; run `make build`. Its figures are in report.json."


def run_page(report: Report, built: Path = BUILT) -> str:
    """The page of one run. Raises ``PageNotBuilt``."""
    rows = "".join(
        f"<tr><td>{html.escape(one.title)}</td>"
        f"<td>{'not measured' if one.value is None else html.escape(told(one.value, one.unit))}</td>"
        f"<td>{'met' if one.ok else 'missed'}</td></tr>"
        for one in report.objectives
    )
    reasons = "".join(f"<li>{html.escape(reason)}</li>" for reason in report.reasons)
    words = f"<p>{report.verdict}</p><ul>{reasons}</ul><table>{rows}</table>"
    return _page("run", f"{report.title}: {report.verdict}", report, words, built)


def compare_page(found: Comparisons, built: Path = BUILT) -> str:
    """The page of two sides. Raises ``PageNotBuilt``."""
    alerts = tuple(alert for one in found.comparisons for alert in one.alerts)
    return _page("compare", f"{found.before} and {found.after}", found, _alerts(alerts), built)


def trend_page(trends: Trends, built: Path = BUILT) -> str:
    """The page of trends. Raises ``PageNotBuilt``."""
    alerts = tuple(alert for trend in trends.trends for alert in trend.alerts)
    return _page("trend", f"Trend of {trends.folder}", trends, _alerts(alerts), built)


def _alerts(alerts: tuple[str, ...]) -> str:
    return "<ul>" + "".join(f"<li>{html.escape(alert)}</li>" for alert in alerts or ("Nothing got worse.",)) + "</ul>"


def _page(kind: Kind, title: str, data: msgspec.Struct, words: str, built: Path) -> str:
    try:
        script = (built / "report.js").read_text(encoding="utf-8")
        style = (built / "report.css").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise PageNotBuilt from None
    script, style = _closed(script, "script"), _closed(style, "style")
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    content = embedded(msgspec.json.encode({"page": kind, "data": data}).decode())
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f'<link rel="icon" href="{_ICON}">\n'
        f"<title>{html.escape(title)}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        '<div id="report"></div>\n'
        f"<noscript><h1>{html.escape(title)}</h1>{words}</noscript>\n"
        f'<script type="application/json" id="content">{content}</script>\n'
        f"<script>{script}</script>\n</body>\n</html>\n"
    )


def embedded(text: str) -> str:
    """JSON that can stand inside a script element, whatever its strings say: no ``<`` is left in it."""
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _closed(text: str, element: str) -> str:
    """What is to stand in an element may not end it. Our own build holds nothing of the kind; a changed one might."""
    if f"</{element}" in text.lower() or "<!--" in text:
        raise ValueError(f"the built page holds what would end its {element} element")
    return text


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
