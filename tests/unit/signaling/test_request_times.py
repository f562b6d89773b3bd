"""How long requests took, by method: what the metric of the server's answers is made of."""

from __future__ import annotations

import json
from typing import Any

from support.recorder import World, finish

from simplestchat.signaling.hub import OTHER_METHOD
from simplestchat.signaling.registry import METHODS


def counted(world: World) -> dict[str, int]:
    return {method: sum(spans.counts) for method, spans in world.hub.request_times.items() if sum(spans.counts)}


def test_every_method_has_a_row_before_its_first_request() -> None:
    assert set(World().hub.request_times) == {*METHODS, OTHER_METHOD}


def test_answers_refusals_and_unknown_methods_count_and_noise_does_not() -> None:
    world = World()
    client = world.joined()
    client.call("ping")
    assert client.refused("transport.create", direction="sideways") == "invalid_params"
    assert client.refused("no.such", x=1) == "method_not_found"
    finish(client.session.handle("{"))
    finish(client.session.handle(json.dumps({"jsonrpc": "2.0", "method": "ping"})))  # a notification
    assert counted(world) == {"room.join": 1, "ping": 2, "transport.create": 1, OTHER_METHOD: 1}


def test_waiting_for_a_worker_is_part_of_it() -> None:
    world = World()
    client = world.joined()
    create = world.media.create_transport

    async def slowly(room_id: str, peer_id: str = "") -> Any:
        world.now += 0.3
        return await create(room_id)

    world.media.create_transport = slowly  # type: ignore[method-assign]
    client.call("transport.create", direction="send")
    spans = world.hub.request_times["transport.create"]
    assert abs(spans.sum_s - 0.3) < 1e-9
    assert [bound for bound, total in spans.cumulative() if not total][-1] == 0.2
