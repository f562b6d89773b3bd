"""The life of a node: listen, start the workers, serve, and end within five seconds of being told to."""

from __future__ import annotations

import datetime
import gc
import signal
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib.resources import files
from pathlib import Path

import structlog
import trio
from websockets.frames import CloseCode

from simplestchat.config import Settings
from simplestchat.errors import ConfigError
from simplestchat.media import ciphers
from simplestchat.media.addresses import host_addresses
from simplestchat.media.recruit import WorkerStartError
from simplestchat.media.service import MediaService
from simplestchat.metrics import Metrics
from simplestchat.model.ids import EntropyPool
from simplestchat.signaling.hub import Hub
from simplestchat.signaling.limits import Limits

from . import bounds, listening, tls
from .application import make_application
from .front import Front
from .static import StaticFiles

log = structlog.get_logger()

TICK_S = 1.0
LAG_INTERVAL_S = 0.5
#: After start-up: what is there stays. Whatever survives is looked at twice and then left alone, however often that is
#: done: small generations make the same work shorter stops (3 to 9 ms; 40 with five times as many objects, after a
#: thousand joins), and full collections, which would take 180 ms with 500 000 objects, are rare.
GC_THRESHOLDS = (5_000, 1, 10_000)


class Node:
    """One server process with its workers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._metrics = Metrics()
        media = settings.media
        self._media = MediaService(
            workers=media.workers,
            spares=media.spare_workers,
            rtc_port=media.rtc_port,
            announce=media.announce,
            spread_at=media.spread_at / 100,
            pinning=media.pin_workers,
            srtp_backend=media.srtp_backend,
            udp_offload=media.udp_offload == "on",
            handler=lambda event: self._hub.on_media_event(event),
        )
        self._hub: Hub
        self._addresses = host_addresses()
        self._context: ssl.SSLContext | None = None
        self._stopping = trio.Event()
        self._hurrying = trio.Event()

    async def run(self, announce: Callable[[list[str]], None]) -> None:
        """Serve until a signal ends it; `announce` gets the URLs once they may be used. Raises ConfigError."""
        self._context = tls.make_context(self._settings, self._addresses, _now())
        with trio.open_signal_receiver(*self._signals()) as signals:
            async with trio.open_nursery() as nursery:
                starting = trio.CancelScope()
                nursery.start_soon(self._watch_signals, signals, starting)
                self._hub = Hub(
                    self._media,
                    clock=time.monotonic,
                    wall_ms=_wall_ms,
                    start=lambda job: nursery.start_soon(_run_job, job),
                    entropy=EntropyPool(),
                    limits=Limits.set_by(self._settings),
                    video_codecs=self._settings.media.video_codecs,
                )
                with starting:
                    listeners = await listening.open_listeners(self._settings.web)
                    await self._start_media(nursery)
                    nursery.start_soon(self._tick)
                    nursery.start_soon(self._measure_lag)
                if not self._stopping.is_set():
                    await self._serve(listeners, announce)
                nursery.cancel_scope.cancel()

    async def _serve(self, listeners: list[trio.SocketListener], announce: Callable[[list[str]], None]) -> None:
        """Accept connections until told to stop, then let them end."""
        web = self._settings.web
        self._metrics.watch_rooms(self._hub.census)
        self._metrics.watch_refusals(lambda: self._hub.refusals)
        self._metrics.watch_requests(lambda: self._hub.request_times)
        self._metrics.watch_adaptation(lambda: self._hub.estimates, lambda: self._hub.layer_changes)
        self._metrics.watch_workers(self._media.readings, self._media.reading_ages, lambda: self._media.restarts)
        application = make_application(
            self._hub,
            self._metrics,
            StaticFiles(Path(str(files("simplestchat") / "static"))),
            ready=lambda: self._media.ready and not self._stopping.is_set(),
            refresh=self._media.refresh_readings,
            allowed_origins=web.allowed_origins,
            metrics_for=web.metrics,
        )
        front = Front(self._settings, self._context, application, self._hub.open_session, self._metrics)
        async with trio.open_nursery() as connections:
            connections.start_soon(front.move)
            accepting, refusing = trio.CancelScope(), trio.Event()
            connections.start_soon(_accept, front, listeners, connections, accepting, refusing)
            _settle_memory()
            announce(listening.urls(front.scheme, web.host, listening.bound_port(listeners), self._addresses))
            await self._stopping.wait()
            accepting.cancel()
            await refusing.wait()  # who hears that we drain finds no open port any more
            await self._drain(front)
            connections.cancel_scope.cancel()

    async def _start_media(self, nursery: trio.Nursery) -> None:
        """Start the workers; one that cannot have its port names the setting."""
        if self._settings.media.srtp_backend == "ipsec-mb" and (problem := ciphers.ipsec_mb_problem()):
            spelling = self._settings.spelling("srtp_backend")
            raise ConfigError(f"{spelling}: ipsec-mb cannot be used ({problem}); choose auto or openssl")
        try:
            await nursery.start(self._media.run)
        except BaseExceptionGroup as group:
            failed = group.subgroup(WorkerStartError)
            if failed is None:
                raise
            raise ConfigError(
                f"rtc-port: the media workers could not start ({first_leaf(failed)}); choose others with --rtc-port "
                "or SIMPLESTCHAT_RTC_PORT, or let --rtc-port 0 take free ones"
            ) from None

    async def _drain(self, front: Front) -> None:
        """Tell the clients, wait for them a while, close those that are left; a second signal shortens it."""
        log.info("draining")
        front.draining = True
        self._hub.drain(_wall_ms() + int(bounds.DRAIN_S * 1000))
        with trio.move_on_after(bounds.DRAIN_S):
            async with trio.open_nursery() as waiting:
                waiting.start_soon(_cancel_when, self._hurrying, waiting.cancel_scope)
                await front.empty()
                waiting.cancel_scope.cancel()
        front.close_all(CloseCode.GOING_AWAY, "the server is shutting down")
        self._media.give_up()  # a message is handled to its end, which may be waiting for a worker
        with trio.move_on_after(bounds.LAST_CLOSE_S):
            await front.empty()

    async def _watch_signals(self, signals: AsyncIterator[int], starting: trio.CancelScope) -> None:
        async for number in signals:
            if number == signal.SIGHUP and self._context is not None:
                self._reload_certificate(self._context)
                continue
            if self._stopping.is_set():
                self._hurrying.set()
            self._stopping.set()
            starting.cancel()

    def _signals(self) -> list[signal.Signals]:
        """Return the signals to hear: a terminal that closes ends us like SIGTERM, unless started with nohup."""
        hearing = [signal.SIGTERM, signal.SIGINT]
        if self._context is not None or signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            hearing.append(signal.SIGHUP)
        return hearing

    def _reload_certificate(self, context: ssl.SSLContext) -> None:
        """Use the certificate as its files are now; a wrong one is told and the old one stays."""
        try:
            tls.reload(context, self._settings, self._addresses, _now())
        except ConfigError as error:
            log.error("certificate not loaded", problem=str(error))
        else:
            log.info("certificate loaded")

    async def _tick(self) -> None:
        while True:
            await trio.sleep(TICK_S)
            try:
                self._hub.tick()
            except Exception:  # of one room or peer; the others' time goes on
                log.exception("tick failed")

    async def _measure_lag(self) -> None:
        while True:
            due = trio.current_time() + LAG_INTERVAL_S
            await trio.sleep_until(due)
            self._metrics.loop_lag.observe(max(0.0, trio.current_time() - due))


def first_leaf(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return an exception of a nest of groups."""
    first = group.exceptions[0]
    return first_leaf(first) if isinstance(first, BaseExceptionGroup) else first


async def _accept(
    front: Front,
    listeners: list[trio.SocketListener],
    connections: trio.Nursery,
    accepting: trio.CancelScope,
    refusing: trio.Event,
) -> None:
    """Accept until cancelled; the listeners close, which sets `refusing`, and the connections go on."""
    with accepting:
        await trio.serve_listeners(front.handle, listeners, handler_nursery=connections)
    refusing.set()


async def _cancel_when(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


async def _run_job(job: Callable[[], Awaitable[None]]) -> None:
    """Run what the hub has left to do on a worker; it must not take the node down."""
    try:
        await job()
    except Exception:
        log.exception("closing media failed")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


def _settle_memory() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
