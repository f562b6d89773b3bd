"""Every creation, met by every event, before and after the media plane has done its part, to its end or cancelled."""

import itertools
import json

import pytest
from support.overlaps import MEANWHILE, THINGS, check, check_end, overlap, scene
from support.recorder import World

REASONS = {"not_in_room", "not_found", "forbidden", "media_unavailable"}


@pytest.mark.parametrize(("what", "how"), list(itertools.product(THINGS, MEANWHILE)))
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("cancelled", [False, True], ids=["ends", "cancelled"])
@pytest.mark.parametrize("owner", [False, True], ids=["member", "owner"])
def test_nothing_dangles(what: str, how: str, done: bool, cancelled: bool, owner: bool) -> None:
    world = World()
    everyone = scene(world)
    answer = overlap(world, everyone, everyone[0 if owner else 1], what, how, choice=0, done=done, cancelled=cancelled)
    check(world, transports=8, producers=16, consumers=256)
    if not cancelled:
        assert answer is not None
        error = json.loads(answer).get("error")
        assert error is None or error["data"]["reason"] in REASONS
    check_end(world, everyone)
