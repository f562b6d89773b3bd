"""A keyframe's first packet may come after its followers: a run that begins with it is whole, or does not begin."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support.calls import assert_clean, assert_no_gaps, connect, stop_media, undelivered
from support.simulation import SERVER, Consumed, Member, Published, Simulation

LATE_START = 64  # how far behind the newest packet a run may begin


class Gate:
    """Between a publisher and the server: hands on what `handle` gives back for each media packet of one track."""

    def __init__(self, sim: Simulation, source: Published, handle: Callable[[bytes], list[bytes]]) -> None:
        self._path = source.member.socket.up
        self._deliver, self._handle, self._sim, self._source = self._path.deliver, handle, sim, source
        self._path.deliver = self._take

    def _take(self, data: bytes) -> None:
        media = data[0] >> 6 == 2 and int.from_bytes(data[8:12], "big") == self._source.track.settings.ssrc
        for packet in self._handle(data) if media and not 192 <= data[1] <= 223 else [data]:
            self._deliver(packet)

    def later(self, data: bytes, delay_us: int) -> None:
        self._sim.clock.call_in(delay_us, lambda: self._deliver(data))

    def together(self, batch: list[bytes]) -> None:
        """As one batch, which is read before any of it is forwarded."""
        address = (*self._source.member.socket.address, *SERVER)
        self._sim.shard.feed([(data, address) for data in batch], self._sim.clock.now)
        self._sim.pump()


def first_of_keyframes(source: Published) -> Callable[[bytes], bool]:
    """Tells the first packet of each new keyframe; all of a frame arrives before the next one is sent."""
    seen = source.track.keyframes

    def is_first(_: bytes) -> bool:
        nonlocal seen
        before, seen = seen, source.track.keyframes
        return before != seen

    return is_first


def one_video(seed: int, **changes: object) -> tuple[Simulation, Published, Consumed, Member]:
    """A video that one has consumed for a while, and a member who has not subscribed yet."""
    sim = Simulation(seed)
    anna, ben, cleo = (sim.add_peer(name) for name in ("anna", "ben", "cleo"))
    connect(sim, anna, ben, cleo)
    source = sim.publish(anna, "video", **changes)  # type: ignore[arg-type]
    early = sim.subscribe(ben, source)
    sim.run(1)
    return sim, source, early, cleo


def assert_whole(sim: Simulation, source: Published, *heard: Consumed) -> None:
    stop_media(sim, [source])
    for each in heard:
        assert undelivered(each) == []
        assert_no_gaps(each)
        assert each.reception.nacks_sent == 0, "it misses nothing that it could ask for"
    assert_clean(sim)


def drop_first(source: Published, times: int = 1) -> Callable[[bytes], list[bytes]]:
    """Loses the first packet of the next keyframes, so that only a retransmission brings it."""
    is_first, left = first_of_keyframes(source), times

    def handle(data: bytes) -> list[bytes]:
        nonlocal left
        if is_first(data) and left:
            left -= 1
            return []
        return [data]

    return handle


def test_a_start_that_is_sent_again_brings_its_followers_along() -> None:
    sim, source, early, cleo = one_video(221)
    Gate(sim, source, drop_first(source))
    asked = len(source.track.keyframe_requests)
    late = sim.subscribe(cleo, source)
    sim.run(0.3)
    assert source.track.nacked == 1
    assert late.reception.arrivals[late.reception.first_index].keyframe
    sim.run(1)
    assert len(source.track.keyframe_requests) == asked + 1, "one keyframe is enough"
    stop_media(sim, [source])
    assert undelivered(early) == []
    assert_whole(sim, source, late)


@pytest.mark.parametrize("behind", [1, 2, 11])
@pytest.mark.parametrize("together", [False, True], ids=["one by one", "one batch"])
def test_reordering_costs_no_second_keyframe(together: bool, behind: int) -> None:
    sim, source, early, cleo = one_video(222)
    is_first, held = first_of_keyframes(source), list[bytes]()

    def handle(data: bytes) -> list[bytes]:
        if not held and not is_first(data):
            return [data]
        held.append(data)
        if len(held) < 12:  # the packets of a keyframe
            return []
        frame = [*held[1 : behind + 1], held[0], *held[behind + 1 :]]
        held.clear()
        if not together:
            return frame
        gate.together(frame)
        return []

    gate = Gate(sim, source, handle)
    asked = len(source.track.keyframe_requests)
    late = sim.subscribe(cleo, source)
    sim.run(2)
    assert len(source.track.keyframe_requests) == asked + 1
    assert late.reception.arrivals[late.reception.first_index].keyframe
    stop_media(sim, [source])
    assert undelivered(early) == []
    assert_whole(sim, source, late)


def test_a_batch_in_order_begins_at_once() -> None:
    """A keyframe whose packets are all read before any is forwarded is not late."""
    sim, source, early, cleo = one_video(223)
    is_first, held = first_of_keyframes(source), list[bytes]()

    def handle(data: bytes) -> list[bytes]:
        if not held and not is_first(data):
            return [data]
        held.append(data)
        if len(held) == 12:
            gate.together(held)
            held.clear()
        return []

    gate = Gate(sim, source, handle)
    asked = len(source.track.keyframe_requests)
    late = sim.subscribe(cleo, source)
    sim.run(1)
    assert len(source.track.keyframe_requests) == asked + 1
    assert_whole(sim, source, early, late)


def test_a_start_that_comes_much_too_late_is_asked_for_anew() -> None:
    sim, source, _, cleo = one_video(224, packets_per_frame=LATE_START // 2, packet_size=400)
    Gate(sim, source, drop_first(source))
    asked = len(source.track.keyframe_requests)
    late = sim.subscribe(cleo, source)
    sim.run(2)
    assert source.track.nacked >= 1
    assert len(source.track.keyframe_requests) == asked + 2
    assert late.reception.arrivals[late.reception.first_index].keyframe
    assert_whole(sim, source, late)


def test_a_full_queue_is_sent_before_followers_are_caught_up_with() -> None:
    """Many begin with the same late packet: the output queue fills up between them."""
    sim, source, _, cleo = one_video(225, packets_per_frame=12)
    guests = [sim.add_peer(f"guest {number}") for number in range(12)]
    connect(sim, *guests)
    Gate(sim, source, drop_first(source))
    late = [sim.subscribe(member, source) for member in (cleo, *guests)]
    sim.run(1)
    assert_whole(sim, source, *late)


def hold_back(source: Published, delay_us: int, is_held: Callable[[bytes], bool], sim: Simulation) -> list[int]:
    """Lets one packet come that much later; when it was sent is put into the list."""
    when: list[int] = []

    def handle(data: bytes) -> list[bytes]:
        if when or not is_held(data):
            return [data]
        when.append(sim.clock.now)
        gate.later(data, delay_us)
        return []

    gate = Gate(sim, source, handle)
    return when


def test_nothing_is_sent_twice_because_a_start_came_after_a_pause() -> None:
    """The followers were forwarded before the pause: the late packet must not begin a run that has them again."""
    sim, source, early, _ = one_video(226, rtx=False, nack=False)
    when = hold_back(source, 25_000, first_of_keyframes(source), sim)
    sim.control("request_keyframe", early.id)
    while not when:
        sim.run(0.001)
    sim.run(0.005)
    sim.control("pause_consumer", early.id)
    sim.control("resume_consumer", early.id)
    resumed = sim.clock.now
    sim.run(2)
    fresh = sorted(a.index for a in early.reception.arrivals.values() if a.stamp.sent_us > resumed)
    assert early.reception.arrivals[fresh[0]].keyframe
    stop_media(sim, [source])
    assert_clean(sim)


def test_sound_begins_with_the_next_packet() -> None:
    sim = Simulation(227)
    anna, ben = sim.add_peer("anna"), sim.add_peer("ben")
    connect(sim, anna, ben)
    source = sim.publish(anna, "audio", nack=False)
    heard = sim.subscribe(ben, source, nack=True)
    sim.run(1)
    sim.control("pause_consumer", heard.id)
    sim.run(0.1)
    when = hold_back(source, 25_000, lambda _: True, sim)
    while not when:
        sim.run(0.001)
    sim.run(0.022)  # the next one has come
    sim.control("resume_consumer", heard.id)
    sim.run(1)
    stop_media(sim, [source])
    assert heard.reception.nacks_sent == 0
    assert_no_gaps(heard)
    assert_clean(sim)
