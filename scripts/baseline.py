"""Keeps a benchmark run as the baseline of its kind of machine, in bench/baselines.

`python scripts/baseline.py [bench-output/bench.json]`; with `--merge`, benchmarks that were not run keep their figures.
Then `make docs` writes the tables and plots of docs/performance.md from it.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "bench"))

from performance.baseline import BASELINES, machine_name, merged, slimmed  # noqa: E402


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, nargs="?", default=ROOT / "bench-output" / "bench.json")
    parser.add_argument("--merge", action="store_true", help="keep what this run did not measure")
    arguments = parser.parse_args()
    run = slimmed(json.loads(arguments.run.read_text()))
    path = BASELINES / f"{machine_name(run)}.json"
    if arguments.merge and path.exists():
        run = merged(json.loads(path.read_text()), run)
    path.write_text(json.dumps(run, indent=1) + "\n")
    print(f"{len(run['benchmarks'])} benchmarks in {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
