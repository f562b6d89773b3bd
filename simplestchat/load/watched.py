"""Users behind emulated bottlenecks of whom is told second by second: their link, the server's estimate, what they get.

Rules:
 - Watched are the first ones of this process whom the plan puts behind a network with a bottleneck, now or later.
 - Of each, a sample has gauges ``watch.USER.NAME`` (capacity_bps: 0 while nothing limits the link; estimate_bps and
   queue_us; videos: how many it receives; layer: the encoding or spatial layer that is shown, from 1, 0 while nothing
   is, and temporal: the one in it; of several videos the best) and totals ``watch.USER.bytes`` and
   ``watch.USER.switches``. What is not known is not there.
 - Every ``PROBE_S`` the queue in front of each is looked at, for a histogram of all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import trio

from simplestchat._native.core.errors import MisuseError

if TYPE_CHECKING:
    from simplestchat.load.plan import UserPlan
    from simplestchat.load.transports import Path
    from simplestchat.load.user import User
    from simplestchat.load.world import World

PROBE_S: Final = 0.1
QUEUE: Final = "link_queue"


def has_bottleneck(plan: UserPlan) -> bool:
    """Whether the plan narrows what the user receives, now or later."""
    return any(down is not None and down.rate_bps for down in (plan.down, *(change.down for change in plan.changes)))


class Watched:
    """Those of one process."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._users: list[User] = []
        self._bytes: dict[int, int] = {}
        """By user: what came over paths that are gone."""
        self._switches: dict[int, dict[int, int]] = {}
        """By user and receiver."""

    def consider(self, user: User) -> None:
        """One more user begins."""
        plan = self._world.user_plan(user.record.index)
        if len(self._users) < self._world.scenario.network.watched and has_bottleneck(plan):
            self._users.append(user)

    async def run(self) -> None:
        """Look at queues; never returns."""
        while True:
            await trio.sleep(PROBE_S)
            if self._world.silent:
                continue
            for user in self._users:
                link = self._link(user)
                if link and link["down_rate_bps"]:
                    self._world.tally.span(QUEUE, link["down_queue_us"])

    def sample(self) -> tuple[dict[str, int], dict[str, int]]:
        """Totals and gauges of now."""
        totals: dict[str, int] = {}
        gauges: dict[str, int] = {}
        for user in self._users:
            name = f"watch.{user.record.index}."
            for field, value in self._told(user).items():
                gauges[name + field] = value
            totals[name + "bytes"] = self._received(user)
            totals[name + "switches"] = sum(self._switches.get(user.record.index, {}).values())
        return totals, gauges

    def _told(self, user: User) -> dict[str, int]:
        link, path = self._link(user), self._path(user)
        found: dict[str, int] = {}
        if link:
            found |= {"capacity_bps": link["down_rate_bps"], "queue_us": link["down_queue_us"]}
        if path is not None and path.estimate_bps:
            found["estimate_bps"] = path.estimate_bps
        return found | self._layers(user)

    def _layers(self, user: User) -> dict[str, int]:
        """Of the videos that it receives; their switches are noted as well."""
        media, stay = self._world.media, user.stay
        if stay is None:
            return {}
        seen = self._switches.setdefault(user.record.index, {})
        videos = [one for one in stay.subscribing.subscriptions.values() if one.video]
        for video in videos:
            seen[video.receiver] = max(seen.get(video.receiver, 0), media.switches[video.receiver])
        found = {"videos": len(videos)}
        shown = [media.layers[one.receiver] for one in videos if one.receiver in media.layers and not one.held]
        if videos:
            best, temporal = max(shown, default=(-1, 0))
            found |= {"layer": best + 1, "temporal": temporal}
        return found

    def _path(self, user: User) -> Path | None:
        return user.stay.transports.paths.get("recv") if user.stay is not None else None

    def _link(self, user: User) -> dict[str, int] | None:
        path = self._path(user)
        if path is None:
            return None
        try:
            return self._world.media.swarm.path_totals(path.number)
        except MisuseError:  # it is being taken down
            return None

    def _received(self, user: User) -> int:
        link = self._link(user)
        now = user.stay.record.received_bytes + link["bytes_in"] if user.stay is not None and link else 0
        self._bytes[user.record.index] = max(now, self._bytes.get(user.record.index, 0))
        return self._bytes[user.record.index]
