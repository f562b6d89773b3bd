"""A receiver against loss, reordering, repeats and forgery: nothing lost to a wrong index, nothing taken twice."""

from __future__ import annotations

import random

import pytest
from support.rtp_packets import SUITE_NAMES, any_rtcp, rtp

from simplestchat._native.core.errors import MisuseError, NativeError, PeerError
from simplestchat._native.testing.probe_crypto import SUITES, Srtp, srtp_sizes

pytestmark = pytest.mark.usefixtures("srtp_backend")
EVERY_SUITE = pytest.mark.parametrize("suite", SUITES, ids=SUITE_NAMES.get)
SSRC = 0xCAFEBABE
WINDOW = 1024


def pair(suite: int) -> tuple[Srtp, Srtp]:
    key_size, salt_size, _tag = srtp_sizes(suite)
    key, salt = bytes(range(1, key_size + 1)), bytes(range(101, salt_size + 101))
    return Srtp(suite, key, salt), Srtp(suite, key, salt)


def seal(sender: Srtp, index: int, payload: bytes = b"media", ssrc: int = SSRC) -> bytes:
    return sender.protect(rtp(ssrc, index, payload), index=index)


def forged(rng: random.Random, sequence: int, suite: int, ssrc: int = SSRC) -> bytes:
    return rtp(ssrc, sequence, rng.randbytes(5 + srtp_sizes(suite)[2]))


def refused(receiver: Srtp, packet: bytes) -> bool:
    try:
        receiver.unprotect(packet)
    except PeerError:
        return True
    return False


def travel(rng: random.Random, start: int, lost: int) -> list[int]:
    """Indices as they arrive: without the first ``lost``, a fifth late; bursts with gaps pass 3 rollovers."""
    indices = list(range(start, start + 130))
    while indices[-1] < start + 3 * 65536:
        burst = indices[-1] + rng.randrange(1, 20_000)
        indices.extend(range(burst, burst + 8))
    arrivals = [(at + (rng.uniform(0, 10) if rng.random() < 0.2 else 0), index) for at, index in enumerate(indices)]
    # The first one to arrive is a packet in order: who has seen nothing can tell one rollover from none, not from two.
    return [indices[lost]] + [index for _, index in sorted(arrivals[lost + 1 :])]


@EVERY_SUITE
def test_every_packet_opens_wherever_a_source_begins(suite: int) -> None:
    rng = random.Random(suite)
    opened = too_late = 0
    for start in range(0, 65536, 257):
        sender, receiver = pair(suite)
        highest = 0
        for number, index in enumerate(travel(rng, start, rng.randrange(101))):
            if number % 11 == 10:
                assert refused(receiver, forged(rng, index + rng.choice((1, 600, 30_000, 32_768, 50_000)), suite))
            if index + WINDOW <= highest:
                assert refused(receiver, seal(sender, index))
                too_late += 1
                continue
            assert receiver.unprotect_indexed(seal(sender, index)) == (rtp(SSRC, index, b"media"), index)
            highest = max(highest, index)
            opened += 1
    assert opened > 10 * too_late
    assert opened > 50_000


@EVERY_SUITE
@pytest.mark.parametrize("lost", [0, 1, 5, 6, 7, 50, 100])
def test_a_start_before_the_first_rollover_with_early_loss(suite: int, lost: int) -> None:
    sender, receiver = pair(suite)
    rng = random.Random(lost)
    for index in range(65_530 + lost, 65_900):
        assert refused(receiver, forged(rng, index, suite))
        assert receiver.unprotect_indexed(seal(sender, index))[1] == index


@EVERY_SUITE
def test_late_packets_from_before_a_rollover(suite: int) -> None:
    sender, receiver = pair(suite)
    # No step forward is longer than 32 767, or it could not be guessed.
    for index in (65_540, 65_534, 65_541, 65_535, 65_536, 98_000, 130_000, 131_080, 131_070, 131_071):
        assert receiver.unprotect_indexed(seal(sender, index))[1] == index


@EVERY_SUITE
def test_each_packet_is_delivered_exactly_once(suite: int) -> None:
    rng = random.Random(suite)
    sender, receiver = pair(suite)
    old = [seal(sender, index) for index in range(1000)]
    for packet in old:
        receiver.unprotect(packet)
    fresh = [seal(sender, index) for index in range(1000, 1600)] * 5
    for at in range(0, len(fresh), 500):
        part = fresh[at : at + 500]
        rng.shuffle(part)
        fresh[at : at + 500] = part
    delivered = [packet for packet in fresh if not refused(receiver, packet)]
    assert len(delivered) == len(set(delivered)) == 600
    assert all(refused(receiver, packet) for packet in old)


@EVERY_SUITE
def test_a_packet_late_by_just_less_than_the_window_is_taken_once(suite: int) -> None:
    sender, receiver = pair(suite)
    receiver.unprotect(seal(sender, 5_000))
    in_time, too_late = seal(sender, 5_000 - WINDOW + 1), seal(sender, 5_000 - WINDOW)
    assert not refused(receiver, in_time)
    assert refused(receiver, in_time)
    assert refused(receiver, too_late)


@EVERY_SUITE
def test_a_thousand_packets_in_reverse_all_open(suite: int) -> None:
    sender, receiver = pair(suite)
    for index in reversed(range(70_000, 70_000 + WINDOW)):
        assert receiver.unprotect_indexed(seal(sender, index))[1] == index


@EVERY_SUITE
def test_rtcp_is_delivered_exactly_once_and_per_sender(suite: int) -> None:
    rng = random.Random(suite)
    sender, receiver = pair(suite)
    packets = [sender.protect_rtcp(any_rtcp(rng, ssrc)) for ssrc in range(40) for _ in range(3)]
    rng.shuffle(packets)
    delivered = 0
    for packet in packets * 5:
        try:
            receiver.unprotect_rtcp(packet)
        except PeerError:
            continue
        delivered += 1
    assert delivered == len(packets)


@EVERY_SUITE
def test_rtcp_too_old_to_tell_is_refused(suite: int) -> None:
    rng = random.Random(suite)
    sender, receiver = pair(suite)
    packets = [sender.protect_rtcp(any_rtcp(rng, 7)) for _ in range(1001)]
    receiver.unprotect_rtcp(packets[-1])
    receiver.unprotect_rtcp(packets[-128])
    with pytest.raises(PeerError, match="seen before"):
        receiver.unprotect_rtcp(packets[-129])


@EVERY_SUITE
def test_forged_packets_change_nothing(suite: int) -> None:
    rng = random.Random(suite)
    sender, receiver = pair(suite)
    for _ in range(200):
        assert refused(receiver, forged(rng, rng.randrange(65536), suite))
    assert not any(receiver.state(SSRC))
    receiver.unprotect(seal(sender, 100))
    before = receiver.state(SSRC)
    genuine = seal(sender, 101, b"x" * 300)
    for _ in range(500):
        assert refused(receiver, forged(rng, 100 + rng.randrange(40_000), suite))
        damaged = bytearray(genuine)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        try:
            receiver.unprotect(bytes(damaged))
        except NativeError:
            pass
        else:
            pytest.fail("a damaged packet was taken")
    assert receiver.state(SSRC) == before
    assert receiver.unprotect(genuine) == rtp(SSRC, 101, b"x" * 300)


@EVERY_SUITE
def test_a_damaged_rtcp_packet_is_refused_and_the_genuine_one_still_opens(suite: int) -> None:
    rng = random.Random(suite)
    sender, receiver = pair(suite)
    for _ in range(20):
        packet = any_rtcp(rng, 3)
        sealed = sender.protect_rtcp(packet)
        for at in range(len(sealed)):
            damaged = bytearray(sealed)
            damaged[at] ^= 1 << rng.randrange(8)
            with pytest.raises(PeerError):
                receiver.unprotect_rtcp(bytes(damaged))
        assert receiver.unprotect_rtcp(sealed) == packet


@EVERY_SUITE
def test_every_short_length_with_every_first_byte_is_refused(suite: int) -> None:
    _, receiver = pair(suite)
    for size in range(65):
        for first in range(256):
            packet = bytes([first]) * min(size, 1) + bytes(max(size - 1, 0))
            assert refused(receiver, packet)
            with pytest.raises(PeerError):
                receiver.unprotect_rtcp(packet)


@EVERY_SUITE
def test_what_is_shorter_than_header_and_tag_is_called_short(suite: int) -> None:
    _, receiver = pair(suite)
    tag = srtp_sizes(suite)[2]
    for size in range(12, 12 + tag):
        with pytest.raises(PeerError, match="ends too early"):
            receiver.unprotect(rtp(SSRC, 1, bytes(size - 12)))
    for size in range(8 + tag + 4):
        with pytest.raises(PeerError, match="ends too early"):
            receiver.unprotect_rtcp(bytes(size))


@EVERY_SUITE
def test_sources_have_rollovers_of_their_own(suite: int) -> None:
    sender, receiver = pair(suite)
    for step in range(300):
        for ssrc, start in ((1, 65_400), (2, 10)):
            assert receiver.unprotect_indexed(seal(sender, start + step, ssrc=ssrc))[1] == start + step


@EVERY_SUITE
def test_a_key_is_not_used_past_its_last_index(suite: int) -> None:
    sender, receiver = pair(suite)
    last = 2**48 - 1
    assert len(seal(sender, last)) > 12
    with pytest.raises(MisuseError, match="limit"):
        seal(sender, last + 1)
    with pytest.raises(MisuseError, match="state"):
        sender.protect(rtp(SSRC, 5, b""), index=6)
    assert refused(receiver, seal(sender, last))
