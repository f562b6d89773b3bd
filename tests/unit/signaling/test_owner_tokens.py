"""The owner's token: shown once for a connection, and what it does for a room that has to be made anew."""

import pytest
from support.recorder import Client, World

from simplestchat.errors import Forbidden
from simplestchat.signaling.requests import RoomUpdate
from simplestchat.signaling.rest import RoomCreate

TOKEN = "t" * 43


def role(client: Client) -> str:
    return str(client.joined["room"]["role"])


def connected(world: World, token: str) -> Client:
    """A connection that presented a token as its subprotocol."""
    client = world.client()
    client.session = world.hub.open_session(client.box, token)
    return client


def test_a_token_shown_once_counts_for_every_join_of_the_connection() -> None:
    world = World()
    made = world.hub.create_room(RoomCreate(id="garden"))
    shown, came_with = world.client(), connected(world, made.owner_token)
    assert shown.call("auth", token=made.owner_token) == {}
    for client in (shown, came_with):
        client.join("garden")
        assert role(client) == "owner"
        client.call("room.leave")
        client.join("garden", token="of somewhere else")
        assert role(client) == "member"
        client.call("room.leave")
        client.join("garden")
        assert role(client) == "owner"
    assert came_with.refused("auth", token="") == "invalid_params"
    assert came_with.refused("auth") == "invalid_params"
    came_with.call("room.leave")
    came_with.call("auth", token="another")
    came_with.join("garden")
    assert role(came_with) == "member"


def test_no_notification_and_no_answer_holds_a_token_that_was_shown() -> None:
    world = World()
    made = world.hub.create_room(RoomCreate(id="garden"))
    bob = world.joined("garden", "Bob")
    ada = connected(world, made.owner_token)
    answers = [ada.ask("auth", token=made.owner_token), ada.ask("room.join", room="garden", name="Ada")]
    seen = bob.box.take()
    bob.drop()
    answers.append(
        world.client().ask("room.join", room="garden", name="Bob", resume=bob.joined["resumeToken"], lastSeq=0)
    )
    assert seen
    assert made.owner_token not in repr((seen, answers))


def test_a_room_made_anew_belongs_to_the_token_that_comes_along() -> None:
    world = World()
    ada = world.joined(token=TOKEN, resume="of a server that is no more")
    assert role(ada) == "owner"
    assert ada.joined["room"]["ownerToken"] == TOKEN
    assert world.hub.update_room("room", TOKEN, RoomUpdate(public=True)).public
    assert role(world.joined(name="Bob", token=TOKEN[:-1])) == "member"


def test_a_token_that_could_be_guessed_is_not_taken() -> None:
    ada = World().joined(token="short")
    assert role(ada) == "owner"
    assert len(ada.joined["room"]["ownerToken"]) == 43


def test_who_comes_back_first_is_not_the_owner_for_that() -> None:
    world = World()
    bob = world.joined(name="Bob", resume="of a server that is no more")
    assert role(bob) == "member"
    assert "ownerToken" not in bob.joined["room"]
    assert role(world.joined(name="Carol")) == "member"
    assert role(world.joined(name="Carol", token="short")) == "member"
    for token in ("", "None", "short", TOKEN):
        with pytest.raises(Forbidden):
            world.hub.close_room("room", token)
    ada = world.joined(name="Ada", token=TOKEN, resume="of a server that is no more")
    assert role(ada) == "owner"
    assert role(world.joined(name="Eve", token="e" * 43)) == "member"
    world.hub.close_room("room", TOKEN)


def test_a_claim_opens_no_door() -> None:
    world = World()
    world.joined(name="Bob", resume="of a server that is no more", password="sesame")
    eve = world.client()
    assert eve.refused("room.join", room="room", name="Eve", token=TOKEN) == "wrong_password"
    eve.join(token=TOKEN, password="sesame")
    assert role(eve) == "owner"
