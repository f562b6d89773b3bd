"""What a run ran on: figures mean something only beside the machine, the versions and the commit of the run."""

from __future__ import annotations

import os
import platform
import ssl
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

import simplestchat

LIBRARIES = ("trio", "websockets", "msgspec", "cryptography")
_CPU = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
_CLOCK = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
_GIT_TIMEOUT_S = 5.0


def describe() -> dict[str, Any]:
    """This machine: cpu, cores (that this process may use, and all), memory_mb, kernel, governor, clock, load."""
    memory = psutil.virtual_memory()
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "cores_all": os.cpu_count() or 1,
        "memory_mb": memory.total // 2**20,
        "memory_free_mb": memory.available // 2**20,
        "kernel": platform.release(),
        "arch": platform.machine(),
        "governor": _word(_CPU) or "unknown",
        "clock": _word(_CLOCK) or "unknown",
        "load": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    """Of Python, OpenSSL and the libraries that a run's figures depend on."""
    found = {"python": platform.python_version(), "openssl": ssl.OPENSSL_VERSION}
    for library in LIBRARIES:
        found[library] = metadata.version(library)
    return found


def commit() -> str:
    """The commit of the checkout that runs, with a ``+`` when files were changed since; empty outside one."""
    root = Path(simplestchat.__file__).resolve().parents[1]
    if not (root / ".git").exists():
        return ""
    head = _git(root, "rev-parse", "--short=12", "HEAD")
    return head + "+" if head and _git(root, "status", "--porcelain", "--untracked-files=no") else head


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=_GIT_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or "unknown"


def _word(path: Path) -> str:
    try:
        return path.read_text("utf-8").strip()
    except OSError:
        return ""
