"""The command `simplestchat doctor` on the machine of the tests, and what it prints."""

from __future__ import annotations

import json
import os
import pty
import re
import socket
import subprocess
import sys

import pytest
from support.repository import ROOT

from simplestchat.cli import doctor
from simplestchat.cli.doctor import report
from simplestchat.cli.doctor.findings import Finding
from simplestchat.cli.doctor.probes import Probes
from simplestchat.cli.main import main
from simplestchat.config import Media, Settings, Web

FINDINGS = [
    Finding("green", "one", "well", values={"limit": float("inf"), "count": 3}),
    Finding("amber", "two", "less well", "it is slow", "sudo mend it"),
]
COMMAND = (sys.executable, "-m", "simplestchat", "doctor", "--port", "0", "--rtc-port", "0")


def test_it_is_content_where_the_server_can_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--port", "0", "--rtc-port", "0", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["for"] == "both"
    assert told["verdict"] in ("green", "amber")
    names = [check["name"] for check in told["checks"]]
    for name in ("OpenSSL", "cores", "memory", "open files", "socket buffer", "UDP offload", "clock", "addresses"):
        assert name in names
    assert all(check["mend"] for check in told["checks"] if check["verdict"] != "green")


def test_ports_in_use_are_red_for_serving_and_no_matter_for_load(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as media:
        media.bind(("::", 0))
        port, rtc_port = taken.getsockname()[1], media.getsockname()[1]
        chosen = Settings(web=Web(port=port), media=Media(workers=1, rtc_port=rtc_port))
        assert doctor.main(chosen, "serve") == 1
        output = capsys.readouterr().out
        assert doctor.main(chosen, "load") == 0
    assert re.search(rf"^red +port +TCP {port}: Address already in use$", output, re.MULTILINE)
    assert re.search(rf"^red +port +UDP {rtc_port}: Address already in use$", output, re.MULTILINE)
    assert "--rtc-port" in output
    assert output.endswith("It could not run.\n")


def test_lines_say_what_why_and_how_to_mend() -> None:
    assert report.as_text(FINDINGS).splitlines() == [
        "green  one                 well",
        "amber  two                 less well",
        "                           it is slow",
        "                           mend: sudo mend it",
        "",
        "amber  It runs, but not as well as it could.",
    ]
    assert "\x1b[33mamber\x1b[0m  two" in report.as_text(FINDINGS, coloured=True)


def test_json_is_strict() -> None:
    told = json.loads(report.as_json(FINDINGS, "serve"), parse_constant=pytest.fail)
    assert (told["for"], told["verdict"]) == ("serve", "amber")
    assert told["checks"][0]["values"] == {"limit": None, "count": 3}
    assert told["checks"][1]["mend"] == "sudo mend it"


def test_colours_are_for_terminals() -> None:
    environment = {**os.environ, "TERM": "xterm"} | {"NO_COLOR": ""}
    piped = subprocess.run(COMMAND, cwd=ROOT, env=environment, capture_output=True, check=True).stdout
    assert b"\x1b" not in piped
    for no_color, coloured in (("", True), ("1", False)):
        ours, theirs = pty.openpty()
        with os.fdopen(ours, "rb", buffering=0) as screen:
            command = [*COMMAND, "--for", "load"]
            shown = subprocess.Popen(command, cwd=ROOT, env=environment | {"NO_COLOR": no_color}, stdout=theirs)
            os.close(theirs)
            seen = b""
            while data := _read(screen.fileno()):
                seen += data
            assert shown.wait() == 0
        assert (b"\x1b[32mgreen" in seen) == coloured


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end of a terminal is gone
        return b""


def test_real_probes_agree_with_the_kernel() -> None:
    probes = Probes()
    granted = probes.buffers(100_000)
    assert granted.receive == granted.send == 100_000
    assert probes.segments() == probes.coalesces() is True
    delay_s = probes.arrival_delay_s()
    assert delay_s is not None
    assert abs(delay_s) < 5
    soft, hard = probes.file_limits()
    assert 0 < soft <= hard
    assert probes.cores() >= 1
    assert 5 < probes.clock_read_ns() < 100_000
    assert probes.native_problem() is None
    found = probes.openssl()
    assert found is not None
    assert found[0].startswith(f"OpenSSL {'.'.join(map(str, found[1]))}")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert probes.refusal(socket.SOCK_STREAM, "127.0.0.1", port) == "Address already in use"
    assert probes.refusal(socket.SOCK_STREAM, "127.0.0.1", port) is None
    assert probes.refusal(socket.SOCK_DGRAM, "::", 0) is None
