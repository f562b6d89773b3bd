"""A machine for the doctor's checks: files that a test writes, and probes that answer what it says."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from simplestchat.cli.doctor.findings import Purpose, Use
from simplestchat.cli.doctor.machine import Machine
from simplestchat.cli.doctor.probes import Buffers, Probes
from simplestchat.config import ConnectionLimits, Media, Settings, Web

BUFFER_BYTES = 8 * 1024 * 1024


@dataclass
class Told(Probes):
    """Probes of a machine on which all is well, but for what a test changes."""

    buffer_bytes: Buffers = field(default_factory=lambda: Buffers(BUFFER_BYTES, BUFFER_BYTES))
    gso: bool = True
    gro: bool = True
    delay_s: float | None = 1e-5
    limits: tuple[float, float] = (1024, math.inf)
    core_count: int = 8
    clock_ns: float = 50.0
    taken: dict[int, str] = field(default_factory=dict)
    own: list[str] = field(default_factory=lambda: ["198.51.100.7", "127.0.0.1"])
    broken: str | None = None
    library: tuple[str, tuple[int, int, int]] | None = ("OpenSSL 3.5.1", (3, 5, 1))
    ipsec: tuple[str | None, str | None] = ("1.3.0", None)
    later: dict[Path, str] = field(default_factory=dict)
    """What files hold after a pause."""

    def buffers(self, wanted: int) -> Buffers:
        return self.buffer_bytes

    def segments(self) -> bool:
        return self.gso

    def coalesces(self) -> bool:
        return self.gro

    def arrival_delay_s(self) -> float | None:
        return self.delay_s

    def file_limits(self) -> tuple[float, float]:
        return self.limits

    def cores(self) -> int:
        return self.core_count

    def clock_read_ns(self) -> float:
        return self.clock_ns

    def pause(self, seconds: float) -> None:
        for path, text in self.later.items():
            path.write_text(text)

    def refusal(self, kind: int, host: str, port: int) -> str | None:
        return self.taken.get(port)

    def addresses(self) -> list[str]:
        return self.own

    def native_problem(self) -> str | None:
        return self.broken

    def openssl(self) -> tuple[str, tuple[int, int, int]] | None:
        return self.library

    def ipsec_mb(self) -> tuple[str | None, str | None]:
        return self.ipsec


#: As a roomy machine has them.
FILES = {
    "/proc/stat": "cpu  100 0 50 900 10 0 5 0 0 0\ncpu0 100 0 50 900 10 0 5 0 0 0\nintr 1\n",
    "/proc/meminfo": "MemTotal:       16384000 kB\nMemFree:  1 kB\nMemAvailable:   12288000 kB\n",
    "/proc/sys/fs/file-nr": "2000\t0\t9223372036854775807\n",
    "/proc/sys/net/core/rmem_max": "8388608\n",
    "/proc/sys/net/core/wmem_max": "8388608\n",
    "/proc/sys/net/core/somaxconn": "4096\n",
    "/proc/sys/net/ipv4/ip_local_port_range": "32768\t60999\n",
    "/proc/sys/net/ipv4/ip_local_reserved_ports": "40000-40009\n",
    "/sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc\n",
    "/sys/devices/system/clocksource/clocksource0/available_clocksource": "tsc hpet acpi_pm\n",
    "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
}


def put(folder: Path, files: dict[str, str]) -> None:
    """Write files by their paths on the machine."""
    for path, text in files.items():
        place = folder / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


def machine(folder: Path, files: dict[str, str] | None = None, **told: object) -> Machine:
    """A machine on which all is well, but for these files and answers."""
    put(folder, FILES | (files or {}))
    return Machine(folder, Told(**told))  # type: ignore[arg-type]


def use(*purposes: Purpose, workers: int = 2, rtc_port: int = 40000, announce: tuple[str, ...] = ()) -> Use:
    """For what a machine is to be used; both when not said."""
    settings = Settings(
        web=Web(port=8080),
        media=Media(workers=workers, rtc_port=rtc_port, announce=announce),
        connections=ConnectionLimits(max_connections=5000),
    )
    return Use(settings, frozenset(purposes or ("serve", "load")))
