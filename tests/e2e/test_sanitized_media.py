"""Hostile datagrams to a server on the sanitized modules: from strangers, and from both ends of a call."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from random import Random

import pylibsrtp
import pytest
from support import sanitized
from support.fuzzing import load_corpora
from support.mutations import mutants
from support.plain_call import PlainCall, Stream, plain_call
from support.server import Server, running
from support.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.alone, pytest.mark.timeout(sanitized.BUILD_TIMEOUT_S + 180)]

SUITE = "AEAD_AES_128_GCM"
RECEIVED = 'simplestchat_worker_packets_received_total{worker="0"}'
LONGEST = 1500
SIZES = (1, 2, 3, 4, 8, 11, 12, 13, 14, 16, 19, 20, 21, 24, 28, 40, 64, 100, 576, 1200, LONGEST)
MUTANTS = 3000
BURST = 40  # datagrams between two pauses, so that few are lost in a full socket buffer
PAUSE_S = 0.005
ARRIVING = 0.9  # of the datagrams, at least: a busy machine may lose some in the kernel


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running(sanitize=True) as server:
        yield server


def paced(send: Callable[[bytes], object], datagrams: Iterable[bytes]) -> int:
    """Send each that can be sent; how many those were."""
    sent = 0
    for datagram in datagrams:
        with suppress(pylibsrtp.Error, ValueError):  # libsrtp takes none whose header it cannot read, nor too long ones
            send(datagram)
            sent += 1
            if sent % BURST == 0:
                time.sleep(PAUSE_S)
    return sent


def strange(rng: Random) -> Iterator[bytes]:
    """Every first byte with many lengths, every length with some first byte, and damaged packets of every kind."""
    for first in range(256):
        for size in SIZES:
            yield bytes((first,)) + rng.randbytes(size - 1)
    for size in range(LONGEST + 1):
        yield rng.randbytes(size)
    yield from mutants(1, MUTANTS, [entry for entries in load_corpora().values() for entry in entries])


def damaged_media(stream: Stream, rng: Random) -> Iterator[bytes]:
    """RTP of a stream with anything wrong with it; every other packet keeps its sequence number, time and SSRC."""
    genuine = [packet for number in range(10) for packet in stream.sender.next_frame(key=number % 5 == 0)]
    corpora = load_corpora()
    for number, mutant in enumerate(mutants(2, MUTANTS, [*genuine, *corpora["rtp"], *corpora["ext"]])):
        if number % 2:
            yield mutant
        else:
            (sequence,) = struct.unpack_from("!H", genuine[-1], 2)
            head = struct.pack("!HI", (sequence + number // 2) & 0xFFFF, rng.getrandbits(32))
            yield mutant[:2] + head + stream.sender.ssrc.to_bytes(4, "big") + mutant[12:]


def damaged_feedback(ssrc: int, seed: int) -> Iterator[bytes]:
    """RTCP of every type with anything wrong with it; every other packet speaks of this SSRC."""
    corpora = load_corpora()
    for number, mutant in enumerate(mutants(seed, MUTANTS, [*corpora["rtcp"], *corpora["engine-feedback"]])):
        yield mutant if number % 2 else mutant[:8] + ssrc.to_bytes(4, "big") + mutant[12:]


def expect(server: Server, before: float, sent: int) -> None:
    """Most of what was sent has reached the worker."""
    eventually(lambda: server.metric(RECEIVED), lambda received: received - before >= ARRIVING * sent)


def attack(call: PlainCall, stream: Stream) -> int:
    """Misbehave with the keys of both ends; how many packets were sent."""
    sent = paced(call.upward.send_rtp, damaged_media(stream, Random(3)))
    sent += paced(call.upward.send_rtcp, damaged_feedback(stream.sender.ssrc, 4))
    return sent + paced(call.downward.send_rtcp, damaged_feedback(stream.receiver.ssrc, 5))


def test_no_datagram_of_a_stranger_is_answered_or_ends_the_worker(server: Server) -> None:
    workers = server.worker_pids()
    with ExitStack() as stack:
        call = plain_call(stack, server.url, SUITE, SUITE)
        stranger = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        before = server.metric(RECEIVED)
        sent = paced(lambda datagram: stranger.sendto(datagram, call.upward.server), strange(Random(1)))
        expect(server, before, sent)
        stranger.setblocking(False)
        with pytest.raises(BlockingIOError):
            stranger.recv(1)
        call.carry()
    assert server.worker_pids() == workers


def test_no_packet_of_a_participant_ends_the_worker_or_the_call(server: Server) -> None:
    workers = server.worker_pids()
    with ExitStack() as stack:
        call = plain_call(stack, server.url, SUITE, SUITE)
        stream = call.carry()
        before = server.metric(RECEIVED)
        sent = attack(call, stream)
        assert sent > 1.5 * MUTANTS, "libsrtp refused to send most of it"
        expect(server, before, sent)
        call.bob.request("consumer.close", consumerId=stream.consumer)
        call.alice.request("producer.close", producerId=stream.producer)
        for transport in (call.upward, call.downward):
            transport.discard(0.5)
        call.carry()
    assert server.worker_pids() == workers
