"""Every test that a document names exists, and the rows that the code refers to are in docs/security.md."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from support.repository import ROOT, tracked_files

NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
ROW = re.compile(r"^\| (\d+) \| .*\|$", re.MULTILINE)
REFERENCE = re.compile(r"docs/security\.md,? row (\d+)")
DOCUMENTS = [path for path in tracked_files() if path.suffix == ".md" and NAMED.search(path.read_text())]
SECURITY = (ROOT / "docs/security.md").read_text()


@cache
def functions(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_test_that_is_named_exists(document: Path) -> None:
    named = set(NAMED.findall(document.read_text()))
    missing = {
        f"{path}::{name}" for path, name in named if not (ROOT / path).is_file() or name not in functions(ROOT / path)
    }
    assert not missing


def test_every_row_has_a_proof_and_numbers_go_up() -> None:
    rows = list(ROW.finditer(SECURITY))
    numbers = [int(row[1]) for row in rows]
    assert numbers == sorted(set(numbers))
    assert not [row[1] for row in rows if not NAMED.search(row[0])]


def test_rows_that_the_code_refers_to_are_there() -> None:
    known = set(ROW.findall(SECURITY))
    sources = [path for path in tracked_files() if path.suffix in {".pxd", ".pyx", ".py"}]
    assert {row for path in sources for row in REFERENCE.findall(path.read_text())} <= known
