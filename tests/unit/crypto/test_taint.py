"""The nonce check: different packets at one index of one key are counted, the same packet again is not."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from support.rtp_packets import rtp

from simplestchat._native.testing.probe_crypto import (
    AEAD_AES_128_GCM,
    Srtp,
    seal_together,
    taint_records,
    taint_repeats,
    taint_switch,
)

pytestmark = pytest.mark.usefixtures("srtp_backend")
CAPACITY = 1 << 18


@pytest.fixture
def sender() -> Iterator[Srtp]:
    taint_switch(True)
    yield Srtp(AEAD_AES_128_GCM, os.urandom(16), os.urandom(12))
    taint_switch(False)


def test_off_nothing_is_recorded() -> None:
    taint_switch(False)
    Srtp(AEAD_AES_128_GCM, bytes(16), bytes(12)).protect(rtp(1, 1, b""))
    assert taint_records() == 0


def test_a_second_different_packet_is_a_repeat(sender: Srtp) -> None:
    sender.protect(rtp(1, 7, b"first"), index=7)
    assert (taint_records(), taint_repeats()) == (1, 0)
    sender.protect(rtp(1, 7, b"first"), index=7)
    assert (taint_records(), taint_repeats()) == (2, 0)
    sender.protect(rtp(1, 7, b"other"), index=7)
    assert taint_repeats() == 1


def test_packets_sealed_together_are_looked_at_each(sender: Srtp) -> None:
    seal_together([(sender, rtp(1, 7, b"first"), 7, 0, 0), (sender, rtp(1, 8, b"next"), 8, 0, 0)])
    assert (taint_records(), taint_repeats()) == (2, 0)
    seal_together([(sender, rtp(1, 7, b"other"), 7, 0, 0), (sender, rtp(1, 7, b"first"), 7, 2, 0)])
    assert (taint_records(), taint_repeats()) == (4, 1)


def test_a_changed_header_is_a_repeat_too(sender: Srtp) -> None:
    packet = bytearray(rtp(1, 7, b"same", extension=bytes(8)))
    sender.protect(bytes(packet), index=7)
    packet[16] ^= 1  # as a rewritten abs-send-time would
    sender.protect(bytes(packet), index=7)
    assert taint_repeats() == 1


def test_other_sources_rollovers_and_rtcp_are_other_indices(sender: Srtp) -> None:
    for ssrc, index in ((1, 7), (2, 7), (1, 65_543), (1, 131_079)):
        sender.protect(rtp(ssrc, index, os.urandom(9)), index=index)
    for _ in range(20):
        sender.protect_rtcp(rtp(1, 7, os.urandom(9)))
    assert (taint_records(), taint_repeats()) == (24, 0)


def test_a_key_that_comes_back_in_another_context_is_caught(sender: Srtp) -> None:
    for payload in (b"before the crash", b"after"):
        Srtp(AEAD_AES_128_GCM, bytes(16), bytes(12)).protect(rtp(1, 1, payload))
    assert taint_repeats() == 1


def test_memory_is_bounded_and_the_oldest_is_forgotten(sender: Srtp) -> None:
    for index in range(CAPACITY + 10):
        sender.protect(rtp(1, index, b""), index=index)
    assert taint_repeats() == 0
    for index in (0, 9):  # forgotten, so it cannot be told
        sender.protect(rtp(1, index, b"different"), index=index)
    assert taint_repeats() == 0
    for index in (50, CAPACITY // 2, CAPACITY + 9):
        sender.protect(rtp(1, index, b"different"), index=index)
    assert taint_repeats() == 3


@pytest.mark.parametrize(("setting", "expected"), [("1", "1"), ("0", "0"), (None, "0")])
def test_the_environment_switches_it_on(setting: str | None, expected: str) -> None:
    program = (
        "from simplestchat._native.testing.probe_crypto import Srtp, taint_records\n"
        "Srtp(7, bytes(16), bytes(12)).protect(bytes([128, 0]) + bytes(10))\n"
        "print(taint_records())"
    )
    environment = {name: value for name, value in os.environ.items() if name != "SIMPLESTCHAT_TAINT"}
    if setting is not None:
        environment["SIMPLESTCHAT_TAINT"] = setting
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected
