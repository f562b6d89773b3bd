"""Sizes of tiles on their way to the workers: nothing twice, not too many, and the last word always."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.recorder import Client, World

from simplestchat.signaling.limits import Limits
from simplestchat.signaling.requests import MAX_VIEWS


def scene(limits: Limits | None = None, videos: int = 1) -> tuple[World, Client, list[str], list[int]]:
    """Somebody who receives some videos: the ids and the numbers of the consumers."""
    world = World(limits)
    ada, bob = world.joined(), world.joined(name="Bob")
    producer = ada.produce(ada.transport("send"))
    recv = bob.transport("recv")
    ids = [bob.consume(recv, producer)["id"] for _ in range(videos)]
    return world, bob, ids, list(world.media.consumers)


def told(world: World) -> list[Any]:
    calls, world.media.calls = world.media.calls, []
    return [call[1:] for call in calls if call[0] == "set_view"]


def view(consumer: str, width: int, height: int) -> dict[str, Any]:
    return {"consumerId": consumer, "width": width, "height": height}


def test_a_size_is_told_once() -> None:
    world, bob, (one,), (number,) = scene()
    for width in (640, 640, 0, 0, 640):
        bob.call("consumer.setView", consumerId=one, width=width, height=360)
    assert told(world) == [(number, 640, 360), (number, 0, 0), (number, 640, 360)]


def test_many_at_once_and_those_that_are_gone_are_passed_over() -> None:
    world, bob, ids, numbers = scene(videos=3)
    bob.call("consumer.close", consumerId=ids[1])
    bob.call("consumer.setViews", views=[view(one, 320, 180) for one in [*ids, "never there", ids[0]]])
    assert told(world) == [(numbers[0], 320, 180), (numbers[2], 320, 180)]
    assert bob.refused("consumer.setView", **view(ids[1], 1, 1)) == "not_found"


@pytest.mark.parametrize("wrong", [view("x", -1, 5), view("x", 5, 40_000), view("x", 1.5, 5), {"consumerId": "x"}])  # type: ignore[arg-type]
def test_what_is_no_size_is_refused(wrong: dict[str, Any]) -> None:
    _, bob, _, _ = scene()
    assert bob.refused("consumer.setView", **wrong) == "invalid_params"
    assert bob.refused("consumer.setViews", views=[wrong]) == "invalid_params"
    assert bob.refused("consumer.setViews", views=[view("x", 1, 1)] * (MAX_VIEWS + 1)) == "invalid_params"


def test_beyond_the_rate_the_last_size_waits() -> None:
    world, bob, (one,), (number,) = scene(Limits(view_burst=3, views_per_s=2))
    for width in range(100, 200):
        bob.call("consumer.setView", consumerId=one, width=width, height=100)
    assert [row[1] for row in told(world)] == [100, 101, 102]
    world.wait(1)
    assert told(world) == [(number, 199, 100)]
    world.wait(1)
    assert told(world) == []
    # What comes back to what is known already need not be told.
    for width in (1, 2, 3, 4, 3):
        bob.call("consumer.setView", consumerId=one, width=width, height=100)
    told(world)
    world.wait(5)
    assert told(world) == []


def test_nothing_waits_for_who_has_left() -> None:
    world, bob, ids, _ = scene(Limits(view_burst=1, views_per_s=1), videos=3)
    bob.call("consumer.setViews", views=[view(one, 100, 100) for one in ids])
    bob.call("room.leave")
    told(world)
    world.wait(1)
    assert told(world) == []
    assert len(world.hub._calls.views) == 0


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from([0, 180, 360, 720]), st.sampled_from([0, 0, 0, 0.1, 1.0])),
        max_size=60,
    )
)
def test_in_the_end_the_worker_knows_every_last_word(steps: list[tuple[int, int, float]]) -> None:
    world, bob, ids, numbers = scene(Limits(view_burst=4, views_per_s=3), videos=4)
    said: dict[int, tuple[int, int]] = {}
    began, known = world.now, []
    for which, height, pause in steps:
        bob.call("consumer.setViews", views=[view(ids[which], height * 2, height)])
        said[numbers[which]] = (height * 2, height)
        known += told(world)
        assert len(known) <= 4 + 3 * (world.now - began) + 1e-6
        world.now += pause
    for _ in range(5):
        world.wait(1)
        known += told(world)
    assert {number: (width, height) for number, width, height in known} == said
