"""How fast a client may ask: bursts that real rooms need pass, floods end."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recorder import OPUS, Client, World, finish

from simplestchat.signaling.bucket import TokenBucket
from simplestchat.signaling.limits import Limits


def test_a_burst_of_five_hundred_passes() -> None:
    world = World()
    client = world.joined()
    for _ in range(499):
        client.call("ping")
    assert client.refused("ping") == "rate_limited"
    world.wait(1)
    for _ in range(99):
        client.call("ping")
    assert client.box.closed is None


def test_a_flood_ends_the_connection_and_harms_nobody_else() -> None:
    world = World()
    flooder, other = world.joined(), world.joined(name="Bob")
    text = flooder.request("ping")
    answers = [finish(flooder.session.handle(text)) for _ in range(2_000)]
    assert flooder.box.closed == (4008, "too many requests")
    assert None in answers
    assert other.call("ping") == {}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"jsonrpc":"2.0","id":1,"method":"nope"}'])
def test_bad_messages_count_too(text: str) -> None:
    client = World().client()
    for _ in range(2_000):
        finish(client.session.handle(text))
    assert client.box.closed is not None


def test_steady_use_is_never_refused() -> None:
    world = World(Limits(request_burst=5, requests_per_s=10))
    client = world.joined()
    for _ in range(500):
        world.wait(0.1)
        client.call("ping")


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(0, 60))))
def test_never_more_than_the_burst_and_the_rate(steps: list[tuple[float, int]]) -> None:
    bucket = TokenBucket(burst=20, rate_per_s=10, flood=10**9, now=0.0)
    now, passed = 0.0, 0
    for wait, count in steps:
        now += wait
        passed += sum(bucket.take(now) == "pass" for _ in range(count))
        assert passed <= 20 + 10 * now + 1e-6


def test_a_clock_that_goes_back_gives_nothing() -> None:
    bucket = TokenBucket(burst=1, rate_per_s=1, flood=100, now=100.0)
    assert bucket.take(100.0) == "pass"
    assert bucket.take(50.0) == "refuse"
    assert bucket.take(50.5) == "refuse"


def test_a_word_to_many_people_costs_more() -> None:
    world = World()
    people = [world.joined(name=str(number)) for number in range(400)]
    ada = people[0]
    reasons = [ada.ask("chat.send", text="x", clientId=str(number)) for number in range(150)]
    said = sum("result" in answer for answer in reasons)
    assert said == (500 - 1) // (1 + 4)
    assert reasons[-1]["error"]["data"]["reason"] == "rate_limited"
    assert ada.box.closed is None
    world.wait(60)
    assert "result" in ada.ask("chat.send", text="x", clientId="later")
    # In a small room it is one request.
    bob = world.joined("small", "Bob")
    for number in range(499):
        bob.call("chat.send", text="x", clientId=str(number))


def test_a_thousand_people_may_each_say_five_things_a_second() -> None:
    world = World(Limits(room_notices=10))
    people = [world.joined(name=str(number)) for number in range(1000)]
    for number in range(60):
        people[7].call("chat.send", text="x", clientId=str(number))
        world.now += 0.2


def muting(client: Client) -> Callable[[], list[tuple[str, dict[str, object]]]]:
    producer = client.produce(client.transport("send"), "audio")
    return lambda: [("producer.pause", {"producerId": producer}), ("producer.resume", {"producerId": producer})]


def publishing(client: Client) -> Callable[[], list[tuple[str, dict[str, object]]]]:
    transport = client.transport("send")
    wanted = {"transportId": transport, "kind": "audio", "rtpParameters": OPUS}

    def again() -> list[tuple[str, dict[str, object]]]:
        peer = client.session.peer
        held = next(iter(peer.producers), "none") if peer else "none"
        return [("producer.close", {"producerId": held}), ("producer.create", wanted)]

    client.call("producer.create", **wanted)
    return again


def coming(client: Client) -> Callable[[], list[tuple[str, dict[str, object]]]]:
    return lambda: [("room.leave", {}), ("room.join", {"room": "room", "name": "Ada"})]


@pytest.mark.parametrize("doing", [muting, publishing, coming])
@pytest.mark.parametrize(("people", "at_most"), [(400, 51), (10, 250)])
def test_what_everybody_hears_of_again_and_again_costs_more(
    doing: Callable[[Client], Callable[[], list[tuple[str, dict[str, object]]]]], people: int, at_most: int
) -> None:
    world = World()
    clients = [world.joined(name=str(number)) for number in range(people)]
    ada, listener = clients[0], clients[-1]
    again = doing(ada)
    listener.box.take()
    for _ in range(260):
        for method, params in again():
            ada.ask(method, **params)
    assert at_most - 4 <= len(listener.box.take()) / 2 <= at_most
    assert ada.box.closed is None
    world.wait(10)
    ada.call("ping")


def test_many_who_come_at_once_pay_nothing_for_it() -> None:
    world = World(Limits(request_burst=5, chat_spread=10))
    for number in range(100):
        client = world.joined(name=str(number))
        transport = client.transport("send")
        for kind in ("audio", "video"):
            client.produce(transport, kind)
        assert client.call("ping") == {}


def test_a_mute_passes_whatever_it_costs() -> None:
    world = World(Limits(request_burst=10, chat_spread=1))
    ada = world.joined()
    for number in range(50):
        world.joined(name=str(number))
    producer = ada.produce(ada.transport("send"), "audio")
    for _ in range(3):
        ada.call("ping")
    ada.call("producer.pause", producerId=producer)
    # Nothing changes, so nothing more is paid.
    world.wait(0.045)
    ada.call("producer.pause", producerId=producer)
    ada.call("ping")
    assert ada.refused("producer.resume", producerId=producer) == "rate_limited"
    world.wait(1)
    ada.call("producer.resume", producerId=producer)


def test_a_closed_transport_pays_for_what_was_on_it() -> None:
    world = World(Limits(request_burst=100, chat_spread=1))
    ada, _ = world.joined(), world.joined(name="Bob")
    transport = ada.transport("send")
    for ssrc in range(1, 11):
        ada.produce(transport, ssrc=ssrc)
    ada.call("transport.close", transportId=transport)
    # The burst without 13 requests and 10 producers, each heard of twice by two.
    asked = [ada.ask("ping") for _ in range(60)]
    assert sum("result" in answer for answer in asked) == 100 - 13 - 40
