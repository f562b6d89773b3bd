"""Lower layers never import higher ones; layers.toml says which are which."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.repository import ROOT

RULES = tomllib.loads((Path(__file__).parent / "layers.toml").read_text())
ORDER: list[str] = RULES["native"]["order"]
PACKAGES: dict[str, list[str]] = RULES["packages"]
OUTSIDE: dict[str, list[str]] = RULES["outside"]

NATIVE_FILES = sorted(path for path in (ROOT / "_native").rglob("*") if path.suffix in {".pyx", ".pxd"})
PYTHON_FILES = sorted(path for path in (ROOT / "simplestchat").rglob("*.py") if "node_modules" not in path.parts)
NATIVE_IMPORT = re.compile(
    r"^\s*(?:from\s+simplestchat\._native(?:\.(?P<deep>\w+)(?:\.\w+)*)?\s+c?import\s+\(?\s*(?P<name>\w+)"
    r"|c?import\s+simplestchat\._native\.(?P<plain>\w+))",
    re.MULTILINE,
)


def native_layers(text: str) -> Iterator[str]:
    """The layers of the native core that a Cython source imports or cimports."""
    for match in NATIVE_IMPORT.finditer(text):
        yield match["deep"] or match["plain"] or match["name"]


def imported_modules(path: Path) -> Iterator[str]:
    """The absolute names of what a Python file imports, also inside functions and under TYPE_CHECKING."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            prefix = ".".join((*base, *filter(None, [node.module])))
            yield from (f"{prefix}.{alias.name}" for alias in node.names)


def package_of(path: Path) -> str:
    """The package, or the single module, that a file of simplestchat belongs to."""
    return path.relative_to(ROOT / "simplestchat").with_suffix("").parts[0]


def test_every_folder_has_a_place() -> None:
    layers = {path.relative_to(ROOT / "_native").parts[0] for path in NATIVE_FILES}
    packages = {package_of(path) for path in PYTHON_FILES} - {"__init__", "__main__", "_native"}
    assert layers <= set(ORDER)
    assert packages <= set(PACKAGES)


@pytest.mark.parametrize("path", NATIVE_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_native_layer(path: Path) -> None:
    own = ORDER.index(path.relative_to(ROOT / "_native").parts[0])
    higher = {layer for layer in native_layers(path.read_text()) if ORDER.index(layer) > own}
    assert not higher


@pytest.mark.parametrize("path", PYTHON_FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_python_package(path: Path) -> None:
    own = package_of(path)
    if own in {"__init__", "__main__", "_native"}:
        allowed, outside = set(PACKAGES), {"asyncio"}
    else:
        allowed = {own, *PACKAGES[own]}
        outside = {library for library, users in OUTSIDE.items() if own not in users}
    for name in imported_modules(path):
        top, _, rest = name.partition(".")
        assert top not in outside, f"{own} may not import {top}"
        inner = rest.partition(".")[0]
        if top == "simplestchat" and inner and inner != "__version__":
            assert inner in allowed, f"{own} may not import {inner}"


@pytest.mark.parametrize(
    ("text", "layers"),
    [
        ("from simplestchat._native.core.types cimport u8", ["core"]),
        ("    from simplestchat._native.wire cimport rtp", ["wire"]),
        ("from simplestchat._native cimport engine", ["engine"]),
        ("cimport simplestchat._native.io.udp as udp", ["io"]),
        ("import simplestchat._native.cc.bwe", ["cc"]),
        ("from libc.string cimport memcpy", []),
    ],
)
def test_the_check_sees_every_form(text: str, layers: list[str]) -> None:
    assert list(native_layers(text)) == layers
