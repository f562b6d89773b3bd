"""Coming back: exactly what was missed, or a full snapshot that says so."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.recorder import Client, World, finish

from simplestchat.signaling.limits import Limits


def back(world: World, lost: Client, last_seq: int | None = None, **params: Any) -> Client:
    client = world.client()
    if last_seq is not None:
        params["lastSeq"] = last_seq
    client.join(name="whoever", resume=lost.joined["resumeToken"], **params)
    return client


def test_what_was_missed_and_nothing_else() -> None:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    ada.call("chat.send", text="seen", clientId="1")
    seen = bob.box.take()[-1]["seq"]
    bob.drop()
    ada.call("chat.send", text="missed", clientId="2")
    producer = ada.produce(ada.transport("send"))
    ada.call("producer.pause", producerId=producer)
    again = back(world, bob, seen)
    joined = again.joined
    assert joined["resumed"]
    assert not joined["reset"]
    assert joined["peerId"] == bob.id
    assert joined["resumeToken"] == bob.joined["resumeToken"]
    assert (joined["peers"], joined["chat"]["messages"]) == ([], [])
    assert [one["method"] for one in joined["missed"]] == ["chat.message", "producer.opened", "producer.paused"]
    assert [one["seq"] for one in joined["missed"]] == sorted(one["seq"] for one in joined["missed"])
    assert ada.box.take()[-1]["method"] == "chat.message"
    # Nobody saw the gap, and what comes now comes live.
    ada.call("chat.send", text="live", clientId="3")
    assert [one["params"]["text"] for one in again.box.take()] == ["live"]


def test_what_one_did_oneself_is_not_missed() -> None:
    world = World()
    bob = world.joined(name="Bob")
    seen = bob.joined["seq"]
    bob.produce(bob.transport("send"))
    bob.drop()
    assert back(world, bob, seen).joined["missed"] == []


def test_notifications_for_one_alone_are_replayed_in_order() -> None:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    producer = ada.produce(ada.transport("send"))
    bob.consume(bob.transport("recv"), producer)
    seen = bob.box.take()[-1]["seq"]
    bob.drop()
    ada.call("chat.send", text="before", clientId="1")
    ada.call("producer.close", producerId=producer)
    ada.call("chat.send", text="after", clientId="2")
    missed = back(world, bob, seen).joined["missed"]
    assert [one["method"] for one in missed] == ["chat.message", "consumer.closed", "producer.closed", "chat.message"]


def test_without_the_last_number_it_is_a_snapshot() -> None:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    transport = bob.transport("recv")
    ada.call("chat.send", text="hi", clientId="1")
    bob.drop()
    joined = back(world, bob).joined
    assert (joined["resumed"], joined["reset"]) == (True, True)
    assert [peer["name"] for peer in joined["peers"]] == ["Ada"]
    assert [one["text"] for one in joined["chat"]["messages"]] == ["hi"]
    assert joined["own"]["transports"] == [{"transportId": transport, "direction": "recv", "state": "new"}]


def test_numbers_that_cannot_be_are_answered_with_a_snapshot() -> None:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    before_joining = bob.joined["seq"] - 1
    bob.drop()
    for number in (before_joining, 10_000):
        bob = back(world, bob, number)
        assert bob.joined["reset"]
    assert ada.box.take()[0]["method"] == "peer.joined"


def test_what_is_forgotten_makes_a_snapshot_never_a_gap() -> None:
    world = World(Limits(room_notices=5, peer_notices=2))
    ada, bob = world.joined(), world.joined(name="Bob")
    seen = bob.joined["seq"]
    bob.drop()
    for number in range(5):
        ada.call("chat.send", text=str(number), clientId=str(number))
    bob = back(world, bob, seen)
    assert len(bob.joined["missed"]) == 5
    bob.drop()
    ada.call("chat.send", text="6", clientId="6")
    bob = back(world, bob, seen)
    assert (bob.joined["reset"], bob.joined["missed"]) == (True, [])
    seen = bob.joined["seq"]
    send, recv = ada.transport("send"), bob.transport("recv")
    for _ in range(3):
        bob.consume(recv, ada.produce(send))
        ada.call("producer.close", producerId=_only_producer(bob))
    bob.drop()
    assert back(world, bob, seen).joined["reset"]


def _only_producer(client: Client) -> str:
    opened = [one for one in client.box.take() if one["method"] == "producer.opened"]
    return str(opened[-1]["params"]["producerId"])


def test_the_place_is_kept_for_the_grace_time_and_media_goes_on() -> None:
    world = World(Limits(resume_grace_s=20))
    ada, bob = world.joined(), world.joined(name="Bob")
    bob.produce(bob.transport("send"))
    bob.drop()
    world.wait(19)
    assert world.hub.census()["peers_away"] == 1
    assert world.media.producers
    assert "peer.left" not in ada.methods()
    bob = back(world, bob)
    world.wait(10)
    assert world.hub.census()["peers"] == 2
    bob.drop()
    world.wait(21)
    assert world.media.producers == {}
    assert ada.box.take()[-1]["params"] == {"peerId": bob.id, "reason": "disconnected"}


def test_after_the_grace_time_one_is_somebody_new_whose_chat_is_still_known() -> None:
    world = World()
    world.joined()
    bob = world.joined(name="Bob")
    first = bob.call("chat.send", text="hi", clientId="x")
    bob.drop()
    world.wait(60)
    again = back(world, bob)
    assert again.joined["peerId"] != bob.id
    assert (again.joined["resumed"], again.joined["reset"]) == (False, True)
    assert again.call("chat.send", text="hi", clientId="x") == first
    assert len(again.call("chat.history")["messages"]) == 1


def test_chat_is_still_known_when_the_answer_to_coming_back_was_lost_too() -> None:
    world = World()
    world.joined()
    bob = world.joined(name="Bob")
    first = bob.call("chat.send", text="hi", clientId="x")
    bob.drop()
    world.wait(60)
    for _ in range(3):
        unheard = back(world, bob)  # the socket breaks before the answer arrives: its new token stays unknown
        unheard.drop()
        world.wait(60)
    again = back(world, bob)
    assert again.call("chat.send", text="hi", clientId="x") == first
    assert len(again.call("chat.history")["messages"]) == 1


def test_a_closed_page_is_gone_at_once() -> None:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    finish(bob.session.closed("left"))
    assert ada.box.take()[-1]["params"] == {"peerId": bob.id, "reason": "left"}


def test_the_newer_connection_wins() -> None:
    world = World()
    world.joined()
    bob = world.joined(name="Bob")
    again = back(world, bob, bob.joined["seq"])
    assert bob.box.closed == (4001, "resumed on another connection")
    assert bob.refused("chat.send", text="x", clientId="1") == "not_in_room"
    bob.drop()
    world.wait(60)
    assert again.call("chat.send", text="x", clientId="1")["seq"] == 1


def test_a_token_opens_only_its_own_room() -> None:
    world = World()
    ada = world.joined("a")
    mallory = world.client()
    joined = mallory.join("b", "Mallory", resume=ada.joined["resumeToken"])
    assert not joined["resumed"]
    assert joined["peerId"] != ada.id
    assert ada.box.closed is None


def test_coming_back_needs_no_password_and_no_open_door() -> None:
    world = World()
    ada = world.joined()
    bob = world.joined(name="Bob")
    ada.call("room.update", locked=True, password="sesame")
    bob.drop()
    assert back(world, bob).joined["resumed"]
    world.wait(60)


@given(st.lists(st.sampled_from(["chat", "open", "close", "join", "cut", "back"]), max_size=40))
def test_live_and_replayed_notifications_add_up(steps: list[str]) -> None:
    """Whatever happens, a peer that is cut off and comes back has seen what one that stayed has seen."""
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    carol = world.joined(name="Carol")
    send = ada.transport("send")
    stayed: list[Any] = []
    seen: list[Any] = []
    open_producer = ""
    away = False
    for number, step in enumerate(steps):
        if step == "chat":
            ada.call("chat.send", text="x", clientId=str(number))
        elif step == "open" and not open_producer:
            open_producer = ada.produce(send)
        elif step == "close" and open_producer:
            ada.call("producer.close", producerId=open_producer)
            open_producer = ""
        elif step == "join":
            world.joined(name=f"guest {number}").call("room.leave")
        elif step == "cut" and not away:
            seen += bob.box.take()
            bob.drop()
            away = True
        elif step == "back" and away:
            bob = back(world, bob, seen[-1]["seq"] if seen else bob.joined["seq"])
            assert not bob.joined["reset"]
            seen += bob.joined["missed"]
            away = False
    stayed = carol.box.take()
    if away:
        bob = back(world, bob, seen[-1]["seq"] if seen else bob.joined["seq"])
        seen += bob.joined["missed"]
    seen += bob.box.take()
    assert [one for one in seen if one["params"].get("peerId") != carol.id] == stayed
