"""The machine that a run was made on, and what was installed there: figures without them mean little."""

from __future__ import annotations

import os
import platform
import re
import ssl
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from simplestchat import __version__

_LIBRARIES = ("trio", "websockets", "starlette", "h11", "msgspec")
_GIT_TIMEOUT_S = 5.0
_SOCKET_LIMITS = ("rmem_max", "wmem_max")


def describe() -> dict[str, Any]:
    """This machine in plain values: processor, cores, memory, kernel, and the limits of its sockets' buffers."""
    release = platform.release()
    return {
        "cpu": cpu_model(_read("/proc/cpuinfo")) or platform.machine(),
        "cores": os.cpu_count() or 1,
        "cores_allowed": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        "memory_mb": memory_mb(_read("/proc/meminfo")),
        "system": f"{platform.system()} {release}",
        "architecture": platform.machine(),
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor").strip() or "unknown",
        "load_before": round(os.getloadavg()[0], 2),
        **{name: int(_read(f"/proc/sys/net/core/{name}").strip() or 0) for name in _SOCKET_LIMITS},
    }


def versions() -> dict[str, str]:
    """What runs there: Python, OpenSSL, the kernel, simplestchat and the libraries it stands on."""
    found = {
        "simplestchat": __version__,
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "openssl": ssl.OPENSSL_VERSION,
        "kernel": platform.release(),
    }
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "unknown"
    return found


def commit(folder: Path | None = None) -> str:
    """The commit of the checkout that this code (or ``folder``) lies in, with ``+`` after it when files differ from
    it; empty outside a checkout or without git.
    """
    where = folder or Path(__file__).resolve().parent
    head = _git(where, "rev-parse", "HEAD")
    if not head:
        return ""
    return head + ("+" if _git(where, "status", "--porcelain", "--untracked-files=no") else "")


def cpu_model(cpuinfo: str) -> str:
    """The processor's name out of ``/proc/cpuinfo``; empty when it has none, as on some ARM machines."""
    found = re.search(r"^(?:model name|Model|cpu model)\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return " ".join(found[1].split()) if found else ""


def memory_mb(meminfo: str) -> int:
    """All of the machine's memory in MB out of ``/proc/meminfo``; 0 when it is not told."""
    found = re.search(r"^MemTotal:\s*(\d+) kB$", meminfo, re.MULTILINE)
    return int(found[1]) * 1024 // 1_000_000 if found else 0


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_GIT_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
