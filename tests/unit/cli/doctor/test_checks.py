"""Every check of `simplestchat doctor`, on machines that a test makes up."""

from __future__ import annotations

import math
import shlex
from pathlib import Path

import pytest
from support.fake_machine import machine, put, use

from simplestchat.cli.doctor import CHECKS, examine, network, system
from simplestchat.cli.doctor.findings import Finding, Purpose, Use, worst
from simplestchat.cli.doctor.machine import Machine
from simplestchat.cli.doctor.probes import Buffers
from simplestchat.config import Media, Settings

CPU_MAX = "/sys/fs/cgroup/a/b/cpu.max"
GROUP = {"/proc/self/cgroup": "0::/a/b\n"}
CLOCKS = "/sys/devices/system/clocksource/clocksource0/available_clocksource"
GOVERNOR = "/sys/devices/system/cpu/cpu1/cpufreq/scaling_governor"
RESERVED = "/proc/sys/net/ipv4/ip_local_reserved_ports"
RANGE = "/proc/sys/net/ipv4/ip_local_port_range"
TRACKED = {"/proc/sys/net/netfilter/nf_conntrack_max": "65536", "/proc/sys/net/netfilter/nf_conntrack_count": "60000"}


def test_a_roomy_machine_is_green_and_every_check_speaks(tmp_path: Path) -> None:
    findings = examine(machine(tmp_path), use())
    assert [finding for finding in findings if finding.verdict != "green"] == []
    assert len({finding.name for finding in findings}) == len(CHECKS)


@pytest.mark.parametrize(
    ("wanted", "there", "verdict", "what"),
    [
        ("auto", ("1.3.0", None), "green", "ipsec-mb 1.3.0"),
        ("auto", (None, "gone"), "green", "OpenSSL (ipsec-mb: gone)"),
        ("openssl", ("1.3.0", None), "green", "OpenSSL (ipsec-mb: not asked for)"),
        ("ipsec-mb", ("1.3.0", None), "green", "ipsec-mb 1.3.0"),
        ("ipsec-mb", (None, "gone"), "red", "gone"),
    ],
)
def test_what_encrypts_media_is_told(
    tmp_path: Path, wanted: str, there: tuple[str | None, str | None], verdict: str, what: str
) -> None:
    settings = Settings(media=Media(srtp_backend=wanted))
    (finding,) = system.srtp(machine(tmp_path, ipsec=there), Use(settings, frozenset({"serve"})))
    assert (finding.verdict, finding.what) == (verdict, what)


@pytest.mark.parametrize(
    ("purposes", "verdict"), [({"serve"}, "green"), ({"load"}, "amber"), ({"serve", "load"}, "amber")]
)
def test_offload_that_is_switched_off_is_not_missed(tmp_path: Path, purposes: set[Purpose], verdict: str) -> None:
    asked = Use(Settings(media=Media(udp_offload="off")), frozenset(purposes))
    assert worst(network.offload(machine(tmp_path, gso=False, gro=False), asked)) == verdict


def test_a_bare_kernel_that_tells_nothing_breaks_no_check(tmp_path: Path) -> None:
    bare = Machine(tmp_path / "nothing", machine(tmp_path).probes)
    assert worst(examine(bare, use())) in ("green", "amber")


def test_what_is_not_green_says_why_and_how_to_mend(tmp_path: Path) -> None:
    poor = machine(
        tmp_path,
        {"/proc/meminfo": "MemAvailable: 1 kB", GOVERNOR: "powersave", RESERVED: "", RANGE: "60000 60009", **TRACKED},
        buffer_bytes=Buffers(1, 1),
        gso=False,
        gro=False,
        delay_s=None,
        limits=(10, 10),
        core_count=1,
        clock_ns=5000,
        taken={8080: "Address already in use", 40000: "Permission denied"},
        own=[],
        broken="no module",
        library=None,
    )
    poor_findings = examine(poor, use())
    for finding in poor_findings:
        assert (finding.verdict == "green") == (not finding.mend) == (not finding.why), finding
    assert {finding.verdict for finding in poor_findings} == {"green", "amber", "red"}
    assert {finding.name for finding in poor_findings if finding.verdict == "red"} == {
        "native core", "OpenSSL", "memory", "open files", "port", "addresses",
    }  # fmt: skip


@pytest.mark.parametrize(("purpose", "absent"), [("serve", {"port range"}), ("load", {"port", "reserved ports"})])
def test_only_what_the_purpose_needs_is_looked_at(tmp_path: Path, purpose: Purpose, absent: set[str]) -> None:
    names = {finding.name for finding in examine(machine(tmp_path), use(purpose))}
    assert not names & absent
    assert {"cores", "memory", "socket buffer"} <= names


def only(found: list[Finding]) -> Finding:
    (finding,) = found
    return finding


def test_small_buffers_name_their_knob(tmp_path: Path) -> None:
    receive, send = network.buffers(machine(tmp_path, buffer_bytes=Buffers(212_992, 4 << 20)), use())
    assert (receive.verdict, send.verdict) == ("amber", "green")
    assert receive.mend == "sudo sysctl -w net.core.rmem_max=8388608"
    assert receive.what.startswith("208 KiB to receive")


@pytest.mark.parametrize(
    ("limits", "file_nr", "verdict", "mend"),
    [
        ((1024, math.inf), "1 0 10000000", "green", ""),
        ((20, 5064), "1 0 10000000", "green", ""),
        ((20, 5063), "1 0 10000000", "amber", "LimitNOFILE=5064"),
        ((20, 63), "1 0 10000000", "red", "LimitNOFILE=5064"),
        ((20, math.inf), "9000 0 10000", "amber", "fs.file-max=19128"),
    ],
)
def test_open_files(tmp_path: Path, limits: tuple[float, float], file_nr: str, verdict: str, mend: str) -> None:
    finding = only(list(system.files(machine(tmp_path, {"/proc/sys/fs/file-nr": file_nr}, limits=limits), use())))
    assert finding.verdict == verdict
    assert mend in finding.mend


@pytest.mark.parametrize(
    ("purposes", "cores", "quota", "workers", "verdict"),
    [
        (("serve",), 2, "max 100000", 2, "green"),
        (("serve",), 2, "max 100000", 4, "amber"),
        (("serve",), 8, "150000 100000", 2, "amber"),
        (("load",), 2, "max 100000", 64, "green"),
        (("load",), 1, "max 100000", 1, "amber"),
        (("serve", "load"), 4, "max 100000", 2, "green"),
        (("serve", "load"), 3, "max 100000", 2, "amber"),
    ],
)
def test_cores(
    tmp_path: Path, purposes: tuple[Purpose, ...], cores: int, quota: str, workers: int, verdict: str
) -> None:
    finding = only(
        list(
            system.cores(machine(tmp_path, GROUP | {CPU_MAX: quota}, core_count=cores), use(*purposes, workers=workers))
        )
    )
    assert finding.verdict == verdict


def test_the_tightest_group_around_us_counts(tmp_path: Path) -> None:
    files = GROUP | {CPU_MAX: "max 100000", "/sys/fs/cgroup/a/cpu.max": "250000 100000"}
    assert system.cpu_quota(machine(tmp_path, files)) == 2.5
    assert system.cpu_quota(machine(tmp_path, {"/proc/self/cgroup": "1:cpu:/a/b"})) == math.inf


@pytest.mark.parametrize(
    ("governor", "serve", "load"),
    [("performance", "green", "green"), ("schedutil", "green", "amber"), ("powersave", "amber", "amber")],
)
def test_frequency(tmp_path: Path, governor: str, serve: str, load: str) -> None:
    made = machine(tmp_path, {GOVERNOR: governor})
    assert only(list(system.frequency(made, use("serve")))).verdict == serve
    assert only(list(system.frequency(made, use("load")))).verdict == load


@pytest.mark.parametrize(
    ("before", "after", "verdict", "what"),
    [
        ("1000 0 0 8990 0 0 0 10", "1010 0 0 9080 0 0 0 10", "green", "0.1% since the start of the machine, 0.0% now"),
        ("1000 0 0 8990 0 0 0 10", "1010 0 0 9070 0 0 0 20", "amber", "10.0% now"),
        ("1000 0 0 8000 0 0 0 1000", "1010 0 0 8090 0 0 0 1000", "amber", "0.0% now"),
        ("0 0 0 0 0 0 0 0", "0 0 0 0 0 0 0 0", "green", "0.0% now"),
    ],
)
def test_steal(tmp_path: Path, before: str, after: str, verdict: str, what: str) -> None:
    made = machine(
        tmp_path, {"/proc/stat": f"cpu  {before} 0 0\n"}, later={tmp_path / "proc/stat": f"cpu  {after} 0 0"}
    )
    finding = only(list(system.steal(made, use())))
    assert finding.verdict == verdict
    assert what in finding.what


@pytest.mark.parametrize(
    ("available_mib", "group_mib", "verdict"),
    [(1536, None, "green"), (1535, None, "amber"), (63, None, "red"), (9000, 1536, "green"), (9000, 100, "amber")],
)
def test_memory(tmp_path: Path, available_mib: int, group_mib: int | None, verdict: str) -> None:
    files = GROUP | {"/proc/meminfo": f"MemAvailable: {available_mib * 1024} kB"}
    if group_mib is not None:
        folder = "/sys/fs/cgroup/a"
        files[folder + "/memory.max"] = str(8000 << 20)
        files[folder + "/memory.current"] = str((8000 - group_mib + 50) << 20)
        files[folder + "/memory.stat"] = f"anon 1\ninactive_file {50 << 20}\n"
        files["/sys/fs/cgroup/memory.max"] = "max"
    assert only(list(system.memory(machine(tmp_path, files), use()))).verdict == verdict


@pytest.mark.parametrize(
    ("cost_ns", "available", "verdict", "mend"),
    [(50, "tsc", "green", ""), (2000, "hpet tsc", "amber", "echo tsc"), (2000, "hpet", "amber", "hypervisor")],
)
def test_clock(tmp_path: Path, cost_ns: float, available: str, verdict: str, mend: str) -> None:
    files = {CLOCKS: available, CLOCKS.replace("available", "current"): "hpet"}
    finding = only(list(system.clock(machine(tmp_path, files, clock_ns=cost_ns), use())))
    assert finding.verdict == verdict
    assert mend in finding.mend


@pytest.mark.parametrize(("delay_s", "verdict"), [(1e-5, "green"), (None, "amber"), (3600.0, "amber"), (-2.0, "amber")])
def test_arrival_times(tmp_path: Path, delay_s: float | None, verdict: str) -> None:
    assert only(list(network.arrival_times(machine(tmp_path, delay_s=delay_s), use()))).verdict == verdict


@pytest.mark.parametrize(("number", "verdict"), [((3, 0, 0), "green"), ((3, 5, 1), "green"), ((1, 1, 1), "red")])
def test_openssl(tmp_path: Path, number: tuple[int, int, int], verdict: str) -> None:
    finding = only(list(system.openssl(machine(tmp_path, library=("OpenSSL of a test", number)), use())))
    assert finding.verdict == verdict


@pytest.mark.parametrize(("low_high", "verdict"), [("1000 4999", "green"), ("1000 4998", "amber"), ("", "green")])
def test_port_range(tmp_path: Path, low_high: str, verdict: str) -> None:
    assert only(list(network.port_range(machine(tmp_path, {RANGE: low_high}), use()))).verdict == verdict


@pytest.mark.parametrize(
    ("reserved", "low_high", "workers", "mend"),
    [
        ("40000-40001", "32768 60999", 2, ""),
        ("8080,40000,40001", "32768 60999", 2, ""),
        ("", "50000 60999", 2, ""),
        ("", "32768 60999", 2, "ip_local_reserved_ports=40000-40001"),
        ("8080,40000", "32768 60999", 2, "ip_local_reserved_ports=8080,40000,40000-40001"),
        ("", "32768 60999", 1, "ip_local_reserved_ports=40000"),
    ],
)
def test_reserved_ports(tmp_path: Path, reserved: str, low_high: str, workers: int, mend: str) -> None:
    made = machine(tmp_path, {RESERVED: reserved, RANGE: low_high})
    finding = only(list(network.reserved_ports(made, use(workers=workers))))
    assert (finding.verdict == "green") == (not mend)
    assert finding.mend.endswith(mend)


def test_free_ports_asked_for_by_the_settings(tmp_path: Path) -> None:
    taken = machine(tmp_path, taken={40001: "Address already in use"})
    tcp, first, second = network.free_ports(taken, use())
    assert (tcp.verdict, first.verdict, second.verdict) == ("green", "green", "red")
    assert second.what == "UDP 40001: Address already in use"
    assert "--rtc-port" in second.mend
    assert len(list(network.free_ports(taken, use(rtc_port=0)))) == 1
    assert list(network.reserved_ports(taken, use(rtc_port=0))) == []


def test_a_short_connection_queue(tmp_path: Path) -> None:
    finding = only(list(network.backlog(machine(tmp_path, {"/proc/sys/net/core/somaxconn": "128"}), use())))
    assert (finding.verdict, finding.mend) == ("amber", "sudo sysctl -w net.core.somaxconn=4096")


@pytest.mark.parametrize(("purpose", "verdict"), [("serve", "amber"), ("load", "green")])
def test_connection_tracking(tmp_path: Path, purpose: Purpose, verdict: str) -> None:
    finding = only(list(network.tracking(machine(tmp_path, TRACKED), use(purpose))))
    assert finding.verdict == verdict
    assert finding.what.startswith("room for 5536")


@pytest.mark.parametrize(
    ("own", "announce", "verdict", "what"),
    [
        (["8.8.8.8", "127.0.0.1"], (), "green", "8.8.8.8, 127.0.0.1"),
        (["192.168.1.4", "127.0.0.1"], (), "green", "private"),
        (["127.0.0.1"], (), "amber", "127.0.0.1"),
        (["127.0.0.1"], ("9.9.9.9",), "green", "9.9.9.9"),
        ([], (), "red", "none"),
    ],
)
def test_addresses(tmp_path: Path, own: list[str], announce: tuple[str, ...], verdict: str, what: str) -> None:
    finding = only(list(network.addresses(machine(tmp_path, own=own), use(announce=announce))))
    assert finding.verdict == verdict
    assert what in finding.what


def test_commands_that_mend_are_commands(tmp_path: Path) -> None:
    files = {RESERVED: "", RANGE: "60000 60009", "/proc/sys/net/core/somaxconn": "1", **TRACKED}
    for finding in examine(machine(tmp_path, files, buffer_bytes=Buffers(1, 1)), use(rtc_port=60001)):
        if finding.mend:
            command, verb, flag, setting = shlex.split(finding.mend)
            assert (command, verb, flag) == ("sudo", "sysctl", "-w")
            assert (tmp_path / "proc/sys" / setting.partition("=")[0].replace(".", "/")).exists(), finding.mend


def test_files_that_cannot_be_read_are_not_there(tmp_path: Path) -> None:
    put(tmp_path, {"/proc/x": "  12 words 13\n", "/proc/y": "\xff"})
    made = Machine(tmp_path)
    assert made.numbers("/proc/x") == [12]
    assert made.number("/proc/y") is None
    assert made.text("/proc") is None
    assert made.text("/proc/none") is None
    assert made.paths("/proc/?") == ["/proc/x", "/proc/y"]
