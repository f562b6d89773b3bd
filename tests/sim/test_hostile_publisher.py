"""A publisher that lies: what it sends reaches its subscribers at most once an index, whatever it claims."""

from __future__ import annotations

from dataclasses import replace

from support.calls import Call, stop_media, two_party_call
from support.rtp import RtpPacket
from support.simulation import Published
from support.stamp import Stamp, vp8_payload

FILLERS = 420  # large packets: more bytes than a stream's cache holds, fewer packets than it has slots
PACKET_SIZE = 1330


def quiet_call(seed: int) -> tuple[Call, Published]:
    """A call whose videos have begun and then paused, so that the test alone says what is sent; the first of them."""
    call = two_party_call(seed, audio=False)
    call.sim.run(0.5)
    stop_media(call.sim, call.published, 0.2)
    return call, call.published[0]


def packet(call: Call, source: Published, sequence: int, counter: int) -> RtpPacket:
    """A packet of the middle of a frame; another `counter` is another payload."""
    track = source.track
    payload = vp8_payload(
        Stamp(track.settings.stream, counter, call.sim.clock.now), PACKET_SIZE, track.last_numbers, False, False
    )
    timestamp = track.timestamp_at(call.sim.clock.now)
    return RtpPacket(track.settings.payload_type, False, sequence & 0xFFFF, timestamp, track.settings.ssrc, payload, ())


def send(call: Call, source: Published, one: RtpPacket) -> None:
    source.member.peer.send_rtp(bytes(one))
    call.sim.run(0.03)


def retransmission(source: Published, original: RtpPacket, sequence: int) -> RtpPacket:
    settings = source.track.settings
    return replace(
        original,
        ssrc=settings.rtx_ssrc,
        payload_type=settings.rtx_payload_type,
        sequence=sequence,
        payload=original.sequence.to_bytes(2, "big") + original.payload,
    )


def test_an_original_that_contradicts_its_retransmission_is_not_forwarded() -> None:
    # Sealing both at the one index that this sequence number has would use a nonce twice.
    call, source = quiet_call(31)
    held_back = source.track.settings.first_sequence + len(source.track.sent)
    counter = 100_000
    send(call, source, packet(call, source, held_back + 1, counter))
    forwarded = call.sim.shard.stats()["forwarded"]
    send(call, source, retransmission(source, packet(call, source, held_back, counter + 1), 5))
    assert call.sim.shard.stats()["forwarded"] == forwarded + 1, "the retransmission fills the gap"
    for number in range(2, FILLERS):
        send(call, source, packet(call, source, held_back + number, counter + number))
    before = call.sim.shard.stats()
    send(call, source, packet(call, source, held_back, counter + FILLERS))
    after = call.sim.shard.stats()
    assert after["dropped_replay"] == before["dropped_replay"] + 1
    assert after["forwarded"] == before["forwarded"]
    assert call.sim.seals.repeats == []


def test_two_retransmissions_that_contradict_each_other_are_one() -> None:
    call, source = quiet_call(32)
    held_back = source.track.settings.first_sequence + len(source.track.sent)
    counter = 100_000
    send(call, source, packet(call, source, held_back + 1, counter))
    before = call.sim.shard.stats()
    for sequence in (5, 6):
        send(call, source, retransmission(source, packet(call, source, held_back, counter + sequence), sequence))
    after = call.sim.shard.stats()
    assert after["forwarded"] == before["forwarded"] + 1
    assert after["dropped_replay"] == before["dropped_replay"] + 1
    assert call.sim.seals.repeats == []
