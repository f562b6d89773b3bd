"""RTCP compounds: what comes back, what is refused, and every count against the bytes that are there."""

from __future__ import annotations

from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.core.errors import MisuseError, PeerError
from simplestchat._native.testing import probe_rtcp as probe

U8, U16, U32, U64 = (st.integers(0, 2**bits - 1) for bits in (8, 16, 32, 64))
INFO = st.fixed_dictionaries({"ssrc": U32, "ntp": U64, "rtp_timestamp": U32, "packets": U32, "octets": U32})
BLOCK = st.fixed_dictionaries(
    {
        "ssrc": U32,
        "fraction_lost": U8,
        "cumulative_lost": st.integers(-(2**23), 2**23 - 1),
        "highest_seq": U32,
        "jitter": U32,
        "lsr": U32,
        "dlsr": U32,
    }
)
BLOCKS = st.lists(BLOCK, max_size=31)
A_BLOCK = dict.fromkeys(("ssrc", "fraction_lost", "cumulative_lost", "highest_seq", "jitter", "lsr", "dlsr"), 0)
AN_INFO = dict.fromkeys(("ssrc", "ntp", "rtp_timestamp", "packets", "octets"), 0)


def packet(kind: int, count: int, body: bytes, padding: bool = False) -> bytes:
    return pack("!BBH", 0x80 | padding << 5 | count, kind, len(body) // 4) + body


def one(data: bytes) -> dict[str, Any]:
    (found,) = probe.rtcp_parse(data)
    assert found["size"] == len(data)
    return found


@given(info=INFO, blocks=BLOCKS)
def test_sender_report(info: dict[str, int], blocks: list[dict[str, int]]) -> None:
    found = one(probe.rtcp_sr(info, blocks))
    assert (found["info"], found["reports"], found["sender_ssrc"]) == (info, blocks, info["ssrc"])


@given(ssrc=U32, blocks=BLOCKS)
def test_receiver_report(ssrc: int, blocks: list[dict[str, int]]) -> None:
    found = one(probe.rtcp_rr(ssrc, blocks))
    assert (found["sender_ssrc"], found["reports"]) == (ssrc, blocks)


@given(ssrc=U32, cname=st.binary(max_size=255))
def test_source_description(ssrc: int, cname: bytes) -> None:
    data = probe.rtcp_sdes(ssrc, cname)
    found = one(data)
    assert (found["sender_ssrc"], found["cname"], found["count"]) == (ssrc, cname, 1)
    assert len(data) % 4 == 0
    assert data[-1] == 0


@given(sender=U32, media=U32, items=st.lists(st.tuples(U16, U16), min_size=1, max_size=64))
def test_nack(sender: int, media: int, items: list[tuple[int, int]]) -> None:
    found = one(probe.rtcp_nack(sender, media, items))
    assert (found["sender_ssrc"], found["media_ssrc"], found["nack"]) == (sender, media, items)


@given(sender=U32, media=U32, seq=U8)
def test_keyframe_requests(sender: int, media: int, seq: int) -> None:
    found = one(probe.rtcp_pli(sender, media))
    assert (found["type"], found["count"], found["sender_ssrc"], found["media_ssrc"]) == (206, 1, sender, media)
    found = one(probe.rtcp_fir(sender, media, seq))
    assert (found["count"], found["sender_ssrc"], found["media_ssrc"], found["fir"]) == (4, sender, 0, [(media, seq)])


@given(sender=U32, bitrate=U64, ssrcs=st.lists(U32, max_size=64))
def test_remb(sender: int, bitrate: int, ssrcs: list[int]) -> None:
    found = one(probe.rtcp_remb(sender, bitrate, ssrcs))
    assert (found["sender_ssrc"], found["ssrcs"]) == (sender, ssrcs)
    # The largest rate with an 18-bit mantissa that is not above what was asked for.
    kept = max(bitrate.bit_length() - 18, 0)
    assert found["bitrate_bps"] == bitrate >> kept << kept


@given(ssrc=U32)
def test_bye(ssrc: int) -> None:
    found = one(probe.rtcp_bye(ssrc))
    assert (found["sender_ssrc"], found["ssrcs"]) == (ssrc, [ssrc])


WRITERS = {
    "sr": lambda cap: probe.rtcp_sr(AN_INFO, [A_BLOCK] * 2, cap),
    "rr": lambda cap: probe.rtcp_rr(1, [A_BLOCK], cap),
    "sdes": lambda cap: probe.rtcp_sdes(1, b"name", cap),
    "bye": lambda cap: probe.rtcp_bye(1, cap),
    "nack": lambda cap: probe.rtcp_nack(1, 2, [(3, 4), (5, 6)], cap),
    "pli": lambda cap: probe.rtcp_pli(1, 2, cap),
    "fir": lambda cap: probe.rtcp_fir(1, 2, 3, cap),
    "remb": lambda cap: probe.rtcp_remb(1, 2, [3, 4], cap),
    "twcc": lambda cap: probe.rtcp_twcc(1, 2, 3, 4, [5, None, 100_000], cap),
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_packet_fits_exactly_or_not_at_all(name: str) -> None:
    data = WRITERS[name](1500)
    assert WRITERS[name](len(data)) == data
    for cap in range(len(data)):
        with pytest.raises(MisuseError):
            WRITERS[name](cap)


def test_what_cannot_be_said_is_not_written() -> None:
    with pytest.raises(MisuseError):
        probe.rtcp_rr(1, [A_BLOCK] * 32)
    with pytest.raises(MisuseError):
        probe.rtcp_sr(AN_INFO, [A_BLOCK] * 32)
    for count in (0, 65):
        with pytest.raises(MisuseError):
            probe.rtcp_nack(1, 2, [(0, 0)] * count)
    with pytest.raises(MisuseError):
        probe.rtcp_remb(1, 2, range(65))


def test_a_compound_keeps_its_order_and_offsets() -> None:
    parts = [probe.rtcp_sr(AN_INFO), probe.rtcp_sdes(1, b"c"), probe.rtcp_pli(1, 2), probe.rtcp_bye(1)]
    found = probe.rtcp_walk(b"".join(parts))
    assert [view["type"] for view in found] == [200, 202, 206, 203]
    assert [view["off"] for view in found] == [sum(map(len, parts[:index])) for index in range(4)]


def test_nothing_is_an_empty_compound() -> None:
    assert probe.rtcp_walk(b"") == []


@pytest.mark.parametrize("kind", [0, 191, 224, 255])
def test_only_the_types_of_rtcp(kind: int) -> None:
    with pytest.raises(PeerError):
        probe.rtcp_walk(packet(kind, 0, bytes(8)))


@pytest.mark.parametrize("kind", [192, 193, 195, 207, 208, 223])
def test_types_that_are_not_ours_are_walked_over(kind: int) -> None:
    assert [view["type"] for view in probe.rtcp_walk(packet(kind, 3, bytes(8)) + probe.rtcp_bye(1))] == [kind, 203]


@pytest.mark.parametrize("data", [b"\x80", b"\x80\xc8\x00", b"\x40\xcb\x00\x00", b"\xc0\xcb\x00\x00"])
def test_a_header_that_is_none(data: bytes) -> None:
    for compound in (data, probe.rtcp_bye(1) + data):
        with pytest.raises(PeerError):
            probe.rtcp_walk(compound)


@pytest.mark.parametrize(
    ("kind", "count", "least"),
    [
        *((200, 0, 24), (200, 1, 48), (200, 31, 768), (201, 0, 4), (201, 2, 52), (202, 1, 8), (202, 3, 24)),
        *((203, 2, 8), (204, 0, 8), (205, 1, 8), (205, 15, 8), (206, 1, 8), (207, 0, 4)),
    ],
)
def test_a_count_is_checked_against_the_bytes(kind: int, count: int, least: int) -> None:
    assert len(probe.rtcp_walk(packet(kind, count, bytes(least)))) == 1
    for size in range(0, least, 4):
        with pytest.raises(PeerError):
            probe.rtcp_walk(packet(kind, count, bytes(size)))
        # Neither do the bytes of the next packet count.
        with pytest.raises(PeerError):
            probe.rtcp_walk(packet(kind, count, bytes(size)) + probe.rtcp_rr(1, [A_BLOCK] * 31))


def test_a_length_past_the_datagram() -> None:
    data = probe.rtcp_rr(1, [A_BLOCK])
    for size in range(1, len(data)):
        with pytest.raises(PeerError):
            probe.rtcp_walk(data[:size])


@pytest.mark.parametrize("padding", [1, 2, 3, 4, 8])
def test_the_last_packet_may_be_padded(padding: int) -> None:
    # One to three bytes too: browsers round transport-wide feedback up to words like that.
    body = bytes(8) + bytes(-padding % 4) + bytes(padding - 1) + bytes([padding])
    (view,) = probe.rtcp_walk(packet(206, 1, body, padding=True))
    assert view["size"] == 4 + len(body) - padding
    with pytest.raises(PeerError):
        probe.rtcp_walk(packet(206, 1, body, padding=True) + probe.rtcp_bye(1))


@pytest.mark.parametrize("padding", [0, 9, 12, 13, 255])
def test_impossible_padding(padding: int) -> None:
    # 12 would leave less than the two SSRCs, 13 less than the header.
    with pytest.raises(PeerError):
        probe.rtcp_walk(packet(206, 1, bytes(15) + bytes([padding]), padding=True))


@pytest.mark.parametrize(("tail", "good"), [("", True), ("03616263", True), ("00000000", True), ("04616263", False)])
def test_the_reason_of_a_bye(tail: str, good: bool) -> None:
    data = packet(203, 1, pack("!I", 7) + bytes.fromhex(tail))
    if good:
        assert one(data)["ssrcs"] == [7]
    else:
        with pytest.raises(PeerError):
            probe.rtcp_parse(data)


def test_a_bye_of_nobody_and_of_thirty_one() -> None:
    assert one(packet(203, 0, b""))["ssrcs"] == []
    assert one(packet(203, 0, b"\x07because"))["sender_ssrc"] == 0
    everybody = list(range(31))
    assert one(packet(203, 31, pack("!31I", *everybody)))["ssrcs"] == everybody


@pytest.mark.parametrize(
    ("items", "cname"),
    [
        ("0103616263000000", b"abc"),
        ("020161010362636400000000", b"bcd"),
        ("0201610000000000", b""),
        ("0000000001036162", b""),
        ("01000000", b""),
    ],
)
def test_the_name_is_that_of_the_first_chunk(items: str, cname: bytes) -> None:
    assert one(packet(202, 1, pack("!I", 9) + bytes.fromhex(items)))["cname"] == cname


@pytest.mark.parametrize("items", ["01ff6162", "01036162", "02016101", "02026162030261ff", "61616161"])
def test_an_item_past_its_packet(items: str) -> None:
    raw = bytes.fromhex(items)
    with pytest.raises(PeerError):
        probe.rtcp_parse(packet(202, 1, pack("!I", 9) + raw[: len(raw) // 4 * 4]))


@pytest.mark.parametrize("count", [0, 1, 3, 255])
def test_remb_counts_ssrcs(count: int) -> None:
    def remb(there: int) -> bytes:
        return packet(206, 15, pack("!II4sBBH", 1, 0, b"REMB", count, 4, 1000) + bytes(4 * there))

    assert len(one(remb(count))["ssrcs"]) == min(count, 64)
    if count:
        with pytest.raises(PeerError):
            probe.rtcp_parse(remb(count - 1))


@pytest.mark.parametrize(
    ("exponent", "mantissa", "bitrate"),
    [
        (0, 0x3FFFF, 0x3FFFF),
        (46, 0x3FFFF, 0x3FFFF << 46),
        (47, 1, 2**64 - 1),
        (63, 0x3FFFF, 2**64 - 1),
        (63, 0, 0),
    ],
)
def test_remb_saturates(exponent: int, mantissa: int, bitrate: int) -> None:
    data = packet(206, 15, pack("!II4sI", 1, 0, b"REMB", exponent << 18 | mantissa))
    assert one(data)["bitrate_bps"] == bitrate


def test_feedback_of_another_application_is_not_remb() -> None:
    with pytest.raises(PeerError):
        probe.rtcp_parse(packet(206, 15, bytes(8) + b"OTHR" + bytes(4)))


@pytest.mark.parametrize(("kind", "format", "size"), [(205, 1, 0), (206, 4, 0), (206, 4, 4), (206, 4, 12)])
def test_feedback_without_whole_entries(kind: int, format: int, size: int) -> None:
    with pytest.raises(PeerError):
        probe.rtcp_parse(packet(kind, format, bytes(8 + size)))


def test_feedback_whose_padding_cuts_an_entry() -> None:
    with pytest.raises(PeerError):
        probe.rtcp_parse(packet(205, 1, bytes(8 + 7) + b"\x02", padding=True))


def test_more_entries_than_are_kept() -> None:
    many = packet(205, 1, bytes(8) + pack("!100I", *range(100)))
    assert one(many)["nack"] == [(0, index) for index in range(64)]
    firs = packet(206, 4, bytes(8) + b"".join(pack("!IB3x", index, index) for index in range(100)))
    assert one(firs)["fir"] == [(index, index) for index in range(64)]
