"""The check that no packet index is used for two packets sees what it is there to see."""

from __future__ import annotations

from support.rtp import RtpPacket
from support.simulation import SealCheck


def packet(sequence: int, payload: bytes, ssrc: int = 1) -> bytes:
    return bytes(RtpPacket(96, False, sequence & 0xFFFF, 0, ssrc, payload))


def test_the_same_packet_again_is_fine() -> None:
    check = SealCheck()
    for _ in range(3):
        check.see(packet(5, b"a"))
    assert (check.repeats, check.resealed) == ([], 2)


def test_another_packet_under_the_same_index_is_found() -> None:
    check = SealCheck()
    check.see(packet(5, b"a"))
    check.see(packet(6, b"b"))
    check.see(packet(5, b"c"))
    assert check.repeats == [(1, 5)]


def test_a_sequence_number_of_the_next_lap_is_another_index() -> None:
    check = SealCheck()
    for index in range(0, 200_000, 1000):
        check.see(packet(index, index.to_bytes(4, "big")))
        check.see(packet(index, b"twin", ssrc=2) if index == 0 else packet(index, index.to_bytes(4, "big")))
    assert check.repeats == []
