"""Every fuzz target on the modules that the other tests use: no invariant breaks, and some inputs get in."""

from __future__ import annotations

import pytest
from support.fuzzing import DEFAULT_ROUNDS, Target, find_targets

TARGETS = find_targets()
EVERY_TARGET = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)

#: The largest share of noise that may get in, where the first bytes alone decide or a grammar is loose. Of the other
#: targets none may: they ask for a tag, a key, a cookie or two nested structures.
NOISE_SHARE = {
    "demux": 112 / 256 + 0.01,  # so many first bytes have a meaning (RFC 7983)
    "engine-stranger": 112 / 256 + 0.01,  # the same decision; what gets past it is dropped without a trace
    "engine-check": 0.1,  # noise behind a genuine check: taken while it is empty or reads as optional attributes
    "peer-stranger": 112 / 256 + 0.01,
    "peer-answer": 0.1,  # as engine-check
    "peer-media": 1 / 16,  # as rtp: sealed with good keys, to be found corrupt by its receiver
    "rtp": 1 / 16,  # the version is right in a quarter, and of that a quarter claims no extension and no padding
    "ext-rewrite": 1 / 8,  # the same without padding
    "engine-pipe": 0.001,  # as engine-media
    "engine-media": 0.001,  # sealed with good keys, but for no stream or with no frame in it
    "rtcp": 0.02,  # version, type and the word count of all packets must fit
    "twcc": 0.002,
    "bwe-feedback": 0.01,  # as twcc
    "bwe-script": 0.25,  # any bytes are a script, if a fifth as many steps
    "h264": 0.5,  # most of the values that a NAL unit's type can have need no more than to be there
    "media-payload": 0.01,  # a part behind the first needs one byte of AV1, three of VP9
    "vp8": 0.99,  # nearly all bytes are a descriptor; what must be refused is the one that needs more than there is
    "vp9": 0.99,  # as vp8
    "websocket": 0.99,  # any two bytes are a header, or the beginning of one
    "av1": 0.5,  # lengths must fit, but two bytes can be one element that has none
    "av1dd": 0.05,  # a small structure is soon guessed, and then three bytes may name a template of it
    "opus": 0.99,  # a frame of any bytes in three quarters, lengths must fit in the others
    "red": 0.6,  # one byte below 128 is a header and says what is behind it is the payload
    "select": 1.0,  # any facts are facts
    "rates": 1.0,  # any numbers are sizes and times
    "pidmap": 0.99,  # any four bytes are a packet's numbers
}


@EVERY_TARGET
def test_no_input_breaks_an_invariant(target: Target) -> None:
    accepted = target.run(seed=2026)
    # A target that refuses everything tests only its first line, one that accepts everything tests no check.
    assert 0 < accepted < target.rounds


@EVERY_TARGET
def test_a_seed_says_everything(target: Target) -> None:
    rounds = min(10_000, target.rounds)
    assert target.run(seed=7, rounds=rounds) == target.run(seed=7, rounds=rounds)


@EVERY_TARGET
def test_noise_alone_is_harmless(target: Target) -> None:
    rounds = min(DEFAULT_ROUNDS // 10, target.rounds)
    accepted = target.fuzz(target.name, 3, rounds, [])
    assert accepted <= NOISE_SHARE.get(target.name, 0) * rounds


@EVERY_TARGET
def test_an_unknown_target_is_refused(target: Target) -> None:
    with pytest.raises(ValueError, match="nothing"):
        target.fuzz("nothing", 1, 1, [])


def test_names_are_unique() -> None:
    names = [target.name for target in TARGETS]
    assert len(names) == len(set(names))
    assert NOISE_SHARE.keys() <= set(names)
    assert {
        "stun",
        "rtp",
        "ext",
        "ext-rewrite",
        "rtcp",
        "twcc",
        "vp8",
        "h264",
        "vp9",
        "av1",
        "av1dd",
        "opus",
        "red",
        "pidmap",
        "demux",
        "websocket",
    } <= set(names)
