"""Arguments of `simplestchat load`; the load tester itself is only imported when it is called."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

EXIT_USAGE = 2
#: Library to the extra of this package that brings it.
EXTRAS = {"rich": "load", "psutil": "load", "coredis": "load", "playwright": "browsers"}
_EXITS = "exit status: 0 pass, 1 fail, 2 wrong option, scenario or server, 3 void (the generator could not keep up)"

#: "subparsers" of argparse have a type that only argparse can name.
Commands = Any


def joined(arguments: Sequence[str]) -> list[str]:
    """Make one word of `load agent` and its like; a scenario that is called so is named by its path: ./agent.toml."""
    if len(arguments) > 1 and arguments[0] == "load" and arguments[1] in _OTHERS:
        return [f"load {arguments[1]}", *arguments[2:]]
    return list(arguments)


def add_commands(commands: Commands, wanted: str) -> None:
    """Give the parser `load` and the commands behind it; ``wanted`` is the one that is called."""
    _add_run(commands.add_parser("load", help="run a load test", description=_RUN, epilog=_EXITS, allow_abbrev=False))
    for name, (help_text, description, epilog) in _OTHERS.items():
        parser = commands.add_parser(
            f"load {name}", help=help_text, description=description, epilog=epilog, allow_abbrev=False
        )
        if name == "agent":
            _add_agent(parser)
        elif wanted == f"load {name}":  # what reads reports is imported for those who read some
            import_module(f"simplestchat.load.{name}").add_arguments(parser)


def _add_agent(agent: argparse.ArgumentParser) -> None:
    agent.add_argument("--redis", metavar="URL", required=True, help="where runs find agents: redis://HOST:PORT/DB")
    agent.add_argument("--name", help="what reports call this machine (default: its host name)")
    agent.add_argument("--processes", type=_count, metavar="N", help="generator processes (default: one per core)")


_WORSE = "exit status: 0 nothing got worse, 1 something did, 2 a report cannot be read"
_OTHERS = {
    "agent": (
        "generate load on this machine for a test that runs on another",
        "Wait for runs of `simplestchat load SCENARIO --agents N --redis URL` and generate their load, until it is "
        "interrupted.",
        "exit status: 0 ended as told, 2 a wrong option, or Redis cannot be reached",
    ),
    "compare": (
        "put two reports, or two folders of them, side by side",
        "Put two runs, or two groups of runs, side by side, with confidence intervals.",
        _WORSE,
    ),
    "trend": (
        "show how the reports in a folder develop",
        "Show the figures of all reports under a folder over time and name what got worse.",
        _WORSE,
    ),
}
_RUN = (
    "Put synthetic users on a server and check every packet that they receive. Without --server it starts one of its "
    "own, on cores of its own. The report goes to a folder: report.json and report.html."
)


def _add_run(load: argparse.ArgumentParser) -> None:
    load.add_argument(
        "scenario",
        metavar="SCENARIO",
        help="a TOML file, or the name of a scenario that comes with the program, such as conference",
    )
    what = load.add_argument_group("what is run")
    what.add_argument("--clients", type=_count, metavar="N", help="users (shape.clients)")
    what.add_argument("--duration", type=float, metavar="S", help="seconds that all stay together (ramp.hold_s)")
    what.add_argument("--seed", type=_count, metavar="N", help="the same seed does the same again (seed)")
    what.add_argument(
        "--set", action="append", metavar="KEY=VALUE", help="any key of the scenario, such as publish.video=720p30"
    )
    what.add_argument("--browsers", type=_count, metavar="K", help="so many real Chromiums in the first room, too")
    where = load.add_argument_group("where")
    where.add_argument("--server", metavar="URL", help="a server that runs already, such as https://chat.example.org")
    where.add_argument("--ca", type=Path, metavar="FILE", help="believe the server's certificate by these (PEM)")
    where.add_argument("--insecure", action="store_true", help="believe any certificate of the server")
    where.add_argument("--agents", type=_count, metavar="N", help="generate on N machines that run `load agent`")
    where.add_argument("--redis", metavar="URL", help="where the agents are found: redis://HOST:PORT/DB")
    told = load.add_argument_group("what it tells")
    told.add_argument("--report", type=Path, metavar="DIR", help="folder of the report (default: load-reports/…)")
    told.add_argument("--quiet", action="store_true", help="a line for each phase instead of a live view")
    told.add_argument("--metrics-port", type=_port, metavar="P", help="serve the run's figures to Prometheus here")
    told.add_argument("--metrics-push", metavar="URL", help="push the run's figures to a Pushgateway every 5 s")


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 0 on")
    return int(text)


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; expected 0 to 65535, 0 takes a free one")
    return int(text)


def main(options: argparse.Namespace, arguments: Sequence[str]) -> int:
    """Run one of the commands; return its exit status."""
    options.command_line = shlex.join(["simplestchat", *arguments])
    module = "run" if options.command == "load" else options.command.removeprefix("load ")
    try:
        status: int = import_module(f"simplestchat.load.{module}").main(options)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in EXTRAS:
            raise
        extra = EXTRAS[missing]
        print(
            f"simplestchat: this needs {missing}; install it with: pip install 'simplestchat[{extra}]'", file=sys.stderr
        )
        return EXIT_USAGE
    return status
