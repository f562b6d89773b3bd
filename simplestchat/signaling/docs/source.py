"""What stands in the source and is no more there at run time."""

from __future__ import annotations

import ast
import inspect
import textwrap


def field_texts(cls: type[object]) -> dict[str, str]:
    """The text under each field of the class itself."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(tree, ast.ClassDef)
    return {
        field.target.id: str(text.value.value)
        for field, text in zip(tree.body, tree.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
    }


def clean(text: str) -> str:
    """A docstring as one paragraph, in Markdown's way of writing code."""
    return " ".join(inspect.cleandoc(text).replace("``", "`").split())
