"""What figures of a task depend on: the sources and assets of sim, retarget and rl, as one hash.

In:  the installed packages, a task.   Out: a hash.
Not here: results (experiment.job).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from h2s2r_schemas.errors import H2S2RError

PACKAGES = ("h2s2r_retarget", "h2s2r_sim", "h2s2r_rl")
#: Neither sources nor assets; or pictures, which no policy sees.
_LEFT_OUT = ("__pycache__", "results", "recordings")
#: Has a file for each task.
_TASKS = ("assets", "tasks")


def sources_hash(task: str, packages: Sequence[str] = PACKAGES) -> str:
    """16 hexadecimal digits that change with any file of these packages, but for results, pictures and other tasks.

    Args:
        task: name of a bundled task.
        packages: which ones.

    Raises:
        H2S2RError: one of them is not installed.
    """
    digest = hashlib.sha256()
    for package in packages:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise H2S2RError(f"{package} is not installed, so its sources cannot be compared.")
        digest.update(folder_hash(Path(spec.origin).parent, task))
    return digest.hexdigest()[:16]


def folder_hash(folder: Path, task: str) -> bytes:
    """Of paths and contents of all files that matter to a task."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        other = inside.parts[:-1] == _TASKS and inside.stem != task
        if path.is_file() and not other and not set(_LEFT_OUT) & set(inside.parts):
            digest.update(inside.as_posix().encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.digest()
