"""From a TOML file to a ``Scenario``; what is wrong is refused with its line, its key and what is allowed."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from simplestchat.errors import ConfigError
from simplestchat.load.presets import layers, preset
from simplestchat.load.scenario import (
    LEAST_RATE_BPS,
    MOST_RATE_BPS,
    RATES,
    Capacity,
    Conditions,
    Publish,
    Scenario,
    Shape,
    Step,
    Subscribe,
)

_AT = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<key>.*?)`(?: - at |$)")
_MISSING = re.compile(r"^Object missing required field `(?P<key>.*?)`(?: - at |$)")
_PART = re.compile(r"\.(?P<key>[^.\[]+)|\[(?P<index>\d+)\]|\[\.\.\.\]")
_HEADER = re.compile(r"^\s*\[{1,2}\s*(?P<name>[^\]]+?)\s*\]{1,2}\s*(#.*)?$")
_ASSIGNMENT = re.compile(r"^\s*(?P<key>[A-Za-z0-9_\-.\"' ]+?)\s*=")
_LEAST_TALK_S = 0.001  # synthetic users count milliseconds
_OF_VIDEO = ("codec", "bitrate_bps", "simulcast", "layers", "scalability")

Path_ = tuple[str | int, ...]


class ScenarioError(ConfigError):
    """A scenario that cannot be run: where, what stands there and what is allowed."""


def read_scenario(path: Path, overrides: Mapping[str, Any] | None = None) -> Scenario:
    """Return the scenario of a file, with ``overrides`` (dotted key to value) put over it.

    Raises ``ScenarioError`` with the file's name, line and key for anything that is wrong.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read ({error.strerror}). Name a scenario file.") from None
    except UnicodeDecodeError as error:
        raise ScenarioError(f"{path}: is not UTF-8 (byte {error.start}). Write it as UTF-8 text.") from None
    return parse_scenario(text, str(path), overrides or {})


def parse_scenario(text: str, where: str, overrides: Mapping[str, Any]) -> Scenario:
    """Return the scenario of a TOML text that came from ``where``; raises ``ScenarioError``."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{where}: is no TOML: {error}") from None
    for key, value in overrides.items():
        _put(table, key, value)
    _switch_off(table)
    try:
        scenario = msgspec.convert(table, Scenario)
    except msgspec.ValidationError as error:
        raise ScenarioError(_explain(str(error), table, text, where, overrides)) from None
    for path, complaint in _contradictions(scenario):
        raise ScenarioError(f"{_place(path, text, where, overrides)}: {complaint}")
    return scenario


def _put(table: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, key = dotted.split(".")
    for parent in parents:
        child = table.setdefault(parent, {})
        if not isinstance(child, dict):
            raise ScenarioError(f"{dotted}: {parent} is no table. Name a key as TABLE.KEY, such as shape.clients.")
        table = child
    table[key] = value


def _switch_off(table: dict[str, Any]) -> None:
    """TOML has no null: an objective that is not to be judged is "off"."""
    objectives = table.get("objectives")
    if isinstance(objectives, dict):
        table["objectives"] = {key: None if value == "off" else value for key, value in objectives.items()}


def _explain(message: str, table: dict[str, Any], text: str, where: str, overrides: Mapping[str, Any]) -> str:
    """One sentence from a validation error: place, key, value, what is allowed."""
    at = _AT.search(message)
    path = _parse_path(at["path"]) if at else ()
    unknown, missing = _UNKNOWN.match(message), _MISSING.match(message)
    if unknown:
        known = _keys(path)
        close = difflib.get_close_matches(unknown["key"], known, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        place = _place((*path, unknown["key"]), text, where, overrides)
        return f"{place}: there is no such key; {hint}Known here: {', '.join(known)}."
    if missing:
        return f"{_place(path, text, where, overrides)}: {missing['key']} is missing; add it."
    value = _value_at(table, path)
    return f"{_place(path, text, where, overrides)}: {value!r} is not allowed here; expected {_allowed(path)}."


def _parse_path(path: str) -> Path_:
    parts: list[str | int] = []
    for part in _PART.finditer(path):
        if part["key"] is not None:
            parts.append(part["key"])
        elif part["index"] is not None:
            parts.append(int(part["index"]))
    return tuple(parts)


def _value_at(table: Any, path: Path_) -> Any:
    for part in path:
        try:
            table = table[part]
        except (KeyError, IndexError, TypeError):
            return None
    return table


def _type_at(path: Path_) -> inspect.Type:
    kind: inspect.Type = inspect.type_info(Scenario)
    for part in path:
        kind = _given(kind)
        if isinstance(kind, inspect.StructType):
            kind = next((field.type for field in kind.fields if field.encode_name == part), inspect.AnyType())
        elif isinstance(kind, inspect.VarTupleType):
            kind = kind.item_type
        elif isinstance(kind, inspect.DictType):
            kind = kind.value_type
    return _given(kind)


def _given(kind: inspect.Type) -> inspect.Type:
    """Of something or nothing, the something."""
    if isinstance(kind, inspect.UnionType):
        return next(one for one in kind.types if not isinstance(one, inspect.NoneType))
    return kind


def _keys(path: Path_) -> list[str]:
    kind = _type_at(path)
    return [field.encode_name for field in kind.fields] if isinstance(kind, inspect.StructType) else []


def _allowed(path: Path_) -> str:
    """What a key takes, in words."""
    off = ', or "off"' if len(path) > 1 and path[0] == "objectives" else ""
    return _words(_type_at(path)) + off


def _words(kind: inspect.Type) -> str:
    match kind:
        case inspect.Metadata(extra={"words": str(words)}):
            return words
        case inspect.LiteralType():
            return "one of " + ", ".join(repr(value) for value in kind.values)
        case inspect.BoolType():
            return "true or false"
        case inspect.IntType() | inspect.FloatType():
            noun = "a whole number" if isinstance(kind, inspect.IntType) else "a number"
            return " ".join((noun, *_bounds(kind)))
        case inspect.StrType():
            return "text" if kind.max_length is None else f"text of at most {kind.max_length} characters"
        case inspect.VarTupleType(item_type=inspect.StructType()):
            return "an array of tables"
        case inspect.VarTupleType():
            most = "" if kind.max_length is None else f" of at most {kind.max_length}"
            return f"an array{most}, each {_words(kind.item_type)}"
        case _:
            return "a table"


def _bounds(kind: inspect.IntType | inspect.FloatType) -> Iterator[str]:
    for bound, words in ((kind.ge, "from"), (kind.gt, "above"), (kind.le, "to"), (kind.lt, "below")):
        if bound is not None:
            yield f"{words} {bound:,}".replace(",", " ")


def _place(path: Path_, text: str, where: str, overrides: Mapping[str, Any]) -> str:
    """``FILE line 12, shape.clients``, or the option that put it there."""
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).lstrip(".")
    if any(key == name or key.startswith((f"{name}.", f"{name}[")) for name in overrides):
        return f"{key} (given on the command line)"
    line = _line_of(path, text)
    return f"{where}, line {line}, {key}" if key else where if line == 1 else f"{where}, line {line}"


def _line_of(path: Path_, text: str) -> int:
    """The line of a key, or of the nearest thing around it; 1 when nothing fits."""
    best, best_size = 1, 0
    prefix: Path_ = ()
    arrays: dict[Path_, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        header, assignment = _HEADER.match(line), _ASSIGNMENT.match(line)
        if header:
            found = prefix = _headed(_parts(header["name"]), arrays, of_array=line.lstrip().startswith("[["))
        elif assignment:
            found = (*prefix, *_parts(assignment["key"]))
        else:
            continue
        if len(found) > best_size and path[: len(found)] == found:
            best, best_size = number, len(found)
    return best


def _parts(dotted: str) -> list[str]:
    return [part.strip().strip("\"'") for part in dotted.split(".")]


def _headed(parts: list[str], arrays: dict[Path_, int], *, of_array: bool) -> Path_:
    """Where a header leads to. ``arrays`` holds of each array of tables which one was begun last, and is kept up."""
    *parents, last = parts
    path: Path_ = ()
    for parent in parents:
        path = (*path, parent)
        if path in arrays:
            path = (*path, arrays[path])
    path = (*path, last)
    if of_array:
        arrays[path] = arrays.get(path, -1) + 1
        path = (*path, arrays[path])
    return path


def _contradictions(scenario: Scenario) -> Iterator[tuple[Path_, str]]:
    """What each key allows alone but not together with others."""
    shape, network = scenario.shape, scenario.network
    if shape.presenters > _room_size(shape):
        yield ("shape", "presenters"), f"{shape.presenters} of a room of {_room_size(shape)} cannot publish."
    for keys, complaint in _contradictions_in_publish(scenario.publish):
        yield ("publish", *keys), complaint
    for key, complaint in _contradictions_in_subscribe(scenario.subscribe, scenario.publish):
        yield ("subscribe", key), complaint
    if network.steps and not network.share:
        yield ("network", "share"), "steps happen to the users behind emulated paths. Set a share above 0."
    for index, step in enumerate(network.steps):
        for key, complaint in _contradictions_of(step):
            yield ("network", "steps", index, key), complaint
    if scenario.capacity:
        for key, complaint in _contradictions_in_capacity(scenario.capacity, scenario.publish):
            yield ("capacity", key), complaint


def _contradictions_in_publish(publish: Publish) -> Iterator[tuple[tuple[str, ...], str]]:
    if not publish.audio and not publish.video:
        yield (), "nothing is published. Set audio = true, or video to a preset such as 720p30."
    if publish.audio and publish.talk in ("turns", "spurts"):
        for key in ("talk_s", "silence_s") if publish.talk == "spurts" else ("talk_s",):
            if getattr(publish, key) < _LEAST_TALK_S:
                yield (key,), f"talk = {publish.talk!r} needs {_LEAST_TALK_S} or more."
    if not publish.video:
        for key in _OF_VIDEO:
            if getattr(publish, key) != getattr(Publish(), key):
                yield (key,), f"there is no video. Set publish.video, such as 720p30, or leave {key} out."
        return
    if publish.layers and publish.bitrate_bps:
        yield ("bitrate_bps",), "publish.layers has the bit rates already. Leave one of the two out."
    if list(publish.layers) != sorted(publish.layers):
        yield ("layers",), "the bit rates go down. Put the lowest first."
    rate = _impossible_rate(publish)
    if rate is not None:
        yield ("bitrate_bps",), f"an encoding would have {rate} bit/s. Each takes {RATES}."
    complaint = _impossible_scalability(publish)
    if complaint:
        yield ("scalability",), complaint


def _impossible_rate(publish: Publish) -> int | None:
    """That of an encoding which cannot be sent."""
    encodings = layers(preset(publish.video, publish.bitrate_bps), simulcast=publish.simulcast, rates=publish.layers)
    rates = (one.bitrate_bps for one in encodings)
    return next((rate for rate in rates if not LEAST_RATE_BPS <= rate <= MOST_RATE_BPS), None)


def _impossible_scalability(publish: Publish) -> str:
    """Why the codec or the encodings cannot have the layers inside; empty when they can."""
    mode, codec = publish.scalability, publish.codec
    if mode == "L1T1":
        return ""
    if codec in ("h264", "mixed"):
        also = ", which mixed includes," if codec == "mixed" else ""
        return f"h264{also} has no layers inside. Set publish.codec to vp8, vp9 or av1, or leave scalability out."
    if mode.startswith("L1"):
        return ""
    if codec == "vp8":
        return f"vp8 has no spatial layers. Set publish.codec to vp9 or av1, or scalability to L1{mode[2:4]}."
    if len(publish.layers) > 1 or (publish.simulcast and not publish.layers):
        key = "layers" if publish.layers else "simulcast"
        return f"{mode} has spatial layers, as {key} has. Leave out {key}, or set scalability to L1{mode[2:4]}."
    return ""


def _contradictions_in_subscribe(subscribe: Subscribe, publish: Publish) -> Iterator[tuple[str, str]]:
    if subscribe.mode in ("some", "page") and not subscribe.limit:
        yield "limit", f"mode {subscribe.mode!r} needs a limit of 1 or more."
    if not subscribe.layout:
        return
    if not publish.video:
        yield "layout", "there is no video. Set publish.video, such as 720p30, or leave layout out."
    elif not subscribe.video or subscribe.mode == "none":
        yield "layout", "no video is received. Set subscribe.video = true and a mode such as all, or leave layout out."


def _contradictions_in_capacity(capacity: Capacity, publish: Publish) -> Iterator[tuple[str, str]]:
    if capacity.low >= capacity.high:
        yield "low", f"low ({capacity.low}) must be under high ({capacity.high})."
    if capacity.dimension != "bitrate_bps":
        return
    if not publish.video:
        yield "dimension", "there is no video whose bit rate could be raised. Set publish.video, such as 720p30."
    elif publish.layers:
        yield "dimension", "publish.layers has bit rates of its own. Set publish.simulcast = true instead of it."
    else:
        for key in ("low", "high"):
            rate = _impossible_rate(msgspec.structs.replace(publish, bitrate_bps=getattr(capacity, key)))
            if rate is not None:
                yield key, f"an encoding would have {rate} bit/s. Each takes {RATES}."


def _contradictions_of(step: Step) -> Iterator[tuple[str, str]]:
    if step.event == "outage" and not step.duration_s:
        yield "duration_s", "an outage needs a duration above 0."
    if step.event == "address-change" and step.duration_s:
        yield "duration_s", "an address changes in a moment. Leave it out."
    if step.event != "address-change" and step.restart_share:
        yield "restart_share", "ICE is restarted by those whose address changes. Leave it out."
    for key, given in (("up", step.up), ("down", step.down)):
        if step.event != "conditions" and given != Conditions():
            yield key, f"{step.event} takes no conditions. Leave it out, or set event to conditions."


def _room_size(shape: Shape) -> int:
    return shape.room_size or shape.clients
