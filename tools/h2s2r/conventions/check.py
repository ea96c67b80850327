"""All conventions over a file or a checkout.

In:  paths.   Out: ``Violation`` per line that breaks a convention.
Not here: the rules themselves (poses, modules, dependencies).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from h2s2r.conventions import dependencies, modules, poses
from h2s2r.conventions.violation import Violation

#: Folders and adapters that may say ``xyzw``: se3 converts, the others stand at a library's door.
XYZW_ALLOWED = ("h2s2r_schemas/se3/", "h2s2r/conventions/")


def check_tree(root: Path) -> list[Violation]:
    """Every source file of the packages and tools below ``root``, and what the packages declare."""
    files = [*root.glob("packages/*/src/**/*.py"), *root.glob("tools/**/*.py")]
    found = [violation for path in sorted(files) for violation in check_file(path, root)]
    projects = [(path.parent, path.parent / "src") for path in sorted(root.glob("packages/*/pyproject.toml"))]
    for project, sources in [*projects, (root, root / "tools")]:
        for path, line, rule, message in dependencies.check_dependencies(project, sources):
            found.append(Violation(path.relative_to(root).as_posix(), line, rule, message))
    return found


def check_file(path: Path, root: Path) -> list[Violation]:
    """One file.

    Args:
        path: the file.
        root: what its name in the violations is relative to.
    """
    text = path.read_text(encoding="utf-8")
    relative = path.relative_to(root).as_posix()
    findings = sorted(_findings(ast.parse(text), path, relative, len(text.splitlines())))
    return [Violation(relative, *finding) for finding in findings]


def _findings(tree: ast.Module, path: Path, relative: str, lines: int) -> Iterator[poses.Finding]:
    yield from poses.check_poses(tree)
    yield from modules.check_header(tree, path.name)
    yield from modules.check_size(tree, lines)
    yield from modules.check_pickle(tree)
    if path.name != "cli.py" and path.parent.name != "cli":
        yield from modules.check_print(tree)
    if not any(place in relative for place in XYZW_ALLOWED):
        yield from modules.check_xyzw(tree)
