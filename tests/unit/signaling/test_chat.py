"""Chat: numbered without gaps, stored before it is answered, never twice, bounded."""

import gc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recorder import Client, World

from simplestchat.signaling.limits import Limits


def say(client: Client, *texts: str) -> None:
    for text in texts:
        client.call("chat.send", text=text, clientId=text)


def texts(page: dict[str, Any]) -> list[str]:
    return [message["text"] for message in page["messages"]]


def test_everyone_gets_it_the_sender_too() -> None:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    ada.box.take()
    sent = bob.call("chat.send", text="hello\n<b>", clientId="c1")
    expected = {
        "id": sent["id"],
        "seq": 1,
        "peerId": bob.id,
        "name": "Bob",
        "text": "hello\n<b>",
        "time": sent["time"],
        "clientId": "c1",
    }
    for client in (ada, bob):
        (notice,) = client.box.take()
        assert (notice["method"], notice["params"]) == ("chat.message", expected)
    assert world.joined(name="Eve").joined["chat"]["messages"] == [expected]


def test_sending_again_stores_nothing() -> None:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    first = ada.call("chat.send", text="a", clientId="x")
    assert ada.call("chat.send", text="changed", clientId="x") == first
    # The same word from someone else is another message.
    assert bob.call("chat.send", text="b", clientId="x")["seq"] == 2
    assert texts(ada.call("chat.history")) == ["a", "b"]
    assert [one["method"] for one in ada.box.take()].count("chat.message") == 2


def test_pages_go_back_and_forth() -> None:
    ada = World().joined()
    say(ada, *(str(n) for n in range(1, 11)))
    latest = ada.call("chat.history", limit=3)
    assert (texts(latest), latest["more"], latest["truncated"]) == (["8", "9", "10"], True, False)
    older = ada.call("chat.history", before=8, limit=3)
    assert (texts(older), older["more"]) == (["5", "6", "7"], True)
    oldest = ada.call("chat.history", before=3)
    assert (texts(oldest), oldest["more"], oldest["truncated"]) == (["1", "2"], False, False)
    newer = ada.call("chat.history", after=2, limit=3)
    assert (texts(newer), newer["more"]) == (["3", "4", "5"], True)
    between = ada.call("chat.history", after=2, before=5)
    assert (texts(between), between["more"]) == (["3", "4"], False)
    for nothing in ({"after": 10}, {"after": 99}, {"before": 1}, {"before": 0}, {"after": 5, "before": 6}):
        page = ada.call("chat.history", **nothing)
        assert (page["messages"], page["more"]) == ([], False)


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 201}, {"before": -1}, {"after": 1.5}, {"limit": "9"}])
def test_pages_have_bounds(params: dict[str, Any]) -> None:
    assert World().joined().refused("chat.history", **params) == "invalid_params"


@pytest.mark.parametrize(
    "params",
    [
        {"text": "", "clientId": "1"},
        {"text": "  ", "clientId": "1"},
        {"text": "x" * 4097, "clientId": "1"},
        {"text": "x"},
        {"text": "x", "clientId": ""},
        {"text": "x", "clientId": "1" * 65},
        {"text": 1, "clientId": "1"},
    ],
)
def test_bad_messages_are_not_stored(params: dict[str, Any]) -> None:
    ada = World().joined()
    assert ada.refused("chat.send", **params) == "invalid_params"
    assert ada.call("chat.send", text="x" * 4096, clientId="1")["seq"] == 1


def test_what_is_forgotten_is_said_to_be() -> None:
    world = World(Limits(chat_messages=5))
    ada = world.joined()
    say(ada, *(str(n) for n in range(1, 9)))
    page = ada.call("chat.history")
    assert (texts(page), page["more"], page["truncated"]) == (["4", "5", "6", "7", "8"], False, True)
    page = ada.call("chat.history", after=1)
    assert (texts(page), page["truncated"]) == (["4", "5", "6", "7", "8"], True)
    page = ada.call("chat.history", after=3)
    assert (texts(page), page["truncated"]) == (["4", "5", "6", "7", "8"], False)
    assert ada.call("chat.history", before=4)["truncated"]
    # A forgotten id is free again, a remembered one is not.
    assert ada.call("chat.send", text="1", clientId="1")["seq"] == 9
    assert ada.call("chat.send", text="8", clientId="8")["seq"] == 8


def test_long_messages_are_bounded_together() -> None:
    ada = World(Limits(chat_bytes=10_000)).joined()
    for number in range(20):
        ada.call("chat.send", text="é" * 1000, clientId=str(number))
    page = ada.call("chat.history")
    assert [message["seq"] for message in page["messages"]] == [16, 17, 18, 19, 20]


def test_a_new_room_is_a_new_epoch() -> None:
    world = World()
    ada = world.joined()
    epoch = ada.joined["chat"]["epoch"]
    ada.call("room.close")
    assert ada.join()["chat"]["epoch"] != epoch


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz"))), st.integers(1, 6))
def test_numbers_have_no_gaps_and_pages_join(sends: list[tuple[str, str]], size: int) -> None:
    world = World(Limits(request_burst=10_000))
    clients = {"a": world.joined(), "b": world.joined(name="Bob")}
    answers: dict[tuple[str, str], int] = {}
    for who, client_id in sends:
        seq = clients[who].call("chat.send", text="t", clientId=client_id)["seq"]
        assert answers.setdefault((who, client_id), seq) == seq
    assert sorted(answers.values()) == list(range(1, len(answers) + 1))
    read: list[int] = []
    after = 0
    while True:
        page = clients["a"].call("chat.history", after=after, limit=size)
        read += [message["seq"] for message in page["messages"]]
        if not page["more"]:
            break
        after = read[-1]
    assert read == list(range(1, len(answers) + 1))


def test_what_is_kept_is_nothing_to_the_garbage_collector() -> None:
    """A full room keeps thousands of messages; a collection that looked at each of them would hold up everyone."""
    ada = World().joined()
    say(ada, *(f"warm {n}" for n in range(100)))
    gc.collect()
    before = len(gc.get_objects())
    say(ada, *(f"kept {n}" for n in range(300)))
    ada.box.take()
    gc.collect()
    assert texts(ada.call("chat.history", limit=1)) == ["kept 299"]
    gc.collect()
    assert len(gc.get_objects()) - before < 100
