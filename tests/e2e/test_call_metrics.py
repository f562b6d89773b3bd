"""What a scrape tells while a call goes on, beside what the callers themselves know."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.plain_call import plain_call
from support.plain_signaling import PlainSignaling
from support.server import Server, running

from simplestchat.media.service import READING_AGE_S

pytestmark = pytest.mark.e2e

SUITE = "AEAD_AES_128_GCM"
WORKER = "simplestchat_worker_"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as process:
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


def test_a_call_is_counted_and_timed(server: Server) -> None:
    before = Scrape.of(server)
    with ExitStack() as stack:
        call = plain_call(stack, server.url, SUITE, SUITE)
        stream = call.carry()
        time.sleep(READING_AGE_S)
        after = Scrape.of(server)
    assert after.requests("room.join") - before.requests("room.join") == 2
    assert after.requests("consumer.resume") - before.requests("consumer.resume") == 1
    assert after.worker("producers") == after.worker("consumers") == 1
    # Nothing is lost on loopback, and each packet that was forwarded has one copy.
    received = after.worker("media_received_total") - before.worker("media_received_total")
    assert received == after.worker("media_expected_total") - before.worker("media_expected_total")
    assert received == stream.sender.packets
    timed = after.worker("forward_latency_seconds_count") - before.worker("forward_latency_seconds_count")
    forwarded = after.worker("packets_forwarded_total") - before.worker("packets_forwarded_total")
    assert forwarded > 0
    assert forwarded <= timed <= received
    spent = after.worker("forward_latency_seconds_sum") - before.worker("forward_latency_seconds_sum")
    assert 0 < spent < 30
    assert after.worker("cpu_seconds_total") > before.worker("cpu_seconds_total")
    assert after.worker("resident_memory_bytes") > after.worker("heap_used_bytes") > 1_000_000
    assert after.worker("heap_held_bytes") >= after.worker("heap_used_bytes")


def test_a_scrape_knows_what_was_just_done(server: Server) -> None:
    with PlainSignaling(server.url) as client:
        client.request("room.join", room="just-now", name="Ann")
        open_before = Scrape.of(server).worker("transports")
        time.sleep(READING_AGE_S)
        client.request("transport.create", direction="send")
        assert Scrape.of(server).worker("transports") == open_before + 1
