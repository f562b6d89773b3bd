"""Many subscribers and full batches: what does not fit one turn's output leaves in the next, in order and whole."""

from __future__ import annotations

from support.calls import assert_clean, assert_no_gaps, connect, undelivered
from support.simulation import Simulation

SUBSCRIBERS = 30
CONSUMERS_EACH = 4
BATCHES = 6


def test_a_batch_that_owes_more_than_fits_is_sent_in_parts() -> None:
    sim = Simulation(151)
    anna = sim.add_peer("anna")
    crowd = [sim.add_peer(f"guest {number}") for number in range(SUBSCRIBERS)]
    connect(sim, anna, *crowd)
    source = sim.publish(anna, "video", start=False, packets_per_frame=20)
    # Several copies at one member, as with two views of one camera.
    heard = [sim.subscribe(member, source, nack=False) for member in crowd for _ in range(CONSUMERS_EACH)]
    batch: list[bytes] = []
    anna.peer.transmit = batch.append
    source.track.start()
    for _ in range(BATCHES):
        sim.run(0.1)
        assert len(batch) >= 60
        address = (*anna.socket.address, "192.0.2.1", 40000)
        sim.shard.feed([(data, address) for data in batch], sim.clock.now)
        batch.clear()
        sim.pump()
    source.track.stop()
    sim.run(0.5)
    assert sim.shard.stats()["forwarded"] >= BATCHES * 60 * len(heard)
    for each in heard:
        assert undelivered(each)[:-40] == []
        assert_no_gaps(each)
    assert_clean(sim)


def test_everyone_in_a_room_hears_everyone() -> None:
    sim = Simulation(152)
    members = [sim.add_peer(f"guest {number}") for number in range(12)]
    connect(sim, *members)
    sources = [sim.publish(member, "audio") for member in members]
    heard = [sim.subscribe(member, source) for member in members for source in sources if source.member is not member]
    sim.run(2)
    for source in sources:
        source.track.stop()
    sim.run(0.5)
    assert len(heard) == 12 * 11
    for each in heard:
        assert undelivered(each) == []
        assert_no_gaps(each)
    assert_clean(sim)
