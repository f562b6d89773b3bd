"""Which OpenSSL a build takes: what is not what it should be is refused, at once and in words."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from support.repository import ROOT


def setup(home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "setup.py", "--version"],
        cwd=ROOT,
        env={**os.environ, "SIMPLESTCHAT_OPENSSL": str(home)},
        capture_output=True,
        text=True,
    )


def openssl_of(home: Path, *libraries: str) -> Path:
    for name in ("include/openssl/ssl.h", *(f"lib/{library}" for library in libraries)):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).touch()
    return home


def test_a_folder_without_openssl_is_refused(tmp_path: Path) -> None:
    done = setup(tmp_path / "nowhere")
    assert done.returncode == 1
    assert "there is no" in done.stderr


def test_archives_are_refused(tmp_path: Path) -> None:
    done = setup(openssl_of(tmp_path, "libssl.a", "libcrypto.a"))
    assert done.returncode == 1
    assert "libcrypto.so" in done.stderr


def test_libraries_are_taken(tmp_path: Path) -> None:
    assert setup(openssl_of(tmp_path, "libssl.so", "libcrypto.so")).returncode == 0


def test_the_script_builds_only_the_release_that_it_names(tmp_path: Path) -> None:
    (tmp_path / "openssl.tar.gz").write_bytes(b"another one")
    command = ["sh", str(ROOT / "scripts/openssl.sh"), str(tmp_path / "home"), str(tmp_path / "openssl.tar.gz")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert "is not openssl-3.5." in done.stderr
    assert not any((tmp_path / "home").iterdir())
