"""MESSAGE-INTEGRITY: the vectors of RFC 5769 and RFC 8489, agreement with aioice, and what must not pass."""

from __future__ import annotations

import hmac
import random

import aioice.stun
import pytest
from support.vectors_stun import (
    SAMPLE_REQUEST,
    SAMPLE_SHA256_REQUEST,
    SHA256_PASSWORD,
    SHA256_TAG_OFFSET,
    VECTORS,
    StunVector,
)

from simplestchat._native.core.errors import MisuseError, PeerError
from simplestchat._native.testing.probe_crypto import stun_seal, stun_verify
from simplestchat._native.testing.probe_wire import stun_parse, stun_write_request

KEY = b"a password of 22 chars"


def request(rng: random.Random, name: bytes = b"server:client") -> bytes:
    return stun_write_request(rng.randbytes(12), name, rng.randrange(2**32), True, rng.randrange(2**64), True)


def passes(message: bytes, key: bytes = KEY) -> bool:
    try:
        stun_verify(message, key)
    except PeerError:
        return False
    return True


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_rfc5769(vector: StunVector) -> None:
    stun_verify(vector.message, vector.password)
    assert not passes(vector.message, vector.password + b"x")
    assert not passes(vector.message, vector.password[:-1])
    assert not passes(vector.message, b"")


def test_rfc5769_request_is_sealed_to_the_same_bytes() -> None:
    # Its length field counts the attributes written so far.
    body = bytearray(SAMPLE_REQUEST.message[:-32])
    body[2:4] = (len(body) - 20).to_bytes(2, "big")
    assert stun_seal(bytes(body), SAMPLE_REQUEST.password) == SAMPLE_REQUEST.message


def test_rfc8489_request_is_genuine_and_still_not_taken() -> None:
    # A check in ICE is sealed with SHA-1, so that one with only the newer attribute counts as not sealed.
    sealed, tag = SAMPLE_SHA256_REQUEST[: SHA256_TAG_OFFSET - 4], SAMPLE_SHA256_REQUEST[SHA256_TAG_OFFSET:]
    assert hmac.digest(SHA256_PASSWORD, sealed, "sha256") == tag
    assert not passes(SAMPLE_SHA256_REQUEST, SHA256_PASSWORD)


def test_aioice_believes_ours_and_we_believe_aioice() -> None:
    rng = random.Random(5)
    for _ in range(500):
        key = rng.randbytes(rng.choice((1, 22, 24, 63, 64, 65, 200)))
        sealed = stun_seal(request(rng, rng.randbytes(rng.randrange(1, 60)).hex().encode()), key)
        parsed = aioice.stun.parse_message(sealed)
        assert parsed.check_message_integrity(key)
        parsed.add_message_integrity(key)
        theirs = bytes(parsed)
        assert passes(sealed, key)
        assert passes(theirs, key)
        assert not passes(theirs, key + b"0")


def test_every_flipped_bit_up_to_the_end_of_integrity_is_noticed() -> None:
    sealed = stun_seal(request(random.Random(1)), KEY)
    assert passes(sealed)
    for bit in range(8 * (len(sealed) - 8)):
        damaged = bytearray(sealed)
        damaged[bit // 8] ^= 1 << bit % 8
        assert not passes(bytes(damaged))


def test_a_message_without_integrity_does_not_pass() -> None:
    assert not passes(request(random.Random(1)))


def test_a_cut_tag_does_not_pass() -> None:
    sealed = stun_seal(request(random.Random(1)), KEY)[:-8]
    for kept in range(20):
        cut = bytearray(sealed[: len(sealed) - 20 + kept])
        cut[2:4] = (len(cut) - 20).to_bytes(2, "big")
        cut[-kept - 2 : len(cut) - kept] = kept.to_bytes(2, "big")
        assert not passes(bytes(cut))


def test_what_comes_behind_integrity_is_not_covered_and_not_believed() -> None:
    sealed = bytearray(stun_seal(stun_write_request(bytes(12), b"a:b", 1, True, 7), KEY)[:-8])
    sealed += bytes.fromhex("00250000")  # USE-CANDIDATE
    sealed[2:4] = (len(sealed) - 20).to_bytes(2, "big")
    assert passes(bytes(sealed))
    assert not stun_parse(bytes(sealed))["use_candidate"]


def test_a_buffer_that_is_too_small_is_not_written_past() -> None:
    message = request(random.Random(1))
    whole = len(message) + 32
    assert len(stun_seal(message, KEY, whole)) == whole
    for cap in range(len(message), whole):
        with pytest.raises(MisuseError):
            stun_seal(message, KEY, cap)
