"""Reports on disk and as pages: whole or not at all, nothing fetched, nothing that breaks out of its element."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from support.runs import MadeUpRun

from simplestchat.load import page
from simplestchat.load.files import ReportError, find_reports, read_report, write_report, write_whole
from simplestchat.load.judge import assess
from simplestchat.load.report import Report

REPORT = assess(MadeUpRun(clients=10, hold_s=4).record())
NASTY = "</script><script>alert(1)</script><!-- \u2028 <img src=x onerror=alert(2)>"


class Elements(HTMLParser):
    """Every element that a browser would see, with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "built"
    folder.mkdir()
    (folder / "report.js").write_text("console.log(1 < 2)")
    (folder / "report.css").write_text("body{margin:0}")
    return folder


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    figures, _ = write_report(REPORT, tmp_path / "a" / "b")
    assert read_report(figures) == read_report(figures.parent) == REPORT
    assert list(find_reports(tmp_path)) == [figures]
    assert not [path for path in figures.parent.iterdir() if path.name.startswith(".")]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "file"
    write_whole(target, b"old")
    with pytest.raises(TypeError):
        write_whole(target, "no bytes")  # type: ignore[arg-type]
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is no report"),
        ("{}", "is no report"),
        ('{"schema": 99}', "is of schema 99"),
        ('{"schema": 1}', "is of schema 1; this version reads 2. Run it again."),
        ('{"schema": 2, "verdict": "maybe"}', "is no report"),
    ],
)
def test_what_is_no_report_is_refused_in_words(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "report.json").write_text(text)
    with pytest.raises(ReportError, match=complaint):
        read_report(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"report\.json: cannot be read"):
        read_report(tmp_path)


def test_later_reports_may_have_more_fields(tmp_path: Path) -> None:
    data = msgspec.json.decode(msgspec.json.encode(REPORT))
    data["later"] = 1
    data["summary"]["later"] = 2
    (tmp_path / "report.json").write_bytes(msgspec.json.encode(data))
    assert read_report(tmp_path) == REPORT


def test_the_page_fetches_nothing_and_allows_itself_nothing(built: Path) -> None:
    text = page.run_page(REPORT, built)
    for tag, attributes in Elements(text).found:
        assert "src" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert str(attributes.get("href", "data:")).startswith("data:"), tag
    outside = text.replace("http://www.w3.org/2000/svg", "")
    assert not re.findall(r"(?:https?:)?//[a-z][\w.-]*\.[a-z]{2,}", outside)
    policy = next(one["content"] for _, one in Elements(text).found if one.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy


def test_no_text_breaks_out_of_its_place(built: Path) -> None:
    nasty = msgspec.structs.replace(REPORT, title=NASTY, reasons=(NASTY,), command=NASTY)
    text = page.run_page(nasty, built)
    tags = [tag for tag, _ in Elements(text).found]
    assert tags.count("script") == 2
    assert "img" not in tags
    content = re.search(r'<script type="application/json" id="content">(.*?)</script>', text, re.DOTALL)
    assert content is not None
    data = msgspec.json.decode(content[1])
    assert data["page"] == "run"
    assert msgspec.convert(data["data"], Report) == nasty


def test_without_the_built_page_there_are_the_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(page.PageNotBuilt, match="make build"):
        page.run_page(REPORT, tmp_path / "nowhere")
    monkeypatch.setattr(page.run_page, "__defaults__", (tmp_path / "nowhere",))
    figures, shown = write_report(REPORT, tmp_path)
    assert shown is None
    assert read_report(figures) == REPORT


def test_a_changed_build_that_would_break_the_page_is_refused(built: Path) -> None:
    (built / "report.js").write_text("'</SCRIPT>'")
    with pytest.raises(ValueError, match="end its script element"):
        page.run_page(REPORT, built)
