"""Ours and libsrtp on the same packets: the same bytes out, each opens the other's, the same packets refused."""

from __future__ import annotations

import random

import pylibsrtp
import pytest
from support.rtp_packets import SUITE_NAMES, any_rtcp, any_rtp, libsrtp

from simplestchat._native.core.errors import PeerError
from simplestchat._native.testing.probe_crypto import SUITES, Srtp, seal_together, srtp_sizes

pytestmark = pytest.mark.usefixtures("srtp_backend")
EVERY_SUITE = pytest.mark.parametrize("suite", SUITES, ids=SUITE_NAMES.get)

SEAL_PACKETS = 33_000  # of each suite, sealed by both and opened crosswise: two packets opened for each
JOURNEY_PACKETS = 34_000
RTCP_PACKETS = 5_000
BATCHES = 300  # of packets sealed together


def material(suite: int, rng: random.Random) -> tuple[bytes, bytes]:
    key_size, salt_size, _tag = srtp_sizes(suite)
    return rng.randbytes(key_size), rng.randbytes(salt_size)


@EVERY_SUITE
def test_rtp_is_sealed_alike_and_opened_crosswise(suite: int) -> None:
    rng = random.Random(suite)
    key, salt = material(suite, rng)
    ours, theirs = Srtp(suite, key, salt), libsrtp(suite, key, salt, sends=True)
    our_end, their_end = Srtp(suite, key, salt), libsrtp(suite, key, salt, sends=False)
    # Five sources whose sequence numbers wrap at different places; their steps make each wrap.
    sources = {ssrc: rng.randrange(32768) for ssrc in rng.sample(range(1, 2**32), 5)}
    for _ in range(SEAL_PACKETS):
        ssrc = rng.choice(list(sources))
        sources[ssrc] += rng.randrange(1, 20)
        packet = any_rtp(rng, ssrc, sources[ssrc])
        sealed = ours.protect(packet, index=sources[ssrc], split=rng.randrange(3) if len(packet) >= 100 else 0)
        assert sealed == theirs.protect(packet)
        opened, index = our_end.unprotect_indexed(sealed)
        assert (opened, index) == (packet, sources[ssrc])
        assert their_end.unprotect(sealed) == packet
    assert min(sources.values()) > 65536


@EVERY_SUITE
def test_both_take_and_refuse_the_same_packets_of_a_bad_network(suite: int) -> None:
    """Loss, reordering by up to 1500 packets, duplicates, flipped bits, and three rollovers."""
    rng = random.Random(100 + suite)
    key, salt = material(suite, rng)
    sender = Srtp(suite, key, salt)
    ours, theirs = Srtp(suite, key, salt), libsrtp(suite, key, salt, sends=False)
    # The first three packets come in order: how a receiver without any state guesses is not libsrtp's business here.
    journey: list[tuple[float, bytes]] = []
    index = 30_000
    for at in range(JOURNEY_PACKETS):
        index += rng.choice((1, 1, 1, 2, 30))
        sealed = sender.protect(any_rtp(rng, 5, index, 60), index=index)
        if at < 3:
            journey.append((at, sealed))
            continue
        if rng.random() < 0.05:
            continue
        for _ in range(rng.choice((1, 1, 1, 1, 2, 5))):
            late = rng.random() < 0.2
            damaged = bytearray(sealed)
            if rng.random() < 0.02:
                damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
            journey.append((at + (rng.uniform(3, 150 if rng.random() < 0.9 else 1500) if late else 0), bytes(damaged)))
    verdicts = [0, 0]
    for _, sealed in sorted(journey, key=lambda entry: entry[0]):
        try:
            expected: bytes | None = theirs.unprotect(sealed)
        except pylibsrtp.Error:
            expected = None
        try:
            found: bytes | None = ours.unprotect(sealed)
        except PeerError:
            found = None
        assert found == expected
        verdicts[found is None] += 1
    assert index > 3 * 65536
    assert min(verdicts) > JOURNEY_PACKETS // 4


@EVERY_SUITE
def test_rtcp_is_sealed_alike_and_opened_crosswise(suite: int) -> None:
    rng = random.Random(200 + suite)
    key, salt = material(suite, rng)
    ours, theirs = Srtp(suite, key, salt), libsrtp(suite, key, salt, sends=True)
    our_end, their_end = Srtp(suite, key, salt), libsrtp(suite, key, salt, sends=False)
    ours.protect_rtcp(any_rtcp(rng, 1))  # libsrtp begins with index 1, the RFC with 0
    for _ in range(RTCP_PACKETS):
        packet = any_rtcp(rng, 9)
        sealed = ours.protect_rtcp(packet)
        assert sealed == theirs.protect_rtcp(packet)
        assert our_end.unprotect_rtcp(sealed) == packet
        assert their_end.unprotect_rtcp(sealed) == packet


def test_a_batch_over_many_keys_and_suites_is_sealed_as_each_packet_alone() -> None:
    rng = random.Random(300)
    keys = [(suite, *material(suite, rng)) for suite in SUITES * 4]
    together, alone = [Srtp(*key) for key in keys], [Srtp(*key) for key in keys]
    index = 0
    for _ in range(BATCHES):
        jobs, expected = [], []
        for _ in range(rng.choice((0, 1, 2, 7, 8, 9, 40, 300))):
            index += 1
            at = rng.randrange(len(keys))
            packet = any_rtp(rng, at + 1, index)
            split = rng.randrange(3) if len(packet) >= 100 else 0
            padding = rng.randrange(1, 256) if rng.random() < 0.3 and not packet[0] & 0x20 else 0
            if padding:
                packet = bytes((packet[0] | 0x20,)) + packet[1:]
            jobs.append((together[at], packet, index, split, padding))
            padded = packet + bytes(padding - 1) + bytes((padding,)) if padding else packet
            expected.append(alone[at].protect(padded, index=index))
        assert seal_together(jobs) == expected
    assert index > 10_000
