"""How a person takes hold of the object of a task: data beside the task.

In:  the name of a bundled task, or a folder with ``demonstration.toml``.   Out: ``Grip``.
Not here: closing the hand (contact).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.demonstrate.hand.anatomy import DIGITS

_ASSETS = Path(__file__).parents[2] / "assets" / "demonstrations"


@dataclass(frozen=True)
class Grip:
    """From the hand just before contact to the hand that moves the object, in the object's frame."""

    reach: np.ndarray
    """(3) [m] how far the hand goes towards the object, at most; it stops where something touches."""
    closes: tuple[str, ...]
    """Digits that close until they touch."""
    mirror: np.ndarray
    """(3) unit vector of the object: the other hand does the same, mirrored along it. Object and task must look the same then."""

    def mirrored(self) -> Grip:
        """The grip of the other hand."""
        return replace(self, reach=reflected(self.reach, self.mirror))


def reflected(vectors: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Vectors (…, 3) in the mirror whose unit normal (3) is given."""
    return vectors - 2 * (vectors @ normal)[..., None] * normal


def load_grip(task: str | Path) -> Grip:
    """The grip for a bundled task by its name, or from ``demonstration.toml`` in the folder of a task.

    Raises:
        SchemaError: there is none, or what is wrong in it.
    """
    bundled = _ASSETS / f"{task}.toml"
    path = bundled if isinstance(task, str) and bundled.is_file() else Path(task) / "demonstration.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        known = ", ".join(sorted(each.stem for each in _ASSETS.glob("*.toml")))
        raise SchemaError(
            f"{path} says how a person does the task, and cannot be read: {error}. Tasks that have one: {known}."
        ) from error
    missing = sorted({"reach", "closes", "mirror"} - set(table))
    if missing or not set(table["closes"]) <= set(DIGITS):
        raise SchemaError(f"{path} needs reach, closes (some of {', '.join(DIGITS)}) and mirror; it has {table}.")
    return Grip(np.array(table["reach"], float), tuple(table["closes"]), np.array(table["mirror"], float))
