"""The native core under the address and undefined-behaviour sanitizers: in a folder and in processes of its own."""

from __future__ import annotations

import fcntl
import filecmp
import os
import re
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from support.repository import ROOT, native_sources

FOLDER = ROOT / "build" / "asan"
PACKAGE = FOLDER / "package"
BUILD_TIMEOUT_S = 900
#: Benchmarks, and doors that only tests on the release modules use: a fifth of what would have to be compiled.
LEFT_OUT = (
    *(f"bench_{name}" for name in ("chatters", "engine", "fanout", "media", "receive", "srtp", "stream", "wire")),
    *("cc_flow", "cc_path", "cc_receiver", "chat_floor", "floor", "publisher", "sink"),
    *(f"probe_{name}" for name in ("allocation", "arrival", "bytes", "cc", "codecs", "core", "output", "select")),
    *(f"probe_{name}" for name in ("stream", "swarm", "train", "turns", "udp")),
)
NOT_COPIED = {"web", "static", "node_modules", "__pycache__"}

ENVIRONMENT = {
    "PYTHONMALLOC": "malloc",  # or pymalloc's pools hide what is read past an object
    "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=1:quarantine_size_mb=16",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
}

#: What a sanitizer writes when it has found something.
REPORT = re.compile(r"AddressSanitizer|runtime error")

_PYTEST = "import sys, pytest, simplestchat; print(simplestchat.__file__); sys.exit(pytest.main(sys.argv[1:]))"


def _copy(source: Path, target: Path) -> None:
    """Copy a file that has changed, at once: another process may be importing what was there."""
    if target.exists() and filecmp.cmp(source, target):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as half:
        half.write(source.read_bytes())
    os.replace(half.name, target)


def _copy_python() -> None:
    """Put the package's Python files beside the sanitized modules; drop modules whose source is gone."""
    source = ROOT / "simplestchat"
    for path in source.rglob("*.py"):
        relative = path.relative_to(source)
        if NOT_COPIED.isdisjoint(relative.parts):
            _copy(path, PACKAGE / "simplestchat" / relative)
    left_out = {Path("testing", name) for name in LEFT_OUT}
    modules = {pyx.with_suffix("") for pyx in native_sources()} - left_out
    kept = {PACKAGE / "simplestchat" / "_native" / module for module in modules}
    for module in (PACKAGE / "simplestchat" / "_native").rglob("*.so"):
        if module.with_name(module.name.split(".")[0]) not in kept:
            module.unlink()


@cache
def build() -> Path:
    """Build what has changed, once a process; the folder to put first on PYTHONPATH.

    Release modules in the tree stay as they are.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    # The lock of scripts/bootstrap.sh: the generated C is the same for both builds, and written by the first.
    with (FOLDER.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        left_out = ",".join(f"testing.{name}" for name in LEFT_OUT)
        command = [sys.executable, "setup.py", "--quiet", "build_ext", "--build-lib", str(PACKAGE)]
        command += ["--leave-out", left_out]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "SIMPLESTCHAT_BUILD": "asan"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=BUILD_TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"the sanitized build failed:\n{done.stdout}")
        _copy_python()
    return PACKAGE


def _library() -> str:
    """The address sanitizer's runtime, which has to be loaded before Python."""
    found = subprocess.run(
        ["gcc", "-print-file-name=libasan.so"], check=True, capture_output=True, text=True
    ).stdout.strip()
    if not Path(found).is_absolute():
        raise AssertionError("gcc has no libasan.so: the Debian package libgcc-12-dev (or that of its version) has it")
    return found


def environment() -> dict[str, str]:
    """What makes a Python run on the sanitized modules; the rest of its environment may be anything."""
    return {
        **ENVIRONMENT,
        "LD_PRELOAD": _library(),
        "PYTHONPATH": os.pathsep.join((str(PACKAGE), str(ROOT / "tests"))),
    }


def run(arguments: list[str], *, timeout_s: float = 600) -> subprocess.CompletedProcess[str]:
    """Run ``python ARGUMENTS`` on the sanitized modules, in an empty place; stderr goes to stdout."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=FOLDER,
        env={**os.environ, **environment()},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def run_tests(*paths: Path) -> None:
    """Run the tests of these files on the sanitized modules; they must pass, and no sanitizer may say anything."""
    done = run(["-c", _PYTEST, "-p", "no:cacheprovider", "--no-header", "-q", *map(str, paths)])
    assert done.stdout.startswith(str(PACKAGE)), "other modules were tested"
    assert done.returncode == 0, done.stdout
    assert not REPORT.search(done.stdout), done.stdout
