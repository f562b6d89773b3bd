"""What a scrape tells while a call goes on, beside what the callers themselves know."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.plain_call import plain_call
from support.plain_signaling import PlainSignaling
from support.server import Server, running
from support.waiting import eventually

from simplestchat.media.service import READING_AGE_S

pytestmark = [pytest.mark.e2e, pytest.mark.alone]

SUITE = "AEAD_AES_128_GCM"
WORKER = "simplestchat_worker_"
STALL_S = 0.12  # longer than the last bound of the histogram
FLOOD = 40_000


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as process:
        eventually(lambda: process.worker_metric("transports"), bool)
        yield process


@dataclass(frozen=True)
class Scrape:
    """The samples of one answer, by name and labels."""

    samples: dict[tuple[str, tuple[tuple[str, str], ...]], float]

    @classmethod
    def of(cls, server: Server) -> Scrape:
        families = text_string_to_metric_families(server.get("/metrics"))
        return cls(
            {
                (sample.name, tuple(sorted(sample.labels.items()))): sample.value
                for family in families
                for sample in family.samples
            }
        )

    def worker(self, name: str, **labels: str) -> float:
        return self.samples[WORKER + name, tuple(sorted({"worker": "0", **labels}.items()))]

    def requests(self, method: str) -> float:
        return self.samples["simplestchat_request_seconds_count", (("method", method),)]


@contextmanager
def stalled(server: Server) -> Iterator[None]:
    """The only worker does not run, and is woken afterwards."""
    (worker,) = server.worker_pids()
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


def slow(scrape: Scrape) -> float:
    """How many packets took longer than the last bound."""
    latency = "forward_latency_seconds_bucket"
    return scrape.worker(latency, le="+Inf") - scrape.worker(latency, le="0.1")


def test_a_call_is_counted_and_timed(server: Server) -> None:
    before = Scrape.of(server)
    with ExitStack() as stack:
        call = plain_call(stack, server.url, SUITE, SUITE)
        stream = call.carry()
        known = before.worker("media_received_total")
        after = eventually(
            lambda: Scrape.of(server),
            lambda scrape: scrape.worker("media_received_total") - known >= stream.sender.packets,
        )
        # Waiting in the socket's buffer is part of the latency.
        packets = stream.sender.next_frame(key=False)
        with stalled(server):
            for packet in packets:
                call.upward.send_rtp(packet)
            time.sleep(STALL_S)
        eventually(lambda: slow(Scrape.of(server)) - slow(after), lambda waited: waited == len(packets))
    assert after.requests("room.join") - before.requests("room.join") == 2
    assert after.requests("consumer.resume") - before.requests("consumer.resume") == 1
    assert after.worker("producers") == after.worker("consumers") == 1
    # Nothing is lost on loopback, and each packet that was forwarded has one copy.
    received = after.worker("media_received_total") - before.worker("media_received_total")
    assert received == after.worker("media_expected_total") - before.worker("media_expected_total")
    assert received == stream.sender.packets - len(packets)
    timed = after.worker("forward_latency_seconds_count") - before.worker("forward_latency_seconds_count")
    forwarded = after.worker("packets_forwarded_total") - before.worker("packets_forwarded_total")
    assert forwarded > 0
    assert forwarded <= timed <= received
    spent = after.worker("forward_latency_seconds_sum") - before.worker("forward_latency_seconds_sum")
    assert 0 < spent < 30
    assert after.worker("cpu_seconds_total") > before.worker("cpu_seconds_total")
    assert after.worker("resident_memory_bytes") > after.worker("heap_used_bytes") > 1_000_000
    assert after.worker("heap_held_bytes") >= after.worker("heap_used_bytes")


def test_what_the_socket_had_no_room_for_is_counted(server: Server) -> None:
    def dropped(reason: str) -> float:
        return Scrape.of(server).worker("packets_dropped_total", reason=reason)

    with PlainSignaling(server.url) as client, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        client.request("room.join", room="flood", name="Ann")
        port = client.request("transport.create", direction="send")["iceCandidates"][0]["port"]
        stranger.connect(("127.0.0.1", port))
        known = {reason: dropped(reason) for reason in ("receive", "unknown", "malformed")}
        with stalled(server):
            for _ in range(FLOOD):
                stranger.send(b"\xff" * 1400)
        # The kernel tells how many it dropped with the next one that it takes.
        eventually(lambda: dropped("unknown"), lambda count: count > known["unknown"])
        stranger.send(b"\xff")
        stranger.send(bytes(4000))
        eventually(lambda: dropped("malformed"), lambda count: count == known["malformed"] + 1)
        lost, read = dropped("receive") - known["receive"], dropped("unknown") - known["unknown"]
    assert lost > 0
    assert lost + read == FLOOD + 1


def test_a_scrape_knows_what_was_just_done() -> None:
    """On a server of its own: what the calls above leave behind goes away within."""
    with running() as server, ExitStack() as stack:
        # A scrape shares a reading of a moment ago, and gives up on a worker that the machine does not let run; neither
        # happens three times in a row.
        assert any(shows_at_once(server, stack, transports) for transports in (1, 2, 3))


def shows_at_once(server: Server, stack: ExitStack, transports: int) -> bool:
    """Whether one more transport is told of by the scrape that follows; all that there were before are known."""
    client = stack.enter_context(PlainSignaling(server.url))
    client.request("room.join", room="just-now", name="Ann")
    eventually(lambda: Scrape.of(server).worker("transports"), lambda found: found == transports - 1)
    time.sleep(READING_AGE_S)
    client.request("transport.create", direction="send")
    found = Scrape.of(server).worker("transports")
    assert found in (transports - 1, transports)
    return found == transports
