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
        *(
            (f'name="x"\n[publish]\ntalk="{talk}"\n{key}=0\n', ("line 4", f"publish.{key}", f"'{talk}' needs 0.001"))
            for talk, key in (("turns", "talk_s"), ("spurts", "talk_s"), ("spurts", "silence_s"))
        ),
        *(
            (f'name="x"\n[publish]\n{key}=120\n', ("line 3", f"publish.{key}", "from 0 to 65"))
            for key in ("talk_s", "silence_s")
        ),
        *(
            (f'name="x"\n[publish]\n{key}={value}\n', ("line 3", f"publish.{key}", "there is no video", "720p30"))
            for key, value in (
                ("codec", '"vp9"'),
                ("bitrate_bps", "500_000"),
                ("simulcast", "true"),
                ("layers", "[150_000, 500_000]"),
                ("scalability", '"L1T3"'),
            )
        ),
        *(
            (f'name="x"\n[publish]\nvideo="720p30"\n{given}\n', ("line 4", *words))
            for given, words in (
                ('scalability="L4T1"', ("publish.scalability", "'L4T1'", "'L1T1', 'L1T2', 'L1T3', 'L2T1', 'L2T1_KEY'")),
                ('scalability="L1T2_KEY"', ("publish.scalability", "'L3T3_KEY'")),
                ('scalability="L3T2_KEY"', ("publish.scalability: vp8", "vp9 or av1", "to L1T2.")),
                ('scalability="L1T2"\ncodec="h264"', ("publish.scalability: h264 has no layers", "vp8, vp9 or av1")),
                ('scalability="L1T3"\ncodec="mixed"', ("publish.scalability: h264, which mixed includes,",)),
                ('scalability="L2T1"\ncodec="av1"\nsimulcast=true', ("publish.scalability", "Leave out simulcast")),
                (
                    'scalability="L3T3"\ncodec="vp9"\nlayers=[150_000, 500_000]',
                    ("publish.scalability", "Leave out layers", "to L1T3."),
                ),
                ("layers=[150, 500, 1500]", ("publish.layers[0]", "150 is", "bit/s from 1_000", "150_000")),
                ("layers=[1000, 200_000_001]", ("publish.layers[1]", "to 200_000_000")),
                ("layers=[1000, 1001, 1002, 1003]", ("publish.layers", "an array of at most 3, each a whole number")),
                ('layers="150_000"', ("publish.layers", "an array of at most 3, each a whole number of bit/s")),
                ("layers=[500_000, 150_000]", ("publish.layers", "lowest first")),
                ("bitrate_bps=500_000\nlayers=[150_000]", ("publish.bitrate_bps", "publish.layers has the bit rates")),
                ("bitrate_bps=500", ("publish.bitrate_bps", "have 500 bit/s", "from 1_000")),
                ("bitrate_bps=200_000_001", ("publish.bitrate_bps", "to 200_000_000")),
                ("bitrate_bps=12_000\nsimulcast=true", ("publish.bitrate_bps", "have 960 bit/s")),
            )
        ),
        *(
            (f'name="x"\n[network.{way}]\n{key}=61\n', ("line 3", f"network.{way}.{key}", "from 0 to 60"))
            for way, key in (("up", "delay_s"), ("down", "jitter_s"))
        ),
        ('name="x"\n[shape]\nclients=5\npresenters=9\n', ("line 4", "presenters")),
        ('name="x"\n[subscribe]\nlayout="gallery"\n', ("line 3", "subscribe.layout", "no video", "publish.video")),
        *(
            (
                f'name="x"\n[publish]\nvideo="720p30"\n[subscribe]\nlayout="speaker"\n{given}\n',
                ("line 5", "subscribe.layout: no video is received", "subscribe.video = true"),
            )
            for given in ("video=false", 'mode="none"')
        ),
        ('name="x"\n[subscribe]\nmode="some"\n', ("needs a limit",)),
        ('name="x"\n[objectives]\npacket_loss="none"', ("line 3", 'or "off"')),
        ('name="x"\nobjectives=3', ("line 2", "expected a table.")),
        ('name="x"\n[capacity]\nlow=9\nhigh=5\n', ("line 3", "capacity.low")),
        *(
            (f'name="x"\n[capacity]\ndimension="bitrate_bps"\n{given}\n', ("line 3", "capacity.dimension", *words))
            for given, words in (
                ("", ("there is no video", "Set publish.video")),
                (
                    '[publish]\nvideo="720p30"\nlayers=[150_000, 500_000]',
                    ("publish.layers has bit rates of its own", "publish.simulcast"),
                ),
            )
        ),
        *(
            (
                f'name="x"\npublish.video="720p30"\n[capacity]\ndimension="bitrate_bps"\nlow={low}\nhigh={high}\n',
                (f"line {line}", *words),
            )
            for low, high, line, words in (
                (100, 500_000, 5, ("capacity.low", "have 100 bit/s", "from 1_000")),
                (100_000, 300_000_000, 6, ("capacity.high", "have 300000000 bit/s", "to 200_000_000")),
            )
        ),
        ('name="x"\nx=', ("no TOML",)),
        ('name="x"\nshape=3', ("line 2", "shape", "a table")),
    ],
)
def test_what_is_wrong_is_told(text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ScenarioError) as refusal:
        parse_scenario(text, "wrong.toml", {})
    for word in ("wrong.toml", *words):
        assert word in str(refusal.value)


STEPS = """name="x"
[network]
share=1
[[network.steps]]
at_s=1
[network.steps.down]
loss=0.1
[[network.steps]]
at_s=2
[network.steps.up]
loss=0.1
[network.steps.down]
loss=0.1
[objectives]
errors=0
"""


@pytest.mark.parametrize(
    ("line", "place"), [(6, "network.steps[0].down"), (10, "network.steps[1].up"), (12, "network.steps[1].down")]
)
def test_a_table_of_one_of_several_steps_is_told_with_its_own_line(line: int, place: str) -> None:
    lines = STEPS.splitlines()
    assert lines[line].startswith("loss")
    for wrong, key in (("delay=1", "delay"), ("loss=2", "loss")):
        text = "\n".join((*lines[:line], wrong, *lines[line + 1 :]))
        with pytest.raises(ScenarioError) as refusal:
            parse_scenario(text, "wrong.toml", {})
        # An unknown key has a line of its own, too.
        assert str(refusal.value).startswith(f"wrong.toml, line {line + 1}, {place}.{key}: ")


@pytest.mark.parametrize("talk", ["always", "never"])
def test_a_length_of_talk_matters_only_to_those_who_begin_and_end(talk: str) -> None:
    assert parse_scenario(f'name="x"\n[publish]\ntalk="{talk}"\ntalk_s=0', "s.toml", {}).publish.talk_s == 0


def test_an_override_is_told_as_one() -> None:
    with pytest.raises(ScenarioError, match=r"shape\.clients \(given on the command line\)"):
        parse_scenario('name="x"\n[shape]\nclients=3', "s.toml", {"shape.clients": 0})
    with pytest.raises(ScenarioError, match=r"publish\.layers\[1\] \(given on the command line\)"):
        parse_scenario('name="x"\n[publish]\nvideo="720p30"', "s.toml", {"publish.layers": [150_000, 500]})
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
