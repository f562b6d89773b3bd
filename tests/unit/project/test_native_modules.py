"""Every module of the native core is compiled, has a stub that tells the truth, and keeps clear of the GIL."""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest
from support.repository import ROOT, module_name, native_sources

MODE = os.environ.get("SIMPLESTCHAT_BUILD", "release")
EVERY_SOURCE = pytest.mark.parametrize("source", native_sources(), ids=str)


def generated_c(source: Path) -> Path:
    """Where the build of this mode leaves the C of a module."""
    folder = ROOT if MODE == "trace" else ROOT / "build" / "c"
    return (folder / "_native" / source).with_suffix(".c")


@EVERY_SOURCE
def test_is_compiled(source: Path) -> None:
    module = importlib.import_module(module_name(source))
    assert module.__file__ is not None
    assert module.__file__.endswith(tuple(EXTENSION_SUFFIXES))


@EVERY_SOURCE
def test_says_what_it_is_for(source: Path) -> None:
    assert (ROOT / "_native" / source).read_text().startswith('"""')


def test_modules_are_cimported_by_their_whole_name() -> None:
    # Otherwise Cython looks for the package where Python would: it is found in a checkout, not in an isolated build.
    short = re.compile(r"^\s*from simplestchat\._native(?:\.\w+)? cimport", re.MULTILINE)
    files = [path for path in (ROOT / "_native").rglob("*") if path.suffix in {".pyx", ".pxd"}]
    assert not {path.name for path in files if short.search(path.read_text())}


def test_every_module_has_a_stub_and_no_stub_is_left_over() -> None:
    stubs = {path.relative_to(ROOT / "simplestchat/_native") for path in (ROOT / "simplestchat/_native").rglob("*.pyi")}
    assert stubs == {source.with_suffix(".pyi") for source in native_sources()}


@EVERY_SOURCE
def test_no_function_takes_the_gil_back(source: Path) -> None:
    # What Cython calls a performance hint: a nogil function whose caller must take the GIL to ask for an exception.
    assert "__Pyx_ErrOccurredWithGIL" not in generated_c(source).read_text()


def test_stubs_match_the_modules() -> None:
    modules = [module_name(source) for source in native_sources()]
    allowed = Path(__file__).with_name("stubtest-allow.txt")
    command = [sys.executable, "-m", "mypy.stubtest", "--ignore-disjoint-bases", "--allowlist", str(allowed)]
    done = subprocess.run([*command, *modules], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
