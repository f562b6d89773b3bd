"""Rooms: made by joining or over HTTP, listed, changed, closed; who comes and who goes."""

from typing import Any

import pytest
from support.recorder import World

from simplestchat.errors import Conflict, Forbidden, InvalidParams, NotFound, Quota
from simplestchat.signaling.limits import Limits
from simplestchat.signaling.requests import RoomUpdate
from simplestchat.signaling.rest import RoomCreate


def test_who_comes_first_owns_the_room() -> None:
    world = World()
    ada, bob = world.joined(name="Ada"), world.joined(name="Bob")
    assert ada.joined["room"]["role"] == "owner"
    assert bob.joined["room"]["role"] == "member"
    assert "ownerToken" not in bob.joined["room"]
    assert bob.joined["peers"] == [{"peerId": ada.id, "name": "Ada", "role": "owner", "producers": []}]
    assert ada.box.take() == [
        {
            "jsonrpc": "2.0",
            "method": "peer.joined",
            "params": {"peerId": bob.id, "name": "Bob", "role": "member", "producers": []},
            "seq": bob.joined["seq"],
        }
    ]
    assert bob.box.take() == []


def test_an_owner_is_known_again_by_the_token() -> None:
    world = World()
    ada = world.joined()
    world.joined(name="Bob")
    token = ada.joined["room"]["ownerToken"]
    ada.call("room.leave")
    assert world.joined(name="Ada", token=token).joined["room"]["role"] == "owner"
    assert world.joined(name="Eve", token=token + "x").joined["room"]["role"] == "member"
    assert world.joined(name="Eve", token="é").joined["room"]["role"] == "member"


def test_leaving_and_coming_again_on_one_connection() -> None:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    assert bob.refused("room.join", room="other", name="Bob") == "already_in_room"
    bob.call("room.leave")
    assert ada.box.take()[-1]["params"] == {"peerId": bob.id, "reason": "left"}
    assert bob.refused("chat.send", text="x", clientId="1") == "not_in_room"
    bob.join()
    assert [peer["name"] for peer in bob.joined["peers"]] == ["Ada"]


def test_rooms_over_http() -> None:
    world = World()
    made = world.hub.create_room(RoomCreate(name="  Tea\ttime ", public=True))
    assert made.room.name == "Tea time"
    assert len(made.room.id) == 22
    owner = world.joined(made.room.id, token=made.owner_token)
    assert owner.joined["room"]["role"] == "owner"
    assert world.joined(made.room.id, "Bob").joined["room"]["role"] == "member"
    assert world.hub.show_room(made.room.id).peers == 2
    changed = world.hub.update_room(made.room.id, made.owner_token, RoomUpdate(locked=True))
    assert changed.locked
    assert owner.box.take()[-1]["method"] == "room.updated"
    for token in ("", "wrong"):
        with pytest.raises(Forbidden):
            world.hub.update_room(made.room.id, token, RoomUpdate(locked=False))
        with pytest.raises(Forbidden):
            world.hub.close_room(made.room.id, token)
    world.hub.close_room(made.room.id, made.owner_token)
    assert owner.box.take()[-1]["method"] == "room.closed"
    with pytest.raises(NotFound):
        world.hub.show_room(made.room.id)


def test_room_ids_of_ones_own_choice() -> None:
    world = World()
    world.hub.create_room(RoomCreate(id="garden"))
    assert world.hub.show_room("garden").name == "garden"
    with pytest.raises(Conflict):
        world.hub.create_room(RoomCreate(id="garden"))
    with pytest.raises(InvalidParams):
        world.hub.create_room(RoomCreate(id="a/b"))
    with pytest.raises(InvalidParams):
        world.hub.create_room(RoomCreate(name=" "))


def test_only_public_rooms_are_listed_and_pages_join_without_gaps() -> None:
    world = World()
    for number in range(120):
        world.hub.create_room(RoomCreate(id=f"room-{number}", name=f"Number {number}", public=True))
    world.hub.create_room(RoomCreate(id="hidden"))
    world.joined("by-joining")
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = world.hub.list_rooms(cursor=cursor)
        seen += [room.id for room in page.rooms]
        if page.cursor is None:
            break
        cursor = page.cursor
        world.hub.create_room(RoomCreate(public=True))
    assert seen == [f"room-{number}" for number in reversed(range(120))]
    assert [room.id for room in world.hub.list_rooms("NUMBER 77").rooms] == ["room-77"]
    for bad in ("x", "-1", "9" * 30, "²"):
        with pytest.raises(InvalidParams):
            world.hub.list_rooms(cursor=bad)


def test_a_password_guards_the_door() -> None:
    world = World()
    made = world.hub.create_room(RoomCreate(id="safe", password="sesame"))
    assert made.room.has_password
    eve = world.client()
    assert eve.refused("room.join", room="safe", name="Eve") == "wrong_password"
    assert eve.refused("room.join", room="safe", name="Eve", password="Sesame") == "wrong_password"
    assert eve.refused("room.join", room="safe", name="Eve", password="é" * 100) == "wrong_password"
    eve.join("safe", "Eve", password="sesame")
    world.joined("safe", "Owner", token=made.owner_token)
    world.hub.update_room("safe", made.owner_token, RoomUpdate(password=None))
    world.joined("safe", "Bob")


def test_guessing_passwords_wears_the_requests_out() -> None:
    world = World()
    world.hub.create_room(RoomCreate(id="safe", password="sesame"))
    eve = world.client()
    reasons = [eve.refused("room.join", room="safe", name="Eve", password=str(n)) for n in range(40)]
    assert reasons.count("wrong_password") < 30
    assert reasons[-1] == "rate_limited"


def guess(world: World, origin: str, password: str | None, room: str = "safe") -> str:
    """The reason of a refusal; "" for who came in."""
    params = {} if password is None else {"password": password}
    answer = world.client(origin).ask("room.join", room=room, name="Eve", **params)
    return str(answer["error"]["data"]["reason"]) if "error" in answer else ""


def test_wrong_passwords_are_counted_over_all_connections_of_an_address() -> None:
    world = World()
    made = world.hub.create_room(RoomCreate(id="safe", password="sesame"))
    world.hub.create_room(RoomCreate(id="other", password="sesame"))
    most = world.hub.limits.wrong_passwords_per_minute
    reasons = [guess(world, "192.0.2.1", str(number)) for number in range(most + 5)]
    assert reasons == ["wrong_password"] * most + ["rate_limited"] * 5
    # Not even the right one is looked at; the owner's token and other rooms go on.
    assert guess(world, "192.0.2.1", "sesame") == "rate_limited"
    assert guess(world, "192.0.2.1", None) == "wrong_password"
    world.joined("safe", "Owner", token=made.owner_token)
    assert guess(world, "192.0.2.1", "sesame", "other") == ""
    world.wait(60 / most)
    assert guess(world, "192.0.2.1", "sesame") == ""


def test_who_guesses_keeps_nobody_else_out() -> None:
    world = World()
    world.hub.create_room(RoomCreate(id="safe", password="sesame"))
    for number in range(100):
        guess(world, "192.0.2.1", str(number))
    assert guess(world, "192.0.2.2", "sesame") == ""
    # What is right is no guess, however often it is said.
    assert [guess(world, "192.0.2.3", "sesame") for _ in range(50)] == [""] * 50


def test_a_locked_room_takes_only_its_owner() -> None:
    world = World()
    ada = world.joined()
    ada.call("room.update", locked=True)
    assert world.client().refused("room.join", room="room", name="Bob") == "room_locked"
    world.joined(name="Ada", token=ada.joined["room"]["ownerToken"])


def test_a_lock_lets_those_back_in_who_were_inside_but_for_the_kicked() -> None:
    world = World()
    ada, bob, eve = world.joined(), world.joined(name="Bob"), world.joined(name="Eve")
    for client in (bob, eve):
        client.drop()
    world.wait(60)
    eve_again = world.joined(name="Eve", resume=eve.joined["resumeToken"])
    ada.call("room.update", locked=True, password="sesame")
    ada.call("peer.kick", peerId=eve_again.id)
    for token in (eve.joined["resumeToken"], eve_again.joined["resumeToken"], "made up", None):
        assert world.client().refused("room.join", room="room", name="Eve", resume=token) == "room_locked"
    # The place is gone, so the password is asked for again.
    token = bob.joined["resumeToken"]
    assert world.client().refused("room.join", room="room", name="Bob", resume=token) == "wrong_password"
    assert world.joined(name="Bob", resume=token, password="sesame").joined["peerId"] != bob.id


def test_settings_reach_everyone_once() -> None:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    ada.box.take()
    ada.call("room.update", name="Garden", public=True)
    ada.call("room.update", name="Garden", public=True)
    for client in (ada, bob):
        (update,) = client.box.take()
        assert update["params"] == {
            "id": "room",
            "name": "Garden",
            "public": True,
            "locked": False,
            "audioOnly": False,
            "hasPassword": False,
            "videoLimit": 0,
            "codecs": ["av1", "vp9", "vp8", "h264"],
        }
    assert ada.refused("room.update", name=" ") == "invalid_params"


def test_closing_ends_everything() -> None:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    producer = ada.produce(ada.transport("send"))
    bob.consume(bob.transport("recv"), producer)
    bob.box.take()
    ada.call("room.close")
    world.settle()
    assert bob.methods() == ["room.closed"]
    assert bob.refused("chat.send", text="x", clientId="1") == "not_in_room"
    assert world.hub.census() == {
        "connections": 2,
        "rooms": 0,
        "peers": 0,
        "peers_away": 0,
        "transports": 0,
        "producers": 0,
        "consumers": 0,
    }
    assert (world.media.rooms, world.media.transports, world.media.producers) == (set(), {}, {})
    # A room made anew under the same id is another room, also for the media plane.
    bob.join()
    assert bob.joined["room"]["role"] == "owner"
    bob.transport("send")
    world.settle()
    assert len(world.media.transports) == 1


def test_a_kicked_peer_hears_so_and_its_media_is_gone() -> None:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    bob.produce(bob.transport("send"))
    ada.box.take()
    ada.call("peer.kick", peerId=bob.id)
    world.settle()
    assert bob.box.take()[-1]["params"] == {"peerId": bob.id, "reason": "kicked"}
    assert ada.methods() == ["producer.closed", "peer.left"]
    assert world.media.producers == {}
    assert bob.refused("chat.send", text="x", clientId="1") == "not_in_room"
    assert ada.refused("peer.kick", peerId=ada.id) == "forbidden"


def test_empty_rooms_close_after_their_grace() -> None:
    world = World(Limits(joined_room_grace_s=30, made_room_grace_s=3600))
    made = world.hub.create_room(RoomCreate(id="made"))
    assert made.room.peers == 0
    ada = world.joined("joined")
    world.wait(1000)
    assert world.hub.census()["rooms"] == 2
    ada.call("room.leave")
    world.wait(29)
    bob = world.joined("joined", "Bob")
    world.wait(60)
    assert world.hub.show_room("joined").peers == 1
    bob.call("room.leave")
    world.wait(31)
    with pytest.raises(NotFound):
        world.hub.show_room("joined")
    world.wait(3600)
    assert world.hub.census()["rooms"] == 0
    assert world.hub.next_deadline() is None


def test_rooms_and_peers_are_bounded() -> None:
    world = World(Limits(rooms=2, room_peers=3))
    for name in ("a", "b", "c"):
        world.joined("one", name)
    assert world.client().refused("room.join", room="one", name="d") == "room_full"
    world.joined("two")
    assert world.client().refused("room.join", room="three", name="d") == "quota"
    with pytest.raises(Quota):
        world.hub.create_room(RoomCreate())


def test_an_empty_room_makes_way_for_one_with_people() -> None:
    world = World(Limits(rooms=3))
    world.hub.create_room(RoomCreate(id="first"))
    world.wait(1)
    world.joined("second")
    world.joined("third")
    assert world.client().refused("room.join", room="fourth", name="x") == "quota"
    with pytest.raises(Quota):
        world.hub.create_room(RoomCreate(id="fourth"))
    world.wait(300)
    world.joined("fourth")
    with pytest.raises(NotFound):
        world.hub.show_room("first")
    # Nobody is put out.
    assert world.client().refused("room.join", room="fifth", name="x") == "quota"


def test_rooms_that_nobody_would_miss_make_way_first_and_at_once() -> None:
    world = World(Limits(rooms=3))
    world.hub.create_room(RoomCreate(id="made"))
    said = world.joined("said")
    said.call("chat.send", text="remember me", clientId="1")
    said.call("room.leave")
    blank = world.joined("blank")
    blank.call("room.leave")
    world.joined("first")
    assert world.hub.find_room("blank").rooms == []
    assert world.hub.find_room("made").rooms
    assert world.hub.find_room("said").rooms
    # Nothing but what has something to lose is empty: that is safe for a while.
    assert world.client().refused("room.join", room="second", name="x") == "quota"


@pytest.mark.parametrize("setting", [{"locked": True}, {"name": "Garden"}, {"password": "sesame"}, {"public": True}])
def test_a_room_with_a_setting_is_missed(setting: dict[str, Any]) -> None:
    world = World(Limits(rooms=1))
    ada = world.joined()
    token = ada.joined["room"]["ownerToken"]
    ada.call("room.leave")
    world.hub.update_room("room", token, RoomUpdate(**setting))  # while it is empty
    assert world.client().refused("room.join", room="second", name="x") == "quota"
    world.wait(300)
    world.joined("second")


def test_coming_and_going_takes_the_rooms_from_nobody() -> None:
    """One address joins a new room each time and leaves it, with a word in it or without."""
    world = World(Limits(rooms_joined=500, rooms=1000))
    reasons = set()
    for number in range(3000):
        client = world.client("192.0.2.1")
        answer = client.ask("room.join", room=f"mine-{number}", name="x")
        if "error" in answer:
            reasons.add(answer["error"]["data"]["reason"])
            continue
        client.call("chat.send", text="keep it", clientId="1")
        client.call("room.leave")
        client.drop()
    assert reasons == {"rate_limited"}
    assert world.hub.census()["rooms"] == 500
    # A room that is there may be joined, and others make theirs.
    world.client("192.0.2.1").join("mine-0", "x")
    world.client("192.0.2.2").join("new", "x")
    world.wait(1)
    assert "error" not in world.client("192.0.2.1").ask("room.join", room="another", name="x")


def test_thousands_in_rooms_of_five_come_from_one_address() -> None:
    world = World()
    for number in range(4000):
        world.client("192.0.2.1").join(f"room-{number // 5}", str(number))
        world.now += 1 / 100
    assert world.hub.census()["rooms"] == 800


def test_a_program_on_this_machine_makes_as_many_rooms_as_there_may_be() -> None:
    world = World()
    for number in range(5000):
        world.client().join(f"room-{number}", "x")


def test_an_empty_room_outlives_a_gap_of_the_network() -> None:
    """Everybody's packets are lost for 80 s: silence, the grace time of places, then the room is empty."""
    world = World()
    ada = world.joined()
    ada.call("chat.send", text="before", clientId="1")
    ada.drop()
    world.wait(20)
    world.wait(500)
    token = ada.joined["resumeToken"]
    assert [one["text"] for one in world.joined(resume=token).joined["chat"]["messages"]] == ["before"]


def test_a_thousand_and_one_peers_come_at_once() -> None:
    world = World()
    clients = [world.joined(name=f"peer {number}") for number in range(1001)]
    assert len(clients[-1].joined["peers"]) == 1000
    assert len(clients[0].box.frames) == 1000
    # One encoding for all: everyone got the very same bytes.
    assert clients[0].box.frames[-1] is clients[1].box.frames[-1]


def test_draining_takes_nobody_new_but_lets_peers_come_back() -> None:
    world = World()
    ada, outside = world.joined(), world.client()
    world.hub.drain(1_800_000_000_000)
    for client in (ada, outside):
        (notice,) = client.box.take()
        assert notice == {"jsonrpc": "2.0", "method": "server.draining", "params": {"deadline": 1_800_000_000_000}}
    assert outside.refused("room.join", room="room", name="Bob") == "draining"
    ada.drop()
    back = world.client()
    assert back.join(name="Ada", resume=ada.joined["resumeToken"])["resumed"]
    assert world.hub.draining
