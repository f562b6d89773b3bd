"""A call between two clients that were written from docs/protocol.md alone: one publishes VP8, the other plays it."""

from __future__ import annotations

import secrets
import struct
import time
from contextlib import ExitStack
from dataclasses import dataclass

from support.plain_signaling import PlainSignaling
from support.plain_transport import PlainTransport
from support.vp8_stream import FRAME_RATE, Vp8Receiver, Vp8Sender

PAYLOAD_TYPE = 109  # not the server's own number: a client keeps the one it chose
SIZE = (320, 240)
LEAD_FRAMES = 4
FRAMES = 30
LAST_WITHIN_S = 5.0
PAYLOAD_FEEDBACK = 206
PICTURE_LOSS = 1
VP8 = {
    "mimeType": "video/VP8",
    "clockRate": 90_000,
    "parameters": {},
    "rtcpFeedback": [{"type": "nack", "parameter": ""}, {"type": "nack", "parameter": "pli"}],
}


@dataclass(frozen=True)
class PlainCall:
    """Alice, who sends, and Bob, who receives, in one room and connected."""

    alice: PlainSignaling
    bob: PlainSignaling
    upward: PlainTransport
    downward: PlainTransport

    def carry(self) -> Stream:
        """Publish a stream, play it for a while and check every packet and picture of it."""
        sender = Vp8Sender(*SIZE, PAYLOAD_TYPE)
        producer = publish(self.alice, self.upward, sender)
        opened = self.bob.wait_for("producer.opened", lambda notice: notice["producerId"] == producer)
        assert (opened["kind"], opened["source"]) == ("video", "camera")
        lead(self.upward, sender)
        consumer, receiver = subscribe(self.bob, self.downward, producer)
        sent, came, requests = relay(self.upward, self.downward, sender, receiver)
        assert requests >= 1, "a new subscriber needs a keyframe, so the publisher is asked for one"
        assert len(came) > FRAMES // 2
        assert came == sent[-len(came) :], "payloads arrive unchanged, in order and without a gap to the last"
        assert set(receiver.sizes) == {SIZE}
        assert len(receiver.sizes) > FRAMES // 2
        return Stream(sender, receiver, producer, consumer)


@dataclass(frozen=True)
class Stream:
    """A published stream and who plays it, with their ids."""

    sender: Vp8Sender
    receiver: Vp8Receiver
    producer: str
    consumer: str


def plain_call(stack: ExitStack, url: str, sending: str, receiving: str) -> PlainCall:
    """Two clients in a room of their own, each connected with an SRTP suite; the stack ends it."""
    room = f"plain-{secrets.token_hex(4)}"
    alice = stack.enter_context(PlainSignaling(url))
    bob = stack.enter_context(PlainSignaling(url))
    alice.request("room.join", room=room, name="Alice")
    bob.request("room.join", room=room, name="Bob")
    upward = open_transport(stack, alice, "send", sending)
    downward = open_transport(stack, bob, "recv", receiving)
    return PlainCall(alice, bob, upward, downward)


def keyframe_wanted(packet: bytes) -> bool:
    """Whether a compound RTCP packet asks for a keyframe."""
    offset = 0
    while offset + 4 <= len(packet):
        first, kind, words = struct.unpack_from("!BBH", packet, offset)
        if kind == PAYLOAD_FEEDBACK and first & 0x1F == PICTURE_LOSS:
            return True
        offset += 4 * (words + 1)
    return False


def open_transport(stack: ExitStack, signaling: PlainSignaling, direction: str, suite: str) -> PlainTransport:
    """Create a transport and connect it."""
    transport = stack.enter_context(PlainTransport(signaling.request("transport.create", direction=direction), suite))
    signaling.request("transport.connect", transportId=transport.id, dtlsParameters=transport.dtls_parameters)
    transport.connect()
    return transport


def publish(signaling: PlainSignaling, transport: PlainTransport, sender: Vp8Sender) -> str:
    """Create the producer of a stream; its id."""
    parameters = {
        "codecs": [{**VP8, "payloadType": PAYLOAD_TYPE}],
        "headerExtensions": [],
        "encodings": [{"ssrc": sender.ssrc}],
        "rtcp": {"cname": secrets.token_hex(4), "reducedSize": True},
    }
    created = signaling.request(
        "producer.create",
        transportId=transport.id,
        kind="video",
        rtpParameters=parameters,
        appData={"source": "camera"},
    )
    producer: str = created["id"]
    return producer


def subscribe(signaling: PlainSignaling, transport: PlainTransport, producer: str) -> tuple[str, Vp8Receiver]:
    """Ask for a producer; the consumer's id, and what plays it."""
    capabilities = {
        "codecs": [{**VP8, "kind": "video", "preferredPayloadType": PAYLOAD_TYPE}],
        "headerExtensions": [],
    }
    consumer = signaling.request(
        "consumer.create", transportId=transport.id, producerId=producer, rtpCapabilities=capabilities, paused=True
    )
    assert consumer["kind"] == "video"
    assert consumer["type"] == "simple"
    (codec,) = consumer["rtpParameters"]["codecs"]
    (encoding,) = consumer["rtpParameters"]["encodings"]
    assert codec["payloadType"] == PAYLOAD_TYPE
    signaling.request("consumer.resume", consumerId=consumer["id"])
    return consumer["id"], Vp8Receiver(encoding["ssrc"], codec["payloadType"])


def lead(upward: PlainTransport, sender: Vp8Sender) -> None:
    """Send the first frames, which nobody plays yet: whoever comes now needs another keyframe."""
    for number in range(LEAD_FRAMES):
        for packet in sender.next_frame(key=number == 0):
            upward.send_rtp(packet)
        upward.discard(1 / FRAME_RATE)


def relay(
    upward: PlainTransport, downward: PlainTransport, sender: Vp8Sender, receiver: Vp8Receiver
) -> tuple[list[bytes], list[bytes], int]:
    """Send for a while; the VP8 payloads sent and received, and how often a keyframe was asked for."""
    sent: list[bytes] = []
    came: list[bytes] = []
    requests = 0
    key = False
    for _ in range(FRAMES):
        packets = sender.next_frame(key=key)
        sent += [packet[13:] for packet in packets]
        for packet in packets:
            upward.send_rtp(packet)
        due = time.monotonic() + 1 / FRAME_RATE
        key = any(is_rtcp and keyframe_wanted(packet) for is_rtcp, packet in upward.received(0.5 / FRAME_RATE))
        requests += key
        media = [packet for is_rtcp, packet in downward.received(due - time.monotonic()) if not is_rtcp]
        came += [receiver.receive(packet) for packet in media]
    patience = time.monotonic() + LAST_WITHIN_S
    while (not came or came[-1] != sent[-1]) and time.monotonic() < patience:
        came += [receiver.receive(packet) for is_rtcp, packet in downward.received(0.2) if not is_rtcp]
    came += [receiver.receive(packet) for is_rtcp, packet in downward.received(0.2) if not is_rtcp]
    return sent, came, requests
