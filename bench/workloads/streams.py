"""The stream layer, the tables and the timers: what a packet passes between parsing and sealing."""

from __future__ import annotations

from collections.abc import Callable

from workloads import Job, Workload

TIMED = 1_000_000
COUNTED = 20_000
KEYS = 1000
LOOPBACK = b"\0" * 10 + b"\xff\xff\x7f\0\0\1"


def _seqmap(drop_every: int) -> Callable[[int], Job]:
    def make(packets: int) -> Job:
        from simplestchat._native.testing.probe_stream import SeqMap

        seqmap, start = SeqMap(1), iter(range(0, 2**40, packets))
        return Job(lambda: seqmap.time_forward(next(start), packets, drop_every))

    return make


def _cache_put(packets: int) -> Job:
    from simplestchat._native.testing.probe_stream import PacketCache

    cache = PacketCache(1 << 14, 128, 1024)
    return Job(lambda: cache.time_store(0, packets, 1100))


def _cache_find(packets: int) -> Job:
    from simplestchat._native.testing.probe_stream import PacketCache

    cache = PacketCache(1 << 14, 128, 1024, 1 << 40)
    cache.time_store(0, KEYS, 1100)
    return Job(lambda: sum(cache.time_find(0, KEYS) for _ in range(packets // KEYS)))


def _table64(packets: int) -> Job:
    from simplestchat._native.testing.probe_core import Table64

    table = Table64(KEYS, 1)
    for key in range(KEYS):
        table.put(key, key)
    return Job(lambda: table.time_gets(0, KEYS, packets // KEYS))


def _tuple_table(packets: int) -> Job:
    from simplestchat._native.testing.probe_core import TupleTable

    table = TupleTable(KEYS, 1)
    for port in range(KEYS):
        table.put((LOOPBACK, 10_000 + port, LOOPBACK, 40_000, 0), port)
    return Job(lambda: table.time_gets((LOOPBACK, 10_000, LOOPBACK, 40_000, 0), KEYS, packets // KEYS))


def _loop(function: str, *before: int, after: tuple[int, ...] = ()) -> Callable[[int], Job]:
    def make(packets: int) -> Job:
        from simplestchat._native.testing import bench_stream

        work = getattr(bench_stream, function)
        return Job(lambda: int(work(*before, packets, *after)))

    return make


WORKLOADS = (
    Workload("seqmap", _seqmap(0), TIMED, COUNTED),
    Workload("seqmap, every third dropped", _seqmap(3), TIMED, COUNTED),
    Workload("tsmap", _loop("bench_tsmap"), TIMED, COUNTED),
    Workload("cache put", _cache_put, TIMED, COUNTED),
    Workload("cache find", _cache_find, TIMED, COUNTED),
    Workload("sent put", _loop("bench_sent_put"), TIMED, COUNTED),
    Workload("sent find", _loop("bench_sent_find"), TIMED, COUNTED),
    Workload("nack, nothing lost", _loop("bench_nack", after=(0,)), TIMED, COUNTED),
    Workload("nack, each tenth lost", _loop("bench_nack", after=(10,)), TIMED // 5, COUNTED),
    Workload("reception statistics", _loop("bench_recv_stats"), TIMED, COUNTED),
    Workload("table of numbers", _table64, TIMED // 2, COUNTED),
    Workload("table of 5-tuples", _tuple_table, TIMED // 5, COUNTED),
    Workload("timers, 1000 transports", _loop("bench_timers", 1000), TIMED // 10, COUNTED),
)
