"""`simplestchat load` as it is typed: what is refused, and what a run's exit status and files say."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import support
from support.repository import ROOT

from simplestchat.cli import load as arguments
from simplestchat.cli.main import main
from simplestchat.load import library, staff
from simplestchat.load.process import python
from simplestchat.load.reading import ScenarioError

STUB = Path(support.__path__[0]) / "stub_generator.py"
SCENARIO = """
name = "small"
[shape]
clients = 4
[ramp]
joins_per_s = 40
hold_s = 60
settle_s = 0.1
[generator]
processes = 1
[server]
workers = "1"
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SCENARIO)
    return path


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What is said on standard error of a command that is refused."""
    try:
        status = main(["load", *words])
    except SystemExit as ended:
        status = int(ended.code or 0)
    assert status == 2
    return capsys.readouterr().err


def test_every_option_is_in_the_help_with_the_exit_statuses(capsys: pytest.CaptureFixture[str]) -> None:
    for command in (["load"], ["load", "agent"], ["load", "compare"], ["load", "trend"]):
        with pytest.raises(SystemExit) as ended:
            main([*command, "--help"])
        assert ended.value.code == 0
        text = capsys.readouterr().out
        assert text.startswith(f"usage: simplestchat {' '.join(command)} ")
        assert "exit status: 0" in text
        if command == ["load"]:
            for option in ("--server", "--clients", "--duration", "--seed", "--report", "--quiet", "--set", "--agents"):
                assert f"{option} " in text
            for option in ("--redis", "--browsers", "--metrics-port", "--metrics-push"):
                assert f"{option} " in text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["nowhere"], "nowhere: there is no such file, nor a scenario of that name. There are: adaptive, audio,"),
        (["conference", "--set", "shape.clients"], "--set shape.clients: write it as KEY=VALUE"),
        (["conference", "--set", "shape.cliants=3"], "did you mean clients?"),
        (["conference", "--set", "publish.video=8k"], "'8k' is not allowed here; expected one of"),
        (["conference", "--clients", "0"], "expected a whole number from 1"),
        (["conference", "--clients", "many"], "'many' is no whole number from 0 on"),
        (["conference", "--metrics-port", "70000"], "'70000' is no port"),
        (["conference", "--server", "localhost:8080"], "--server localhost:8080: is no address of a web server"),
        (["conference", "--metrics-push", "nowhere"], "--metrics-push nowhere: is no address"),
        (["conference", "--agents", "2"], "--agents N and --redis URL belong together"),
        (["conference", "--redis", "redis://127.0.0.1"], "--agents N and --redis URL belong together"),
        (["conference", "--set", "server.max-fun=1"], "server.max-fun: there is no such setting"),
        (["conference", "--set", "server.max-rooms=few"], "server: --max-rooms: 'few' is not allowed here"),
        (["agent"], "--redis"),
        ([], "SCENARIO"),
    ],
)
def test_what_is_wrong_is_refused_by_name(words: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert says in refusal(capsys, *words)


def test_the_extra_that_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    # A finder before all others says that there is no such library, as it is where the extra was not installed.
    code = (
        "import sys\n"
        "class Absent:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] == 'rich':\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Absent())\n"
        "from simplestchat.cli.main import main\n"
        "sys.exit(main(['load', 'conference']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2
    assert done.stderr == "simplestchat: this needs rich; install it with: pip install 'simplestchat[load]'\n"


def test_scenarios_are_found_by_file_and_by_name(
    tmp_path: Path, scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert library.find_scenario(str(scenario)) == scenario
    monkeypatch.chdir(tmp_path)
    for word in ("conference", "conference.toml", "scenarios/conference.toml"):
        assert library.find_scenario(word) == ROOT / "scenarios" / "conference.toml"
    assert library.find_scenario("small.toml") == Path("small.toml")
    for word in ("small", "elsewhere/conference", "../conference", ""):
        with pytest.raises(ScenarioError):
            library.find_scenario(word)


def test_only_words_right_behind_load_are_commands() -> None:
    assert arguments.joined(["load", "agent", "--redis", "x"]) == ["load agent", "--redis", "x"]
    assert arguments.joined(["load", "./agent", "compare"]) == ["load", "./agent", "compare"]
    assert arguments.joined(["serve", "agent"]) == ["serve", "agent"]
    assert arguments.joined(["load"]) == ["load"]


@pytest.mark.parametrize(
    ("trick", "status", "verdict"), [("", 0, "pass"), ("lose", 1, "fail"), ("slow", 3, "void"), ("refuse", 3, "")]
)
def test_exit_status_and_report_tell_the_verdict(
    trick: str,
    status: int,
    verdict: str,
    scenario: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(staff, "GENERATOR", tuple(python(str(STUB), trick)))
    folder = scenario.parent / "report"
    words = ["load", str(scenario), "--duration", "1", "--seed", "7", "--quiet", "--report", str(folder)]
    assert main(words) == status
    output = capsys.readouterr()
    if not verdict:
        assert "generator 0: no file is left to open" in output.err
        assert not folder.exists()
        return
    report = json.loads((folder / "report.json").read_text())
    assert (report["verdict"], report["seed"]) == (verdict, 7)
    assert report["command"] == f"simplestchat load {scenario} --duration 1 --seed 7 --quiet --report {folder}"
    assert f"{verdict}: small" in output.out
    assert str(folder / "report.json") in output.out
    assert "small: 4 users, 1 s, seed 7" in output.out


def test_an_interrupt_leaves_a_void_report(scenario: Path, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from simplestchat.load import staff\n"
        f"staff.GENERATOR = {tuple(python(str(STUB)))!r}\n"
        "from simplestchat.cli.main import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code, "load", str(scenario), "--quiet", "--report", str(tmp_path / "report")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout is not None
    assert "4 users" in run.stdout.readline()
    assert "joined" in run.stdout.readline()
    os.kill(run.pid, signal.SIGINT)
    output, _ = run.communicate(timeout=60)
    assert run.returncode == 3, output
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["verdict"] == "void"
    assert "the run was interrupted" in report["reasons"]
