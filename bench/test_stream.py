"""Per-packet cost of the stream layer and the tables: each round is one C loop over ``N`` packets."""

from __future__ import annotations

from pytest_benchmark.fixture import BenchmarkFixture

from simplestchat._native.testing.probe_core import Table64, TupleTable
from simplestchat._native.testing.probe_stream import PacketCache, SeqMap

N = 100_000
LOOPBACK = b"\0" * 10 + b"\xff\xff\x7f\0\0\1"


def _per_packet(benchmark: BenchmarkFixture) -> None:
    benchmark.extra_info["packets_per_round"] = N
    if benchmark.stats is not None:
        benchmark.extra_info["ns_per_packet"] = round(benchmark.stats.stats.min / N * 1e9, 2)


def test_seqmap_forward(benchmark: BenchmarkFixture) -> None:
    seqmap = SeqMap(1)
    start = iter(range(0, 2**40, N))
    assert benchmark(lambda: seqmap.time_forward(next(start), N, 0)) == N
    _per_packet(benchmark)


def test_seqmap_forward_with_every_third_dropped(benchmark: BenchmarkFixture) -> None:
    seqmap = SeqMap(1)
    start = iter(range(0, 2**40, N))
    forwarded = benchmark(lambda: seqmap.time_forward(next(start), N, 3))
    assert forwarded == N - N // 3
    _per_packet(benchmark)


def test_cache_reserve_and_commit(benchmark: BenchmarkFixture) -> None:
    cache = PacketCache(1 << 14, 128, 1024)
    assert benchmark(cache.time_store, 0, N, 1100) == N
    _per_packet(benchmark)


def test_cache_find(benchmark: BenchmarkFixture) -> None:
    cache = PacketCache(1 << 14, 1 << 14, 1 << 17, 1 << 40)
    cache.time_store(0, N, 1100)
    assert benchmark(cache.time_find, 0, N) == N
    _per_packet(benchmark)


def test_table64_get(benchmark: BenchmarkFixture) -> None:
    table = Table64(1000, 1)
    for key in range(1000):
        table.put(key, key)
    assert benchmark(table.time_gets, 0, 1000, N // 1000) == N
    _per_packet(benchmark)


def test_tupletable_get(benchmark: BenchmarkFixture) -> None:
    table = TupleTable(1000, 1)
    for port in range(1000):
        table.put((LOOPBACK, 10_000 + port, LOOPBACK, 40_000, 0), port)
    assert benchmark(table.time_gets, (LOOPBACK, 10_000, LOOPBACK, 40_000, 0), 1000, N // 1000) == N
    _per_packet(benchmark)
