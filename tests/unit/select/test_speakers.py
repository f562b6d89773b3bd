"""Who speaks and who is heard, in conversations that are made up."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.testing.probe_allocation import HEARD_MOST, PAUSE_US, SPEAKER_BYTES, Speakers

S = 1_000_000
FRAME_US = 20_000
TICK_FRAMES = 10
SILENT = 127

Voice = Callable[[random.Random, int], "int | None"]


def quiet(rng: random.Random, frame: int) -> int:
    """A room's noise."""
    return int(rng.gauss(75, 2))


def dtx(rng: random.Random, frame: int) -> int | None:
    """A silent encoder: a packet of comfort noise every 400 ms."""
    return 80 if frame % 20 == 0 else None


def fan(rng: random.Random, frame: int) -> int:
    """A noise that is louder than anybody's voice, and always the same."""
    return int(rng.gauss(25, 1))


def talk(loudness: int = 32, share: float = 0.8) -> Voice:
    """Syllables of 60 to 300 ms, with short stops between them."""
    until, speech = 0, False

    def voice(rng: random.Random, frame: int) -> int:
        nonlocal until, speech
        if frame >= until:
            speech = not speech if until else True
            long = rng.randint(3, 15)
            until = frame + (long if speech else max(1, round(long * (1 - share) / share)))
        return int(rng.gauss(loudness, 4)) if speech else int(rng.gauss(68, 4))

    return voice


def cough(start: int, frames: int = 15) -> Voice:
    """300 ms, louder than speech."""
    return lambda rng, frame: int(rng.gauss(15, 3)) if start <= frame < start + frames else quiet(rng, frame)


def between(first_s: float, last_s: float, voice: Voice, otherwise: Voice = quiet) -> Voice:
    """A voice at its time."""
    return lambda rng, frame: (voice if first_s * 50 <= frame < last_s * 50 else otherwise)(rng, frame)


def conversation(
    group: Speakers, voices: Iterable[Voice], seconds: float, seed: int = 1, start: int = S
) -> list[tuple[float, int]]:
    """Everybody's packets in turn, with jitter; when who became dominant."""
    rng = random.Random(seed)
    voices = list(voices)
    changes = []
    for frame in range(int(seconds * 50)):
        now = start + frame * FRAME_US
        for number, voice in enumerate(voices, 1):
            level = voice(rng, frame)
            if level is not None:
                group.level(number, max(0, min(127, level)), now + rng.randrange(FRAME_US))
        if frame % TICK_FRAMES == TICK_FRAMES - 1 and group.tick(now + FRAME_US):
            changes.append((frame / 50, group.dominant))
    return changes


def test_who_speaks_in_turn_becomes_dominant_within_a_second_and_a_half() -> None:
    group = Speakers(4)
    voices = [between(2, 8, talk()), between(8.2, 15, talk(40)), between(15.2, 20, talk()), dtx]
    changes = conversation(group, voices, 20)
    assert [number for _, number in changes] == [1, 2, 3]
    assert all(at <= begun + 1.5 for (at, _), begun in zip(changes, (2, 8.2, 15.2), strict=True))


@pytest.mark.parametrize("seed", range(5))
def test_one_who_talks_stays_dominant(seed: int) -> None:
    changes = conversation(Speakers(3), [between(1, 60, talk()), quiet, dtx], 60, seed)
    assert [number for _, number in changes] == [1]


@pytest.mark.parametrize("seed", range(5))
def test_a_cough_takes_nothing_over(seed: int) -> None:
    group = Speakers(3)
    # Into speech, into a pause of it, and into silence.
    voices = [between(1, 6, talk()), cough(170), cough(7 * 50)]
    assert [number for _, number in conversation(group, voices, 9, seed)] == [1]


@pytest.mark.parametrize("seed", range(5))
def test_talking_into_somebodys_speech_takes_nothing_over(seed: int) -> None:
    group = Speakers(2)
    # Not even when louder, for two seconds; only when the first one has ended.
    voices = [between(1, 10, talk(38, 0.9)), between(5, 7, talk(28, 0.9))]
    changes = conversation(group, voices, 10, seed)
    assert changes[0][1] == 1
    assert len(changes) <= 3
    assert group.dominant == 1


def test_a_stop_within_a_word_gives_nothing_away() -> None:
    group = Speakers(2)
    for frame in range(200):
        now = S + frame * FRAME_US
        # The dominant one makes a stop of 80 ms every half second, when it is looked; the other makes none.
        stop = frame > 100 and frame % 25 in {21, 22, 23, 24}
        group.level(1, 70 if frame < 50 or stop else 30, now)
        group.level(2, 70 if frame < 120 else 30, now)
        if frame % 25 == 24:
            group.tick(now)
    assert group.dominant == 1


@pytest.mark.parametrize("seed", range(5))
def test_a_noise_that_does_not_change_is_nobody(seed: int) -> None:
    group = Speakers(3)
    group.limit(1)
    changes = conversation(group, [fan, between(3, 20, talk(45)), quiet], 20, seed)
    assert [number for _, number in changes] == [2]
    assert group.heard() == {2}


def test_a_noise_that_begins_is_taken_for_noise_soon() -> None:
    group = Speakers(2)
    voices = [between(5, 60, fan), between(16, 60, talk(45))]
    changes = conversation(group, voices, 60)
    assert changes[-1][1] == 2
    assert changes[-1][0] <= 18


def test_silence_makes_nobody_dominant() -> None:
    group = Speakers(3)
    assert conversation(group, [quiet, dtx, lambda rng, frame: SILENT], 20) == []
    assert group.listed() == []


def test_longer_packets_are_speech_as_well() -> None:
    group = Speakers(2)
    voice = talk()
    assert [n for _, n in conversation(group, [lambda r, f: voice(r, f) if f % 3 == 0 else None, quiet], 10)] == [1]


def test_packets_in_clumps_are_speech_as_well() -> None:
    # Every 100 ms five at once, some of them in the wrong order.
    group = Speakers(2)
    rng = random.Random(3)
    voice = talk()
    for clump in range(100):
        levels = [max(0, min(127, voice(rng, clump * 5 + i) or 0)) for i in range(5)]
        rng.shuffle(levels)
        for i, level in enumerate(levels):
            group.level(1, level, S + clump * 100_000 + i * 50)
            group.level(2, 75, S + clump * 100_000 + i * 50)
        group.tick(S + clump * 100_000 + 1000)
    assert group.dominant == 1


def test_when_the_dominant_one_leaves_it_is_nobody_until_another_speaks() -> None:
    group = Speakers(3)
    conversation(group, [between(1, 5, talk()), quiet, quiet], 5)
    assert (group.dominant, group.members) == (1, 3)
    group.leave(1)
    assert (group.dominant, group.members) == (0, 2)
    conversation(group, [quiet, between(0, 3, talk()), quiet], 3, start=6 * S)
    assert group.dominant == 2
    group.join(1, 9 * S)
    assert (group.dominant, group.members) == (2, 3)


def test_only_those_who_spoke_lately_cost_a_tick() -> None:
    group = Speakers(2000)
    conversation(group, [between(1, 3, talk()), between(1, 3, talk()), *[quiet] * 8], 3)
    assert set(group.listed()) == {1, 2}
    group.tick(6 * S)
    assert group.listed() == []


def test_a_jump_of_the_clock_forgets_what_was() -> None:
    group = Speakers(2)
    conversation(group, [between(1, 4, talk()), quiet], 4)
    changes = conversation(group, [quiet, between(1, 4, talk())], 5, start=10**15)
    assert [number for _, number in changes] == [2]
    changes = conversation(group, [between(1, 4, talk()), quiet], 5, start=S)
    assert [number for _, number in changes] == [1]


def test_a_speaker_is_small() -> None:
    assert SPEAKER_BYTES < 200


# --- who is heard ---


def test_without_a_limit_everybody_is_heard() -> None:
    group = Speakers(3)
    assert all(group.level(number, SILENT, S) for number in (1, 2, 3))
    group.limit(1)
    assert not any(group.level(number, SILENT, S) for number in (1, 2, 3))
    group.limit(0)
    assert all(group.level(number, SILENT, S) for number in (1, 2, 3))


def test_who_begins_is_heard_from_the_first_packet_on() -> None:
    group = Speakers(8)
    group.limit(3)
    conversation(group, [quiet] * 8, 2)
    for number in (1, 2, 3):
        assert group.level(number, 30, 4 * S)
    # No place: they have just spoken.
    assert not group.level(4, 30, 4 * S + FRAME_US)
    # One was silent for a second.
    for number in (1, 2):
        group.level(number, 30, 4 * S + PAUSE_US // 2)
    assert group.level(4, 30, 4 * S + PAUSE_US)
    assert group.heard() == {1, 2, 4}


def test_a_pause_between_words_costs_no_place() -> None:
    group = Speakers(10)
    group.limit(2)
    cut = []
    rng = random.Random(5)
    voices = [between(1, 30, talk()), between(1, 30, talk()), *(between(1, 30, talk(50, 0.3)) for _ in range(8))]
    for frame in range(50 * 30):
        now = S + frame * FRAME_US
        for number, voice in enumerate(voices, 1):
            level = max(0, min(127, voice(rng, frame) or 0))
            heard = group.level(number, level, now)
            if number <= 2 and frame > 100 and not heard:
                cut.append((frame, number))
    assert not cut


def test_who_is_clearly_louder_takes_the_place_of_one_who_speaks() -> None:
    group = Speakers(3)
    group.limit(2)
    conversation(
        group, [between(1, 10, talk(45, 0.95)), between(1, 10, talk(35, 0.95)), between(5, 10, talk(22, 0.95))], 10
    )
    assert 3 in group.heard()
    assert len(group.heard()) == 2


def test_the_dominant_one_is_always_heard() -> None:
    group = Speakers(6)
    group.limit(1)
    rng = random.Random(2)
    voices = [between(1 + n, 4 + 2 * n, talk(30 + 3 * n)) for n in range(6)]
    for frame in range(50 * 20):
        now = S + frame * FRAME_US
        for number, voice in enumerate(voices, 1):
            group.level(number, max(0, min(127, voice(rng, frame) or 0)), now)
        if frame % TICK_FRAMES == 0:
            group.tick(now)
            assert not group.dominant or group.dominant in group.heard()


@pytest.mark.parametrize("limit", [1, 3, HEARD_MOST, 255])
def test_no_more_are_heard_than_the_limit(limit: int) -> None:
    group = Speakers(40)
    group.limit(limit)
    conversation(group, [between(1, 5, talk(25 + n)) for n in range(40)], 5)
    assert len(group.heard()) == min(limit, HEARD_MOST)
    group.limit(1)
    assert len(group.heard()) == 1


def test_no_place_goes_to_those_who_only_breathe() -> None:
    group = Speakers(4)
    group.limit(3)
    conversation(group, [quiet, dtx, fan, between(2, 4, talk())], 5)
    assert 4 in group.heard()
    assert not group.heard() & {1, 2}


# --- whatever comes ---

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("level"), st.integers(1, 12), st.integers(0, 255)),
        st.tuples(st.just("leave"), st.integers(1, 12), st.just(0)),
        st.tuples(st.just("join"), st.integers(1, 12), st.just(0)),
        st.tuples(st.just("limit"), st.integers(0, 255), st.just(0)),
        st.tuples(st.just("tick"), st.just(0), st.just(0)),
        st.tuples(st.just("pass"), st.integers(-3 * S, 3 * S), st.just(0)),
        st.tuples(st.just("pass"), st.integers(0, 30_000), st.just(0)),
        st.tuples(st.just("pass"), st.integers(-(2**61), 2**61), st.just(0)),
    ),
    max_size=150,
)


@given(STEPS)
def test_whatever_comes_lists_and_places_agree(steps: list[tuple[str, int, int]]) -> None:
    group = Speakers(12)
    members = set(range(1, 13))
    now, limit = S, 0
    for what, one, other in steps:
        if what == "level":
            heard = group.level(one, other, now)
            assert heard or (one in members and limit)
        elif what == "leave":
            group.leave(one)
            members.discard(one)
        elif what == "join" and one not in members:
            group.join(one, now)
            members.add(one)
        elif what == "limit":
            limit = one
            group.limit(limit)
        elif what == "tick":
            group.tick(now)
        elif what == "pass":
            now = max(0, min(2**62, now + one))
        listed = group.listed()
        assert len(listed) == len(set(listed))
        assert set(listed) <= members
        assert group.heard() <= members
        assert len(group.heard()) <= min(limit, HEARD_MOST)
        assert group.dominant in {0, *members}
        assert group.members == len(members)
