"""The structs of reports as JSON Schema with the text that stands under each field in the source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec

from simplestchat.load.report import Part
from simplestchat.load.scenario import Frozen
from simplestchat.signaling.docs.source import clean, field_texts

Schema: TypeAlias = dict[str, Any]


def components(roots: Sequence[type[Part]]) -> dict[str, Schema]:
    """Every struct that ``roots`` lead to, by name, in the order of first use; ``notes`` holds its fields' texts."""
    _, schemas = msgspec.json.schema_components(roots, ref_template="{name}")
    known = {cls.__name__: cls for base in (Part, Frozen) for cls in _subclasses(base)}
    ordered: dict[str, Schema] = {}
    queue = [root.__name__ for root in roots]
    while queue:
        name = queue.pop(0)
        if name in ordered:
            continue
        schema = schemas[name]
        ordered[name] = {
            **schema,
            "description": clean(known[name].__doc__ or ""),
            "notes": {field: clean(text) for field, text in field_texts(known[name]).items()},
        }
        queue += _references(schema.get("properties", {}))
    return ordered


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [str(value["$ref"])] if "$ref" in value else []
        return own + [name for one in value.values() for name in _references(one)]
    if isinstance(value, (list, tuple)):
        return [name for one in value for name in _references(one)]
    return []


def _subclasses(cls: type[Any]) -> set[type[Any]]:
    direct = set(cls.__subclasses__())
    return direct.union(*(_subclasses(one) for one in direct))
