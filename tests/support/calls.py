"""Calls that many tests begin with, and what must hold at the end of every one of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from support.netem import US_PER_S, Link
from support.secure import DtlsRole
from support.simulation import Consumed, Member, Published, Simulation


@dataclass
class Call:
    """Two members who publish audio and video and consume each other's."""

    sim: Simulation
    members: list[Member]
    published: list[Published]
    consumed: list[Consumed]

    def set_links(self, link: Link) -> None:
        """The conditions of every member's path, both ways, from now on."""
        for member in self.members:
            member.socket.up.link = member.socket.down.link = link

    def end(self, link: Link | None = None) -> None:
        """Some more media over good paths, so that what was lost last is noticed too; then silence."""
        self.set_links(link or Link())
        self.sim.run(0.3)
        stop_media(self.sim, self.published)

    def videos(self) -> list[Consumed]:
        return [each for each in self.consumed if each.reception.settings.kind == "video"]


def connect(sim: Simulation, *members: Member, within_s: float = 2.0) -> None:
    """Lets time pass until all are connected."""
    for _ in range(round(within_s * 100)):
        if all(member.peer.srtp is not None for member in members):
            break
        sim.run(0.01)
    for member in members:
        assert member.peer.srtp is not None, f"{member.peer.name} did not connect"
    sim.run(0.1)


def two_party_call(
    seed: int,
    *,
    up: Link | None = None,
    down: Link | None = None,
    suites: list[str] | None = None,
    role: DtlsRole = "client",
    rtx: bool = True,
    audio: bool = True,
    within_s: float = 2.0,
) -> Call:
    """Connected, published and subscribed; media has just begun to flow."""
    sim = Simulation(seed, up, down)
    members = [sim.add_peer(name, suites=suites, role=role) for name in ("anna", "ben")]
    connect(sim, *members, within_s=within_s)
    kinds = ("video", "audio") if audio else ("video",)
    published = [sim.publish(member, kind, rtx=rtx) for member in members for kind in kinds]
    consumed = [
        sim.subscribe(member, source, rtx=rtx)
        for member in members
        for source in published
        if source.member is not member
    ]
    return Call(sim, members, published, consumed)


def stop_media(sim: Simulation, published: list[Published], settle_s: float = 1.0) -> None:
    """Publishers fall silent, and what is under way arrives."""
    for source in published:
        source.track.stop()
    sim.run(settle_s)


def expected_counters(consumed: Consumed) -> list[int]:
    """What should have arrived: everything from the first packet that could be forwarded on."""
    first = min((counter for _, counter in consumed.reception.by_counter), default=None)
    assert first is not None, "nothing arrived at all"
    return [counter for counter in consumed.source.track.sent if counter >= first]


def undelivered(consumed: Consumed, within_us: int | None = None) -> list[int]:
    """Which of them did not arrive, or not within that time of being sent."""
    stream = consumed.source.track.settings.stream
    arrivals = consumed.reception.by_counter
    missing = []
    for counter in expected_counters(consumed):
        arrival = arrivals.get((stream, counter))
        if arrival is None or (within_us is not None and arrival.arrived_us - arrival.stamp.sent_us > within_us):
            missing.append(counter)
    return missing


def begins_within(consumed: Consumed, seconds: float) -> bool:
    """Did the first packet arrive so soon after it was subscribed to?"""
    arrivals = [arrival.arrived_us for arrival in consumed.reception.by_counter.values()]
    return bool(arrivals) and min(arrivals) - consumed.reception.created_us <= seconds * US_PER_S


def assert_clean(sim: Simulation) -> None:
    """Nothing forged, doubled, damaged, misrouted, oversized, or sealed twice under one index."""
    assert sim.seals.repeats == []
    assert sim.oversize == []
    for member in sim.members:
        received = member.peer.received
        assert received["undecryptable"] == 0 or member.socket.down.counters.corrupted
        assert received["unknown ssrc"] == 0
        for reception in member.peer.receptions.values():
            assert not reception.faults, reception.faults
            assert_continuous(reception.by_index())


def assert_continuous(arrivals: list[tuple[int, int]]) -> None:
    """Over ascending indices, the publisher's order is kept and time does not go back."""
    for (_, before), (_, after) in pairwise(arrivals):
        assert (after - before + 2**31) % 2**32 >= 2**31, "timestamps go back"


def assert_no_gaps(consumed: Consumed) -> None:
    """Outgoing sequence numbers are contiguous from the first to the last that came."""
    indices = sorted(consumed.reception.arrivals)
    assert indices == list(range(indices[0], indices[-1] + 1))
