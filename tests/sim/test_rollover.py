"""Sequence numbers and timestamps that wrap in mid call, on either side, with loss around the wrap."""

from __future__ import annotations

import pytest
from support.calls import Call, assert_clean, assert_no_gaps, connect, stop_media, undelivered
from support.netem import Link
from support.simulation import Consumed, Published, Simulation

pytestmark = pytest.mark.usefixtures("srtp_backend")

# With this seed the outgoing sequence begins near the top of the range that it may begin in.
OWN_WRAP_SEED = 1241


def one_way(
    seed: int, kind: str, link: Link | None = None, **changes: object
) -> tuple[Simulation, Published, Consumed]:
    sim = Simulation(seed)
    anna, ben = sim.add_peer("anna"), sim.add_peer("ben")
    connect(sim, anna, ben)
    source = sim.publish(anna, kind, **changes)  # type: ignore[arg-type]
    heard = sim.subscribe(ben, source)
    if link is not None:
        Call(sim, [anna, ben], [source], [heard]).set_links(link)
    return sim, source, heard


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_the_publishers_sequence_wraps(kind: str) -> None:
    sim, source, heard = one_way(121, kind, first_sequence=65_500, first_timestamp=2**32 - 20_000)
    sim.run(3)
    stop_media(sim, [source])
    assert undelivered(heard) == []
    assert_no_gaps(heard)
    assert_clean(sim)


@pytest.mark.parametrize("rtx", [True, False], ids=["rtx", "resealed"])
def test_loss_around_the_wrap_is_repaired(rtx: bool) -> None:
    bad = Link(delay_us=10_000, loss=0.15)
    sim, source, heard = one_way(122, "video", bad, first_sequence=65_300, rtx=rtx)
    sim.run(5)
    for member in sim.members:
        member.socket.up.link = member.socket.down.link = Link()
    sim.run(0.5)
    stop_media(sim, [source])
    assert undelivered(heard) == []
    assert_clean(sim)


def test_the_start_near_the_wrap_may_be_lost() -> None:
    """A receiver that misses the first packets must not guess a wrong rollover for ever."""
    sim = Simulation(123)
    anna, ben = sim.add_peer("anna"), sim.add_peer("ben")
    connect(sim, anna, ben)
    anna.socket.up.link = Link(loss=1.0)
    source = sim.publish(anna, "audio", first_sequence=65_530)
    heard = sim.subscribe(ben, source)
    sim.run(1)
    anna.socket.up.link = Link()
    sim.run(2)
    stop_media(sim, [source])
    assert len(heard.reception.arrivals) >= 90
    assert_clean(sim)


def test_our_own_sequence_wraps() -> None:
    """A long stream in small packets: every index is sealed once, and the far end keeps decrypting."""
    sim, source, heard = one_way(OWN_WRAP_SEED, "audio", interval_us=1000, packet_size=40)
    sim.run(0.1)
    sim.run((0x10000 - heard.reception.first_index) / 1000 + 1)
    stop_media(sim, [source])
    assert heard.reception.first_index < 0x8000
    assert heard.reception.highest > 0x10000
    assert undelivered(heard) == []
    assert_no_gaps(heard)
    assert_clean(sim)
