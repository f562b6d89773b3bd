"""Settings from options, then the environment, then a TOML file, then defaults; anything wrong is refused by name."""

from __future__ import annotations

import argparse
import difflib
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from simplestchat.errors import ConfigError

from .settings import ENV_PREFIX, GROUPS, Entry, Settings, entries

CONFIG_VARIABLE = ENV_PREFIX + "CONFIG"
#: Variables of the build and of the tests, which are none of the server's business.
FOREIGN_VARIABLES = frozenset({ENV_PREFIX + "BUILD", ENV_PREFIX + "ANNOTATE", ENV_PREFIX + "TAINT"})
FOREIGN_PREFIX = ENV_PREFIX + "TEST_"
HIGHEST_PORT = 65535


class SettingError(ConfigError):
    """A setting that cannot be used: which one, the value it was given and what is allowed."""

    def __init__(self, name: str, value: object, allowed: str) -> None:
        super().__init__(f"{name}: {value!r} is not allowed here; expected {allowed}")
        self.name = name


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` an option for every line of the table, and --config."""
    parser.add_argument("--config", metavar="FILE", help=f"TOML file with settings (also {CONFIG_VARIABLE})")
    groups = {name: parser.add_argument_group(title) for name, (_cls, title) in GROUPS.items()}
    for entry in entries():
        groups[entry.group].add_argument(
            entry.option,
            dest=entry.field_name,
            metavar=entry.kind.metavar,
            action="append" if entry.kind.many else "store",
            help=f"{entry.help} (default: {entry.default_text()}; also {entry.variable})".replace("%", "%%"),
        )


def load(options: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """Return the settings; `options` holds raw option texts by field name, absent or None where not given."""
    _refuse_unknown_variables(environ)
    file_name = options.get("config") or environ.get(CONFIG_VARIABLE)
    table = _read_file(Path(file_name)) if file_name else {}
    groups: dict[str, dict[str, object]] = {name: {} for name in GROUPS}
    given: dict[str, str] = {}
    for entry in entries():
        spelling, value = _find(entry, options, environ, table, file_name)
        if spelling:
            groups[entry.group][entry.field_name] = value
            given[entry.field_name] = spelling
    settings = Settings(**{name: GROUPS[name][0](**values) for name, values in groups.items()}, given=given)
    _check_together(settings)
    return settings


def _find(
    entry: Entry,
    options: Mapping[str, Any],
    environ: Mapping[str, str],
    table: dict[str, object],
    file_name: str | None,
) -> tuple[str, object]:
    """Return how a setting was spelt and its value; no spelling when it was not given."""
    raw = options.get(entry.field_name)
    if raw is not None:
        text = ",".join(raw) if entry.kind.many else raw
        return entry.option, _parsed(entry, entry.option, text, text)
    if entry.variable in environ:
        text = environ[entry.variable]
        return entry.variable, _parsed(entry, entry.variable, text, text)
    if entry.key in table:
        spelling = f"{entry.key} in {file_name}"
        return spelling, _parsed(entry, spelling, table[entry.key], None)
    return "", None


def _parsed(entry: Entry, name: str, value: object, text: str | None) -> object:
    try:
        return entry.kind.parse(text) if text is not None else entry.kind.from_toml(value)
    except ValueError:
        raise SettingError(name, value, entry.kind.allowed) from None


def _refuse_unknown_variables(environ: Mapping[str, str]) -> None:
    known = {entry.variable for entry in entries()} | {CONFIG_VARIABLE}
    for name in sorted(environ):
        if not name.startswith(ENV_PREFIX) or name.startswith(FOREIGN_PREFIX) or name in FOREIGN_VARIABLES:
            continue
        if name not in known:
            raise SettingError(name, environ[name], _known_names(name, known, "a variable"))


def _read_file(path: Path) -> dict[str, object]:
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as exc:
        raise SettingError("--config", str(path), f"a readable file ({exc.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise SettingError("--config", str(path), f"a TOML file in UTF-8 ({exc})") from None
    known = {entry.key for entry in entries()}
    for key in table:
        if key not in known:
            raise SettingError(f"{key} in {path}", table[key], _known_names(key, known, "a key"))
    return table


def _known_names(name: str, known: Iterable[str], what: str) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return f"{what} that exists, see docs/settings.md{hint}"


def _check_together(settings: Settings) -> None:
    """Refuse what contradicts each other, by the spelling that was used."""
    web, media = settings.web, settings.media
    if (web.tls_cert is None) != (web.tls_key is None):
        given, missing = ("tls_cert", "tls-key") if web.tls_key is None else ("tls_key", "tls-cert")
        raise SettingError(settings.spelling(given), str(web.tls_cert or web.tls_key), f"{missing} beside it")
    if web.tls_cert is not None and web.tls == "self-signed":
        raise SettingError(settings.spelling("tls"), web.tls, "off, because tls-cert and tls-key are given")
    if media.rtc_port and media.rtc_port + media.workers - 1 > HIGHEST_PORT:
        allowed = f"at most {HIGHEST_PORT - media.workers + 1} with {media.workers} workers"
        raise SettingError(settings.spelling("rtc_port"), media.rtc_port, allowed)
