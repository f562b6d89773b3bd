"""Calls at their times, in their order, whatever one of them does."""

from __future__ import annotations

import trio
import trio.testing
from support.intrio import in_trio

from simplestchat.load.agenda import Agenda
from simplestchat.load.counts import now_us


@in_trio
async def test_calls_come_in_the_order_of_their_times() -> None:
    made: list[int] = []
    done = trio.Event()
    agenda = Agenda(lambda error: None)
    now = now_us()
    for number in (3, 1, 2, 0):
        agenda.at(now + number * 1000, lambda number=number: made.append(number))  # type: ignore[misc]
    agenda.at(now + 4000, done.set)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(agenda.run)
        with trio.fail_after(5):
            await done.wait()
        nursery.cancel_scope.cancel()
    assert made == [0, 1, 2, 3]
    assert now_us() >= now + 4000


@in_trio
async def test_a_sooner_call_is_not_kept_waiting_by_a_later_one() -> None:
    done = trio.Event()
    agenda = Agenda(lambda error: None)
    agenda.after(3600, lambda: None)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(agenda.run)
        await trio.testing.wait_all_tasks_blocked()
        agenda.after(0.01, done.set)
        with trio.fail_after(5):
            await done.wait()
        nursery.cancel_scope.cancel()


@in_trio
async def test_what_a_call_raises_ends_only_that_call() -> None:
    errors: list[Exception] = []
    done = trio.Event()
    agenda = Agenda(errors.append)
    agenda.after(0, lambda: 1 / 0)
    cancelled = agenda.after(0, lambda: 1 / 0)
    cancelled.cancel()
    agenda.after(0, done.set)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(agenda.run)
        with trio.fail_after(5):
            await done.wait()
        nursery.cancel_scope.cancel()
    assert [type(error) for error in errors] == [ZeroDivisionError]
