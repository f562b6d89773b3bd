"""`simplestchat serve | doctor | load`: arguments and exit statuses, nothing else.

Exit statuses of `serve`: 0 ended as told, 1 could not start or failed, 2 a wrong option or setting.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from simplestchat import __version__, config
from simplestchat.cli import load
from simplestchat.errors import ConfigError

EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


def build_parser(wanted: str = "") -> argparse.ArgumentParser:
    """Return the parser of all commands; ``wanted`` is the one that is called."""
    parser = argparse.ArgumentParser(
        prog="simplestchat", description="Rooms with text chat, audio and video.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"simplestchat {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    serve = commands.add_parser("serve", help="run the server", allow_abbrev=False)
    config.add_arguments(serve)
    doctor = commands.add_parser(
        "doctor", help="check this machine and say how to mend what is wrong", allow_abbrev=False
    )
    doctor.add_argument(
        "--for",
        dest="purpose",
        choices=("serve", "load", "both"),
        default="both",
        help="what this machine is to do: run the server, generate load, or both (default)",
    )
    doctor.add_argument("--json", dest="as_json", action="store_true", help="print one JSON object")
    config.add_arguments(doctor)
    load.add_commands(commands, wanted)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    words = load.joined(given)
    parsed = build_parser(words[0] if words else "").parse_args(words)
    if parsed.command.startswith("load"):
        return load.main(parsed, given)
    options = vars(parsed)
    try:
        settings = config.load(options, os.environ)
    except config.SettingError as error:
        return _complain(error, EXIT_USAGE)
    if options["command"] == "doctor":
        from simplestchat.cli import doctor

        return doctor.main(settings, options["purpose"], as_json=options["as_json"])
    return _serve(settings)


def _serve(settings: config.Settings) -> int:
    # The server's libraries take a moment to import; a wrong option is told without them.
    import trio

    from simplestchat.server import limits, logs
    from simplestchat.server.node import Node, first_leaf

    logs.configure(settings.logs.log_level, settings.logs.log_format, time.monotonic)
    limits.raise_file_limit()
    try:
        trio.run(Node(settings).run, _announce)
    except BaseExceptionGroup as group:
        wrong, rest = group.split(ConfigError)
        if wrong is None or rest is not None:
            raise
        return _cannot_start(first_leaf(wrong))
    except ConfigError as error:
        return _cannot_start(error)
    return EXIT_OK


def _cannot_start(error: BaseException) -> int:
    return _complain(error, EXIT_USAGE if isinstance(error, config.SettingError) else EXIT_FAILED)


def _announce(urls: list[str]) -> None:
    """Say that the server may be used, and where else than on this machine."""
    print(f"ready {urls[0]}", flush=True)
    for url in urls[1:]:
        print(f"also {url}", flush=True)


def _complain(error: BaseException, status: int) -> int:
    print(f"simplestchat: {error}", file=sys.stderr)
    return status
