"""Parsers, and writing a header anew: each works many times on one packet, as browsers send it."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from workloads import Job, Workload, ns_a_packet

PASSWORD = b"0123456789abcdefghijklmn"
TIMED = 1_000_000
COUNTED = 20_000


def rtp(payload: int = 1100) -> bytes:
    """Mid, transport-wide number, send time and audio level in the one-byte form."""
    from simplestchat._native.testing.probe_wire import rtp_write

    elements = [(1, b"0"), (4, b"\x12\x34"), (3, b"\x01\x02\x03"), (10, b"\x85")]
    return rtp_write(96, True, 1000, 90_000, 0xDEADBEEF, elements) + bytes(payload)


def bare_rtp() -> bytes:
    from simplestchat._native.testing.probe_wire import rtp_write

    return rtp_write(111, False, 1000, 48_000, 0xDEADBEEF) + bytes(120)


def check() -> bytes:
    """A connectivity check with MESSAGE-INTEGRITY and FINGERPRINT."""
    from simplestchat._native.testing.probe_wire import stun_fingerprint, stun_write_request

    def longer(message: bytes, by: int) -> bytes:
        return message[:2] + (len(message) - 20 + by).to_bytes(2, "big") + message[4:]

    message = stun_write_request(bytes(12), b"serverfragment:clientfrag", 0x6E0001FF, True, 1, True)
    message = longer(message, 24)
    message += b"\x00\x08\x00\x14" + hmac.digest(PASSWORD, message, "sha1")
    message = longer(message, 8)
    return message + b"\x80\x28\x00\x04" + stun_fingerprint(message).to_bytes(4, "big")


def reports() -> bytes:
    from simplestchat._native.testing.probe_rtcp import rtcp_sdes, rtcp_sr

    info = {"ssrc": 1, "ntp": 2, "rtp_timestamp": 3, "packets": 4, "octets": 5}
    block = {"ssrc": 2, "fraction_lost": 0, "cumulative_lost": 0, "highest_seq": 1, "jitter": 0, "lsr": 0, "dlsr": 0}
    return rtcp_sr(info, [block, block]) + rtcp_sdes(1, b"0123456789abcdef")


def nack() -> bytes:
    from simplestchat._native.testing.probe_rtcp import rtcp_nack

    return rtcp_nack(1, 2, [(100, 0x8001), (200, 0), (300, 0xFFFF)])


def feedback() -> bytes:
    from simplestchat._native.testing.probe_rtcp import rtcp_twcc

    return rtcp_twcc(1, 2, 3, 4, [None if index % 9 == 4 else 1000 * index for index in range(50)])


def keyframe() -> bytes:
    return bytes.fromhex("90e081230540d002009d012a800268010047")


def slices() -> bytes:
    return bytes.fromhex("78000767640028acd100000468ee3c8000046588843a")


def layered() -> bytes:
    """VP9, not flexible, as Chromium sends SVC: picture id in 15 bits, layers, TL0PICIDX."""
    return bytes.fromhex("ec8123131186004020")


#: Three temporal layers (appendix A.6.1 of the AV1 RTP specification), and a later frame by its template alone.
STRUCTURE = bytes.fromhex("c003e8800214eaaa44104d1410201084c0")
DEPENDENT = bytes.fromhex("8403ec")


def opus() -> bytes:
    return bytes.fromhex("78") + bytes(range(100))


def red() -> bytes:
    """Two earlier payloads, as Chromium sends them."""
    return bytes.fromhex("ef1e0050ef0f00506f") + bytes(240)


def _dependency(function: str) -> Callable[[int], Job]:
    def make(packets: int) -> Job:
        from simplestchat._native.testing import bench_wire

        parse = getattr(bench_wire, function)
        return Job(lambda: int(parse(STRUCTURE, DEPENDENT, packets)))

    return make


def _structure(packets: int) -> Job:
    from simplestchat._native.testing.bench_wire import bench_dependency

    return Job(lambda: bench_dependency(STRUCTURE, STRUCTURE, packets))


def _of_wire(function: str, packet: Callable[[], bytes]) -> Callable[[int], Job]:
    def make(packets: int) -> Job:
        from simplestchat._native.testing import bench_wire

        parse, data = getattr(bench_wire, function), packet()
        return Job(lambda: int(parse(data, packets)))

    return make


def _extension(packets: int) -> Job:
    from simplestchat._native.testing.bench_wire import bench_rtp_extension

    data = rtp()
    return Job(lambda: bench_rtp_extension(data, 10, packets))


def _verified(packets: int) -> Job:
    from simplestchat._native.testing.bench_stream import bench_stun_verify, floor_stun_verify

    data = check()
    return Job(
        lambda: bench_stun_verify(data, PASSWORD, packets),
        floor=lambda: ns_a_packet(lambda: floor_stun_verify(data, PASSWORD, packets)),
    )


WORKLOADS = (
    Workload("demux", _of_wire("bench_demux", rtp), TIMED, COUNTED),
    Workload("stun", _of_wire("bench_stun", check), TIMED // 10, COUNTED),
    Workload("stun verified", _verified, TIMED // 100, COUNTED // 10),
    Workload("rtp", _of_wire("bench_rtp", bare_rtp), TIMED, COUNTED),
    Workload("rtp with extensions", _of_wire("bench_rtp", rtp), TIMED, COUNTED),
    Workload("rtp, last extension found", _extension, TIMED // 5, COUNTED),
    Workload("rtp rewritten", _of_wire("bench_rtp_rewrite", rtp), TIMED // 10, COUNTED),
    Workload("rtcp reports", _of_wire("bench_rtcp", reports), TIMED // 5, COUNTED),
    Workload("rtcp nack", _of_wire("bench_rtcp", nack), TIMED // 2, COUNTED),
    Workload("rtcp transport-wide feedback", _of_wire("bench_rtcp", feedback), TIMED // 20, COUNTED),
    Workload("vp8", _of_wire("bench_vp8", keyframe), TIMED, COUNTED),
    Workload("vp8, facts and numbers anew", _of_wire("bench_vp8_rewrite", keyframe), TIMED, COUNTED),
    Workload("h264", _of_wire("bench_h264", slices), TIMED, COUNTED),
    Workload("h264 facts", _of_wire("bench_h264_facts", slices), TIMED, COUNTED),
    Workload("vp9", _of_wire("bench_vp9", layered), TIMED, COUNTED),
    Workload("vp9, facts and numbers anew", _of_wire("bench_vp9_rewrite", layered), TIMED, COUNTED),
    Workload("dependency descriptor", _dependency("bench_dependency"), TIMED, COUNTED),
    Workload("dependency descriptor with its structure", _structure, TIMED // 10, COUNTED),
    Workload("dependency descriptor, other targets", _dependency("bench_dependency_rewrite"), TIMED // 5, COUNTED),
    Workload("opus", _of_wire("bench_opus", opus), TIMED, COUNTED),
    Workload("red", _of_wire("bench_red", red), TIMED, COUNTED),
)
