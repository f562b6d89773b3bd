"""The structs of reports as JSON Schema with the text that stands under each field in the source."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec

from simplestchat.load.report import Part
from simplestchat.load.scenario import Frozen

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
            "description": _one_paragraph(known[name].__doc__ or ""),
            "notes": field_notes(known[name]),
        }
        queue += _references(schema.get("properties", {}))
    return ordered


def field_notes(struct: type[Any]) -> dict[str, str]:
    """The text under each field in the source."""
    notes: dict[str, str] = {}
    tree = ast.parse(textwrap.dedent(inspect.getsource(struct))).body[0]
    assert isinstance(tree, ast.ClassDef)
    for field, note in zip(tree.body, tree.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(note, ast.Expr)
            and isinstance(note.value, ast.Constant)
        ):
            notes[field.target.id] = _one_paragraph(str(note.value.value))
    return notes


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


def _one_paragraph(text: str) -> str:
    return " ".join(inspect.cleandoc(text).replace("``", "`").split())
