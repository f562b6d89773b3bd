"""One receiver behind one link: that changes, that stays, that loses."""

from __future__ import annotations

from collections.abc import Iterable

from support.netem import US_PER_S, Bursts

from adapt.call import LADDER, Call, Viewer
from adapt.network import access, thin
from adapt.verdict import Row, least, most, percentile
from simplestchat.load.histogram import bounds_of

HIGH_BPS, LOW_BPS = 3_000_000, 700_000
WINDOW_US = 250_000
IN_TIME_US = 500_000


def _call(seed: int, rate_bps: float) -> tuple[Call, int, Viewer]:
    call = Call(seed)
    publisher = call.publisher()
    viewer = call.viewer(thin(rate_bps))
    call.run(1)
    return call, publisher, viewer


def _below_after_s(call: Call, viewer: Viewer, since_us: int, capacity_bps: float) -> float:
    """Seconds until what is sent is below the capacity, and stays so for a second."""
    for step in range(200):
        start = since_us + step * 50_000
        if all(
            viewer.queue.rate_bps(start + part * WINDOW_US, start + (part + 1) * WINDOW_US, through=False)
            <= capacity_bps
            for part in range(4)
        ):
            return (start - since_us) / US_PER_S
    return 99.0


def _least_layer(call: Call, consumer: int, since_us: int) -> int:
    """The lowest that it had since then; -1 when it had none."""
    steps = call.layers(consumer)
    had = [layer for when, layer in steps if when <= since_us]
    return min([had[-1] if had else -1, *(layer for when, layer in steps if when > since_us)])


def capacity_drop(seed: int = 7) -> Iterable[Row]:
    """3 -> 0.7 -> 3 Mbit/s, half a minute each."""
    case = "3 to 0.7 to 3 Mbit/s"
    call, publisher, viewer = _call(seed, HIGH_BPS)
    video, audio = call.camera(publisher), call.publish(publisher)
    call.follow_wishes()
    watched, heard = call.watch(viewer, video), call.watch(viewer, audio)
    settled_us = call.at(5)
    call.run(30)
    fell_us = call.now_us
    call.limit(viewer, LOW_BPS)
    call.run(30)
    rose_us = call.now_us
    call.limit(viewer, HIGH_BPS)
    call.run(30)
    top = len(LADDER) - 1
    back = [when for when, layer in call.layers(watched) if when > rose_us and layer == top]
    sound = call.receiver(heard)
    yield most(case, "below capacity after", _below_after_s(call, viewer, fell_us, LOW_BPS), 1.5, "s")
    yield most(
        case,
        "queueing p95 from 3 s after",
        percentile(viewer.queue.delays_ms(fell_us + 3 * US_PER_S, rose_us), 0.95),
        250,
        "ms",
    )
    used = viewer.queue.rate_bps(fell_us + 3 * US_PER_S, rose_us) / LOW_BPS
    yield least(case, "used from 3 s after", 100 * used, 60, "%")
    yield least(
        case, "layer where it is thin, from 15 s after", _least_layer(call, watched, fell_us + 15 * US_PER_S), 1
    )
    yield most(case, "top layer back after", (back[0] - rose_us) / US_PER_S if back else 99.0, 10, "s")
    yield most(case, "audio lost", 100 * (1 - sound["delivered"] / max(1, sound["delivered"] + sound["lost"])), 1, "%")
    yield most(
        case,
        "switches a minute",
        call.switches(watched, settled_us) / ((call.now_us - settled_us) / 60e6),
        4,
    )


def _fill(call: Call, viewer: Viewer, video: int) -> None:
    """The source sends what it is given, less what repairs take, and a twentieth for headers."""

    def adjust() -> None:
        told = call.told(viewer)
        given = told["available_bitrate_bps"] * (1 - told["loss"])
        call.do("set_bitrate", video, 0, max(20_000, round(given * 0.95)))
        call.sim.clock.call_in(100_000, adjust)

    adjust()


def steady_filled(seed: int = 11) -> Iterable[Row]:
    """A link that stays, and a source that fills what it is given."""
    for megabits in (0.5, 1.0, 2.0, 5.0):
        case = f"steady {megabits:g} Mbit/s"
        call, publisher, viewer = _call(seed, megabits * 1e6)
        video = call.camera(publisher, ((300_000, 640, 360),))
        call.watch(viewer, video)
        _fill(call, viewer, video)
        call.run(20)
        since_us = call.now_us
        call.run(60)
        used = viewer.queue.rate_bps(since_us, call.now_us) / (megabits * 1e6)
        yield least(case, "used by a source that fills it", 100 * used, 85, "%")
        yield most(case, "queueing p95, filled", percentile(viewer.queue.delays_ms(since_us), 0.95), 100, "ms")


def steady_layers(seed: int = 13) -> Iterable[Row]:
    """A link that stays, and three layers."""
    for megabits in (0.5, 1.0, 2.0, 5.0):
        case = f"steady {megabits:g} Mbit/s"
        fits = max(at for at, (rate, _, _) in enumerate(LADDER) if rate <= 0.85 * megabits * 1e6)
        call, publisher, viewer = _call(seed, megabits * 1e6)
        video = call.camera(publisher)
        call.follow_wishes()
        watched = call.watch(viewer, video)
        call.run(20)
        since_us = call.now_us
        call.run(60)
        layers = call.layers(watched)
        yield least(case, "layer, of those that fit in 85 %", layers[-1][1] if layers else -1, fits)
        yield most(case, "layer, at most", layers[-1][1] if layers else 9, fits)
        yield most(case, "queueing p95, three layers", percentile(viewer.queue.delays_ms(since_us), 0.95), 100, "ms")
        yield most(case, "switches a minute", call.switches(watched, since_us), 1)


def _filled_rate(seed: int, loss: float, seconds: float, bursts: Bursts | None = None) -> float:
    call = Call(seed)
    hurt = {"bursts": bursts} if bursts else {"loss": loss}
    publisher = call.publisher()
    viewer = call.viewer(thin(2e6, **hurt), up=access().but(**hurt))
    call.run(2)
    video = call.camera(publisher, ((300_000, 640, 360),))
    call.watch(viewer, video)
    _fill(call, viewer, video)
    call.run(20)
    since_us = call.now_us
    call.run(seconds)
    return viewer.queue.rate_bps(since_us, call.now_us)


def random_loss(seed: int = 17) -> Iterable[Row]:
    """Loss that has nothing to do with the rate: it is repaired, and not taken for congestion."""
    clean = _filled_rate(seed, 0, 60)
    for loss, bar in ((0.02, 90), (0.05, 50), (0.10, 30), (0.20, 10)):
        yield least(
            f"{loss:.0%} random loss", "of the clean rate", 100 * _filled_rate(seed, loss, 60) / clean, bar, "%"
        )
    bursts = Bursts.of(0.02, 4)
    yield least("2 % in bursts of 4", "of the clean rate", 100 * _filled_rate(seed, 0, 60, bursts) / clean, 50, "%")


def repair(seed: int = 19) -> Iterable[Row]:
    """What is lost each way comes again within half a second."""
    for loss, bar in ((0.05, 99.9), (0.20, 99.5)):
        case = f"{loss:.0%} random loss"
        call = Call(seed)
        publisher = call.publisher()
        viewer = call.viewer(thin(5e6, loss=loss), up=access().but(loss=loss))
        call.run(3)
        video = call.camera(publisher, ((200_000, 640, 360),))
        watched = call.watch(viewer, video)
        call.run(40)
        before = call.receiver(watched)["lost"]
        call.swarm.sample()
        resent, lost = _resent(call), call.sockets[viewer.path].down.counters.lost
        call.run(120)
        call.do("mute", video, True, False)
        call.run(3)
        losses = call.sockets[viewer.path].down.counters.lost - lost
        late = call.receiver(watched)["lost"] - before + _late(call)
        yield least(case, "of losses, repaired within 500 ms", 100 * (1 - late / losses), bar, "%")
        yield most(case, "sent again, of losses", (_resent(call) - resent) / losses, 1.5, "x")


def _late(call: Call) -> int:
    """How many video packets of those since the last sample took longer than half a second."""
    buckets = call.swarm.sample()["histograms"]["latency_video"][4]
    return sum(count for bucket, count in buckets.items() if bounds_of(bucket)[1] > IN_TIME_US)


def _resent(call: Call) -> int:
    stats = call.sim.shard.stats()
    return stats["resent"]
