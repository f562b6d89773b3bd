"""Coming back after the connection was lost: the same peer, its media untouched, and exactly what it missed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import trio

from simplestchat.load.client import LOST, Client, Pending, RequestFailed
from simplestchat.load.counts import now_us
from simplestchat.load.departing import crash
from simplestchat.load.lines import ConnectFailed
from simplestchat.load.plan import name_of
from simplestchat.signaling.requests import RoomJoin, RoomJoined

if TYPE_CHECKING:
    from simplestchat.load.stay import Stay

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 2.0
TRIES = 12


async def come_back(stay: Stay) -> None:
    """Connect anew and go on. Raises ``RequestFailed`` when the media cannot be put right."""
    if stay.gone or stay.client.is_open:
        return
    begun_us = now_us()
    joined = await _join_again(stay)
    if joined is None:
        return
    stay.world.tally.span("reconnect", now_us() - begun_us)
    stay.world.tally.add("reconnects")
    stay.record.reconnects += 1
    if joined.resumed:
        stay.chatting.say_again()
        await stay.subscribing.compare(joined.own.consumers)
    await stay.set_up()


def _back(stay: Stay, pending: Pending) -> None:
    """At once, before the next notice: take what was missed."""
    if pending.failure is not None:
        return
    joined: RoomJoined = pending.result
    if joined.resumed and joined.peer_id != stay.peer_id:
        stay.world.tally.fault("resumed-as-another", stay.plan.index)
    if not joined.resumed:
        stay.world.tally.fault("not-resumed", stay.plan.index)
        stay.publishing.forget()
        stay.subscribing.forget_all()
        stay.transports.close_all()
    if joined.reset or not joined.resumed:
        stay.take_snapshot(joined)
        return
    stay.resume_token = joined.resume_token
    for raw in joined.missed:
        stay.client.read(bytes(raw))
    stay.client.last_seq = max(stay.client.last_seq, joined.seq)


async def _join_again(stay: Stay) -> RoomJoined | None:
    last_seq, pause_s = stay.client.last_seq, FIRST_PAUSE_S
    for _ in range(TRIES):
        stay.client = Client(stay, stay.world.notices, stay.world.tally)
        stay.client.last_seq = last_seq
        try:
            await stay.client.open(stay.world.lines, stay.world.ws_url)
            wanted = RoomJoin(
                room=stay.room.name,
                name=name_of(stay.plan.index, stay.visit.number),
                token=stay.room.token,
                resume=stay.resume_token,
                last_seq=last_seq,
            )
            pending = stay.client.send("room.join", wanted, callback=partial(_back, stay))
            joined: RoomJoined = await stay.client.wait(pending)
        except (ConnectFailed, RequestFailed) as error:
            stay.client.drop()
            if stay.gone or stay.world.silent:
                return None
            if isinstance(error, RequestFailed) and error.reason != LOST:
                stay.refused(error)
            await trio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        else:
            return joined
    stay.world.tally.fault("never-came-back", stay.plan.index)
    stay.chatting.member.leave(present=True)
    crash(stay)
    return None
