"""Load on a server that speaks TLS: its certificate is checked, media flows, and who is not trusted is told so."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import trio
from support.intrio import in_trio
from support.load import COMMAND, PATIENT, load
from support.repository import ROOT
from support.server import running

from simplestchat.load.client import Client, Notices
from simplestchat.load.counts import Tally
from simplestchat.load.lines import ConnectFailed, Lines
from simplestchat.load.trust import Trust, read_trust
from simplestchat.signaling.requests import RoomJoin

pytestmark = pytest.mark.e2e

SCENARIO = """
name = "secure"
[shape]
clients = 4
room_size = 2
[publish]
video = "360p15"
[ramp]
joins_per_s = 20
hold_s = 2
[behaviour]
chat_per_minute = 30
[objectives]
signaling_p99_ms = "off"
media_latency_p99_ms = "off"
first_frame_p95_ms = "off"
packet_loss = 0.05
[server]
workers = "1"
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "secure.toml"
    path.write_text(SCENARIO + PATIENT)
    return path


@pytest.mark.parametrize("trust", ["ca", "insecure"])
def test_a_run_against_a_server_with_tls(tmp_path: Path, scenario: Path, trust: str) -> None:
    state = tmp_path / "state"
    with running(TLS="self-signed", STATE_DIR=str(state)) as server:
        assert server.url.startswith("https://")
        words = ["--ca", state / "self-signed.pem"] if trust == "ca" else ["--insecure"]
        run = load(tmp_path / "report", scenario, "--server", server.url, *words)
    assert run.report["verdict"] == "pass", run.output
    assert run.summary["delivered"] > 0
    assert run.summary["server_cpu_cores"] is not None, "its metrics are read over https, too"


def test_a_run_whose_own_server_has_tls(tmp_path: Path, scenario: Path) -> None:
    words = ["--set", "server.tls=self-signed", "--set", f"server.state-dir={tmp_path / 'state'}"]
    run = load(tmp_path / "report", scenario, *words)
    assert run.report["verdict"] == "pass", run.output


def test_an_untrusted_certificate_is_refused_with_what_to_do(tmp_path: Path, scenario: Path) -> None:
    with running(TLS="self-signed", STATE_DIR=str(tmp_path / "state")) as server:
        words = [*COMMAND, str(scenario), "--quiet", "--server", server.url, "--report", str(tmp_path / "report")]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2, done
    assert "its certificate is not trusted" in done.stderr
    assert "--ca FILE" in done.stderr
    assert "--insecure" in done.stderr
    assert not (tmp_path / "report").exists()


class Silent:
    """Somebody who hears."""

    def on_notice(self, notice: object, seq: int) -> None: ...

    def on_lost(self, why: str) -> None:
        raise AssertionError(why)


def test_large_messages_and_many_at_once_pass_an_encrypted_line(tmp_path: Path) -> None:
    state = tmp_path / "state"

    async def body(url: str) -> None:
        errors: list[Exception] = []
        lines = Lines(errors.append, read_trust(state / "self-signed.pem", insecure=False))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lines.run)
            client = Client(Silent(), Notices(), Tally())
            await client.open(lines, url)
            await client.call("room.join", RoomJoin(room="r", name="P"))
            for size in (10, 20_000, 60_000):
                waiting = [client.send("ping", {"a": f"{number} " + "x" * size}) for number in range(8)]
                for number, pending in enumerate(waiting):
                    answer = await client.wait(pending)
                    assert answer is not None, number
            client.close()
            nursery.cancel_scope.cancel()
        lines.close()
        distrusting = Lines(errors.append, Trust())
        with pytest.raises(ConnectFailed, match=r"not trusted.*--insecure"):
            await Client(Silent(), Notices(), Tally()).open(distrusting, url)
        assert not errors

    with running(TLS="self-signed", STATE_DIR=str(state)) as server:
        in_trio(body)(server.url.replace("http", "ws", 1) + "/ws")
