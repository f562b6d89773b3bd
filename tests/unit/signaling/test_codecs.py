"""The order of codecs against its plainest form: count for each codec who lacks it, or lacked it lately."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from support.capabilities import ENDPOINTS
from support.recorder import CAPABILITIES, World

from simplestchat.ortc import RtpCapabilities
from simplestchat.signaling.codecs import CodecOrder, Codecs, receivable

PREFERRED = ("av1", "vp9", "vp8", "h264")


@pytest.mark.parametrize(
    ("endpoint", "names"),
    [
        ("chrome", {"av1", "vp9", "vp8", "h264"}),
        ("firefox", {"vp9", "vp8", "h264"}),
        ("aiortc", {"vp8", "h264"}),
    ],
)
def test_what_endpoints_can_receive(endpoint: str, names: set[str]) -> None:
    assert receivable(msgspec.convert(ENDPOINTS[endpoint], RtpCapabilities)) == names


def test_h264_is_the_form_that_publishers_send() -> None:
    """Single NAL units alone are not what a browser sends when it is free to choose."""
    h264 = {
        "mimeType": "video/H264",
        "preferredPayloadType": 97,
        "clockRate": 90000,
        "parameters": {"profile-level-id": "42e01f", "packetization-mode": 0},
    }
    assert receivable(msgspec.convert({"codecs": [h264]}, RtpCapabilities)) == set()


def test_who_can_receive_no_video_restricts_nobody() -> None:
    order = CodecOrder(PREFERRED)
    assert not order.came(frozenset())
    assert order.came(frozenset({"vp8", "vp9"}))
    assert order.order == ("vp9", "vp8")
    order.went(frozenset(), 1.0)
    order.went(frozenset({"vp8", "vp9"}), 2.0)
    assert not order.release(1.0)
    assert order.release(2.0)
    assert order.order == PREFERRED


def test_without_a_common_codec_the_fewest_are_left_out() -> None:
    order = CodecOrder(("vp9", "vp8", "h264"))
    for codecs in ({"h264"}, {"vp8"}, {"vp8", "vp9"}):
        order.came(frozenset(codecs))
    assert order.order == ("vp8",)


def test_nobody_shakes_the_order_by_coming_with_other_codecs_each_time() -> None:
    order = CodecOrder(PREFERRED)
    changes = 0
    for step in range(300):
        codecs = frozenset({("vp8", "h264")[step % 2]})
        changes += order.came(codecs)
        order.went(codecs, step * 0.01 + 30)
        changes += order.release(step * 0.01)
    assert changes == 2
    assert order.order == ("vp8", "h264")


HOLD = 3.0


class Members(RuleBasedStateMachine):
    """Rules: the order is the preference restricted to the codecs that the fewest lack, and told when it changes; who
    went counts on for as long as others like it keep going, unless somebody like it comes.
    """

    def __init__(self) -> None:
        super().__init__()
        self.order = CodecOrder(PREFERRED)
        self.members: list[Codecs] = []
        self.gone: list[Codecs] = []
        self.since: dict[Codecs, float] = {}
        self.now = 0.0
        self.told = PREFERRED

    def expected(self) -> tuple[str, ...]:
        lacking = {name: sum(name not in member for member in self.members + self.gone) for name in PREFERRED}
        return tuple(name for name in PREFERRED if lacking[name] == min(lacking.values()))

    @rule(codecs=st.frozensets(st.sampled_from([*PREFERRED, "h265"])))
    def come(self, codecs: Codecs) -> None:
        self.members.append(codecs)
        like = next((one for one in self.gone if one - {"h265"} == codecs - {"h265"}), None)
        if like is not None:
            self.gone.remove(like)
        if self.order.came(codecs):
            assert self.order.order != self.told
            self.told = self.order.order

    @precondition(lambda self: self.members)
    @rule(data=st.data())
    def go(self, data: st.DataObject) -> None:
        gone = self.members.pop(data.draw(st.integers(0, len(self.members) - 1)))
        self.gone.append(gone)
        self.since[gone - {"h265"}] = self.now
        self.order.went(gone, self.now + HOLD)

    @rule(seconds=st.sampled_from([1.0, HOLD]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.gone = [one for one in self.gone if self.now < self.since[one - {"h265"}] + HOLD]
        if self.order.release(self.now):
            assert self.order.order != self.told
            self.told = self.order.order
        due = self.order.next()
        assert due is None or due > self.now

    @rule()
    def end(self) -> None:
        self.members.clear()
        self.gone.clear()
        self.order.forget()
        assert self.order.order == PREFERRED
        assert self.order.next() is None
        self.told = PREFERRED

    @invariant()
    def as_expected(self) -> None:
        assert self.order.order == self.told == self.expected()
        counted = [one for one in self.members + self.gone if one & set(PREFERRED)]
        common = frozenset(PREFERRED).intersection(*counted)
        assert not common or common == set(self.order.order)


Members.TestCase.settings = settings(max_examples=200, stateful_step_count=30)
TestMembers = Members.TestCase


def only(*names: str) -> dict[str, Any]:
    return {"codecs": [one for one in CAPABILITIES["codecs"] if one["mimeType"].partition("/")[2].lower() in names]}


def test_a_room_tells_its_order_when_it_changes() -> None:
    world = World()
    ada = world.joined()
    assert ada.joined["room"]["codecs"] == list(PREFERRED)
    bob = world.joined(name="Bob", rtpCapabilities=only("vp8", "h264", "opus"))
    # Who joins has the new order in the answer.
    assert bob.joined["room"]["codecs"] == ["vp8", "h264"]
    assert bob.box.take() == []
    (joined, updated) = ada.box.take()
    assert (joined["method"], updated["method"]) == ("peer.joined", "room.updated")
    assert updated["params"]["codecs"] == ["vp8", "h264"]
    eve = world.joined(name="Eve", rtpCapabilities=only("vp8", "vp9"))
    assert [one["params"].get("codecs") for one in ada.box.take()] == [None, ["vp8"]]
    bob.call("room.leave")
    assert ada.methods() == ["peer.left"]
    world.wait(30)
    assert [one["params"].get("codecs") for one in ada.box.take()] == [["vp9", "vp8"]]
    eve.drop()
    world.wait(20)
    assert ada.methods() == ["peer.left"]
    world.wait(29)
    assert ada.methods() == []
    world.wait(1)
    assert [one["params"].get("codecs") for one in ada.box.take()] == [list(PREFERRED)]


def test_who_comes_and_goes_makes_nobody_publish_anew() -> None:
    world = World()
    ada, bob = world.joined(), world.client()
    for _ in range(100):
        bob.join(name="Bob", rtpCapabilities=only("vp8", "h264"))
        bob.call("room.leave")
        world.wait(20)
    assert ada.methods().count("room.updated") == 1
    world.wait(10)
    assert [one["params"]["codecs"] for one in ada.box.take()] == [list(PREFERRED)]
    assert world.hub.next_deadline() is None


def test_who_stays_restricts_for_as_long() -> None:
    world = World()
    ada, bob, eve = world.joined(), *(world.joined(name=name, rtpCapabilities=only("vp8")) for name in ("Bob", "Eve"))
    ada.box.take()
    bob.call("room.leave")
    world.wait(60)
    assert ada.methods() == ["peer.left"]
    eve.call("room.leave")
    world.wait(60)
    assert ada.methods() == ["peer.left", "room.updated"]


def test_each_is_forgotten_in_its_time() -> None:
    world = World()
    ada = world.joined()
    bob, eve = (world.joined(name="x", rtpCapabilities=only(*known)) for known in (["vp8"], ["vp8", "vp9"]))
    bob.call("room.leave")
    world.wait(10)
    eve.call("room.leave")
    ada.box.take()
    world.wait(20)
    assert [one["params"]["codecs"] for one in ada.box.take()] == [["vp9", "vp8"]]
    assert world.hub.next_deadline() == world.now + 10
    world.wait(10)
    assert [one["params"]["codecs"] for one in ada.box.take()] == [list(PREFERRED)]


def test_an_empty_room_forgets_who_was_in_it() -> None:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob", rtpCapabilities=only("vp8"))
    bob.call("room.leave")
    ada.box.take()
    ada.call("room.leave")
    assert ada.join(rtpCapabilities=CAPABILITIES)["room"]["codecs"] == list(PREFERRED)
    bob.join(name="Bob", rtpCapabilities=only("vp8"))
    assert [one["params"].get("codecs") for one in ada.box.take()] == [None, ["vp8"]]


def test_the_first_consumer_tells_where_joining_did_not() -> None:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    producer = ada.produce(ada.transport("send"))
    recv = bob.transport("recv")
    for box in (ada.box, bob.box):
        box.take()
    bob.call("consumer.create", transportId=recv, producerId=producer, rtpCapabilities=only("vp8"))
    assert [one["params"]["codecs"] for one in ada.box.take()] == [["vp8"]]
    assert [one["params"]["codecs"] for one in bob.box.take()] == [["vp8"]]
    # Later ones change nothing.
    bob.consume(recv, producer)
    assert ada.box.take() == bob.box.take() == []
