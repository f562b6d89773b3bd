"""What reaches the kernel: reading datagrams, and a fan-out over loopback sockets that nobody reads from."""

from __future__ import annotations

from collections.abc import Callable

from workloads import Job, Workload

PAYLOAD_BYTES = 1100
RECEIVERS = 50
BATCH = 64


def _fan_out(burst: int) -> Callable[[int], Job]:
    def make(packets: int) -> Job:
        from simplestchat._native.testing.bench_fanout import Fanout

        fanout = Fanout(RECEIVERS, PAYLOAD_BYTES)
        rounds = max(1, packets // (RECEIVERS * burst))
        fanout.engine(burst, 2)
        return Job(
            lambda: fanout.engine(burst, rounds)[1], timed=lambda: fanout.engine(burst, rounds)[0], close=fanout.close
        )

    return make


def _read(packets: int) -> Job:
    from simplestchat._native.testing.bench_receive import Receive

    receive, payload = Receive(), bytes(PAYLOAD_BYTES)
    batches = packets // BATCH

    def timed() -> float:
        return receive.ns_per_datagram(True, batches, payload)

    return Job(lambda: int(timed() >= 0) * batches * BATCH, timed=timed, close=receive.close)


WORKLOADS = (
    *(
        Workload(f"engine and sends 1 -> {RECEIVERS}, bursts of {burst}", _fan_out(burst), 6_000, 2_000)
        for burst in (1, 3, 10)
    ),
    Workload("datagrams read", _read, 64 * BATCH, 8 * BATCH),
)
