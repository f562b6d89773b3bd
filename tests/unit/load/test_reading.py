"""Scenario files: every one of ours reads; a wrong one is refused with its line, its key and what is allowed."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.repository import ROOT

from simplestchat.errors import ConfigError
from simplestchat.load.reading import ScenarioError, parse_scenario, read_scenario

SCENARIOS = sorted((ROOT / "scenarios").glob("*.toml"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_file_of_ours_reads_and_is_named_as_its_scenario(path: Path) -> None:
    scenario = read_scenario(path)
    assert scenario.name == path.stem
    assert scenario.title


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('name="x"\n[shape]\nclients = 0\n', ("line 3", "shape.clients", "0", "from 1 to")),
        ('name="x"\n\n[shap]\n', ("line 3", "shap", "did you mean shape?")),
        ('name="x"\n[shape]\nclient = 3\n', ("line 3", "shape.client", "did you mean clients?", "room_size")),
        ('name="x"\n[publish]\nvideo="8k"\n', ("line 3", "publish.video", "'8k'", "'720p30'")),
        ('name="x"\n[publish]\naudio=1\n', ("line 3", "publish.audio", "true or false")),
        ('name="x"\n[ramp]\njoins_per_s=0\n', ("line 3", "above 0")),
        (
            'name="x"\n[network]\nshare=1\n[[network.steps]]\nat_s=1\n[[network.steps]]\nat_s=-1\n',
            ("line 7", "network.steps[1].at_s"),
        ),
        *(
            (f'name="x"\n[network]\nshare=1\n[[network.steps]]\nat_s=1\nevent="{event}"\n{given}\n', ("line 7", words))
            for event, given, words in (
                ("address-change", "duration_s=2", "steps[0].duration_s"),
                ("address-change", "up={loss=0.5}", "steps[0].up: address-change takes no conditions"),
                ("address-change", "down={loss=0.5}", "steps[0].down"),
                ("outage", "up={loss=0.5}\nduration_s=1", "steps[0].up: outage takes no conditions"),
            )
        ),
        ('name="x"\n[network]\nup.loss = 2\n', ("line 3", "network.up.loss", "from 0 to 1")),
        ("[shape]\nclients=1\n", ("name is missing",)),
        ('name="X Y"', ("line 1", "lower-case")),
        ('name="x"\n[publish]\naudio=false\n', ("line 2", "publish", "nothing is published")),
        ('name="x"\n[shape]\nclients=5\npresenters=9\n', ("line 4", "presenters")),
        ('name="x"\n[subscribe]\nmode="some"\n', ("needs a limit",)),
        ('name="x"\n[objectives]\npacket_loss="none"', ("line 3", 'or "off"')),
        ('name="x"\n[capacity]\nlow=9\nhigh=5\n', ("line 3", "capacity.low")),
        ('name="x"\nx=', ("no TOML",)),
        ('name="x"\nshape=3', ("line 2", "shape", "a table")),
    ],
)
def test_what_is_wrong_is_told(text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ScenarioError) as refusal:
        parse_scenario(text, "wrong.toml", {})
    for word in ("wrong.toml", *words):
        assert word in str(refusal.value)


def test_an_override_is_told_as_one() -> None:
    with pytest.raises(ScenarioError, match=r"shape\.clients \(given on the command line\)"):
        parse_scenario('name="x"\n[shape]\nclients=3', "s.toml", {"shape.clients": 0})
    with pytest.raises(ScenarioError, match="is no table"):
        parse_scenario('name="x"', "s.toml", {"name.first": 0})
    assert parse_scenario('name="x"', "s.toml", {"shape.clients": 7}).shape.clients == 7


def test_an_objective_can_be_switched_off() -> None:
    scenario = parse_scenario('name="x"\n[objectives]\nerrors="off"\npacket_loss=0.5', "s.toml", {})
    assert scenario.objectives.errors is None
    assert scenario.objectives.packet_loss == 0.5


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="cannot be read"):
        read_scenario(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b'name = "\xff"')
    with pytest.raises(ScenarioError, match="not UTF-8"):
        read_scenario(tmp_path / "latin.toml")


@given(st.text(max_size=200))
def test_no_text_crashes_it(text: str) -> None:
    with suppress(ConfigError):
        parse_scenario(text, "any.toml", {})
