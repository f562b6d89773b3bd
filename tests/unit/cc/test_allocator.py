"""What each video of a receiver gets: fits, by rank, fair, and without flapping."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.testing.probe_allocation import HOLD_US, LAYERS, LOG_ROWS, REASONS, Allocator, Want

S = 1_000_000
TURN_US = 200_000
NOTHING = (-1, -1)
#: Three encodings of one frame rate, and with three temporal layers.
PLAIN = [[150_000], [500_000], [1_500_000]]
TEMPORAL = [[60_000, 90_000, 150_000], [200_000, 300_000, 500_000], [600_000, 900_000, 1_500_000]]
CONFERENCE = [[100_000], [400_000], [1_800_000]]


def want(number: int, rates: Sequence[Sequence[int]] = PLAIN, *, rank: int = 1, most: int = 3) -> Want:
    """A video that is wanted whole, of a source with these rates."""
    made = Want(number)
    made.source(len(rates), max(len(row) for row in rates), rates)
    made.view(most, 3, rank)
    return made


def turns(
    allocator: Allocator, wants: list[Want], budgets: Sequence[int], start: int = S
) -> Iterator[tuple[int, int, int]]:
    """Allocates every 200 ms: time, budget and what was taken."""
    for turn, budget in enumerate(budgets):
        now = start + turn * TURN_US
        yield now, budget, allocator.allocate(list(wants), budget, now)


def run(allocator: Allocator, wants: list[Want], budgets: Sequence[int], start: int = S) -> int:
    """The same to the end; how many changes there were."""
    return sum(allocator.changes for _ in turns(allocator, wants, budgets, start))


def price(one: Want, rates: Sequence[Sequence[int]]) -> int:
    spatial, temporal = one.choice
    return rates[spatial][temporal] if spatial >= 0 else 0


RATE = st.integers(0, 5_000_000)
RATES = st.lists(st.lists(RATE, min_size=1, max_size=4), min_size=1, max_size=4)
RISING = st.lists(st.integers(1000, 2_000_000), min_size=1, max_size=4, unique=True).map(
    lambda rates: [[rate] for rate in sorted(rates)]
)
BUDGET = st.integers(0, 20_000_000)


# --- it fits ---


def bearable(wants: list[Want], taken: int, budget: int) -> bool:
    """A fifth more for a while, and four times as much where it is the least of one alone."""
    return taken <= budget + budget // 5 or (sum(one.choice != NOTHING for one in wants) == 1 and taken <= 4 * budget)


@given(st.lists(st.tuples(RATES, st.integers(-1, 4), st.integers(0, 3)), max_size=6), st.lists(BUDGET, max_size=12))
def test_more_than_the_budget_is_never_given_out(
    shapes: list[tuple[list[list[int]], int, int]], budgets: list[int]
) -> None:
    wants = [want(i, rates, rank=rank, most=most) for i, (rates, most, rank) in enumerate(shapes)]
    allocator = Allocator()
    for _, budget, taken in turns(allocator, wants, budgets):
        assert taken == sum(price(one, shapes[one.id][0]) for one in wants)
        assert bearable(wants, taken, budget)


def test_rates_that_grow_are_borne_for_four_seconds() -> None:
    allocator, one = Allocator(), want(1)
    run(allocator, [one], [1_700_000] * 10)
    one.source(3, 1, [[150_000], [500_000], [1_750_000]])
    choices = [one.choice for _ in turns(allocator, [one], [1_700_000] * 30, 10 * S)]
    assert choices == [(2, 0)] * 20 + [(1, 0)] * 10


@pytest.mark.parametrize("budget", [600_000, 140_000, 30_000, 0])
def test_a_fall_is_answered_in_the_same_turn(budget: int) -> None:
    allocator, one = Allocator(), want(1)
    run(allocator, [one], [3_000_000] * 10)
    assert one.choice == (2, 0)
    taken = allocator.allocate([one], budget, 10 * S)
    assert bearable([one], taken, budget)
    assert one.choice == {600_000: (1, 0), 140_000: (0, 0), 30_000: NOTHING, 0: NOTHING}[budget]
    assert one.reason == "bandwidth"


# --- who gets what ---


def lexicographic_best(ladders: list[list[int]], limit: int) -> tuple[int, ...]:
    """Of what fits the best for the first, of that the best for the second, and so on; the lowest of all before."""
    lowest: list[int] = []
    for ladder in ladders:
        taken = sum(other[0] for other, rung in zip(ladders, lowest, strict=False) if rung == 0)
        lowest.append(0 if taken + ladder[0] <= limit else -1)
    choices = itertools.product(
        *(range(len(ladder)) if low == 0 else [-1] for ladder, low in zip(ladders, lowest, strict=True))
    )
    return max(
        rungs
        for rungs in choices
        if sum(ladder[rung] for ladder, rung in zip(ladders, rungs, strict=True) if rung >= 0) <= limit
    )


@given(st.lists(RISING, min_size=1, max_size=4), st.integers(0, 8_000_000), st.randoms(use_true_random=False))
def test_ranks_are_served_as_a_search_through_all_would(
    shapes: list[list[list[int]]], budget: int, rng: random.Random
) -> None:
    wants = [want(i, rates, rank=3 * i) for i, rates in enumerate(shapes)]
    shuffled = list(wants)
    rng.shuffle(shuffled)
    Allocator().allocate(shuffled, budget, S)
    ladders = [[rate for (rate,) in rates] for rates in shapes]
    assert tuple(one.choice[0] for one in wants) == lexicographic_best(ladders, budget - budget // 10)


@given(st.lists(RISING, min_size=1, max_size=4), BUDGET, BUDGET)
def test_more_bandwidth_is_better_by_rank(shapes: list[list[list[int]]], one: int, other: int) -> None:
    results = []
    for budget in sorted((one, other)):
        wants = [want(i, rates, rank=i) for i, rates in enumerate(shapes)]
        Allocator().allocate(list(wants), budget, S)
        results.append(([each.choice >= (0, 0) for each in wants], [each.choice for each in wants]))
    assert results[0] <= results[1]


@given(RISING, st.integers(1, 8), BUDGET)
def test_equals_are_at_most_a_rung_apart(rates: list[list[int]], count: int, budget: int) -> None:
    wants = [want(i, rates) for i in range(count)]
    taken = Allocator().allocate(list(wants), budget, S)
    rungs = [one.choice[0] for one in wants]
    assert max(rungs) - min(rungs) <= 1
    # Nothing is left over that one more rung of anybody would have fitted in.
    steps = [rates[rung + 1][0] - (rates[rung][0] if rung >= 0 else 0) for rung in rungs if rung + 1 < len(rates)]
    assert all(taken + step > budget - budget // 10 for step in steps)


@given(st.lists(st.integers(0, 3), min_size=2, max_size=10), BUDGET)
def test_everybody_is_shown_before_anybody_gets_more(ranks: list[int], budget: int) -> None:
    wants = [want(i, TEMPORAL, rank=rank) for i, rank in enumerate(ranks)]
    Allocator().allocate(list(wants), budget, S)
    least = TEMPORAL[0][0]
    room = max((budget - budget // 10) // least, least <= 2 * budget)
    assert sum(one.choice != NOTHING for one in wants) == min(len(wants), room)
    shown = [rank for one, rank in zip(wants, ranks, strict=True) if one.choice != NOTHING]
    hidden = [rank for one, rank in zip(wants, ranks, strict=True) if one.choice == NOTHING]
    assert not shown or not hidden or max(shown) <= min(hidden)


def test_who_is_let_down_by_equals_gets_its_share() -> None:
    allocator = Allocator()
    first, second = want(1), want(2)
    run(allocator, [first], [1_650_000] * 60)
    assert first.choice == (2, 0)
    run(allocator, [first, second], [1_650_000] * 40, 20 * S)
    assert (first.choice, second.choice) == ((1, 0), (1, 0))
    assert "yielded" in {row[4] for row in allocator.rows() if row[1] == 1}


def test_equals_do_not_swap_places_with_their_order() -> None:
    allocator, wants = Allocator(), [want(1), want(2), want(3)]
    # One of three has the upper layer; rates waver, and the order of the list changes.
    changes = 0
    for turn in range(100):
        for one in wants:
            one.source(2, 1, [[100_000 + 5000 * ((turn + one.id) % 3)], [400_000]])
        wants.append(wants.pop(0))
        changes += run(allocator, wants, [750_000], S + turn * TURN_US)
    assert changes == 3
    assert sorted(one.choice[0] for one in wants) == [0, 0, 1]


@pytest.mark.parametrize("temporal", [False, True])
def test_the_conference_of_twenty(temporal: bool) -> None:
    # 3.6 Mbit/s of video in a budget of 3.75 beside audio and repairs: the speaker whole, everybody else shown.
    rates = [[r * 4 // 10, r * 6 // 10, r] for (r,) in CONFERENCE] if temporal else CONFERENCE
    wants = [want(1, rates, rank=1), *(want(i, rates, rank=2, most=0) for i in range(2, 20))]
    allocator = Allocator()
    changes = run(allocator, wants, [3_750_000] * 100)
    assert wants[0].choice == (2, 2 if temporal else 0)
    assert all(one.choice == (0, 2 if temporal else 0) for one in wants[1:])
    assert changes <= 20 + 18 * temporal


@pytest.mark.parametrize(("budget", "choice"), [(475_000, 0), (950_000, 1), (1_900_000, 2), (4_750_000, 2)])
def test_the_best_layer_that_fits_in_85_percent_of_the_link_is_chosen(budget: int, choice: int) -> None:
    # The budget is 95 % of the link.
    allocator, one = Allocator(), want(1)
    assert run(allocator, [one], [budget] * 300) == 1
    assert one.choice == (choice, 0)


# --- steady ---


@given(
    st.lists(st.tuples(RISING, st.integers(0, 2)), min_size=1, max_size=5),
    st.integers(1000, 10_000_000),
    st.integers(0, 2**32),
)
def test_a_budget_that_wavers_changes_nothing_twice(
    shapes: list[tuple[list[list[int]], int]], budget: int, seed: int
) -> None:
    rng = random.Random(seed)
    wants = [want(i, rates, rank=rank) for i, (rates, rank) in enumerate(shapes)]
    allocator = Allocator()
    run(allocator, wants, [int(budget * rng.uniform(0.95, 1.05)) for _ in range(100)])
    # It takes some turns until the highest of the budgets was seen, and who climbs late may push others down.
    # But nothing is climbed to twice, unless there is nothing else to see.
    climbs = [(row[1], row[3]) for row in allocator.rows() if row[3] > row[2] != NOTHING]
    assert len(climbs) == len(set(climbs))


@pytest.mark.parametrize("seed", range(4))
def test_an_hour_on_a_wild_link_has_few_switches(seed: int) -> None:
    rng = random.Random(seed)
    wants = [want(1, rank=0), want(2), want(3)]
    allocator = Allocator()
    budget = 1_500_000.0
    switches = {one.id: 0 for one in wants}
    for turn in range(5 * 3600):
        budget = min(5_000_000.0, max(100_000.0, budget * rng.lognormvariate(0, 0.05)))
        taken = allocator.allocate(list(wants), int(budget), S + turn * TURN_US)
        assert bearable(wants, taken, int(budget))
        for one in wants:
            switches[one.id] += one.changed_us == S + turn * TURN_US
    assert max(switches.values()) <= 4 * 60


@pytest.mark.parametrize("back_us", [1 * S, 5 * S, 9 * S])
def test_a_climb_that_fails_is_tried_ever_later(back_us: int) -> None:
    # The link never bears the upper layer: each time it is sent, the estimate falls soon after.
    allocator, one = Allocator(), want(1)
    climbs: list[int] = []
    fallen = False
    for turn in range(5 * 900):
        now = S + turn * TURN_US
        fallen = one.choice == (2, 0) and now - one.changed_us >= back_us
        before = one.choice
        allocator.allocate([one], 700_000 if fallen else 2_000_000, now)
        if one.choice > before:
            climbs.append(now)
    gaps = [later - sooner for sooner, later in itertools.pairwise(climbs[1:])]
    assert gaps == sorted(gaps)
    assert gaps[-1] > 100 * S
    # Success forgets: the link bears it now.
    run(allocator, [one], [2_000_000] * 5 * 240, 1000 * S)
    assert one.choice == (2, 0)
    assert one.strikes == 0


def test_capacity_3_then_07_then_3() -> None:
    allocator, one = Allocator(), want(1)
    steps = [400_000] * 5 + [1_000_000] * 5 + [2_800_000] * 140
    steps += [2_000_000] * 3 + [1_200_000] * 2 + [600_000] * 145
    steps += [int(600_000 * 1.08 ** (k / 5)) for k in range(100)] + [2_800_000] * 50
    assert run(allocator, [one], steps) <= 7
    assert one.choice == (2, 0)


def test_who_becomes_more_important_does_not_wait() -> None:
    allocator, one, other = Allocator(), want(1), want(2)
    run(allocator, [one, other], [2_200_000] * 10)
    run(allocator, [one, other], [400_000], 20 * S)
    assert one.choice == (0, 0)
    one.view(3, 3, 0)
    run(allocator, [one, other], [2_200_000], 20 * S + TURN_US)
    assert one.choice == (2, 0)
    assert other.choice == (0, 0)


def test_what_comes_back_into_view_does_not_wait() -> None:
    allocator, one = Allocator(), want(1)
    run(allocator, [one], [3_000_000] * 10)
    run(allocator, [one], [600_000], 10 * S)
    one.view(-1, 0)
    run(allocator, [one], [3_000_000], 11 * S)
    assert (one.choice, one.reason) == (NOTHING, "hidden")
    one.view(3, 3)
    run(allocator, [one], [3_000_000], 11 * S + TURN_US)
    assert one.choice == (2, 0)


def test_a_want_that_shrinks_is_no_fall() -> None:
    allocator, one = Allocator(), want(1)
    run(allocator, [one], [3_000_000] * 10)
    one.view(0, 0)
    run(allocator, [one], [3_000_000] * 10, 10 * S)
    assert (one.choice, one.reason) == ((0, 0), "wanted")
    one.view(3, 3)
    run(allocator, [one], [3_000_000], 20 * S)
    assert one.choice == (2, 0)


# --- layers ---


@pytest.mark.parametrize(
    ("budget", "choice"),
    [
        (70_000, (0, 0)),
        (120_000, (0, 1)),
        (240_000, (0, 2)),
        (340_000, (1, 1)),
        (1_200_000, (2, 1)),
        (1_700_000, (2, 2)),
    ],
)
def test_temporal_layers_are_steps_between(budget: int, choice: tuple[int, int]) -> None:
    # 240 kbit/s would hold (1, 0): four times the pixels at a quarter of the frames.
    one = want(1, TEMPORAL)
    Allocator().allocate([one], budget, S)
    assert one.choice == choice


def test_a_picture_that_hardly_moves_is_rather_sharp() -> None:
    one = want(1, TEMPORAL)
    one.view(3, 3, 1, still=True)
    Allocator().allocate([one], 240_000, S)
    assert one.choice == (1, 0)


def test_a_layer_that_dies_is_replaced_and_taken_again() -> None:
    allocator, one = Allocator(), want(1)
    run(allocator, [one], [3_000_000] * 10)
    one.source(3, 1, [[150_000], [500_000], [0]])
    run(allocator, [one], [3_000_000], 10 * S)
    assert (one.choice, one.reason, one.strikes) == ((1, 0), "source", 0)
    one.source(3, 1, [[0], [0], [0]])
    run(allocator, [one], [3_000_000], 11 * S)
    assert (one.choice, one.reason, one.wish) == (NOTHING, "source", (0, 0))
    one.source(3, 1, PLAIN)
    run(allocator, [one], [3_000_000], 11 * S + TURN_US)
    assert (one.choice, one.reason) == ((2, 0), "wanted")


def test_a_sleeping_layer_is_wished_for_when_it_would_fit() -> None:
    allocator = Allocator()
    asleep, other = want(1, rank=0), want(2)
    asleep.source(3, 1, [[150_000], [0], [0]], PLAIN)
    run(allocator, [asleep, other], [2_450_000] * 10)
    assert (asleep.choice, asleep.wish, asleep.reason) == ((0, 0), (2, 0), "source")
    assert other.choice == (2, 0)
    assert allocator.all_bps == 3_000_000
    # Until it wakes, nobody goes without for it; then it comes first.
    asleep.source(3, 1, PLAIN)
    run(allocator, [asleep, other], [2_450_000] * 10, 4 * S)
    assert (asleep.choice, other.choice, other.reason) == ((2, 0), (1, 0), "yielded")


def test_a_sleeping_layer_that_would_not_fit_is_left_asleep() -> None:
    allocator, one = Allocator(), want(1)
    one.source(3, 1, [[150_000], [0], [0]], PLAIN)
    run(allocator, [one], [1_000_000] * 10)
    assert one.wish == (1, 0)
    assert allocator.next_bps == pytest.approx(1_500_000 / 0.9, abs=2)


def test_nothing_flaps_where_a_lower_layer_costs_as_much_as_a_higher() -> None:
    allocator, one = Allocator(), want(1, [[290_000], [300_000]])
    run(allocator, [one], [325_000] * 10)
    assert one.choice == (0, 0)
    changes = 0
    for turn in range(100):
        one.source(2, 1, [[290_000 + turn % 3 * 10_000], [300_000]])
        changes += run(allocator, [one], [325_000], 3 * S + turn * TURN_US)
    assert changes <= 1


# --- what is told ---


def test_the_next_step_is_what_the_next_climb_takes() -> None:
    allocator, wants = Allocator(), [want(1), want(2, rank=2)]
    run(allocator, wants, [800_000] * 20)
    assert [one.choice[0] for one in wants] == [1, 0]
    assert allocator.all_bps == 3_000_000
    step = allocator.next_bps
    assert run(allocator, wants, [step - 4], 10 * S) == 0
    assert run(allocator, wants, [step], 10 * S + TURN_US) == 1


def test_the_next_step_is_nothing_when_all_is_had_or_held() -> None:
    allocator, one = Allocator(), want(1)
    run(allocator, [one], [3_000_000] * 10)
    assert allocator.next_bps == 0
    allocator.allocate([one], 600_000, 10 * S)
    assert allocator.next_bps == 0
    allocator.allocate([one], 1_700_000, 10 * S + 1)
    assert one.reason == "held"
    allocator.allocate([one], 1_600_000, 10 * S + 2 * HOLD_US)
    assert (one.reason, allocator.next_bps > 1_600_000) == ("bandwidth", True)


def test_the_log_keeps_the_last_changes() -> None:
    allocator, one = Allocator(), want(7)
    assert allocator.rows() == []
    allocator.estimate(2_000_000)
    allocator.allocate([one], 1_900_000, S)
    assert allocator.rows() == [(S, 7, NOTHING, (2, 0), "wanted", 2_000_000)]
    for turn in range(200):
        one.view(turn % 2, 0)
        allocator.allocate([one], 1_900_000, 2 * S + turn * 2 * S)
    rows = allocator.rows()
    assert len(rows) == LOG_ROWS
    assert [row[0] for row in rows] == [2 * S + turn * 2 * S for turn in range(200 - LOG_ROWS, 200)]
    assert all(sooner[3] == later[2] for sooner, later in itertools.pairwise(rows))


def test_reasons_are_words() -> None:
    assert len(set(REASONS)) == len(REASONS)
    assert all(word.isalpha() for word in REASONS)
    assert "unknown" not in REASONS


# --- whatever comes ---

ANY = st.integers(0, 255)
LAYER = st.integers(-128, 127)
CELLS = st.lists(st.lists(st.integers(0, 2**32 - 1), min_size=4, max_size=4), min_size=4, max_size=4)
STRANGE = st.tuples(ANY, ANY, CELLS, CELLS, LAYER, LAYER, ANY, st.booleans(), LAYER, LAYER)
TIMES = st.lists(st.tuples(st.integers(0, 2**64 - 1), st.integers(0, 2**62)), min_size=1, max_size=5)


@given(st.lists(STRANGE, max_size=5), TIMES)
def test_whatever_comes_is_borne(
    shapes: list[tuple[int, int, list[list[int]], list[list[int]], int, int, int, bool, int, int]],
    calls: list[tuple[int, int]],
) -> None:
    allocator = Allocator()
    wants = []
    for number, (spatial, temporal, rates, nominal, most_s, most_t, rank, still, at_s, at_t) in enumerate(shapes):
        one = Want(number)
        one.source(spatial, temporal, rates, nominal)
        one.view(most_s, most_t, rank, still)
        one.place(at_s, at_t)
        wants.append(one)
    for budget, now in calls:
        taken = allocator.allocate(list(wants), budget, now)
        assert bearable(wants, taken, budget)
        for one, (spatial, temporal, rates, _, most_s, most_t, *_) in zip(wants, shapes, strict=True):
            s, t = one.choice
            assert (s, t) == NOTHING or (0 <= s <= most_s and 0 <= t <= most_t)
            assert s < min(spatial, LAYERS)
            assert t < min(temporal, LAYERS)
            assert (s, t) == NOTHING or rates[s][t] > 0
            assert one.wish >= one.choice
            assert one.reason in REASONS
