"""How users go: with a goodbye, or without one.

Rules:
 - Who leaves falls silent first and waits ``DRAIN_S``, so that all it sent can still be forwarded.
 - room.leave is answered before the worker has closed the transports, so ``LATE_S`` is granted; what is due to leave
   publishers later than that and still reaches the one who left is misdelivered. The sockets listen for as long again.
 - Who crashes is silent at once, on all sockets, and without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from simplestchat.load.client import RequestFailed

if TYPE_CHECKING:
    from simplestchat.load.stay import Stay

DRAIN_S = 0.3
LATE_S = 0.5


async def leave(stay: Stay) -> None:
    """Go politely."""
    stay.publishing.stop()
    await trio.sleep(DRAIN_S)
    stay.subscribing.let_go()
    try:
        await stay.client.call("room.leave")
    except RequestFailed as error:
        stay.refused(error)
    else:
        stay.room.parted[stay.plan.index, stay.visit.number] = True
    stay.chatting.member.leave(present=False)
    stay.end()

    async def farewell() -> None:
        await trio.sleep(LATE_S)
        stay.subscribing.stop_expecting()
        await trio.sleep(LATE_S)
        take_down(stay)
        stay.client.close()

    stay.world.spawn(farewell)


def crash(stay: Stay) -> None:
    """Be gone."""
    if stay.gone:
        return
    stay.publishing.stop()
    stay.subscribing.let_go()
    stay.transports.silence()
    stay.client.drop()
    stay.chatting.member.leave(present=False)
    stay.end()
    take_down(stay)


def fall_silent(stay: Stay) -> None:
    """The run's media ends: nothing more is sent."""
    if not stay.gone:
        stay.publishing.stop()


def finish(stay: Stay) -> None:
    """The run is over for somebody who stayed."""
    if stay.gone or not stay.joined:
        return
    for failure in stay.client.conclude():
        stay.refused(failure)
    # Who was cut off by the plan was to be back by now, and to have heard all the same.
    stay.chatting.member.leave(present=stay.client.is_open or stay.plan.reconnect_at_s is not None)
    stay.end()


def take_down(stay: Stay) -> None:
    """Count and remove everything native."""
    stay.subscribing.finish()
    stay.transports.close_all()
