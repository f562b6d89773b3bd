"""What passed a room, by peer: from one question to the media plane, and right when that cannot answer."""

from __future__ import annotations

from support.recorder import World, finish

from simplestchat.errors import MediaUnavailable
from simplestchat.signaling.rest import PeerTraffic, RoomStats


def look(world: World, room: str = "a") -> RoomStats:
    return finish(world.hub.room_stats(room, "", operator=True))


def test_transports_are_added_up_by_peer_and_for_the_room() -> None:
    world = World()
    ada, bob = world.joined("a", "Ada"), world.joined("a", "Bob")
    elsewhere = world.joined("b", "Eve")
    numbers: dict[str, list[int]] = {}
    for client in (ada, bob, elsewhere):
        before = set(world.media.transports)
        send = client.transport("send")
        client.transport("recv")
        client.produce(send)
        numbers[client.session.peer.name] = sorted(set(world.media.transports) - before)  # type: ignore[union-attr]
    bob.consume(bob.transport("recv"), next(iter(ada.session.peer.producers)))  # type: ignore[union-attr]
    numbers["Bob"].append(max(world.media.transports))
    world.media.calls.clear()
    told = look(world)
    asked = [call for call in world.media.calls if call[0] == "traffic"]
    assert len(world.media.calls) == len(asked) == 1
    assert sorted(asked[0][2:]) == sorted(numbers["Ada"] + numbers["Bob"])
    peers = {one.name: one for one in told.peers}
    assert set(peers) == {"Ada", "Bob"}
    for name, peer in peers.items():
        assert peer.bytes_in == 1000 * sum(numbers[name])
        assert peer.bytes_out == 10 * sum(numbers[name])
        assert (peer.media_in, peer.media_expected, peer.reported_lost) == tuple(
            len(numbers[name]) * one for one in (90, 95, 2)
        )
    assert (peers["Ada"].producers, peers["Ada"].consumers, peers["Bob"].consumers) == (1, 0, 1)
    for field in set(PeerTraffic.__struct_fields__) - {"peer_id", "name"}:
        assert getattr(told, field) == sum(getattr(one, field) for one in told.peers), field


def test_a_room_without_media_asks_nobody() -> None:
    world = World()
    world.joined("a", "Ada")
    told = look(world)
    assert [one.name for one in told.peers] == ["Ada"]
    assert told.bytes_in == 0
    assert not [call for call in world.media.calls if call[0] == "traffic"]


def test_a_lost_worker_has_counted_nothing() -> None:
    world = World()
    world.joined("a", "Ada").transport("send")
    world.media.fail["traffic"] = MediaUnavailable()
    told = look(world)
    assert (told.bytes_in, [one.name for one in told.peers]) == (0, ["Ada"])
