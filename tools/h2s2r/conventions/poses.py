"""Names of poses, and products of poses whose names cancel.

In:  the syntax tree of a file.   Out: (line, rule, message) of what does not fit.
Not here: whether a variable named ``T_…`` really holds an SE3 (the type checker's part).

``T_world_object`` maps object coordinates to world. In ``T_world_camera @ T_camera_object`` the inner names are equal and
cancel; ``.inv()`` swaps the two; an assignment has the name of what is left. Frames may have several words, separated by
``_``; where a split is ambiguous, any split that cancels is accepted.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

Finding = tuple[int, str, str]
#: What a name may mean: pairs of (to, from) frames.
Meaning = frozenset[tuple[str, str]]

_POSE = re.compile(r"^(?:T|Ts)_(.+)$")
_BARE = {"pose"}
_FRAME = "(world|camera|object|table|wrist|palm|fingertip|goal|base)"
_FRAME_TO_FRAME = re.compile(rf"(^|_){_FRAME}_to_{_FRAME}(_|$)")


def check_poses(tree: ast.AST) -> Iterator[Finding]:
    """Everything about poses in one file."""
    for node in ast.walk(tree):
        for name in _bound_names(node):
            yield from _check_name(name, getattr(node, "lineno", 1))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            left, right = _meaning(node.left), _meaning(node.right)
            if left and right and not _product(left, right):
                message = f"{ast.unparse(node)}: the inner frames differ, so this is not a chain of poses"
                yield node.lineno, "pose-chain", message
        for target, value in _given(node):
            yield from _check_given(target, value)


def _bound_names(node: ast.AST) -> Iterator[str]:
    """Names that this node gives to something."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        yield node.attr
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield node.name


def _check_name(name: str, line: int) -> Iterator[Finding]:
    if name in _BARE:
        yield line, "pose-name", f"{name}: say which pose, e.g. T_world_object"
    if _FRAME_TO_FRAME.search(name):
        yield line, "pose-name", f"{name}: no `_to_`; T_a_b maps b to a"
        return
    match = _POSE.match(name)
    if not match:
        return
    parts = match.group(1).split("_")
    if "to" in parts:
        yield line, "pose-name", f"{name}: no `_to_`; T_a_b maps b to a"
    elif len(parts) < 2:
        yield line, "pose-name", f"{name}: two frames are needed, e.g. T_world_object"
    elif any(len(part) == 1 for part in parts):
        yield line, "pose-name", f"{name}: write frames out, no one-letter frames"


def _meaning(node: ast.expr) -> Meaning:
    """What a pose expression maps, by its name; empty where the name does not say."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "inv":
        return frozenset((inner, outer) for outer, inner in _meaning(node.func.value))
    if isinstance(node, ast.Subscript):
        return _meaning(node.value)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return _product(_meaning(node.left), _meaning(node.right))
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    match = _POSE.match(name)
    parts = match.group(1).split("_") if match else []
    return frozenset(("_".join(parts[:i]), "_".join(parts[i:])) for i in range(1, len(parts)))


def _product(left: Meaning, right: Meaning) -> Meaning:
    return frozenset((a, d) for a, b in left for c, d in right if b == c)


def _given(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """(name, value) pairs: by an assignment, in a tuple too, and by the return of a function that is named like a pose."""
    if isinstance(node, ast.Assign):
        pairs = [(target, node.value) for target in node.targets]
    elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
        pairs = [(node.target, node.value)]
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _POSE.match(node.name):
        name = ast.Name(node.name, ast.Store(), lineno=node.lineno)
        pairs = [
            (name, each.value) for each in ast.walk(node) if isinstance(each, ast.Return) and each.value is not None
        ]
    else:
        return
    for target, value in pairs:
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            yield from zip(target.elts, value.elts, strict=False)
        else:
            yield target, value


def _check_given(target: ast.expr, value: ast.expr) -> Iterator[Finding]:
    named, found = _meaning(target), _meaning(value)
    if named and found and not named & found:
        means = " or ".join(sorted(f"T_{a}_{b}" for a, b in found))
        yield value.lineno, "pose-assignment", f"{ast.unparse(target)} is given what its name says is {means}"
