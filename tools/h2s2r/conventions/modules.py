"""What every module keeps to: its header, its size, who may print, what is never imported.

In:  the text and syntax tree of a file.   Out: (line, rule, message) of what does not fit.
Not here: names of poses (poses).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from h2s2r.conventions.poses import Finding

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 50
_PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}
_PICKLE_CALLS = {"recv_pyobj", "send_pyobj"}
_HEADER = (re.compile(r"^In: ", re.M), re.compile(r"Out: "), re.compile(r"^Not here: ", re.M))


def check_header(tree: ast.Module, name: str) -> Iterator[Finding]:
    """The docstring says what comes in, what goes out and what is not here.

    The ``__init__.py`` of a whole package is its front door, described by the package's README, and only needs a docstring.
    """
    text = ast.get_docstring(tree) or ""
    if name == "__init__.py" and text:
        return
    if not all(pattern.search(text) for pattern in _HEADER):
        yield 1, "header", "the module's docstring needs the lines `In:`, `Out:` and `Not here:`"


def check_size(tree: ast.Module, lines: int) -> Iterator[Finding]:
    """A file has one idea, and so has a function."""
    if lines > MAX_FILE_LINES:
        yield 1, "file-size", f"{lines} lines; at most {MAX_FILE_LINES}: does it still have one idea?"
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > MAX_FUNCTION_LINES:
                yield node.lineno, "function-size", f"{node.name} has {length} lines; at most {MAX_FUNCTION_LINES}"


def check_print(tree: ast.Module) -> Iterator[Finding]:
    """Libraries log or return; only ``cli.py`` prints."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield node.lineno, "print", "only cli.py prints; return a value, or log"


def check_pickle(tree: ast.Module) -> Iterator[Finding]:
    """A pickle can run code when it is read, so none is written or read anywhere."""
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Attribute) and node.attr in _PICKLE_CALLS:
            names = ["pickle"]
        elif isinstance(node, ast.keyword) and node.arg == "allow_pickle" and _is_true(node.value):
            names = ["pickle"]
        if any(name.split(".")[0] in _PICKLES for name in names):
            yield (
                getattr(node, "lineno", node.value.lineno if isinstance(node, ast.keyword) else 1),
                "pickle",
                "no pickle",
            )


def _is_true(node: ast.expr) -> bool:
    return not (isinstance(node, ast.Constant) and node.value is False)


def check_xyzw(tree: ast.Module) -> Iterator[Finding]:
    """Quaternions are wxyz; the other order appears only where a library asks for it."""
    for node in ast.walk(tree):
        name = getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "arg", None)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            name = node.name
        if isinstance(name, str) and "xyzw" in name:
            yield getattr(node, "lineno", 1), "xyzw", f"{name}: quaternions are wxyz; convert in h2s2r_schemas.se3"
