"""Every library that a package imports stands in its own pyproject.toml.

In:  a package's folder.   Out: (file, line, rule, message) of each import that is not declared.
Not here: which package may know which (import-linter), what really installs (isolate).

A library that only comes along with another one is missing on the day that other one drops it; and an import inside a
function is not seen by a test that merely imports the module.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any


def check_dependencies(project: Path, sources: Path) -> Iterator[tuple[Path, int, str, str]]:
    """Imports below ``sources`` of what ``project``/pyproject.toml declares neither as a dependency nor in an extra."""
    table: dict[str, Any] = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8")).get("project", {})
    extras: dict[str, list[str]] = table.get("optional-dependencies", {})
    requirements = [*table.get("dependencies", []), *(line for lines in extras.values() for line in lines)]
    declared = {_normal(re.split(r"[^\w.-]", line, maxsplit=1)[0]) for line in requirements}
    declared.add(_normal(table.get("name", "")))
    for path in sorted(sources.rglob("*.py")):
        for module, line in _imports(ast.parse(path.read_text(encoding="utf-8"))):
            if module not in sys.stdlib_module_names and not declared & _distributions(module):
                yield (
                    path,
                    line,
                    "dependency",
                    f"{module} is imported but not declared in {project.name}/pyproject.toml",
                )


def _imports(node: ast.AST) -> Iterator[tuple[str, int]]:
    """Top-level name and line of every absolute import that can run: in functions too, not under ``TYPE_CHECKING``."""
    if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        return
    if isinstance(node, ast.Import):
        yield from ((alias.name.partition(".")[0], node.lineno) for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
        yield node.module.partition(".")[0], node.lineno
    for child in ast.iter_child_nodes(node):
        yield from _imports(child)


def _distributions(module: str) -> set[str]:
    """Names of the distributions that bring a module; its own name counts too, for what is not installed here."""
    return {_normal(name) for name in (*_installed().get(module, ()), module)}


@cache
def _installed() -> dict[str, list[str]]:
    return dict(packages_distributions())


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
