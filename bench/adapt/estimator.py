"""The estimator alone on an emulated path, without an engine: the worst over some seeds."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from support.congestion import LAYERS, TOP, S, Stretch, dip, first_time, jain, stretch

from adapt.verdict import Row, least, most
from simplestchat._native.testing.probe_cc import Network

SEEDS = range(4)
RATE_BPS = 3_000_000
STEADY_BPS = (500_000, 1_000_000, 2_000_000, 5_000_000)
SHARED = ((2, 1_000_000), (2, 3_000_000), (4, 2_000_000), (4, 4_000_000))
LOSSES = ((0.02, 90), (0.05, 80), (0.1, 70), (0.2, 50))
BURSTS = ((0.004, 80), (0.01, 70), (0.022, 60))


def _filled(seed: int, rate_bps: int, *, back_loss: float = 0, **path: float) -> Stretch:
    """A source that fills what it is given."""
    network = Network(seed, rate_bps)
    network.set(**path)
    network.add("fills", back_loss=back_loss)
    return stretch(network.run(90 * S), 15, 90)


def _steady() -> Iterable[Row]:
    for rate_bps in STEADY_BPS:
        found = [_filled(seed, rate_bps) for seed in SEEDS]
        case = f"alone, {rate_bps / 1e6:g} Mbit/s"
        yield least(case, "used", min(one.delivered_bps for one in found) * 100 / rate_bps, 85, "%")
        yield most(case, "queueing p95", max(one.queue_p95_us for one in found) / 1000, 100, "ms")


def _dip() -> Iterable[Row]:
    below, queue, back = [], [], []
    for seed in SEEDS:
        network = Network(seed, RATE_BPS)
        network.add("layers", steps=LAYERS, voice=True)
        rows = dip(network)
        below.append(first_time(rows, 30, lambda row: row[4] < 700_000))
        queue.append(stretch(rows, 33, 60).queue_p95_us / 1000)
        back.append(first_time(rows, 60, lambda row: row[11] == TOP))
    case = "alone, 3 to 0.7 to 3"
    yield most(case, "below capacity after", max(below), 1.5, "s")
    yield most(case, "queueing p95 from 3 s after", max(queue), 250, "ms")
    yield most(case, "top layer back after", max(back), 10, "s")


def _shares(flows: int, rate_bps: int, apart_s: int, seed: int) -> float:
    network = Network(seed, rate_bps)
    for number in range(flows):
        network.add("fills", begins_us=number * apart_s * S)
    rows = network.run(180 * S)
    return jain([stretch(rows, 60, 180, flow).delivered_bps for flow in range(flows)])


def _beside(rate_bps: int, queue_us: int, others: int, seed: int) -> float:
    """How much of its share, in percent."""
    network = Network(seed, rate_bps, queue_us=queue_us)
    network.add("fills")
    for _ in range(others):
        network.add("tcp", begins_us=10 * S)
    return stretch(network.run(130 * S), 30, 130).delivered_bps * 100 * (others + 1) / rate_bps


def _company() -> Iterable[Row]:
    fair = min(_shares(*shared, apart_s, seed) for shared, apart_s, seed in product(SHARED, (0, 10), SEEDS))
    rates = (1_000_000, 2_000_000, 5_000_000, 10_000_000)
    share = min(_beside(*each) for each in product(rates, (100_000, 300_000), (1, 2), SEEDS))
    yield least("alone, sharing", "Jain's fairness, two and four flows", fair, 0.9)
    yield least("alone, sharing", "of a share beside one or two like TCP", share, 10, "%")


def _disturbed() -> Iterable[Row]:
    clean = [_filled(seed, RATE_BPS).sent_bps for seed in SEEDS]

    def share(**path: float) -> float:
        return min(_filled(seed, RATE_BPS, **path).sent_bps * 100 / clean[seed] for seed in SEEDS)

    for loss, bar in LOSSES:
        yield least(
            "alone, random loss", f"{loss:.0%} each way: of the clean rate", share(loss=loss, back_loss=loss), bar, "%"
        )
    for to_bad, bar in BURSTS:
        part = to_bad / (to_bad + 0.2)
        yield least("alone, bursts of 5", f"{part:.0%}: of the clean rate", share(to_bad=to_bad, to_good=0.2), bar, "%")
    for reorders in (False, True):
        what = f"of the clean rate, {'out of' if reorders else 'in'} order"
        yield least("alone, jitter to 20 ms", what, share(jitter_us=20_000, reorders=reorders), 80, "%")


def alone() -> Iterable[Row]:
    """Links that are steady, become thin, are shared, lose packets and delay them."""
    yield from _steady()
    yield from _dip()
    yield from _company()
    yield from _disturbed()
