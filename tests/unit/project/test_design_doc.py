"""docs/design.md names every module and package that there is, none that there is not, and its tables are of today."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from support.repository import ROOT

DESIGN = (ROOT / "docs/design.md").read_text()
LAYERS = tomllib.loads((Path(__file__).parent / "layers.toml").read_text())
NATIVE = sorted({path.with_suffix("") for suffix in ("pyx", "pxd") for path in (ROOT / "_native").rglob(f"*.{suffix}")})


def _tables() -> ModuleType:
    spec = importlib.util.spec_from_file_location("tables", ROOT / "scripts/tables.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLES = _tables()


@pytest.mark.parametrize("name", TABLES.DOCUMENTS)
def test_tables_are_of_today(name: str) -> None:
    text = (ROOT / name).read_text()
    assert TABLES.rewritten(text, TABLES.TABLES) == text, "run `make docs`"


@pytest.mark.parametrize("name", TABLES.DOCUMENTS)
def test_every_table_has_a_maker_and_rows(name: str) -> None:
    found = list(TABLES.BLOCK.finditer((ROOT / name).read_text()))
    assert {match["name"] for match in found} <= {*TABLES.TABLES, "generator"}
    assert all(match["body"].count("\n| ") >= 2 for match in found)


@pytest.mark.parametrize("module", NATIVE, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_native_module_is_named(module: Path) -> None:
    name = module.relative_to(ROOT / "_native").as_posix()
    assert re.search(rf"^\| `{name}` \| \S.*\|$", DESIGN, re.MULTILINE), f"{name} has no line, or says not what it is"


def test_no_native_module_is_named_that_is_not_there() -> None:
    layers = "|".join(LAYERS["native"]["order"])
    named = set(re.findall(rf"^\| `((?:{layers})/\w+)` \|", DESIGN, re.MULTILINE))
    assert named == {module.relative_to(ROOT / "_native").as_posix() for module in NATIVE}


def test_every_package_is_named() -> None:
    packages = {path.parent.name for path in (ROOT / "simplestchat").glob("*/__init__.py")} - {"_native"}
    missing = {name for name in packages if not re.search(rf"^\| `{name}` \| \S", DESIGN, re.MULTILINE)}
    assert not missing


def test_layers_stand_in_their_order() -> None:
    there = [layer for layer in LAYERS["native"]["order"] if (ROOT / "_native" / layer).is_dir()]
    assert re.findall(r"^\*\*(\w+)\*\*:", DESIGN, re.MULTILINE)[: len(there)] == there


def test_plots_are_of_today() -> None:
    drawn = TABLES.plots()
    assert drawn
    assert {path: path.read_text() for path in drawn} == drawn, "run `make docs`"
    page = (ROOT / "docs/performance.md").read_text()
    for path, text in drawn.items():
        assert f"](img/{path.name})" in page
        assert "prefers-color-scheme: dark" in text


def test_pictures_are_legible_in_light_and_dark() -> None:
    pictures = re.findall(r"\]\((img/[\w-]+\.svg)\)", DESIGN)
    assert "img/packet-path.svg" in pictures
    for picture in pictures:
        text = (ROOT / "docs" / picture).read_text()
        assert "prefers-color-scheme: dark" in text
        assert "<title" in text
        assert "<desc" in text
