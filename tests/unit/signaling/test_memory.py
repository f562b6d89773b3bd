"""What all rooms remember together has a bound, and who remembers little loses nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.recorder import Client, World

from simplestchat.signaling.limits import Limits
from simplestchat.signaling.memory import level


@given(st.lists(st.integers(0, 1000), max_size=30).map(sorted), st.integers(0, 5000))
def test_the_level_is_the_highest_that_fits(sizes: list[int], most: int) -> None:
    to = level(sizes, most)
    assert sum(min(size, to) for size in sizes) <= most
    if to < max(sizes, default=0):
        assert sum(min(size, to + 1) for size in sizes) > most


def say(client: Client, count: int, size: int = 1000) -> None:
    for number in range(count):
        client.call("chat.send", text=chr(97 + number % 26) * size, clientId=str(number))


def history(client: Client) -> tuple[int, bool]:
    """How many messages there are, and whether older ones are said to be forgotten."""
    page = client.call("chat.history", limit=200)
    return len(page["messages"]), page["truncated"]


def test_the_largest_are_cut_and_the_small_stay_whole() -> None:
    world = World(Limits(history_bytes=200_000))
    hogs = [world.joined(f"hog-{number}") for number in range(3)]
    for hog in hogs:
        say(hog, 100)
    quiet = world.joined("quiet", "Bob")
    say(quiet, 3)
    world.wait(5)
    assert history(quiet) == (3, False)
    held = [history(hog) for hog in hogs]
    assert {truncated for _, truncated in held} == {True}
    assert len({count for count, _ in held}) == 1
    assert 10 < held[0][0] < 100
    assert held_bytes(world) <= 200_000
    # Numbers go on, and what is remembered is the latest.
    hogs[0].call("chat.send", text="the last", clientId="last")
    assert hogs[0].call("chat.history", limit=1)["messages"][0]["seq"] == 101


def held_bytes(world: World) -> int:
    return sum(log.bytes for room in world.hub._rooms for log in room.logs())


def test_who_comes_back_after_a_cut_is_told_so() -> None:
    world = World(Limits(history_bytes=50_000))
    ada, bob = world.joined(), world.joined(name="Bob")
    seen = bob.joined["seq"]
    bob.drop()
    say(ada, 100)
    world.wait(5)
    again = world.client()
    joined = again.join(name="Bob", resume=bob.joined["resumeToken"], lastSeq=seen)
    assert (joined["resumed"], joined["reset"]) == (True, True)


def test_nothing_is_cut_below_the_bound() -> None:
    world = World()
    ada = world.joined()
    say(ada, 150, 4096)
    world.wait(5)
    assert history(ada) == (150, False)


def test_a_full_house_is_within_the_bound_after_each_look() -> None:
    world = World(Limits(history_bytes=1_000_000, request_burst=10_000))
    people = [world.joined(str(number)) for number in range(40)]
    for turn in range(3):
        for one in people:
            for number in range(10):
                one.call("chat.send", text="x" * 4000, clientId=f"{turn} {number}")
        world.wait(5)
        assert held_bytes(world) <= 1_000_000
