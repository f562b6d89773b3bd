"""STUN, RTP and RTCP against aioice and aiortc, both ways: what they write we read, what we write they read."""

from __future__ import annotations

from ipaddress import ip_address
from random import Random
from typing import Any

from aioice import stun
from aiortc import rtp
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters

from simplestchat._native.testing import probe_rtcp, probe_wire

COUNT = 40_000  # packets of each test
EXTENSIONS = {
    "mid": "urn:ietf:params:rtp-hdrext:sdes:mid",
    "rtp_stream_id": "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    "repaired_rtp_stream_id": "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    "abs_send_time": "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "audio_level": "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "transport_sequence_number": "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
}


def u(rng: Random, bits: int) -> int:
    """Any number of so many bits, the first and last ones often."""
    return rng.choice((0, 2**bits - 1, 2 ** (bits - 1))) if rng.random() < 0.1 else rng.getrandbits(bits)


def extension_map(ids: dict[str, int]) -> rtp.HeaderExtensionsMap:
    mapping = rtp.HeaderExtensionsMap()
    parameters = [RTCRtpHeaderExtensionParameters(id=id, uri=EXTENSIONS[name]) for name, id in ids.items()]
    mapping.configure(RTCRtpParameters(headerExtensions=parameters))
    return mapping


def extension_values(rng: Random, ids: dict[str, int]) -> tuple[rtp.HeaderExtensions, dict[int, bytes]]:
    """Some of the extensions, as aiortc's object and as bytes by id."""
    choices: dict[str, tuple[Any, bytes]] = {}
    for name in ("mid", "rtp_stream_id", "repaired_rtp_stream_id"):
        text = "".join(rng.choices("abcdefgh0123", k=rng.randrange(1, 20 if rng.random() < 0.1 else 4)))
        choices[name] = (text, text.encode())
    for name, bits in (("abs_send_time", 24), ("transport_sequence_number", 16)):
        number = u(rng, bits)
        choices[name] = (number, number.to_bytes(bits // 8, "big"))
    level = u(rng, 8)
    choices["audio_level"] = ((level >= 128, level & 127), bytes([level]))
    kept = [name for name in EXTENSIONS if rng.random() < 0.5]
    values = rtp.HeaderExtensions(**{name: choices[name][0] for name in kept})
    return values, {ids[name]: choices[name][1] for name in kept}


def maps(rng: Random) -> list[tuple[dict[str, int], rtp.HeaderExtensionsMap]]:
    """Some assignments of ids; in some of them ids that only the two-byte form can say."""
    found = []
    for limit in (14, 14, 14, 255):
        ids = dict(zip(EXTENSIONS, rng.sample(range(1, limit + 1), len(EXTENSIONS)), strict=True))
        found.append((ids, extension_map(ids)))
    return found


def test_rtp_that_aiortc_writes() -> None:
    rng = Random(1)
    choices = maps(rng)
    for _ in range(COUNT):
        ids, mapping = rng.choice(choices)
        packet = rtp.RtpPacket(
            u(rng, 7), u(rng, 1), u(rng, 16), u(rng, 32), u(rng, 32), rng.randbytes(rng.randrange(9))
        )
        packet.csrc = [u(rng, 32) for _ in range(rng.choice((0, 0, 0, 1, 15)))]
        packet.padding_size = rng.choice((0, 0, 0, 1, 4, 255))
        packet.extensions, expected = extension_values(rng, ids)
        data = packet.serialize(mapping)
        view = probe_wire.rtp_parse(data)
        assert (view["payload_type"], view["marker"]) == (packet.payload_type, packet.marker)
        assert (view["sequence"], view["timestamp"]) == (packet.sequence_number, packet.timestamp)
        assert (view["ssrc"], view["csrc_count"]) == (packet.ssrc, len(packet.csrc))
        assert probe_wire.rtp_payload(data) == packet.payload
        assert dict(probe_wire.rtp_extensions(data)) == expected


def test_rtp_that_we_write() -> None:
    rng = Random(2)
    choices = maps(rng)
    for _ in range(COUNT):
        ids, mapping = rng.choice(choices)
        values, elements = extension_values(rng, ids)
        two_byte = any(id > 14 or not 1 <= len(value) <= 16 for id, value in elements.items()) or rng.random() < 0.3
        fields = u(rng, 7), bool(u(rng, 1)), u(rng, 16), u(rng, 32), u(rng, 32)
        payload = rng.randbytes(rng.randrange(9))
        data = probe_wire.rtp_write(*fields, list(elements.items()) if elements else None, two_byte) + payload
        packet = rtp.RtpPacket.parse(data, mapping)
        found = packet.payload_type, bool(packet.marker), packet.sequence_number, packet.timestamp, packet.ssrc
        assert (found, packet.payload, packet.extensions) == (fields, payload, values)


def report(rng: Random) -> dict[str, int]:
    names = ("ssrc", "highest_seq", "jitter", "lsr", "dlsr")
    lost = u(rng, 24) - 2**23
    return {name: u(rng, 32) for name in names} | {"fraction_lost": u(rng, 8), "cumulative_lost": lost}


def theirs(block: dict[str, int]) -> rtp.RtcpReceiverInfo:
    names = {"cumulative_lost": "packets_lost", "highest_seq": "highest_sequence"}
    return rtp.RtcpReceiverInfo(**{names.get(name, name): value for name, value in block.items()})


def lost_packets(items: list[tuple[int, int]]) -> list[int]:
    return [pid + bit for pid, blp in items for bit in range(17) if bit == 0 or blp >> (bit - 1) & 1]


Pair = tuple[rtp.AnyRtcpPacket, bytes, dict[str, Any]]


def reports_pair(rng: Random) -> Pair:
    """A packet as aiortc's object, as our bytes, and what our parser should find in it."""
    blocks = [report(rng) for _ in range(rng.choice((0, 1, 2, 31)))]
    ssrc, infos = u(rng, 32), [theirs(block) for block in blocks]
    if rng.random() < 0.5:
        found = {"sender_ssrc": ssrc, "reports": blocks}
        return rtp.RtcpRrPacket(ssrc=ssrc, reports=infos), probe_rtcp.rtcp_rr(ssrc, blocks), found
    info = {"ssrc": ssrc, "ntp": u(rng, 64), "rtp_timestamp": u(rng, 32), "packets": u(rng, 32), "octets": u(rng, 32)}
    sender = rtp.RtcpSenderInfo(info["ntp"], info["rtp_timestamp"], info["packets"], info["octets"])
    packet = rtp.RtcpSrPacket(ssrc=ssrc, sender_info=sender, reports=infos)
    return packet, probe_rtcp.rtcp_sr(info, blocks), {"info": info, "reports": blocks}


def names_pair(rng: Random) -> Pair:
    ssrc, cname = u(rng, 32), rng.randbytes(rng.choice((1, 2, 3, 16, 255)))
    if rng.random() < 0.5:
        return rtp.RtcpByePacket(sources=[ssrc]), probe_rtcp.rtcp_bye(ssrc), {"ssrcs": [ssrc]}
    packet = rtp.RtcpSdesPacket(chunks=[rtp.RtcpSourceInfo(ssrc=ssrc, items=[(1, cname)])])
    return packet, probe_rtcp.rtcp_sdes(ssrc, cname), {"sender_ssrc": ssrc, "cname": cname}


def feedback_pair(rng: Random) -> Pair:
    sender, media = u(rng, 32), u(rng, 32)
    kind = rng.randrange(4)
    if kind == 0:
        # Items far apart and without wraps, as aiortc groups them when it writes.
        items = [(pid, u(rng, 16)) for pid in sorted(rng.sample(range(0, 65000, 40), rng.randrange(1, 9)))]
        packet = rtp.RtcpRtpfbPacket(fmt=1, ssrc=sender, media_ssrc=media, lost=lost_packets(items))
        return packet, probe_rtcp.rtcp_nack(sender, media, items), {"nack": items, "media_ssrc": media}
    if kind == 1:
        packet = rtp.RtcpPsfbPacket(fmt=1, ssrc=sender, media_ssrc=media)
        return packet, probe_rtcp.rtcp_pli(sender, media), {"sender_ssrc": sender, "media_ssrc": media}
    if kind == 2:
        seq = u(rng, 8)
        fci = media.to_bytes(4, "big") + bytes([seq, 0, 0, 0])
        packet = rtp.RtcpPsfbPacket(fmt=4, ssrc=sender, media_ssrc=0, fci=fci)
        return packet, probe_rtcp.rtcp_fir(sender, media, seq), {"fir": [(media, seq)]}
    bitrate, ssrcs = u(rng, rng.randrange(1, 65)), [u(rng, 32) for _ in range(rng.choice((0, 1, 2, 64)))]
    fci = rtp.pack_remb_fci(bitrate, ssrcs)
    packet = rtp.RtcpPsfbPacket(fmt=15, ssrc=sender, media_ssrc=0, fci=fci)
    kept, _ = rtp.unpack_remb_fci(fci)
    return packet, probe_rtcp.rtcp_remb(sender, bitrate, ssrcs), {"bitrate_bps": kept, "ssrcs": ssrcs}


def test_rtcp_both_ways() -> None:
    rng = Random(3)
    done = 0
    while done < 2 * COUNT:
        pairs = [rng.choice((reports_pair, names_pair, feedback_pair))(rng) for _ in range(rng.randrange(1, 6))]
        done += len(pairs)
        assert rtp.RtcpPacket.parse(b"".join(ours for _, ours, _ in pairs)) == [packet for packet, _, _ in pairs]
        for found, (_, _, expected) in zip(
            probe_rtcp.rtcp_parse(b"".join(bytes(packet) for packet, _, _ in pairs)), pairs, strict=True
        ):
            assert {name: found[name] for name in expected} == expected


def test_stun_that_aioice_writes() -> None:
    rng = Random(4)
    for _ in range(COUNT):
        attributes: dict[str, Any] = {"SOFTWARE": "s" * rng.randrange(9)} if rng.random() < 0.3 else {}
        role = rng.choice(("ICE-CONTROLLING", "ICE-CONTROLLED"))
        username, priority, tie_breaker = "u" * rng.randrange(1, 40), u(rng, 32), u(rng, 64)
        attributes |= {"USERNAME": username, "PRIORITY": priority, role: tie_breaker}
        if nominated := rng.random() < 0.5:
            attributes["USE-CANDIDATE"] = None
        message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, rng.randbytes(12), attributes)
        message.add_message_integrity(b"password")
        data = bytes(message)
        view = probe_wire.stun_parse(data)
        assert (view["type"], view["txid"], view["username"]) == (0x0001, message.transaction_id, username.encode())
        assert (view["priority"], view["tie_breaker"], view["use_candidate"]) == (priority, tie_breaker, nominated)
        assert (view["controlling"], view["controlled"]) == (role == "ICE-CONTROLLING", role == "ICE-CONTROLLED")
        assert (view["integrity_off"], view["fingerprint_off"]) == (len(data) - 32, len(data) - 8)


def test_stun_that_we_write() -> None:
    rng = Random(5)
    for _ in range(COUNT):
        txid = rng.randbytes(12)
        if rng.random() < 0.5:
            username, priority, tie_breaker = "u" * rng.randrange(1, 40), u(rng, 32), u(rng, 64)
            controlling, nominated = rng.random() < 0.5, rng.random() < 0.5
            data = probe_wire.stun_write_request(txid, username.encode(), priority, controlling, tie_breaker, nominated)
            expected: dict[str, Any] = {"USERNAME": username, "PRIORITY": priority}
            expected["ICE-CONTROLLING" if controlling else "ICE-CONTROLLED"] = tie_breaker
            expected |= {"USE-CANDIDATE": None} if nominated else {}
        else:
            address, port = ip_address(rng.randbytes(rng.choice((4, 16)))), u(rng, 16)
            packed = bytes(10) + b"\xff\xff" + address.packed if address.version == 4 else address.packed
            data = probe_wire.stun_write_success(txid, packed, port)
            expected = {"XOR-MAPPED-ADDRESS": (str(address), port)}
        message = stun.parse_message(data)
        assert (message.transaction_id, message.attributes) == (txid, expected)
