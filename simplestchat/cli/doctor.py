"""`simplestchat doctor`: looks at this machine as the server will use it, and says how to mend what is wrong."""

from __future__ import annotations

import resource
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from simplestchat.config import Settings

Verdict = Literal["ok", "warn", "fail"]

#: A worker asks for this much; a burst of video to a full room waits in it.
SOCKET_BUFFER_BYTES = 4 * 1024 * 1024
#: Beside one file for each connection: listeners, workers, the event loop, logs.
SPARE_FILES = 64
MAX_CLOCK_READ_NS = 1000  # a clock in the kernel's fast path takes about 30 ns
UDP_SEGMENT, UDP_GRO = 103, 104  # linux/udp.h
_CLOCK_SOURCE = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check has found, and what to do about it."""

    verdict: Verdict
    what: str
    mend: str = ""


def main(settings: Settings) -> int:
    """Run every check and print its finding; 1 when the server could not run."""
    findings = [finding for check in CHECKS for finding in check(settings)]
    for finding in findings:
        print(f"{finding.verdict:5}{finding.what}")
        if finding.mend:
            print(f"     {finding.mend}")
    sys.stdout.flush()
    return 1 if any(finding.verdict == "fail" for finding in findings) else 0


def check_buffers(_settings: Settings) -> Iterator[Finding]:
    """Whether UDP sockets may have buffers for a burst."""
    for option, knob in ((socket.SO_RCVBUF, "rmem_max"), (socket.SO_SNDBUF, "wmem_max")):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER_BYTES)
            granted = probe.getsockopt(socket.SOL_SOCKET, option) // 2  # the kernel doubles it for its own needs
        what = f"socket buffer ({knob}): {granted // 1024} KiB"
        if granted >= SOCKET_BUFFER_BYTES:
            yield Finding("ok", what)
        else:
            mend = f"packets may be lost in bursts; as root: sysctl -w net.core.{knob}={SOCKET_BUFFER_BYTES}"
            yield Finding("warn", what, mend)


def check_files(settings: Settings) -> Iterator[Finding]:
    """Whether as many connections as the settings allow can be open."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = settings.connections.max_connections + SPARE_FILES
    what = f"open files: {hard} allowed, {wanted} wanted for max-connections"
    if hard >= wanted or hard == resource.RLIM_INFINITY:
        yield Finding("ok", what)
    else:
        yield Finding("warn", what, f"raise it (ulimit -Hn {wanted}, LimitNOFILE={wanted}) or lower --max-connections")


def check_offload(_settings: Settings) -> Iterator[Finding]:
    """Whether the kernel takes and gives many packets at once."""
    for option, name in ((UDP_SEGMENT, "sending (GSO)"), (UDP_GRO, "receiving (GRO)")):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.setsockopt(socket.IPPROTO_UDP, option, 1)
            except OSError:
                yield Finding("warn", f"UDP {name}: missing", "works, but costs more CPU; Linux 5.0 or newer has it")
            else:
                yield Finding("ok", f"UDP {name}: there")


def check_clock(_settings: Settings) -> Iterator[Finding]:
    """Whether reading the clock is cheap and its steps are small."""
    rounds = 1000
    began = time.perf_counter_ns()
    for _ in range(rounds):
        time.monotonic_ns()
    cost_ns = (time.perf_counter_ns() - began) // rounds
    source = _CLOCK_SOURCE.read_text().strip() if _CLOCK_SOURCE.exists() else "unknown"
    what = f"clock: source {source}, {cost_ns} ns to read"
    if cost_ns <= MAX_CLOCK_READ_NS:
        yield Finding("ok", what)
    else:
        yield Finding("warn", what, f"slow; if the machine offers tsc: echo tsc > {_CLOCK_SOURCE}")


def check_ports(settings: Settings) -> Iterator[Finding]:
    """Whether the ports of the settings are free."""
    web, media = settings.web, settings.media
    family = socket.AF_INET6 if ":" in web.host else socket.AF_INET
    yield _port(family, socket.SOCK_STREAM, web.host, web.port, "TCP", "--port")
    for index in range(media.workers):
        if media.rtc_port:
            yield _port(socket.AF_INET6, socket.SOCK_DGRAM, "::", media.rtc_port + index, "UDP", "--rtc-port")


def _port(family: int, kind: int, host: str, port: int, name: str, option: str) -> Finding:
    with socket.socket(family, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        try:
            probe.bind((host, port))
        except OSError as exc:
            mend = f"end what uses it, or choose another with {option}"
            return Finding("fail", f"{name} port {port}: {exc.strerror or exc}", mend)
    return Finding("ok", f"{name} port {port}: free")


CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    check_buffers,
    check_files,
    check_offload,
    check_clock,
    check_ports,
)
