"""What the server counts of rooms and their participants, beside what users received: a look every few seconds.

Rules:
 - Only the hold is looked at, some rooms of the run at most, each by one request.
 - Growth between two looks is what counts: a counter that fell belongs to transports made anew, and begins there.
 - A server that does not tell, such as one elsewhere, is asked no more.
"""

from __future__ import annotations

import urllib.error
from collections.abc import Callable

import msgspec
import trio

from simplestchat.load.plan import Plan
from simplestchat.load.record import Passed, RoomRecord
from simplestchat.load.trust import Trust
from simplestchat.load.watch import fetch
from simplestchat.signaling.rest import RoomStats, Traffic

EVERY_S = 3.0
ROOMS = 4
NOT_FOUND = 404
_US = 1_000_000
_DECODER = msgspec.json.Decoder(RoomStats)


class RoomWatch:
    """Looks at rooms of a run, evenly spread over all of them."""

    def __init__(self, url: str, run: str, plan: Plan, trust: Trust | None = None) -> None:
        self.trouble = ""
        """Why there are no figures."""
        self._url = url.rstrip("/")
        self._context = (trust or Trust()).context() if url.startswith("https:") else None
        self._run = run
        self._plan = plan
        number = min(plan.rooms, ROOMS)
        self._counts = {room: _Counts() for room in (at * plan.rooms // number for at in range(number))}

    async def run(self, start_us: int, now_us: Callable[[], int]) -> None:
        """Look until the end of the hold; ``start_us`` is when the run began."""
        at_us = start_us + round(self._plan.ramp_s * _US)
        end_us = start_us + round(self._plan.media_end_s * _US)
        while at_us <= end_us and not self.trouble:
            await trio.sleep(max(0, at_us - now_us()) / _US)
            for room, counts in self._counts.items():
                await self._look(room, counts, now_us)
            after_us = max(now_us(), at_us + round(EVERY_S * _US))
            at_us = end_us if at_us < end_us < after_us else after_us

    def records(self) -> tuple[RoomRecord, ...]:
        """What was seen, of the rooms that were seen at least twice."""
        found = ((room, counts) for room, counts in self._counts.items() if len(counts.looks) > 1)
        return tuple(RoomRecord(room=room, looks=tuple(one.looks), peers=dict(one.peers)) for room, one in found)

    async def _look(self, room: int, counts: _Counts, now_us: Callable[[], int]) -> None:
        url = f"{self._url}/api/rooms/load-{self._run}-{room}/stats"
        asked_us = now_us()
        try:
            stats = _DECODER.decode(await trio.to_thread.run_sync(fetch, url, self._context, abandon_on_cancel=True))
        except urllib.error.HTTPError as error:
            if error.code != NOT_FOUND:  # that room is empty just now
                self.trouble = f"{url}: {error}"
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            self.trouble = f"{url}: {error}"
        else:
            counts.take((asked_us + now_us()) // 2, stats)


class _Counts:
    """Of one room: sums of what every counter grew by."""

    def __init__(self) -> None:
        self.looks: list[Passed] = []
        self.peers: dict[str, Passed] = {}
        self._before: dict[str, Traffic] = {}

    def take(self, at_us: int, stats: RoomStats) -> None:
        """One more look."""
        whole = self.looks[-1] if self.looks else Passed(us=at_us)
        span_us = at_us - whole.us
        for peer in stats.peers if self.looks else ():
            before = self._before.get(peer.peer_id)
            grown_in = _grown(before.bytes_in if before else 0, peer.bytes_in)
            grown_out = _grown(before.bytes_out if before else 0, peer.bytes_out)
            whole = whole.plus(0, grown_in, grown_out)
            if before is not None:  # else it has been there for a part of the span only
                self.peers[peer.name] = self.peers.get(peer.name, Passed()).plus(span_us, grown_in, grown_out)
        self.looks.append(whole.plus(span_us, 0, 0))
        self._before = {peer.peer_id: peer for peer in stats.peers}


def _grown(before: int, after: int) -> int:
    return after - before if after >= before else after
