"""Robots that this server can drive, as files of ``RobotSpec``: it knows nothing else of them.

In:  a name, or a path.   Out: ``RobotSpec``.
Not here: geometry and gains (h2s2r-retarget, from whose embodiment of the same name such a file is saved).
"""

from __future__ import annotations

from pathlib import Path

from h2s2r_schemas.codec import load
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.robots import RobotSpec

_FOLDER = Path(__file__).parent


def robot_names() -> tuple[str, ...]:
    """Names that ``load_robot`` knows."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.h2s")))


def load_robot(name_or_path: str) -> RobotSpec:
    """A robot by its name, or from a file saved elsewhere.

    Raises:
        SchemaError: there is no such robot, or the file holds something else.
    """
    named = _FOLDER / f"{name_or_path}.h2s"
    path = named if named.is_file() else Path(name_or_path)
    if not path.is_file():
        raise SchemaError(
            f"There is no robot {name_or_path!r}: name one of {', '.join(robot_names())}, or a file saved with "
            "h2s2r_schemas.codec.save(RobotSpec, path)."
        )
    return load(path, RobotSpec)
