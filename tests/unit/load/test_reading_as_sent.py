"""What reads can be sent: synthetic users take the cameras and links of every scenario that is not refused."""

from __future__ import annotations

import random
from typing import Any, get_args

import pytest

from simplestchat._native.core.errors import MisuseError
from simplestchat._native.peer.swarm import Swarm
from simplestchat.load import device
from simplestchat.load.conditions import link_conditions
from simplestchat.load.plan import CODECS
from simplestchat.load.presets import AUDIO_BITRATE_BPS, TRACK_CAMERA, TRACK_MICROPHONE, Layer, layers, preset
from simplestchat.load.reading import ScenarioError, parse_scenario
from simplestchat.load.scenario import Codec, Publish, Scalability

PATH = 1
SERVER = ("127.0.0.1", 40_000)
PRINT = ("sha-256", ":".join(["AB"] * 32))
_TALK = {"always": 1, "turns": 0, "spurts": 2, "never": 0}  # as `Publishing` has it


def swarm_with_a_path() -> Swarm:
    swarm = Swarm(b"as-sent")
    swarm.add_path(PATH, 0, SERVER, "ufrag", "a-password-of-24-letters", PRINT, 1)
    return swarm


def send(publish: Publish, codec: str) -> None:
    """Make the senders of a publisher; raises ``MisuseError``."""
    swarm, chance = swarm_with_a_path(), random.Random(1)
    kinds: list[tuple[str, tuple[Layer, ...], str]] = []
    if publish.audio:
        kinds.append(("opus", (Layer("", 0, 0, AUDIO_BITRATE_BPS),), "L1T1"))
    if publish.video:
        camera = preset(publish.video, publish.bitrate_bps)
        encodings = layers(camera, simulcast=publish.simulcast, rates=publish.layers)
        kinds.append((codec, encodings, publish.scalability))
    for number, (name, encodings, scalability) in enumerate(kinds):
        video = name != "opus"
        infos = device.layer_infos(encodings, chance, rtx=video)
        parameters = device.sending(device.CAPABILITIES, name, str(number), "u0", infos, scalability=scalability)
        info: Any = {
            "user": 0,
            "track": TRACK_CAMERA if video else TRACK_MICROPHONE,
            **device.numbers(parameters),
            "fps": 30 if video else 50,
            "max_payload": device.MAX_PAYLOAD,
            "mid": str(number),
            "talk": _TALK[publish.talk],
            "dtx": publish.dtx,
            "talk_ms": round(publish.talk_s * 1000),
            "silence_ms": round(publish.silence_s * 1000),
            "seed": 1,
            "scalability": scalability,
            "layers": infos,
        }
        swarm.add_sender(number, PATH, info)


def publish_of(**given: Any) -> Publish | None:
    """As it reads; None when it is refused."""
    try:
        return parse_scenario('name="x"', "s.toml", {f"publish.{key}": value for key, value in given.items()}).publish
    except ScenarioError:
        return None


def can_be_sent(publish: Publish) -> bool:
    try:
        for codec in CODECS if publish.codec == "mixed" else (publish.codec,):
            send(publish, codec)
    except MisuseError:
        return False
    return True


@pytest.mark.parametrize("codec", get_args(Codec))
@pytest.mark.parametrize(
    "encodings", [{}, {"simulcast": True}, {"layers": [500_000]}, {"layers": [150_000, 500_000]}], ids=str
)
def test_layers_read_as_they_can_be_sent(codec: Codec, encodings: dict[str, Any]) -> None:
    rates = encodings.get("layers", ())
    for mode in get_args(Scalability):
        read = publish_of(video="360p30", codec=codec, scalability=mode, **encodings)
        meant = Publish(
            video="360p30",
            codec=codec,
            scalability=mode,
            simulcast=encodings.get("simulcast", False),
            layers=tuple(rates),
        )
        assert read in (None, meant)
        assert (read is not None) == can_be_sent(meant), mode


@pytest.mark.parametrize("simulcast", [False, True])
@pytest.mark.parametrize("rate", [999, 1000, 12_000, 13_000, 200_000_000, 200_000_001, 300_000_000])
def test_bit_rates_read_as_they_can_be_sent(simulcast: bool, rate: int) -> None:
    read = publish_of(video="720p30", bitrate_bps=rate, simulcast=simulcast)
    assert (read is not None) == can_be_sent(Publish(video="720p30", bitrate_bps=rate, simulcast=simulcast))


@pytest.mark.parametrize("rate", [999, 1000, 200_000_000, 200_000_001])
def test_rates_of_layers_read_as_they_can_be_sent(rate: int) -> None:
    read = publish_of(video="720p30", layers=[rate])
    assert (read is not None) == can_be_sent(Publish(video="720p30", layers=(rate,)))


@pytest.mark.parametrize("talk", _TALK)
@pytest.mark.parametrize("key", ["talk_s", "silence_s"])
def test_lengths_of_talk_that_read_can_be_sent(talk: str, key: str) -> None:
    for value in (0, 0.0004, 0.001, 1, 65, 65.6, 120):
        read = publish_of(talk=talk, **{key: value})
        assert read is None or can_be_sent(read), value
    assert publish_of(talk=talk, **{key: 65}) is not None


@pytest.mark.parametrize("key", ["delay_s", "jitter_s", "queue_s"])
def test_spans_of_links_that_read_can_be_set(key: str) -> None:
    longest = parse_scenario('name="x"', "s.toml", {f"network.down.{key}": 60, "network.down.rate_bps": 10**11})
    swarm_with_a_path().set_network(PATH, None, link_conditions(longest.network.down))
    with pytest.raises(ScenarioError):
        parse_scenario('name="x"', "s.toml", {f"network.down.{key}": 60.001})
