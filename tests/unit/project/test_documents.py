"""What the documents say is there: commands, options, files. And what no tracked file may say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.repository import ROOT, tracked_files

DOCUMENTS = [path for path in tracked_files() if path.suffix == ".md"]
EVERY_DOCUMENT = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE = re.compile(r"`([^`\n]+)`")
TOP_FOLDERS = ("_native", "bench", "docs", "scripts", "simplestchat", "tests")
GENERATED = ("simplestchat/static", "simplestchat/load/assets", "bench-output", "test-output")
FORBIDDEN = re.compile(
    r"(?<![\w.])/(?:root|work|home/[a-z]+)/"
    r"|registry\.npmjs\.org|pypi\.org|pythonhosted\.org|deb\.debian\.org|ghcr\.io|quay\.io"
)


def makefile_targets() -> set[str]:
    return set(TARGET.findall((ROOT / "Makefile").read_text()))


def test_help_covers_every_target() -> None:
    shown = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert set(re.findall(r"^  make ([a-z-]+) +\S", shown, re.MULTILINE)) == makefile_targets()


def test_every_target_is_phony() -> None:
    # A file or folder of a target's name must not make it look done.
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    assert makefile_targets() == set(phony[1].split())


@EVERY_DOCUMENT
def test_make_commands_exist(path: Path) -> None:
    code = "\n".join(re.findall(r"```sh\n(.*?)```", path.read_text(), re.DOTALL) + CODE.findall(path.read_text()))
    assert set(re.findall(r"\bmake ([a-z][a-z-]*)", code)) <= makefile_targets()


@EVERY_DOCUMENT
def test_links_lead_somewhere(path: Path) -> None:
    links = {link for link in LINK.findall(path.read_text()) if "://" not in link}
    assert not {link for link in links if not (path.parent / link).exists()}


@EVERY_DOCUMENT
def test_named_files_exist(path: Path) -> None:
    named = {text for text in CODE.findall(path.read_text()) if re.fullmatch(r"[\w./-]+", text) and "/" in text}
    inside = {text for text in named if text.split("/")[0] in TOP_FOLDERS and not text.startswith(GENERATED)}
    assert not {text for text in inside if not (ROOT / text).exists()}


def test_settings_of_the_readme_exist() -> None:
    script = "import sys; from simplestchat.cli.main import main; sys.exit(main())"
    command = [sys.executable, "-c", script, "serve", "--help"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    text = (ROOT / "README.md").read_text()
    options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))
    assert options <= set(re.findall(r"--[a-z-]+", listed.stdout))
    variables = set(re.findall(r"SIMPLESTCHAT_[A-Z_]+", text)) - {"SIMPLESTCHAT_"}
    assert {"--" + name.removeprefix("SIMPLESTCHAT_").lower().replace("_", "-") for name in variables} <= options


def test_no_tracked_file_names_a_machine_or_a_registry() -> None:
    found = []
    for path in tracked_files():
        if path == Path(__file__):
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in FORBIDDEN.finditer(text)]
    assert not found
