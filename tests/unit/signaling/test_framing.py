"""JSON-RPC at its edges: whatever comes in, something orderly goes out."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recorder import Client, World

PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}'

HOSTILE: list[tuple[str | bytes, str, Any]] = [
    ("", "parse_error", None),
    ("{", "parse_error", None),
    ("nonsense", "parse_error", None),
    ("\x00", "parse_error", None),
    (b"\xff\xfe", "parse_error", None),
    ('{"jsonrpc":"2.0","id":1,"method":"ping","params":NaN}', "parse_error", None),
    ('{"jsonrpc":"2.0","id":1,"method":"ping","params":' + "[" * 30_000, "parse_error", None),
    ("[" * 30_000 + "]" * 30_000, "parse_error", None),
    ('{"a":' * 10_000 + "1" + "}" * 10_000, "parse_error", None),
    ("[]", "invalid_request", None),
    (f"[{PING}]", "invalid_request", None),
    ("1", "invalid_request", None),
    ('"ping"', "invalid_request", None),
    ("null", "invalid_request", None),
    ("{}", "invalid_request", None),
    ('{"jsonrpc":"2.0","id":1}', "invalid_request", 1),
    ('{"jsonrpc":"2.0","id":1,"method":7}', "invalid_request", 1),
    ('{"jsonrpc":"2.0","id":1,"method":null}', "invalid_request", 1),
    ('{"jsonrpc":"1.0","id":1,"method":"ping"}', "invalid_request", 1),
    ('{"jsonrpc":2.0,"id":"x","method":"ping"}', "invalid_request", "x"),
    ('{"id":1,"method":"ping"}', "invalid_request", 1),
    ('{"jsonrpc":"2.0","id":null,"method":"ping"}', "invalid_request", None),
    ('{"jsonrpc":"2.0","id":1.5,"method":"ping"}', "invalid_request", None),
    ('{"jsonrpc":"2.0","id":true,"method":"ping"}', "invalid_request", None),
    ('{"jsonrpc":"2.0","id":[1],"method":"ping"}', "invalid_request", None),
    ('{"jsonrpc":"2.0","id":' + "9" * 100 + ',"method":"ping"}', "invalid_request", None),
    ('{"jsonrpc":"2.0","id":"' + "x" * 200 + '","method":"ping"}', "invalid_request", None),
    ('{"jsonrpc":"2.0","id":1,"method":"room.nope"}', "method_not_found", 1),
    ('{"jsonrpc":"2.0","id":1,"method":""}', "method_not_found", 1),
    ('{"jsonrpc":"2.0","id":1,"method":"__init__"}', "method_not_found", 1),
    ('{"jsonrpc":"2.0","id":1,"method":"room.join"}', "invalid_params", 1),
    ('{"jsonrpc":"2.0","id":1,"method":"room.join","params":null}', "invalid_params", 1),
    ('{"jsonrpc":"2.0","id":1,"method":"room.join","params":["a","b"]}', "invalid_params", 1),
    ('{"jsonrpc":"2.0","id":1,"method":"room.join","params":"a"}', "invalid_params", 1),
    ('{"jsonrpc":"2.0","id":1,"method":"room.join","params":{"room":1,"name":"a"}}', "invalid_params", 1),
    ('{"jsonrpc":"2.0","id":1,"method":"room.join","params":{"room":"","name":"a"}}', "invalid_params", 1),
    ('{"jsonrpc":"2.0","id":1,"method":"room.join","params":{"room":"a/b","name":"a"}}', "invalid_params", 1),
    ('{"jsonrpc":"2.0","id":1,"method":"room.join","params":{"room":"..","name":"a"}}', "invalid_params", 1),
    ('{"jsonrpc":"2.0","id":1,"method":"room.join","params":{"room":"a","name":" \\t\\n"}}', "invalid_params", 1),
    ('{"jsonrpc":"2.0","id":1,"method":"room.join","params":{"room":"a","name":""}}', "invalid_params", 1),
    ('{"jsonrpc":"2.0","id":1,"method":"room.join","params":{"room":"a"}}', "invalid_params", 1),
    (
        '{"jsonrpc":"2.0","id":1,"method":"room.join","params":{"room":"a","name":"b","lastSeq":-1}}',
        "invalid_params",
        1,
    ),
]


@pytest.mark.parametrize(("text", "reason", "id"), HOSTILE, ids=[str(one[0])[:60] for one in HOSTILE])
def test_hostile_input_is_answered_and_changes_nothing(text: str | bytes, reason: str, id: Any) -> None:
    world = World()
    client = world.client()
    answer = client.raw(text)
    assert answer is not None
    assert answer["jsonrpc"] == "2.0"
    assert answer["id"] == id
    assert answer["error"]["data"]["reason"] == reason
    assert len(answer["error"]["message"]) > 20
    assert client.box.closed is None
    assert world.hub.census()["rooms"] == 0
    assert client.call("ping") == {}


def test_ids_are_echoed_as_they_came() -> None:
    client = World().client()
    for id in (0, -5, 2**53 - 1, "a", "", "é"):
        answer = client.raw(json.dumps({"jsonrpc": "2.0", "id": id, "method": "ping"}))
        assert answer == {"jsonrpc": "2.0", "id": id, "result": None}


def test_ping_returns_what_it_was_given() -> None:
    client = World().client()
    for params in ({"a": [1, {"b": None}]}, [1, 2], {}):
        text = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": params})
        assert client.raw(text) == {"jsonrpc": "2.0", "id": 1, "result": params}


def test_a_request_without_id_is_carried_out_silently() -> None:
    world = World()
    client = world.client()
    assert client.raw('{"jsonrpc":"2.0","method":"room.join","params":{"room":"a","name":"b"}}') is None
    assert world.hub.census()["peers"] == 1
    assert client.raw('{"jsonrpc":"2.0","method":"room.nope"}') is None


def test_fields_that_nobody_knows_are_ignored() -> None:
    client = World().client()
    text = '{"jsonrpc":"2.0","id":1,"method":"room.join","params":{"room":"a","name":"b","new":1},"extra":[]}'
    answer = client.raw(text)
    assert answer is not None
    assert "result" in answer


@given(st.text(max_size=200))
def test_any_text_gets_an_answer(text: str) -> None:
    client = World().client()
    answer = client.raw(text)
    assert answer is not None
    assert "error" in answer


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(method=st.sampled_from(["room.join", "chat.send", "transport.create", "producer.create", "ping"]), params=_JSON)
def test_any_params_get_an_answer(method: str, params: Any) -> None:
    client: Client = World().joined()
    answer = client.raw(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
    assert answer is not None
    assert answer["id"] == 1
    assert ("result" in answer) != ("error" in answer)
    assert "error" not in answer or answer["error"]["data"]["reason"] != "internal"
