"""What a synthetic user does with what it should not have got: nothing, but count it."""

from __future__ import annotations

from aioice import stun
from support.netem import US_PER_S, Link
from support.simulation import SERVER
from support.swarm_call import SwarmCall

from simplestchat._native.peer.swarm import EVENT_CONNECTED, EVENT_FIRST_FRAME, Swarm

CHECKING, HANDSHAKE = 1, 2
PASSWORD = "password-of-the-server-24"


def alone() -> tuple[Swarm, stun.Message]:
    """A path that has sent its first check, and the check."""
    swarm = Swarm(b"alone")
    swarm.tick(US_PER_S)
    swarm.add_path(1, 1, SERVER, "ufrag", PASSWORD, swarm.fingerprint, 1)
    ((_, data),) = swarm.drain()
    return swarm, stun.parse_message(data)


def answer(to: stun.Message, password: str = PASSWORD, transaction: bytes | None = None) -> bytes:
    message = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.RESPONSE,
        transaction_id=transaction or to.transaction_id,
    )
    message.attributes["XOR-MAPPED-ADDRESS"] = ("192.0.2.2", 5000)
    message.add_message_integrity(password.encode())
    return bytes(message)


def test_a_check_is_what_another_implementation_expects() -> None:
    swarm, check = alone()
    own, _ = swarm.credentials(1)
    assert check.check_message_integrity(PASSWORD.encode())
    assert check.attributes["USERNAME"] == f"ufrag:{own}"
    assert check.attributes["PRIORITY"] == (110 << 24) | (65535 << 8) | 255
    assert "USE-CANDIDATE" in check.attributes
    assert check.attributes["ICE-CONTROLLING"] > 0
    assert "FINGERPRINT" in check.attributes


def test_an_answer_counts_with_password_and_transaction_and_once() -> None:
    swarm, check = alone()
    now = US_PER_S + 5_000
    for forged in (
        answer(check, "another-password-of-24-ch"),
        answer(check, transaction=b"x" * 12),
        answer(check)[:-1],
    ):
        swarm.feed(1, forged, now)
        assert swarm.path_totals(1)["state"] == CHECKING
    assert swarm.path_totals(1)["dropped"] == 3
    swarm.feed(1, answer(check), now)
    assert swarm.path_totals(1)["state"] == HANDSHAKE
    assert swarm.path_totals(1)["rtt_us"] == 5_000
    swarm.feed(1, answer(check), now)
    assert swarm.path_totals(1)["dropped"] == 4


def test_a_server_that_checks_is_answered() -> None:
    swarm, _ = alone()
    ufrag, password = swarm.credentials(1)
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{ufrag}:ufrag"
    request.add_message_integrity(b"wrong")
    swarm.feed(1, bytes(request), US_PER_S)
    assert swarm.drain() == []
    request.add_message_integrity(password.encode())
    swarm.feed(1, bytes(request), US_PER_S)
    ((_, data),) = swarm.drain()
    response = stun.parse_message(data)
    assert response.check_message_integrity(password.encode())
    assert response.message_class is stun.Class.RESPONSE
    assert response.transaction_id == request.transaction_id
    assert response.attributes["XOR-MAPPED-ADDRESS"] == SERVER


def test_nothing_else_is_heeded_before_the_handshake() -> None:
    swarm, _ = alone()
    for data in (
        b"",
        b"\x80\x60" + bytes(40),
        b"\x80\xc8" + bytes(40),
        b"\x16\xfe\xfd" + bytes(40),
        b"\xff" * 60,
        bytes(1501),
    ):
        swarm.feed(1, data, US_PER_S)
    assert swarm.drain() == []
    assert swarm.path_totals(1)["dropped"] == 6
    assert swarm.path_totals(1)["state"] == CHECKING


def test_changed_and_repeated_datagrams() -> None:
    broken = Link(delay_us=10_000, corrupt=0.1, duplicate=0.1, reorder=0.05)
    call = SwarmCall(51)
    paths = [call.join() for _ in range(4)]
    call.run(1)
    for path in paths:
        call.sockets[path].down.link = broken
    senders = {call.publish(path, codec): path for path in paths for codec in ("opus", "vp8")}
    heard = [call.subscribe(path, sender) for path in paths for sender, own in senders.items() if own != path]
    call.run(5)
    assert all(len(call.of(EVENT_CONNECTED, path)) == 1 for path in paths)
    totals = call.do("sample")["totals"]
    assert totals["undecryptable"] > 100
    assert totals["replayed"] > 100
    assert totals["reordered"] > 50
    # The swarm damages nothing itself, so what cannot be opened is somebody's fault.
    assert totals["corrupt"] == totals["undecryptable"]
    assert totals["misdelivered"] == 0
    assert all(call.receiver(receiver)["delivered"] > 150 for receiver in heard)


def test_what_our_own_downlink_damages_is_not_held_against_the_server() -> None:
    call = SwarmCall(53)
    anna, bert = (call.join() for _ in range(2))
    call.run(1)
    call.do("set_network", bert, None, {"corrupt": 0.2})
    call.subscribe(bert, call.publish(anna))
    call.run(3)
    call.do("set_network", bert, None, {"loss": 0.1})  # what it damaged may still come
    call.run(1)
    totals = call.do("sample")["totals"]
    assert totals["undecryptable"] > 10
    assert totals["corrupt"] == totals["misdelivered"] == 0


def test_a_server_that_gives_one_person_for_another() -> None:
    call = SwarmCall(52)
    anna, bert, carl = (call.join() for _ in range(3))
    call.run(1)
    call.publish(anna)
    theirs = call.publish(carl)
    wrong = call.sim.new_id()
    info = {"user": anna, "track": 0, "codec": "opus", "payload_type": 100, "rtx_payload_type": -1, "clock_rate": 48000}
    call.do("add_receiver", wrong, bert, {**info, "ssrc": 4712, "rtx_ssrc": 0, "ext": {}})
    call.sim.control("create_consumer", wrong, bert, theirs, 4712, 0, [(111, 100, -1)], {}, "", False)
    call.run(1)
    assert call.receiver(wrong)["misdelivered"] >= 45
    assert call.receiver(wrong)["delivered"] == 0
    assert not call.of(EVENT_FIRST_FRAME, wrong)
