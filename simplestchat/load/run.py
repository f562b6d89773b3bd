"""``simplestchat load SCENARIO``: from options to an exit status.

Exit statuses: 0 pass, 1 fail, 2 a wrong option or scenario or a server that could not start, 3 void.
"""

from __future__ import annotations

import argparse
import datetime
import signal
import sys
import tomllib
import urllib.parse
from collections.abc import AsyncIterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import trio
from rich.console import Console

from simplestchat.errors import ConfigError, SimplestChatError
from simplestchat.load.browsers import BrowserGuests
from simplestchat.load.capacity import Outcome, at, resources, search
from simplestchat.load.coordinate import Coordinator, Guests, Interrupted, Job, Staff
from simplestchat.load.cores import Pinning
from simplestchat.load.exporter import Exporter
from simplestchat.load.files import write_report
from simplestchat.load.judge import assess
from simplestchat.load.library import find_scenario
from simplestchat.load.reading import ScenarioError, read_scenario
from simplestchat.load.record import RunRecord
from simplestchat.load.report import Report
from simplestchat.load.scenario import Scenario
from simplestchat.load.server import ServerFailed, check_settings
from simplestchat.load.staff import LocalStaff
from simplestchat.load.terminal import LiveView, PhaseLines, print_report
from simplestchat.load.trust import Trust, read_trust

STATUSES = {"pass": 0, "fail": 1, "void": 3}
EXIT_USAGE, EXIT_VOID = 2, 3
REPORTS = Path("load-reports")
#: Options that are short for a key of the scenario.
SHORTHANDS = {"clients": "shape.clients", "duration": "ramp.hold_s", "seed": "seed"}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the options say, checked."""

    scenario: Scenario
    command: str
    url: str
    trust: Trust
    folder: Path
    quiet: bool
    agents: int
    redis: str
    browsers: int
    metrics_port: int | None
    metrics_push: str


def main(options: argparse.Namespace) -> int:
    """Run what the options say; return the exit status. What is wrong with them is told on standard error."""
    try:
        wanted = read_options(options)
        session = Session(wanted, Console())
        outcome = trio.run(session.run)
    except ConfigError as error:
        outcome = error
    if isinstance(outcome, SimplestChatError):
        print(f"simplestchat: {outcome}", file=sys.stderr)
        return EXIT_USAGE if isinstance(outcome, ConfigError | ServerFailed) else EXIT_VOID
    files = [path for path in write_report(outcome, wanted.folder) if path is not None]
    print_report(Console(), outcome, tuple(files))
    return STATUSES[outcome.verdict]


def read_options(options: argparse.Namespace) -> Wanted:
    """Check the options. Raises ``ConfigError``, which names the option and says what is allowed."""
    values = vars(options)
    overrides = {key: values[name] for name, key in SHORTHANDS.items() if values[name] is not None}
    overrides.update(_assignment(text) for text in options.set or ())
    scenario = read_scenario(find_scenario(options.scenario), overrides)
    url = _web_address("--server", options.server or "")
    trust = read_trust(options.ca, insecure=options.insecure)
    if not url:
        check_settings(scenario.server)
    if options.browsers and find_spec("playwright") is None:
        raise ConfigError("--browsers needs playwright; install it with: pip install 'simplestchat[browsers]'")
    if bool(options.agents) != bool(options.redis):
        raise ConfigError("--agents N and --redis URL belong together: agents are found over Redis.")
    moment = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")
    return Wanted(
        scenario=scenario,
        command=options.command_line,
        url=url,
        trust=trust,
        folder=options.report or REPORTS / f"{scenario.name}-{moment}",
        quiet=options.quiet,
        agents=options.agents or 0,
        redis=options.redis or "",
        browsers=options.browsers or 0,
        metrics_port=options.metrics_port,
        metrics_push=_web_address("--metrics-push", options.metrics_push or ""),
    )


def _assignment(text: str) -> tuple[str, Any]:
    """``shape.clients=20`` as a key and a value of TOML; what is none is a text."""
    key, sign, value = text.partition("=")
    if not sign or not key.strip():
        raise ScenarioError(f"--set {text}: write it as KEY=VALUE, such as shape.clients=20.")
    if key.strip().startswith("server."):  # settings of a server are texts, as on its own command line
        return key.strip(), value.strip()
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def _web_address(option: str, url: str) -> str:
    if not url:
        return ""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{option} {url}: is no address of a web server. Write it as http://HOST:PORT.")
    return url.rstrip("/")


class Session:
    """One call of the command: a run, or as many as a capacity search needs."""

    def __init__(self, wanted: Wanted, console: Console) -> None:
        self._wanted = wanted
        self._console = console
        self._coordinator: Coordinator | None = None
        self._pinning: Pinning | None = None
        self._interrupted = False

    async def run(self) -> Report | SimplestChatError:
        """Return the report, or why there is none."""
        outcome: Report | SimplestChatError
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._hear, signals)
                try:
                    outcome = await self._report()
                except SimplestChatError as error:
                    outcome = error
                nursery.cancel_scope.cancel()
        return outcome

    async def _hear(self, signals: AsyncIterator[int]) -> None:
        async for _number in signals:
            self._interrupted = True
            if self._coordinator is not None:
                await self._coordinator.interrupt()

    async def _report(self) -> Report:
        capacity = self._wanted.scenario.capacity
        if capacity is None:
            return assess(await self._once(self._wanted.scenario))
        found = await search(capacity, self._probe)
        return msgspec.structs.replace(found.best.report, capacity=found.capacity, command=self._wanted.command)

    async def _probe(self, value: int) -> Outcome:
        scenario = at(self._wanted.scenario, value)
        record = await self._once(scenario)
        report = assess(record)
        write_report(report, self._wanted.folder / f"step-{value}")
        if self._interrupted:
            raise Interrupted("Interrupted during a search; the steps until then have reports of their own.")
        self._say(f"{scenario.name}: {value} is {'carried' if report.verdict == 'pass' else report.verdict}")
        return Outcome(report, resources(record, len(self._pinning.server) if self._pinning else 0))

    async def _once(self, scenario: Scenario) -> RunRecord:
        wanted = self._wanted
        job = Job(
            scenario=scenario,
            command=wanted.command,
            url=wanted.url,
            trust=wanted.trust,
            remote_generators=bool(wanted.agents),
        )
        exporter = Exporter(wanted.metrics_port, wanted.metrics_push, f"simplestchat-load-{scenario.name}")
        with exporter, self._view() as view:
            if wanted.metrics_port is not None:
                self._say(f"metrics: http://0.0.0.0:{exporter.port}/metrics")
            self._coordinator = Coordinator(job, self._staff, [view, exporter], self._guests())
            outcome: RunRecord | SimplestChatError
            async with trio.open_nursery() as nursery:
                nursery.start_soon(exporter.push_on)
                try:
                    outcome = await self._coordinator.run()
                except SimplestChatError as error:
                    outcome = error
                nursery.cancel_scope.cancel()
        if exporter.trouble:
            self._say(f"metrics were not pushed: {exporter.trouble}")
        if isinstance(outcome, SimplestChatError):
            raise outcome
        return outcome

    def _say(self, words: str) -> None:
        self._console.print(words, soft_wrap=True, highlight=False)

    def _view(self) -> LiveView | PhaseLines:
        if self._wanted.quiet or not self._console.is_terminal:
            return PhaseLines(self._console)
        return LiveView(self._console)

    def _staff(self, pinning: Pinning) -> Staff:
        self._pinning = pinning
        if not self._wanted.agents:
            return LocalStaff(pinning)
        from simplestchat.load.redis_staff import RedisStaff  # its library is slow to import

        processes = self._wanted.scenario.generator.processes
        return RedisStaff(self._wanted.redis, self._wanted.agents, processes, self._say)

    def _guests(self) -> Guests | None:
        return BrowserGuests(self._wanted.browsers) if self._wanted.browsers else None
