"""A user's paths to the server: made, connected, disturbed by the plan, made again when they fail, taken down.

Rules:
 - As mediasoup-client does it: transport.create, transport.connect, and only then ICE and DTLS.
 - A path is connected, failed or on its way; what waits for it (``when_connected``) runs once it is connected.
 - A new address is used at once; who restarts ICE as well asks for new credentials and checks with them. Keys stay.
 - The conditions of the plan hold for every path of the user, from its making on.
 - A transport is counted when it connected, failed, or did not connect in ``PATIENCE_US``: who is gone sooner than that
   has proven nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from simplestchat.load.client import Pending, RequestFailed
from simplestchat.load.conditions import OUTAGE, link_conditions
from simplestchat.load.counts import now_us
from simplestchat.signaling.data import Direction, DtlsFingerprint, DtlsParameters
from simplestchat.signaling.notices import TransportBandwidth
from simplestchat.signaling.requests import (
    IceRestarted,
    TransportConnect,
    TransportCreate,
    TransportCreated,
    TransportRef,
)

if TYPE_CHECKING:
    from simplestchat.load.plan import Change
    from simplestchat.load.stay import Stay


PATIENCE_US = 3_000_000


class Path:
    """One transport of a user."""

    __slots__ = (
        "_stay", "_waiting", "begun_us", "connected_us", "direction", "estimate_bps", "number", "state", "transport_id",
    )  # fmt: skip

    def __init__(self, stay: Stay, direction: Direction, transport_id: str, number: int) -> None:
        self._stay = stay
        self._waiting: list[Callable[[], None]] = []
        self.direction = direction
        self.transport_id = transport_id
        self.number = number
        self.state = "new"
        self.begun_us = now_us()
        self.connected_us = 0
        self.estimate_bps = 0
        """The server's, 0: it never said."""

    def when_connected(self, call: Callable[[], None]) -> None:
        """Call as soon as media can be sent."""
        if self.state == "connected":
            call()
        else:
            self._waiting.append(call)

    def on_state(self, state: str, _ice_us: int, _dtls_us: int) -> None:
        """The native side tells."""
        if self.state in ("failed", "closed"):
            return
        first = not self.connected_us
        self.state = state
        if state == "connected" and first:
            self.connected_us = now_us()
            self._stay.world.tally.add("transports")
            self._stay.world.tally.add("transports_connected")
            waiting, self._waiting = self._waiting, []
            for call in waiting:
                call()
            self._stay.transports.check_ready()
        elif state == "failed":
            self._stay.transports.failed(self, "the path failed")


class Transports:
    """Both paths of one stay."""

    __slots__ = ("_down", "_failures", "_ready", "_stay", "_up", "paths")

    def __init__(self, stay: Stay) -> None:
        self._stay = stay
        self.paths: dict[Direction, Path] = {}
        self._ready = False
        self._failures = 0
        self._up, self._down = link_conditions(stay.plan.up), link_conditions(stay.plan.down)
        for change in stay.plan.changes:
            if change.at_s <= stay.world.now_s():
                self._take(change)

    async def open(self, *directions: Direction) -> None:
        """Make and connect transports; raises ``RequestFailed``."""
        stay = self._stay
        pending = [stay.client.send("transport.create", TransportCreate(direction=one)) for one in directions]
        algorithm, value = stay.world.media.swarm.fingerprint
        ours = DtlsParameters(role="client", fingerprints=[DtlsFingerprint(algorithm=algorithm, value=value)])
        connecting = []
        for direction, one in zip(directions, pending, strict=True):
            created: TransportCreated = await self._wait(one)
            connect = TransportConnect(transport_id=created.id, dtls_parameters=ours)
            connecting.append((direction, created, stay.client.send("transport.connect", connect)))
        for direction, created, one in connecting:
            await self._wait(one)
            if not stay.gone:
                self._start(direction, created)

    async def _wait(self, pending: Pending) -> Any:
        try:
            return await self._stay.client.wait(pending)
        except RequestFailed:
            if not self._stay.gone:
                self._stay.world.tally.add("transports")
            raise

    def _start(self, direction: Direction, created: TransportCreated) -> None:
        stay = self._stay
        media = stay.world.media
        path = Path(stay, direction, created.id, media.new_number())
        self.paths[direction] = path
        media.listen(path.number, path.on_state)
        theirs = created.dtls_parameters.fingerprints
        chosen = next((one for one in theirs if one.algorithm == "sha-256"), theirs[0])
        media.swarm.add_path(
            path.number,
            stay.plan.index,
            stay.world.choose(created.ice_candidates),
            created.ice_parameters.username_fragment,
            created.ice_parameters.password,
            (chosen.algorithm, chosen.value),
            stay.seed(self._failures, direction),
        )
        if self._up or self._down:
            media.swarm.set_network(path.number, self._up, self._down)

    def check_ready(self) -> None:
        """Measure once how long it took until all paths stood."""
        if not self._ready and len(self.paths) == self._stay.paths_wanted:
            if any(not path.connected_us for path in self.paths.values()):
                return
            self._ready = True
            self._stay.world.tally.span("ready", now_us() - self._stay.due_us)

    def failed(self, path: Path, why: str) -> None:
        """A path is no more; the stay makes another one, but not for ever."""
        if path.state == "closed":
            return
        self._failures += 1
        if not path.connected_us:
            self._stay.world.tally.add("transports")
        self._stay.world.tally.add("transports_failed")
        self._stay.world.tally.fault("transport-failed", self._stay.plan.index, f"{path.direction}: {why}")
        path.state = "failed"
        self._stay.rebuild(path, give_up=self._failures > 3)

    def failed_at_server(self, transport_id: str) -> None:
        """The server says that a transport failed."""
        for path in self.paths.values():
            if path.transport_id == transport_id and path.state != "failed":
                self.failed(path, "the server says so")

    def told_bandwidth(self, notice: TransportBandwidth) -> None:
        """The server estimates what a path can take."""
        said = msgspec.structs.asdict(notice)  # the figure had another name before
        for path in self.paths.values():
            if path.transport_id == notice.transport_id:
                path.estimate_bps = said.get("available_bitrate", said.get("available_bps", 0))

    def change(self, change: Change) -> None:
        """Something happens to the network."""
        self._take(change)
        swarm = self._stay.world.media.swarm
        for path in self.paths.values():
            if change.event == "address-change":
                swarm.rebind(path.number)
            else:
                swarm.set_network(path.number, self._up, self._down)
        if change.restart:
            self._stay.do(self._restart_ice)

    async def _restart_ice(self) -> None:
        for path in tuple(self.paths.values()):
            try:
                restarted: IceRestarted = await self._stay.client.call(
                    "transport.restartIce", TransportRef(transport_id=path.transport_id)
                )
            except RequestFailed as error:
                self._stay.refused(error, race="not_found")
                continue
            if path.state not in ("failed", "closed"):
                ice = restarted.ice_parameters
                self._stay.world.media.swarm.restart_ice(path.number, ice.username_fragment, ice.password)
                self._stay.world.tally.add("ice_restarts")

    def _take(self, change: Change) -> None:
        if change.event == "outage":
            self._up = self._down = OUTAGE
        elif change.event == "conditions":
            self._up, self._down = link_conditions(change.up), link_conditions(change.down)

    def silence(self) -> None:
        """As a crash."""
        for path in self.paths.values():
            self._stay.world.media.swarm.silence(path.number)

    def close(self, path: Path) -> None:
        """Take a path down, and count what passed it."""
        if path.state == "closed":
            return
        if path.state != "failed" and not path.connected_us and now_us() - path.begun_us > PATIENCE_US:
            self._stay.world.tally.add("transports")
        path.state = "closed"
        if self.paths.get(path.direction) is path:
            del self.paths[path.direction]
        media, record = self._stay.world.media, self._stay.record
        media.forget(path.number)
        totals = media.swarm.remove_path(path.number)
        record.received_bytes += totals["bytes_in"]
        record.sent_bytes += totals["bytes_out"]
        if path.direction == "recv" and path.connected_us:
            record.receiving_s += (now_us() - path.connected_us) / 1_000_000

    def close_all(self) -> None:
        """Take both down."""
        for path in tuple(self.paths.values()):
            self.close(path)
