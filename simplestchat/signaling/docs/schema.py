"""The structs as JSON Schema, made plain for readers: described fields, no ``null`` that means absence."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import msgspec

from simplestchat.errors import PeerFault, SimplestChatError
from simplestchat.ortc.parameters import Wire
from simplestchat.signaling import rest
from simplestchat.signaling.docs.source import clean, field_texts
from simplestchat.signaling.registry import METHODS, NOTICES

Schema: TypeAlias = dict[str, Any]

REF: Final = "#/components/schemas/"
NOTIFICATION: Final = "Notification"
"""The name under which a whole notification, as ``missed`` holds them, is described."""

REST: Final = (rest.RoomCreate, rest.RoomView, rest.RoomMade, rest.RoomPage, rest.RoomStats)


@functools.cache
def components() -> dict[str, Schema]:
    """Every struct of the protocol by name, in the order of first use."""
    structs: list[type[Wire]] = []
    for method in METHODS.values():
        structs += (method.params, method.result)
    structs += NOTICES.values()
    structs += REST
    _, schemas = msgspec.json.schema_components(structs, ref_template=REF + "{name}")
    return {name: _plain(schema, _find(name)) for name, schema in schemas.items()}


def _find(name: str) -> type[Wire]:
    """The struct class of a schema's name; names are unique over the protocol."""
    found = [cls for cls in _subclasses(Wire) if cls.__name__ == name]
    assert len(found) == 1, f"{name} names {len(found)} structs"
    return found[0]


def _subclasses(cls: type[Any]) -> set[type[Any]]:
    direct = set(cls.__subclasses__())
    return direct.union(*(_subclasses(one) for one in direct))


def _plain(schema: Schema, struct: type[Wire]) -> Schema:
    """A struct's schema with field descriptions, and ``null`` only where it says something."""
    notes = field_notes(struct)
    nullable = {field.encode_name for field in msgspec.structs.fields(struct) if field.default is msgspec.UNSET}
    properties = {}
    for key, field in schema.get("properties", {}).items():
        plain = _simplify(field, keep_null=key in nullable)
        if key in notes:
            plain["description"] = notes[key]
        properties[key] = plain
    required = [key for key in schema.get("required", ()) if key in properties]
    result: Schema = {
        "title": schema["title"],
        "description": clean(struct.__doc__ or ""),
        "type": "object",
        "properties": properties,
    }
    if required:
        result["required"] = required
    return result


def _simplify(schema: Schema, *, keep_null: bool = False) -> Schema:
    """A copy without nulls, null defaults and what only Python's regular expressions know."""
    if "anyOf" in schema:
        kept = [_simplify(one) for one in schema["anyOf"] if keep_null or one.get("type") != "null"]
        rest_of = {key: value for key, value in schema.items() if key not in ("anyOf", "default")}
        return {**rest_of, **kept[0]} if len(kept) == 1 else {**rest_of, "anyOf": kept}
    result: Schema = {}
    for key, value in schema.items():
        if key == "pattern":
            result[key] = str(value).replace(r"\Z", "$").replace("(?i:audio|video)", "([Aa]udio|[Vv]ideo)")
        elif key in ("items", "additionalProperties", "propertyNames") and isinstance(value, Mapping):
            result[key] = _simplify(dict(value)) if value else {"$ref": REF + NOTIFICATION}
        elif not (key == "default" and value is None):
            result[key] = value
    return result


def field_notes(struct: type[Wire]) -> dict[str, str]:
    """The text under each field in the source, by wire name."""
    notes: dict[str, str] = {}
    names = {field.name: field.encode_name for field in msgspec.structs.fields(struct)}
    for cls in reversed(struct.__mro__):
        if cls.__module__.partition(".")[0] != __name__.partition(".")[0]:
            continue
        texts = field_texts(cls)
        notes |= {names[field]: clean(text) for field, text in texts.items() if field in names}
    return notes


def errors() -> list[type[SimplestChatError]]:
    """Every error that a client may be answered with, by code."""
    shown = {
        cls
        for cls in _subclasses(SimplestChatError)
        if "code" in vars(cls)
        and "default" in vars(cls)
        and (issubclass(cls, PeerFault) or cls.code >= 4500)
        and not cls.__name__.startswith("Media")
    }
    shown.add(sys.modules["simplestchat.errors"].InternalError)
    shown.add(sys.modules["simplestchat.errors"].MediaUnavailable)
    return sorted(shown, key=lambda cls: (cls.code >= 0, abs(cls.code)))
