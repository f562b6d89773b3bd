from __future__ import annotations

import re
import socket
from typing import Any

import pytest

from simplestchat import __version__
from simplestchat.cli import doctor
from simplestchat.cli.main import main
from simplestchat.config import ConnectionLimits, Media, Settings, Web
from simplestchat.config.settings import entries


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"simplestchat {__version__}\n"


def test_help_names_every_setting_with_its_variable(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--help"])
    assert ended.value.code == 0
    text = re.sub(r"\s+", " ", capsys.readouterr().out)
    for entry in entries():
        assert entry.option in text
        assert entry.variable in text


@pytest.mark.parametrize("arguments", [[], ["fly"], ["serve", "extra"], ["serve", "--fly"], ["serve", "--port"]])
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


def settings(**web: Any) -> Settings:
    return Settings(
        web=Web(**{"port": 0, **web}),
        media=Media(workers=1, rtc_port=0),
        connections=ConnectionLimits(max_connections=10),
    )


def test_doctor_is_content_where_the_server_can_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor.main(settings()) == 0
    lines = capsys.readouterr().out.splitlines()
    for what in ("rmem_max", "wmem_max", "open files", "GSO", "GRO", "clock", "TCP port"):
        assert any(what in line for line in lines), what
    for number, line in enumerate(lines):
        if line.startswith(("warn", "fail")):
            assert lines[number + 1].startswith("     ")  # how to mend it


def test_doctor_names_ports_in_use_and_how_to_mend(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as media:
        media.bind(("::", 0))
        port, rtc_port = taken.getsockname()[1], media.getsockname()[1]
        chosen = Settings(web=Web(port=port), media=Media(workers=1, rtc_port=rtc_port))
        assert doctor.main(chosen) == 1
    output = capsys.readouterr().out
    assert f"fail TCP port {port}: Address already in use" in output
    assert f"fail UDP port {rtc_port}: Address already in use" in output
    assert "--rtc-port" in output


def test_doctor_warns_of_too_few_files(capsys: pytest.CaptureFixture[str]) -> None:
    wanted = Settings(web=Web(port=0), media=Media(rtc_port=0), connections=ConnectionLimits(max_connections=1_000_000))
    (finding,) = doctor.check_files(wanted)
    assert finding.verdict in ("ok", "warn")
    if finding.verdict == "warn":
        assert "LimitNOFILE" in finding.mend
