"""Who runs on which cores: server and generators are kept apart, so that neither's hunger is the other's figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pinning:
    """A plan. Empty cores mean that the process is not pinned."""

    server: tuple[int, ...]
    generators: tuple[tuple[int, ...], ...]
    """Of each generator process."""
    words: str
    """The same for a report."""


def plan(cores: Sequence[int], processes: int, workers: int, *, own_server: bool) -> Pinning:
    """Share out the cores of this machine.

    ``processes`` is how many generators are wanted, 0 for one on each core that is left to them; ``workers`` how many
    media workers the server will have, 0 for one on each of its cores. The server gets half of the cores, but no more
    than its workers and its node can use. Of a single core only its media makes use: its node runs anywhere.
    """
    everything = tuple(sorted(cores))
    if not own_server:
        return _without_server(everything, processes)
    if len(everything) < 2:
        alone = processes or 1
        return Pinning((), ((),) * alone, "server and generators share one core: nothing is pinned")
    half = len(everything) // 2
    share = min(half, workers + 1) if workers else half
    server, rest = everything[:share], everything[share:]
    generators = _spread(rest, processes)
    kept = "server" if share > 1 else "the server's media"
    words = f"{kept} on {_names(server)}, {_generator_words(generators)}"
    return Pinning(server, generators, words)


def _without_server(cores: tuple[int, ...], processes: int) -> Pinning:
    if len(cores) < 2:
        return Pinning((), ((),) * (processes or 1), "one core: nothing is pinned")
    generators = _spread(cores, processes)
    return Pinning((), generators, _generator_words(generators))


def _spread(cores: tuple[int, ...], processes: int) -> tuple[tuple[int, ...], ...]:
    """One core for each process, round and round; fewer processes than cores get several each."""
    count = processes or len(cores)
    if count >= len(cores):
        return tuple((cores[index % len(cores)],) for index in range(count))
    return tuple(cores[index::count] for index in range(count))


def _generator_words(generators: tuple[tuple[int, ...], ...]) -> str:
    used = sorted({core for cores in generators for core in cores})
    noun = "generator" if len(generators) == 1 else "generators"
    return f"{len(generators)} {noun} on {_names(tuple(used))}"


def _names(cores: tuple[int, ...]) -> str:
    return ("core " if len(cores) == 1 else "cores ") + ", ".join(map(str, cores))
