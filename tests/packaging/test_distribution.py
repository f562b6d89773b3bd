"""What is given away: a source distribution, the wheel made from it, and the program installed from the wheel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from pathlib import Path

import pytest
from support.process import ServerProcess
from support.repository import ROOT, native_sources

PATTERNS = [
    line
    for line in Path(__file__).with_name("wheel-contents.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
# Compiling the native core twice over on a slow machine, and fetching what it depends on.
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution, and the wheel that was made from it."""
    folder = tmp_path_factory.mktemp("dist")
    # What `make build` compiled a moment ago needs no compiling again.
    environment = {**os.environ, "CC": "ccache cc"}
    command = [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, cwd=folder, env=environment)
    return folder


@pytest.fixture(scope="module")
def environment(distributions: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment into which the wheel alone was installed; the server's dependencies came with it."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    (wheel,) = distributions.glob("*.whl")
    # Isolated, or a checkout on PYTHONPATH counts as installed already.
    subprocess.run([folder / "bin/python", "-I", "-m", "pip", "install", "--quiet", str(wheel)], check=True, cwd=folder)
    return folder


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
        "simplestchat/static/index.html",
        "simplestchat/load/assets/report.js",
    } <= names
    assert {"simplestchat/web/package.json", "simplestchat/web/package-lock.json"} <= names
    assert not {name for name in names if name.endswith((".c", ".so", ".pyc")) or "node_modules" in name}


def test_wheel_holds_what_it_should_and_no_more(distributions: Path) -> None:
    (wheel,) = distributions.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert not {name for name in names if not any(re.fullmatch(pattern, name) for pattern in PATTERNS)}
    assert not {pattern for pattern in PATTERNS if not any(re.fullmatch(pattern, name) for name in names)}
    compiled = {name.split(".")[0] for name in names if name.endswith(".so")}
    assert compiled == {f"simplestchat/_native/{source.with_suffix('')}" for source in native_sources()}
    assert compiled == {name.removesuffix(".pyi") for name in names if name.endswith(".pyi")}


def test_server_pulls_in_no_other_media_stack(environment: Path) -> None:
    listing = subprocess.run(
        [environment / "bin/python", "-m", "pip", "list", "--format=freeze"], check=True, capture_output=True, text=True
    ).stdout
    installed = {line.partition("==")[0].lower() for line in listing.splitlines()}
    assert "simplestchat" in installed
    assert not installed & {"aiortc", "aioice", "av", "pylibsrtp", "pymediasoup"}


def test_version(environment: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [environment / "bin/simplestchat", "--version"], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    assert re.search(r"\b\d+\.\d+\.\d+\b", done.stdout)


def test_serves_from_an_empty_folder_and_stops_when_told(environment: Path, tmp_path: Path) -> None:
    command = [environment / "bin/simplestchat", "serve", "--port", "0", "--rtc-port", "0", "--workers", "1"]
    with ServerProcess(command, cwd=tmp_path, settings={}) as server:
        with urllib.request.urlopen(f"{server.url}/healthz", timeout=5) as answer:
            assert answer.status == 200
        with urllib.request.urlopen(f"{server.url}/", timeout=5) as answer:
            page = answer.read().decode()
        assets = re.findall(r'(?:src|href)="/?(assets/[^"]+)"', page)
        assert assets
        for asset in assets:
            with urllib.request.urlopen(f"{server.url}/{asset}", timeout=5) as answer:
                assert answer.status == 200
        assert server.stop() == 0


def test_load_tests_come_with_their_scenarios_and_say_what_they_lack(environment: Path, tmp_path: Path) -> None:
    show = "from simplestchat.load.library import names; print(*names())"
    done = subprocess.run(
        [environment / "bin/python", "-c", show], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout.split() == sorted(path.stem for path in (ROOT / "scenarios").glob("*.toml"))
    run = [environment / "bin/simplestchat", "load", "conference"]
    refused = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path)
    assert refused.returncode == 2
    assert "pip install 'simplestchat[load]'" in refused.stderr
