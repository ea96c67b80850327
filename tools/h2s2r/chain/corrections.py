"""What a person corrected in a run: it stays with the run's folder, and decides what has to be done again.

In:  an answer in words.   Out: ``Corrections``, and their file.
Not here: asking (asking), the stages that heed them (seeing, learning).
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, replace
from pathlib import Path

from h2s2r_schemas.codec import write_whole
from h2s2r_schemas.errors import SchemaError

#: In the folder of all stages.
FILE = "corrections.json"
#: What can be said, and what it does.
WORDS = {
    "frame N": "take the hand in that frame of the recording",
    "left, right": "it is that hand of the person",
    "mask NAME": "start following the object from the masks of that name in the recording",
    "turn DEGREES": "turn the task about the object, seen from above, counter-clockwise",
    "shift X Y": "move the task by so many metres: away from the robot, and to its left",
}


@dataclass(frozen=True)
class Corrections:
    """What a person knows better; none of it by default."""

    frame: int | None = None
    """Of the recording, in which the hand is taken."""
    side: str | None = None
    """``left`` or ``right``: the person's hand."""
    mask: str | None = None
    """Name of the masks from which the object is followed."""
    turn: float = 0.0
    """[deg] of the task about the vertical through the object's start, where the camera's place was not measured."""
    shift: tuple[float, float] = (0.0, 0.0)
    """[m] of the task along the robot's x and y, likewise."""

    def __post_init__(self) -> None:
        if self.side not in (None, "left", "right") or (self.frame is not None and self.frame < 0):
            raise SchemaError(f"side is {self.side!r}, frame is {self.frame}: left or right, and at least 0.")

    @property
    def said(self) -> str:
        """In words; empty if there are none."""
        given = {name: value for name, value in dataclasses.asdict(self).items() if value != getattr(_NONE, name)}
        return ", ".join(f"{name} {value}" for name, value in given.items())

    def corrected(self, answer: str) -> Corrections:
        """With what somebody answered.

        Raises:
            SchemaError: this cannot be an answer; it says what can.
        """
        word, *rest = answer.split()
        try:
            if word in ("left", "right") and not rest:
                return replace(self, side=word)
            if word == "frame" and len(rest) == 1:
                return replace(self, frame=int(rest[0]))
            if word == "mask" and len(rest) == 1:
                return replace(self, mask=rest[0])
            if word == "turn" and len(rest) == 1:
                return replace(self, turn=self.turn + float(rest[0]))
            if word == "shift" and len(rest) == 2:
                return replace(self, shift=(self.shift[0] + float(rest[0]), self.shift[1] + float(rest[1])))
        except ValueError:
            pass
        raise SchemaError(f"{answer!r} is none of: accept, stop, {', '.join(WORDS)}.")


_NONE = Corrections()


def save_corrections(corrections: Corrections, folder: Path) -> None:
    """Leave them with the run."""
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / FILE, json.dumps(dataclasses.asdict(corrections), indent=1).encode() + b"\n")


def load_corrections(folder: Path) -> Corrections:
    """Those of a run; none if nobody corrected anything.

    Raises:
        SchemaError: a file that holds no corrections.
    """
    path = folder / FILE
    if not path.is_file():
        return _NONE
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        x, y = values["shift"]
        return Corrections(**{**values, "shift": (float(x), float(y))})
    except (ValueError, TypeError, KeyError) as error:
        raise SchemaError(f"{path} holds no corrections ({error}): mend it, or remove it to have none.") from error
