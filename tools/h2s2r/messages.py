"""The page of all messages, made from their classes.

In:  the registry of h2s2r-schemas.   Out: Markdown.
Not here: the messages; a test compares the page that is committed with this one.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

from h2s2r_schemas import artifacts, demo, wire
from h2s2r_schemas.codec.message import REGISTRY, Message

_HEAD = """# Messages

*Made from the classes in `h2s2r_schemas`; a test keeps both the same. After a change there:
`python -m h2s2r.messages docs/messages.md`.*

Packages meet in files and on the wire, and what they exchange is one of these messages: checked when it is made and when it is
read, immutable, with a schema name and a version. `h2s2r-schemas inspect FILE` says what a file holds. Arrays give their shape;
a pose is `wxyz_xyz`, a unit quaternion and a place in metres; `T_world_object` takes object coordinates to world.
"""
_MODULES = ((artifacts, "At rest"), (demo, "In a recording"), (wire, "On the wire"))


def messages_page() -> str:
    """The page."""
    lines = [_HEAD]
    for module, title in _MODULES:
        members = [cls for cls in REGISTRY.values() if cls.__module__.startswith(module.__name__)]
        lines += [
            f"## {title}\n",
            *(line for cls in sorted(members, key=lambda each: each.schema) for line in _of(cls)),
        ]
    return "\n".join(lines).rstrip() + "\n"


def _of(cls: type[Message]) -> Iterator[str]:
    yield f"### {cls.__name__}\n"
    yield f"`{cls.schema}`, version {cls.version}. {_sentence(inspect.getdoc(cls) or '')}\n"
    yield "| field | meaning | where it is left out |"
    yield "|---|---|---|"
    said = _field_docs(cls)
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        yield f"| `{field.name}` | {said.get(field.name, '')} | {_default(field)} |"
    yield ""


def _default(field: dataclasses.Field[object]) -> str:
    """What a reader takes where a writer left a field out."""
    value = field.default
    if value is not dataclasses.MISSING:
        return "none" if value is None else f"`{value}`" if value != "" else "empty"
    return "it cannot be" if field.default_factory is dataclasses.MISSING else "a default"


def _field_docs(cls: type[Message]) -> dict[str, str]:
    """The text below each field in the source."""
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(body, ast.ClassDef)
    said: dict[str, str] = {}
    for before, after in zip(body.body, body.body[1:], strict=False):
        named = isinstance(before, ast.AnnAssign) and isinstance(before.target, ast.Name)
        if named and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            said[before.target.id] = _sentence(str(after.value.value))  # type: ignore[union-attr]
    return said


def _sentence(text: str) -> str:
    """In one line, as Markdown in a table takes it."""
    return " ".join(text.split()).replace("``", "`").replace("|", "\\|")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(messages_page(), encoding="utf-8")
