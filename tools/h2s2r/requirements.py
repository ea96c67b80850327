"""Which behaviour is shown by which test or benchmark, and which by none yet.

In:  requirements.toml, the ``requirement`` marks in the tests, ``SHOWS`` of the benchmarks.   Out: rows.
Not here: whether those tests pass (pytest).
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from h2s2r import bench
from h2s2r_schemas.errors import H2S2RError

DATA = Path(__file__).with_name("requirements.toml")


@dataclass
class Row:
    """One behaviour and what shows it."""

    id: str
    """E.g. ``"H11"``."""
    title: str
    """What it is, in a line."""
    in_simulation: str
    """``yes``, ``partly`` (the rest needs hardware) or ``out`` (not pursued)."""
    hardware: str = ""
    """What only hardware can show, where it is ``partly``."""
    tests: list[str] = field(default_factory=list)
    """``file::test`` of the tests that carry its mark."""
    benchmarks: list[str] = field(default_factory=list)
    """``benchmark.key`` of the figures that show it."""

    @property
    def shown(self) -> bool:
        """Whether anything shows it."""
        return bool(self.tests or self.benchmarks)


def rows(root: Path) -> list[Row]:
    """All requirements in order, with what shows them in the checkout at ``root``.

    Raises:
        H2S2RError: a test or benchmark names an id that does not exist.
    """
    known = {key: Row(key, **value) for key, value in tomllib.loads(DATA.read_text(encoding="utf-8")).items()}

    def row(key: str, where: str) -> Row:
        if key not in known:
            raise H2S2RError(
                f"{where} names requirement {key!r}; ids are H01 to H55 and D01 to D53 (requirements.toml)."
            )
        return known[key]

    for path in sorted([*root.glob("tests/**/test_*.py"), *root.glob("packages/*/tests/**/test_*.py")]):
        for test, key in _marks(path):
            where = f"{path.relative_to(root).as_posix()}{test}"
            row(key, where).tests.append(where)
    for name in bench.benchmarks():
        for figure, keys in bench.shows(name).items():
            for key in keys:
                row(key, f"benchmark {name}").benchmarks.append(f"{name}.{figure}")
    return list(known.values())


def _marks(path: Path) -> Iterator[tuple[str, str]]:
    """(test, id) for each ``pytest.mark.requirement("…")`` in a file; on a module or a class it stands for all below."""

    def below(node: ast.AST, name: str) -> Iterator[tuple[str, str]]:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            name = f"{name}::{node.name}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "requirement":
            yield from ((name, str(arg.value)) for arg in node.args if isinstance(arg, ast.Constant))
        for child in ast.iter_child_nodes(node):
            yield from below(child, name)

    yield from below(ast.parse(path.read_text(encoding="utf-8")), "")


def report(found: list[Row]) -> str:
    """Rows for a person: each id with what shows it, the ids that nothing shows, and those that need hardware for the rest."""
    lines = []
    for row in found:
        if row.shown:
            lines.append(f"{row.id:<5} {row.title}")
            lines.extend(f"        {where}" for where in dict.fromkeys([*row.tests, *row.benchmarks]))
    missing = [row for row in found if not row.shown and row.in_simulation != "out"]
    lines.append(f"\nNothing shows these {len(missing)} yet:")
    lines.extend(f"{row.id:<5} {row.title}" for row in missing)
    partly = [row for row in found if row.in_simulation == "partly"]
    lines.append(f"\nThese {len(partly)} need hardware for the rest; nothing here has run on any:")
    lines.extend(f"{row.id:<5} {row.title}: {row.hardware}" for row in partly)
    out = sum(row.in_simulation == "out" for row in found)
    lines.append(
        f"\n{sum(row.shown for row in found)} of {len(found)} shown, {len(missing)} not yet, {out} not pursued; {len(partly)} "
        "need hardware for the rest."
    )
    return "\n".join(lines)
