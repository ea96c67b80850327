"""What ``h2s2r run`` is to do.

In:  a recording and what its user knows.   Out: ``RunCfg``.
Not here: doing it (seeing, learning).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from h2s2r.chain.corrections import Corrections
from h2s2r_rl.config import PRESETS
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.engines import ENGINES

#: Seeds of judged episodes begin here; those of trainings are below.
FRESH = 1_000_000
#: Told of what takes long: what is done, how much of it, of how much, and a note.
Progress = Callable[[str, int, int, str], None]


@dataclass(frozen=True)
class RunCfg:
    """One run of the whole chain."""

    recording: Path | None = None
    """A ``Demo``, or a recording that ``h2s2r-perception convert`` reads. Of a Demo only pictures and calibration are looked
    at, never a truth beside them."""
    object: Path | None = None
    """The object that is moved in it: an ``ObjectModel``, a TOML that describes one, or a mesh in metres."""
    task: str | None = None
    """Instead of a recording: a bundled task, or where one is."""
    mass: float | None = None
    """[kg] of a mesh."""
    scene: Path | None = None
    """A ``scene.toml``; none to see in the recording what stands around."""
    frames: tuple[int, int] | None = None
    """First and last frame to use; none for all."""
    fps: float | None = None
    """Frame rate of a recording that stores no times."""
    robot: str = "iiwa14_allegro"
    """A bundled robot, or its folder; its hand is the human's."""
    mirror: bool = False
    """Whether the demonstration is mirrored before a task is made of it: a left hand's becomes one of the right hand."""
    corrections: Corrections = field(default_factory=Corrections)
    """What a person corrected."""
    seed: int = 0
    """Of the training; the judged episodes have others."""
    preset: str = "fast"
    """Of the training: ``fast``, or ``full`` for what has to be grasped."""
    steps: int | None = None
    """Policy steps of the training, over all environments; the preset's if none."""
    engine: str = "mujoco"
    """Physics engine of training, judging and filming; on a GPU ``warp``."""
    episodes: int = 256
    """Fresh episodes the policy is judged on."""
    rehearsals: int = 10
    """Episodes in which the policy drives the emulated cell; 0 to leave that out."""
    rehearsal_seed: int | None = None
    """Of the first emulated cell; drawn anew if none."""
    tracked: bool = False
    """Whether object poses of the rehearsal are tracked in pictures of the emulated cell."""

    @property
    def name(self) -> str:
        """Of the task: that of the recording."""
        return self.recording.stem if self.recording is not None else str(self.task)

    def __post_init__(self) -> None:
        if (self.recording is None) != (self.object is None) or (self.recording is None) == (self.task is None):
            raise SchemaError("Give a recording and the object that is moved in it; or a task, and neither of them.")
        if self.mirror and self.recording is None:
            raise SchemaError("Only a recording is mirrored; a task has its side: leave --mirror out.")
        if not 0 <= self.seed < FRESH:
            raise SchemaError(f"seed is {self.seed}; it lies in [0, {FRESH}), as the judged episodes have those above.")
        if self.preset not in PRESETS:
            raise SchemaError(f"There is no preset {self.preset!r}; there are: {', '.join(PRESETS)}.")
        if self.engine.partition(":")[0] not in ENGINES:
            raise SchemaError(f"There is no engine {self.engine!r}; there are: {', '.join(ENGINES)}.")
        if min(1 if self.steps is None else self.steps, self.episodes) < 1:
            raise SchemaError(f"steps {self.steps} and episodes {self.episodes} are at least 1.")
        if self.rehearsals < 0 or (self.rehearsal_seed is not None and self.rehearsal_seed < 0):
            raise SchemaError(f"rehearsals {self.rehearsals} and rehearsal seed {self.rehearsal_seed} are at least 0.")
        if self.frames is not None and not 0 <= self.frames[0] < self.frames[1]:
            raise SchemaError(f"frames are {self.frames[0]}:{self.frames[1]}; write FIRST:LAST, both counted from 0.")


def parse_frames(text: str) -> tuple[int, int]:
    """``FIRST:LAST`` as two numbers.

    Raises:
        SchemaError: something else.
    """
    first, colon, last = text.partition(":")
    if not (colon and first.isdecimal() and last.isdecimal()):
        raise SchemaError(f"frames are {text!r}; write FIRST:LAST, both counted from 0.")
    return int(first), int(last)
