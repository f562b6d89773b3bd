"""A run of generators without a command around it: assignments in, samples and results out."""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import trio
import trio.testing
from support.repository import ROOT
from support.server import Server
from support.waiting import eventually

from simplestchat.load.counts import now_us
from simplestchat.load.generator import generate
from simplestchat.load.link import Link, StreamLink
from simplestchat.load.messages import Assign, Finished, Ready, Sample, Start
from simplestchat.load.scenario import Scenario

START_LEAD_US = 200_000
#: What is under way at the end arrives, although the machine stands still for a while.
SETTLE_S = 2.5


@dataclass
class Outcome:
    """What one generator told."""

    ready: Ready | None = None
    samples: list[Sample] = field(default_factory=list)
    finished: Finished | None = None

    @property
    def totals(self) -> dict[str, int]:
        """At the end."""
        return self.samples[-1].totals

    @property
    def receive_drops(self) -> float:
        """What full sockets of its users dropped, as on a machine that stood still: no server lost that."""
        return self.samples[-1].generator["receive_drops"]

    def count(self, histogram: str) -> int:
        """How much a histogram holds in all."""
        return sum(one.histograms[histogram][0] for one in self.samples if histogram in one.histograms)


async def conduct(links: list[Link], scenario: Scenario, url: str, seed: int = 1) -> list[Outcome]:
    """Coordinate the generators at the other ends of these links."""
    run = secrets.token_hex(4)
    outcomes = [Outcome() for _ in links]
    for part, link in enumerate(links):
        await link.send(Assign(run=run, scenario=scenario, seed=seed, url=url, part=part, parts=len(links)))
        ready = await link.receive()
        assert isinstance(ready, Ready), ready
        outcomes[part].ready = ready
    at_us = now_us() + START_LEAD_US
    for link in links:
        await link.send(Start(at_us=at_us))
    async with trio.open_nursery() as nursery:
        for link, outcome in zip(links, outcomes, strict=True):
            nursery.start_soon(_hear, link, outcome)
    return outcomes


async def _hear(link: Link, outcome: Outcome) -> None:
    while outcome.finished is None:
        message = await link.receive()
        if isinstance(message, Sample):
            outcome.samples.append(message)
        elif isinstance(message, Finished):
            outcome.finished = message
        else:
            raise AssertionError(message)


def run_here(scenario: Scenario, url: str, seed: int = 1) -> Outcome:
    """Run all users in this process."""
    outcomes: list[Outcome] = []

    async def main() -> None:
        here, there = trio.testing.memory_stream_pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(generate, StreamLink(there, there))
            outcomes.extend(await conduct([StreamLink(here, here)], scenario, url, seed))

    trio.run(main)
    return outcomes[0]


def run_in_processes(scenario: Scenario, url: str, count: int) -> list[Outcome]:
    """Run the users in processes of their own, as the coordinator does it."""
    outcomes: list[Outcome] = []

    async def main() -> None:
        command = [sys.executable, "-m", "simplestchat.load.generator"]
        async with trio.open_nursery() as nursery:
            processes: list[trio.Process] = []
            for _ in range(count):
                start: Any = partial(trio.run_process, command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
                processes.append(await nursery.start(start))
            links: list[Link] = []
            for process in processes:
                assert process.stdin is not None
                assert process.stdout is not None
                links.append(StreamLink(process.stdin, process.stdout))
            outcomes.extend(await conduct(links, scenario, url))
            for process in processes:
                assert process.stdin is not None
                await process.stdin.aclose()

    trio.run(main)
    return outcomes


def run_disturbed(act: Callable[[], object], scenario: Scenario, server: Server) -> Outcome:
    """A run during which something happens to the server, once everybody is connected and receives everybody."""
    clients = scenario.shape.clients
    whole = (2 * clients, clients * (clients - 1) * 2)

    def wait_and_act() -> None:
        eventually(
            lambda: tuple(sum(server.worker_metric(name)) for name in ("handshakes_total", "consumers")), whole.__eq__
        )
        time.sleep(0.5)  # the server is connected a moment before the user
        act()

    with ThreadPoolExecutor(1) as pool:
        acting = pool.submit(wait_and_act)
        outcome = run_here(scenario, server.url)
        acting.result()
    return outcome
