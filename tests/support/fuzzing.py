"""Finds the fuzz targets of the native core and runs them; ``python -m support.fuzzing`` is the sanitizers' way in.

Every module of ``simplestchat._native.testing`` that has ``FUZZ_TARGETS`` and ``fuzz(target, seed, rounds, corpus)``
takes part; ``FUZZ_ROUNDS`` there says how many inputs make a run where a million would take too long. What is mutated
are the ``CORPUS`` tables (target to list of bytes) of the ``tests/fuzz/corpus_*.py`` files.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import pkgutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import simplestchat._native.testing as testing

DEFAULT_ROUNDS = 1_000_000
CORPORA = Path(__file__).parent.parent / "fuzz"


@dataclass(frozen=True)
class Target:
    """One fuzz target and its corpus."""

    name: str
    fuzz: Callable[[str, int, int, list[bytes]], int]
    corpus: list[bytes]
    rounds: int

    def run(self, seed: int, rounds: int | None = None) -> int:
        """Run ``rounds`` inputs, or as many as make a run of this target; return how many were accepted."""
        return self.fuzz(self.name, seed, self.rounds if rounds is None else rounds, self.corpus)


def load_corpora() -> dict[str, list[bytes]]:
    """Every corpus: target to inputs."""
    merged: dict[str, list[bytes]] = {}
    for path in sorted(CORPORA.glob("corpus_*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        for name, entries in module.CORPUS.items():
            merged.setdefault(name, []).extend(entries)
    return merged


def find_targets() -> list[Target]:
    """Every target; KeyError for one without a corpus."""
    corpora = load_corpora()
    targets = []
    for found in pkgutil.iter_modules(testing.__path__):
        module = importlib.import_module(f"{testing.__name__}.{found.name}")
        for name in getattr(module, "FUZZ_TARGETS", ()):
            rounds = getattr(module, "FUZZ_ROUNDS", DEFAULT_ROUNDS)
            targets.append(Target(name, module.fuzz, corpora[name], rounds))
    return targets


def main() -> None:
    """Run targets and print one line for each."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--rounds", type=int, help="inputs for each target; left out: as many as make a run of it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("targets", nargs="*", help="names; all when left out")
    options = parser.parse_args()
    wanted = [target for target in find_targets() if not options.targets or target.name in options.targets]
    for target in wanted:
        begun = time.perf_counter()
        accepted = target.run(options.seed, options.rounds)
        took = time.perf_counter() - begun
        print(f"{target.name}: {options.rounds or target.rounds} inputs, {accepted} accepted, {took:.2f} s", flush=True)
    if not wanted:
        sys.exit("no such target")


if __name__ == "__main__":
    main()
