"""Sealing and opening by suite, beside libcrypto alone over the same bytes."""

from __future__ import annotations

from collections.abc import Callable

from workloads import Job, Workload, ns_a_packet

PAYLOAD_BYTES = 1100
SUITES = {"cm-sha1-80": 1, "gcm-128": 7, "gcm-256": 8}  # the profiles' numbers (RFC 5764, RFC 7714)


def _cipher(suite: int, seal: bool) -> Callable[[int], Job]:
    def make(packets: int) -> Job:
        from simplestchat._native.testing.bench_srtp import SrtpBench

        bench = SrtpBench(suite, PAYLOAD_BYTES)
        loop = bench.seal if seal else bench.open

        def done(loop: Callable[[int], None]) -> int:
            loop(packets)
            return packets

        return Job(lambda: done(loop), floor=lambda: ns_a_packet(lambda: done(bench.floor)))

    return make


WORKLOADS = tuple(
    Workload(f"{'seal' if seal else 'open'} {name}", _cipher(suite, seal), 8192, 1024)
    for name, suite in SUITES.items()
    for seal in (True, False)
)
