"""Worker processes that stand ready: they have everything but a port, and take the place of a worker that dies.

A new Python process needs seconds on a busy machine, and a call is silent meanwhile.
"""

from __future__ import annotations

import structlog
import trio

from .pauses import Pauses
from .recruit import Recruit, WorkerStartError

log = structlog.get_logger()

#: Before a spare is started: workers that begin, and calls that come back, have the processor first.
DELAY_S = 2.0


class Spares:
    """Keeps `count` processes ready while `run` runs."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._waiting: dict[Recruit, trio.Event] = {}

    async def run(self) -> None:
        """Keep the spares until cancelled; one that ends or is taken is followed by another."""
        async with trio.open_nursery() as nursery:
            for _ in range(self._count):
                nursery.start_soon(self._keep)

    def take(self) -> Recruit | None:
        """Return a process that waits for a port, which is the caller's to end now; None when there is none."""
        if not self._waiting:
            return None
        recruit, taken = self._waiting.popitem()
        taken.set()
        return recruit

    async def _keep(self) -> None:
        pauses = Pauses()
        while True:
            await trio.sleep(DELAY_S)
            began_s = trio.current_time()
            try:
                await self._hold()
            except WorkerStartError as exc:
                log.error("spare worker did not start", problem=str(exc))
            await trio.sleep(pauses.after(trio.current_time() - began_s))

    async def _hold(self) -> None:
        """Start one and keep it until it is taken or dead."""
        recruit, taken = Recruit(), trio.Event()
        try:
            await recruit.until_waiting()
            self._waiting[recruit] = taken
            log.info("spare worker ready", pid=recruit.pid)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_cancel_after, recruit, nursery.cancel_scope)
                await taken.wait()
                nursery.cancel_scope.cancel()
        finally:
            self._waiting.pop(recruit, None)
            if not taken.is_set():
                status = await recruit.end(patience_s=0)  # nobody depends on it
                log.info("spare worker ended", pid=recruit.pid, status=status)


async def _cancel_after(recruit: Recruit, scope: trio.CancelScope) -> None:
    await recruit.ended()
    scope.cancel()
