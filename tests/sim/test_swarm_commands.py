"""Any commands in any order, over any network: numbers stay consistent, sums never go back, nothing is misdelivered."""

from __future__ import annotations

import pytest
from support.netem import Link
from support.swarm_call import SwarmCall

COMMANDS = 250
MOST_PATHS = 6


class Improviser:
    """Does something that is possible at each step."""

    def __init__(self, seed: int) -> None:
        self.call = SwarmCall(seed, Link(delay_us=3_000, loss=0.02), Link(delay_us=3_000, loss=0.02))
        self.rng = self.call.sim.rng
        self.paths: list[int] = []
        self.senders: dict[int, int] = {}
        self.receivers: dict[int, tuple[int, int]] = {}
        self.last: dict[str, int] = {}

    def step(self) -> None:
        possible = [self.join]
        if self.paths:
            possible += [self.publish, self.move, self.impair, self.publish, self.leave]
        if self.senders:
            possible += [self.subscribe] * 4 + [self.stop_publishing, self.mute]
        if self.receivers:
            possible += [self.unsubscribe, self.pause]
        self.rng.choice(possible)()
        self.call.run(self.rng.choice((0, 0.005, 0.02, 0.1, 0.5)))
        self.check()

    def check(self) -> None:
        sample = self.call.do("sample")
        assert (sample["paths"], sample["senders"], sample["receivers"]) == (
            len(self.paths),
            len(self.senders),
            len(self.receivers),
        )
        assert sample["connected"] <= len(self.paths)
        totals = sample["totals"]
        assert all(
            totals[name] >= before for name, before in self.last.items() if name not in ("missed", "sent_reported_lost")
        )
        assert totals["corrupt"] == totals["undecryptable"] == totals["misdelivered"] == 0
        self.last = totals

    def join(self) -> None:
        if len(self.paths) < MOST_PATHS:
            self.paths.append(self.call.join())

    def leave(self) -> None:
        path = self.paths.pop(self.rng.randrange(len(self.paths)))
        for sender in [each for each, owner in self.senders.items() if owner == path]:
            self.forget_sender(sender)
        self.receivers = {each: of for each, of in self.receivers.items() if of[0] != path}
        if self.rng.random() < 0.3:
            self.call.do("silence", path)
        self.call.leave(path)
        self.call.sim.control("close_transport", path)

    def forget_sender(self, sender: int) -> None:
        """Its consumers end with it."""
        del self.senders[sender]
        for receiver in [each for each, of in self.receivers.items() if of[1] == sender]:
            self.call.sim.control("close_consumer", receiver)
            self.call.run(0.05)  # what is on its way may come
            self.call.do("remove_receiver", receiver, self.rng.choice((None, 0)))
            del self.receivers[receiver]

    def move(self) -> None:
        self.call.move(self.rng.choice(self.paths))

    def impair(self) -> None:
        conditions = (
            None,
            {"loss": 0.1, "delay_us": 4_000},
            {"rate_bps": 300_000, "queue_bytes": 20_000},
            {"duplicate": 0.3},
        )
        self.call.do(
            "set_network", self.rng.choice(self.paths), self.rng.choice(conditions), self.rng.choice(conditions)
        )

    def publish(self) -> None:
        path = self.rng.choice(self.paths)
        if sum(owner == path for owner in self.senders.values()) < 4:
            self.senders[self.call.publish(path, self.rng.choice(("opus", "vp8", "h264")))] = path

    def stop_publishing(self) -> None:
        sender = self.rng.choice(list(self.senders))
        self.forget_sender(sender)
        self.call.do("remove_sender", sender)
        self.call.sim.control("close_producer", sender)

    def mute(self) -> None:
        self.call.do("mute", self.rng.choice(list(self.senders)), self.rng.random() < 0.5)

    def subscribe(self) -> None:
        sender, path = self.rng.choice(list(self.senders)), self.rng.choice(self.paths)
        if self.senders[sender] != path:
            self.receivers[self.call.subscribe(path, sender)] = (path, sender)

    def unsubscribe(self) -> None:
        receiver = self.rng.choice(list(self.receivers))
        del self.receivers[receiver]
        self.call.sim.control("close_consumer", receiver)
        self.call.run(0.05)
        self.call.do("remove_receiver", receiver)

    def pause(self) -> None:
        receiver = self.rng.choice(list(self.receivers))
        self.call.sim.control("pause_consumer", receiver)
        self.call.run(0.05)
        self.call.do("end_receiver", receiver)
        self.call.run(self.rng.choice((0, 0.3)))
        self.call.do("resume_receiver", receiver)
        self.call.sim.control("resume_consumer", receiver)


@pytest.mark.parametrize("seed", [61, 62, 63])
def test_anything_goes(seed: int) -> None:
    improviser = Improviser(seed)
    for _ in range(COMMANDS):
        improviser.step()
    assert improviser.last["delivered"] > 500
    while improviser.paths:
        improviser.leave()
    improviser.check()
