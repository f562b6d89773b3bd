"""The machine itself: cores, memory, clock, files, the native core and its cryptography."""

from __future__ import annotations

import math
from collections.abc import Iterator

from .findings import Finding, Use, Verdict
from .machine import Machine

MIB = 1024 * 1024
#: The crowd that a machine is judged by when it is to generate load: that of the largest scenarios.
LOAD_USERS = 1000
#: A synthetic user's WebSocket and two transports.
FILES_PER_LOAD_USER = 3
#: Beside one file for each connection: listeners, workers, the event loop, logs.
SPARE_FILES = 64
#: Free memory for a node, its workers and some rooms of video; and for a crowd of synthetic users.
SERVE_BYTES, LOAD_BYTES = 512 * MIB, 1024 * MIB
#: With less nothing starts.
LEAST_BYTES = 64 * MIB
#: Server and load tester apart: each a core for its event loop and one for media.
CORES_FOR_BOTH, CORES_FOR_LOAD = 4, 2
#: The share of time that a neighbour on the same hardware may take before figures are about him.
STEAL_SHARE, STEAL_SAMPLE_S = 0.02, 0.25
#: Python's part is about 50 ns; a clock that needs the kernel costs several times that.
CLOCK_READ_NS = 400
OPENSSL_LEAST = (3, 0, 0)
_CLOCK_FOLDER = "/sys/devices/system/clocksource/clocksource0/"
_GOVERNORS = "/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_governor"
_STEADY_GOVERNORS = frozenset({"performance"})
_SLOW_GOVERNORS = frozenset({"powersave", "conservative"})


def native_core(machine: Machine, _use: Use) -> Iterator[Finding]:
    """Whether the compiled modules can be loaded."""
    problem = machine.probes.native_problem()
    if problem is None:
        yield Finding("green", "native core", "loads")
    else:
        yield Finding("red", "native core", problem, "nothing works without it", "make build")


def openssl(machine: Machine, _use: Use) -> Iterator[Finding]:
    """Whether the cryptographic library is there and new enough."""
    found = machine.probes.openssl()
    mend = "sudo apt-get install libssl3"
    if found is None:
        yield Finding("red", "OpenSSL", "no version 3 is installed", "DTLS and SRTP need it", mend)
        return
    text, number = found
    values = {"version": ".".join(map(str, number))}
    if number < OPENSSL_LEAST:
        yield Finding("red", "OpenSSL", text, "3.0 or newer is needed", mend, values)
    else:
        yield Finding("green", "OpenSSL", text, values=values)


def srtp(machine: Machine, use: Use) -> Iterator[Finding]:
    """What will encrypt media."""
    wanted = use.settings.media.srtp_backend
    version, problem = (None, "not asked for") if wanted == "openssl" else machine.probes.ipsec_mb()
    values = {"wanted": wanted, "ipsec_mb": version}
    if problem is None:
        yield Finding("green", "SRTP", f"ipsec-mb {version}", values=values)
    elif wanted == "ipsec-mb":
        why = "the server does not start with --srtp-backend ipsec-mb"
        yield Finding("red", "SRTP", problem, why, "sudo apt-get install libipsec-mb1", values)
    else:
        yield Finding("green", "SRTP", f"OpenSSL (ipsec-mb: {problem})", values=values)


def cores(machine: Machine, use: Use) -> Iterator[Finding]:
    """Whether there are enough processors, a container's share counted."""
    there, quota = machine.probes.cores(), cpu_quota(machine)
    usable = min(there, quota)
    what = f"{there} to run on" + (f", a share of {quota:g} of them" if quota < there else "")
    values = {"cores": there, "usable": usable}
    workers = use.settings.media.workers
    if use.serves and workers > usable:
        why = f"{workers} media workers take turns on them"
        yield Finding("amber", "cores", what, why, f"simplestchat serve --workers {max(1, int(usable))}", values)
    elif use.serves and use.loads and usable < CORES_FOR_BOTH:
        why = f"under {CORES_FOR_BOTH}, a server and its load share cores: what is measured is both together"
        mend = "generate the load on another machine, or give this one more"
        yield Finding("amber", "cores", what, why, mend, values)
    elif use.loads and usable < CORES_FOR_LOAD:
        why = "signaling and media of the synthetic users share a core"
        yield Finding("amber", "cores", what, why, f"give this machine {CORES_FOR_LOAD} or more", values)
    else:
        yield Finding("green", "cores", what, values=values)


def cpu_quota(machine: Machine) -> float:
    """Return how many cores' time the control groups allow; infinite without a limit."""
    quota = math.inf
    for folder in machine.groups():
        limit = machine.numbers(folder + "/cpu.max")  # "max 100000" has no number at its beginning
        if len(limit) == 2 and limit[1]:
            quota = min(quota, limit[0] / limit[1])
    return quota


def frequency(machine: Machine, use: Use) -> Iterator[Finding]:
    """Whether the cores keep their speed."""
    governors = {machine.text(path) or "unknown" for path in machine.paths(_GOVERNORS)}
    if not governors:
        yield Finding("green", "CPU frequency", "not ours to see (a virtual machine, or it never changes)")
        return
    what, values = ", ".join(sorted(governors)), {"governors": sorted(governors)}
    mend = "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor"
    if use.loads and not governors <= _STEADY_GOVERNORS:
        yield Finding("amber", "CPU frequency", what, "runs are not comparable while the speed changes", mend, values)
    elif governors & _SLOW_GOVERNORS:
        yield Finding("amber", "CPU frequency", what, "media may wait for a core to speed up", mend, values)
    else:
        yield Finding("green", "CPU frequency", what, values=values)


def steal(machine: Machine, _use: Use) -> Iterator[Finding]:
    """Whether somebody else on the same hardware takes time from us."""
    before = cpu_times(machine)
    machine.probes.pause(STEAL_SAMPLE_S)
    after = cpu_times(machine)
    if not after:
        yield Finding("green", "CPU steal", "not told by this kernel")
        return
    ever = steal_share([0] * len(after), after)
    now = steal_share(before, after)
    what = f"{ever:.1%} since the start of the machine, {now:.1%} now"
    values = {"since_boot": ever, "now": now}
    if max(ever, now) > STEAL_SHARE:
        why = "another tenant of the hardware delays media, and spoils measurements"
        yield Finding("amber", "CPU steal", what, why, "move to a machine with cores of its own", values)
    else:
        yield Finding("green", "CPU steal", what, values=values)


def cpu_times(machine: Machine) -> list[int]:
    """Return the ticks of all cores by kind, without those of guests, which user time holds already."""
    for line in (machine.text("/proc/stat") or "").splitlines():
        if line.startswith("cpu "):
            return [int(word) for word in line.split()[1:9]]
    return []


def steal_share(before: list[int], after: list[int]) -> float:
    """Return the share of the ticks between two looks that was stolen."""
    spent = [late - early for early, late in zip(before, after, strict=True)]
    return spent[7] / sum(spent) if len(spent) > 7 and sum(spent) > 0 else 0.0


def memory(machine: Machine, use: Use) -> Iterator[Finding]:
    """Whether there is room for what is to run, a container's limit counted."""
    free = free_bytes(machine)
    if free is None:
        yield Finding("green", "memory", "not told by this kernel")
        return
    wanted = SERVE_BYTES * use.serves + LOAD_BYTES * use.loads
    what, values = f"{free // MIB} MiB free, {wanted // MIB} MiB wanted", {"free_bytes": free, "wanted_bytes": wanted}
    if free < LEAST_BYTES:
        yield Finding("red", "memory", what, "nothing could start", "end other programs, or add memory", values)
    elif free < wanted:
        why = "a crowd may not fit, and the kernel then ends a process"
        yield Finding("amber", "memory", what, why, "end other programs, or add memory", values)
    else:
        yield Finding("green", "memory", what, values=values)


def free_bytes(machine: Machine) -> int | None:
    """Return what can be had without swapping, by the machine and by the control groups."""
    rooms = []
    for line in (machine.text("/proc/meminfo") or "").splitlines():
        if line.startswith("MemAvailable:"):
            rooms.append(int(line.split()[1]) * 1024)
    for folder in machine.groups():
        limit, used = machine.number(folder + "/memory.max"), machine.number(folder + "/memory.current")
        if limit is not None and used is not None:
            rooms.append(max(0, limit - used + _reclaimable(machine, folder)))
    return min(rooms, default=None)


def _reclaimable(machine: Machine, folder: str) -> int:
    """Return the page cache that a group gives back first."""
    for line in (machine.text(folder + "/memory.stat") or "").splitlines():
        if line.startswith("inactive_file "):
            return int(line.split()[1])
    return 0


def clock(machine: Machine, _use: Use) -> Iterator[Finding]:
    """Whether reading the clock is cheap."""
    cost_ns = machine.probes.clock_read_ns()
    source = machine.text(_CLOCK_FOLDER + "current_clocksource") or "unknown"
    others = (machine.text(_CLOCK_FOLDER + "available_clocksource") or "").split()
    what, values = f"source {source}, {cost_ns:.0f} ns to read", {"source": source, "read_ns": cost_ns}
    if cost_ns <= CLOCK_READ_NS:
        yield Finding("green", "clock", what, values=values)
        return
    mend = "boot on hardware or a hypervisor that offers tsc or kvm-clock"
    if "tsc" in others and source != "tsc":
        mend = f"echo tsc | sudo tee {_CLOCK_FOLDER}current_clocksource"
    yield Finding("amber", "clock", what, "every look at the time enters the kernel", mend, values)


def files(machine: Machine, use: Use) -> Iterator[Finding]:
    """Whether as many sockets as wanted can be open; server and load tester raise the soft limit by themselves."""
    soft, hard = machine.probes.file_limits()
    system = machine.numbers("/proc/sys/fs/file-nr")  # open, unused, most
    room = min(hard, system[2] - system[0]) if len(system) == 3 else hard
    served = use.settings.connections.max_connections if use.serves else 0
    wanted = SPARE_FILES + max(served, FILES_PER_LOAD_USER * LOAD_USERS if use.loads else 0)
    what = f"{_count(room)} allowed (soft limit {_count(soft)}), {wanted} wanted"
    values = {"soft": soft, "hard": hard, "wanted": wanted}
    if room >= wanted:
        yield Finding("green", "open files", what, values=values)
        return
    verdict: Verdict = "red" if room < SPARE_FILES else "amber"
    why = "nothing could start" if verdict == "red" else "further connections are refused"
    if hard >= wanted:
        mend = f"sudo sysctl -w fs.file-max={system[0] + 2 * wanted}"
    else:
        mend = f"ulimit -Hn {wanted}, as root (a service: LimitNOFILE={wanted})"
        if use.serves:
            mend += "; or a lower --max-connections"
    yield Finding(verdict, "open files", what, why, mend, values)


def _count(number: float) -> str:
    return "any number" if math.isinf(number) else f"{number:.0f}"
