from __future__ import annotations

import time

from simplestchat.media.footprint import MAX_WALK_SHARE, Meter

PAGES = 64 * 1024 * 1024


def test_memory_and_time_that_were_used_show() -> None:
    meter = Meter()
    before = meter.take()
    ballast = bytearray(PAGES)
    ballast[:: 1 << 12] = b"x" * len(ballast[:: 1 << 12])
    burned = time.process_time() + 0.05
    while time.process_time() < burned:
        pass
    after = Meter().take()
    assert after.rss_bytes - before.rss_bytes > PAGES * 0.9
    assert after.heap_used_bytes - before.heap_used_bytes > PAGES * 0.9
    assert after.heap_held_bytes >= after.heap_used_bytes
    assert after.cpu_us - before.cpu_us >= 50_000


def test_a_heap_that_is_slow_to_look_through_is_looked_at_seldom() -> None:
    now, walks = 0.0, 0

    def slow_heap() -> tuple[int, int]:
        nonlocal now, walks
        now += 0.01
        walks += 1
        return walks, 2 * walks

    meter = Meter(slow_heap, lambda: now)
    for _ in range(200):
        taken = meter.take()
        assert (taken.heap_used_bytes, taken.heap_held_bytes) == (walks, 2 * walks)
        now += 1.0
    assert walks * 0.01 <= MAX_WALK_SHARE * now + 0.01
    assert walks >= 15
