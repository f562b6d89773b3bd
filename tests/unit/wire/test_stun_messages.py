"""STUN messages: the vectors of RFC 5769 and RFC 8489, what is refused, and what is not believed."""

from __future__ import annotations

from ipaddress import IPv4Address
from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.reference_stun import stun_fingerprint
from support.vectors_stun import (
    PASSWORD_ALGORITHM,
    SAMPLE_REQUEST,
    SAMPLE_SHA256_REQUEST,
    TRANSACTION_ID,
    USERHASH,
    VECTORS,
    StunVector,
)

from simplestchat._native.core.errors import MisuseError, PeerError
from simplestchat._native.testing import probe_wire as probe

TXID = bytes(range(12))
USERNAME, INTEGRITY, ERROR_CODE, XOR_MAPPED, PRIORITY, USE_CANDIDATE = 0x0006, 0x0008, 0x0009, 0x0020, 0x0024, 0x0025
CONTROLLED, CONTROLLING, FINGERPRINT, INTEGRITY_SHA256 = 0x8029, 0x802A, 0x8028, 0x001C
U16, U32, U64 = (st.integers(0, 2**bits - 1) for bits in (16, 32, 64))


def attribute(kind: int, value: bytes) -> bytes:
    return pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def message(*attributes: bytes, kind: int = 0x0001, fingerprint: bool = False) -> bytes:
    body = b"".join(attributes)
    data = pack("!HHI", kind, len(body) + 8 * fingerprint, 0x2112A442) + TXID + body
    return data + attribute(FINGERPRINT, pack("!I", stun_fingerprint(data))) if fingerprint else data


def refused(data: bytes) -> bool:
    try:
        probe.stun_parse(data)
    except PeerError:
        return True
    return False


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_vector(vector: StunVector) -> None:
    view = probe.stun_parse(vector.message)
    assert view["type"] == vector.type
    assert view["length"] == len(vector.message) - 20
    assert view["username"] == vector.username
    assert (view["priority"] if view["has_priority"] else None) == vector.priority
    assert (bool(view["controlled"]), view["controlling"]) == (vector.controlled, 0)
    assert view["tie_breaker"] == vector.tie_breaker
    assert bool(view["fingerprint_off"]) == vector.fingerprint
    assert view["integrity_off"] == len(vector.message) - (32 if vector.fingerprint else 24)
    assert view["unknown"] == []
    if vector.mapped is None:
        assert not view["has_mapped"]
    else:
        address, port = vector.mapped
        prefix = bytes(10) + b"\xff\xff" if isinstance(address, IPv4Address) else b""
        assert (view["mapped_ip"], view["mapped_port"]) == (prefix + address.packed, port)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_a_mapped_address_is_written_as_in_the_vectors(vector: StunVector) -> None:
    if vector.mapped is None:
        return
    view = probe.stun_parse(vector.message)
    written = probe.stun_write_success(TRANSACTION_ID, view["mapped_ip"], view["mapped_port"])
    assert written[20:] in vector.message


def test_rfc8489_long_term_request() -> None:
    view = probe.stun_parse(SAMPLE_SHA256_REQUEST)
    assert (view["type"], view["length"]) == (0x0001, len(SAMPLE_SHA256_REQUEST) - 20)
    assert view["unknown"] == [USERHASH, PASSWORD_ALGORITHM]
    assert (view["username"], view["integrity_off"], view["fingerprint_off"]) == (None, 0, 0)


def test_every_bit_of_a_message_with_fingerprint_counts() -> None:
    for bit in range(8 * len(SAMPLE_REQUEST.message)):
        damaged = bytearray(SAMPLE_REQUEST.message)
        damaged[bit // 8] ^= 1 << bit % 8
        # A changed type or length can make the FINGERPRINT part of something else; then it is not reported.
        assert refused(bytes(damaged)) or not probe.stun_parse(bytes(damaged))["fingerprint_off"], bit


@pytest.mark.parametrize("size", [*range(20), 107, 109, 112])
def test_the_length_is_the_datagram(size: int) -> None:
    assert refused((SAMPLE_REQUEST.message + bytes(8))[:size])


@pytest.mark.parametrize(
    "attributes",
    [
        [attribute(PRIORITY, bytes(3))],
        [attribute(PRIORITY, bytes(8))],
        [attribute(USE_CANDIDATE, bytes(4))],
        [attribute(CONTROLLED, bytes(4))],
        [attribute(CONTROLLING, bytes(8)), attribute(CONTROLLED, bytes(8))],
        [attribute(CONTROLLED, bytes(8)), attribute(CONTROLLING, bytes(8))],
        [attribute(USERNAME, bytes(509))],
        [attribute(INTEGRITY, bytes(16))],
        [attribute(INTEGRITY, bytes(24))],
        [attribute(INTEGRITY_SHA256, bytes(12))],
        [attribute(INTEGRITY_SHA256, bytes(18))],
        [attribute(INTEGRITY_SHA256, bytes(36))],
        [attribute(XOR_MAPPED, b"\x00\x01" + bytes(18))],
        [attribute(XOR_MAPPED, b"\x00\x02" + bytes(6))],
        [attribute(XOR_MAPPED, b"\x00\x03" + bytes(6))],
        [attribute(XOR_MAPPED, b"")],
        [attribute(ERROR_CODE, bytes(3))],
        [attribute(ERROR_CODE, b"\x00\x00\x02\x63")],
        [attribute(ERROR_CODE, b"\x00\x00\x07\x00")],
        [attribute(ERROR_CODE, b"\x00\x00\x04\x64")],
        [attribute(FINGERPRINT, bytes(4))],
        [attribute(FINGERPRINT, bytes(8))],
        [pack("!HH", 0x8022, 8), bytes(4)],
        [pack("!HH", 0x8022, 0xFFFF)],
    ],
    ids=lambda attributes: b"".join(attributes).hex()[:24],
)
def test_impossible_attributes(attributes: list[bytes]) -> None:
    assert refused(message(*attributes))


def test_nothing_follows_a_fingerprint() -> None:
    good = message(attribute(PRIORITY, bytes(4)), fingerprint=True)
    assert not refused(good)
    longer = good[:2] + pack("!H", len(good) - 20 + 4) + good[4:] + attribute(USE_CANDIDATE, b"")
    data = longer[:28] + attribute(FINGERPRINT, pack("!I", stun_fingerprint(longer[:28]))) + longer[36:]
    assert refused(data)


@pytest.mark.parametrize("seal", [attribute(INTEGRITY, bytes(20)), attribute(INTEGRITY_SHA256, bytes(32))])
@pytest.mark.parametrize("fingerprint", [False, True])
def test_nothing_behind_the_integrity_is_believed(seal: bytes, fingerprint: bool) -> None:
    view = probe.stun_parse(
        message(
            attribute(USERNAME, b"a:b"),
            seal,
            attribute(USERNAME, b"c:d"),
            attribute(PRIORITY, bytes(4)),
            attribute(USE_CANDIDATE, b""),
            attribute(CONTROLLING, bytes(8)),
            attribute(XOR_MAPPED, b"\x00\x01" + bytes(6)),
            attribute(ERROR_CODE, b"\x00\x00\x04\x01"),
            attribute(0x0003, b""),
            attribute(INTEGRITY, b"\xff" * 20),
            fingerprint=fingerprint,
        )
    )
    assert view["username"] == b"a:b"
    for name in ("has_priority", "use_candidate", "controlling", "has_mapped", "error_code", "unknown_count"):
        assert view[name] == 0
    assert view["integrity_off"] == (28 if seal[1] == INTEGRITY else 0)
    assert bool(view["fingerprint_off"]) == fingerprint


def test_an_impossible_attribute_behind_the_integrity_does_no_harm() -> None:
    assert not refused(message(attribute(INTEGRITY, bytes(20)), attribute(PRIORITY, bytes(2))))


def test_the_first_of_repeated_attributes_counts() -> None:
    view = probe.stun_parse(
        message(
            attribute(USERNAME, b"first"),
            attribute(PRIORITY, pack("!I", 1)),
            attribute(CONTROLLED, pack("!Q", 3)),
            attribute(XOR_MAPPED, b"\x00\x01" + bytes(6)),
            attribute(USERNAME, b"second"),
            attribute(PRIORITY, pack("!I", 2)),
            attribute(CONTROLLED, pack("!Q", 4)),
            attribute(XOR_MAPPED, b"\x00\x02" + bytes(18)),
        )
    )
    assert (view["username"], view["priority"], view["tie_breaker"]) == (b"first", 1, 3)
    assert view["mapped_ip"][:12] == bytes(10) + b"\xff\xff"


def test_unknown_attributes_are_listed_once_and_bounded() -> None:
    required = [attribute(kind, b"") for kind in (0x0003, 0x0019, 0x0003, 0x7FFF)]
    optional = [attribute(kind, b"x") for kind in (0x8000, 0xC057, 0xFFFF)]
    assert probe.stun_parse(message(*required, *optional))["unknown"] == [0x0003, 0x0019, 0x7FFF]
    many = message(*(attribute(0x0100 + kind, b"") for kind in range(20)))
    assert probe.stun_parse(many)["unknown"] == [0x0100 + kind for kind in range(8)]


@given(
    username=st.binary(max_size=508),
    priority=U32,
    controlling=st.booleans(),
    tie_breaker=U64,
    use_candidate=st.booleans(),
)
def test_a_request_comes_back(
    username: bytes, priority: int, controlling: bool, tie_breaker: int, use_candidate: bool
) -> None:
    data = probe.stun_write_request(TXID, username, priority, controlling, tie_breaker, use_candidate)
    view = probe.stun_parse(data)
    assert (view["txid"], view["username"], view["priority"]) == (TXID, username, priority)
    assert (view["controlling"], view["controlled"]) == (controlling, not controlling)
    assert (view["tie_breaker"], view["use_candidate"], view["type"]) == (tie_breaker, use_candidate, 0x0001)
    assert (
        probe.stun_write_request(TXID, username, priority, controlling, tie_breaker, use_candidate, len(data)) == data
    )
    with pytest.raises(MisuseError):
        probe.stun_write_request(TXID, username, priority, controlling, tie_breaker, use_candidate, len(data) - 1)


@given(txid=st.binary(min_size=12, max_size=12), ip=st.binary(min_size=16, max_size=16), port=U16, v4=st.booleans())
def test_a_success_comes_back(txid: bytes, ip: bytes, port: int, v4: bool) -> None:
    address = bytes(10) + b"\xff\xff" + ip[:4] if v4 else ip
    data = probe.stun_write_success(txid, address, port)
    view = probe.stun_parse(data)
    assert (view["type"], view["txid"], view["mapped_ip"], view["mapped_port"]) == (0x0101, txid, address, port)
    for cap in range(len(data)):
        with pytest.raises(MisuseError):
            probe.stun_write_success(txid, address, port, cap)


@pytest.mark.parametrize("code", [300, 400, 401, 420, 487, 500, 699])
@given(unknown=st.lists(U16, max_size=255))
def test_an_error_comes_back(code: int, unknown: list[int]) -> None:
    data = probe.stun_write_error(TXID, code, unknown)
    view = probe.stun_parse(data)
    assert (view["type"], view["error_code"], view["txid"]) == (0x0111, code, TXID)
    listed = b"".join(pack("!H", kind) for kind in unknown)
    assert (attribute(0x000A, listed) in data) or not unknown
    with pytest.raises(MisuseError):
        probe.stun_write_error(TXID, code, unknown, len(data) - 1)


def test_what_cannot_be_said_is_not_written() -> None:
    with pytest.raises(MisuseError):
        probe.stun_write_request(TXID, bytes(509), 1, True, 1)
    for code in (0, 299, 700, 65535):
        with pytest.raises(MisuseError):
            probe.stun_write_error(TXID, code)
