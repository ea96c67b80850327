"""A run's folder, read with forbearance: whatever is not there yet, or cannot be read, is none.

In:  the folder of all stages.   Out: ``Folder``: its record, each stage's state, records and messages.
Not here: what writes it (chain), what is made of it (page).
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from h2s2r.chain.files import REHEARSAL, RUN
from h2s2r.chain.stage import BEGUN, DONE
from h2s2r_schemas.codec import Message, load
from h2s2r_schemas.errors import H2S2RError

M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class StageState:
    """How far a stage is."""

    name: str
    """Of the stage."""
    does: str
    """What it does, for people."""
    state: str
    """``done``, ``begun`` or ``missing``."""
    seconds: float
    """[s] it took; 0 if it is not done."""
    hashes: dict[str, str]
    """SHA-256 of each file it made, as it made it."""


class Folder:
    """A run, done or half done.

    Args:
        path: the folder of all stages.

    Raises:
        H2S2RError: no run was ever begun there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        record = _json(path / RUN)
        if not isinstance(record, dict) or not {"command", "stages", "versions"} <= set(record):
            raise H2S2RError(
                f"{path} is not the folder of a run: it has no {RUN} to read. Give what was --out of h2s2r demo or h2s2r run."
            )
        self.record: dict[str, Any] = record
        self.stages = [self._state(name, does) for name, does in record["stages"]]

    @property
    def command(self) -> str:
        """What to type to have it done again, or gone on with; the seed that a rehearsal drew is in it."""
        words, rehearsed = list(self.record["command"]), self.json("rehearse", REHEARSAL)
        if "--rehearsal-seed" not in words and isinstance(rehearsed, dict) and "seed" in rehearsed:
            words += ["--rehearsal-seed", str(rehearsed["seed"])]
        return shlex.join(words)

    @property
    def missing(self) -> list[StageState]:
        """Stages that are not done; the report itself does not count."""
        return [stage for stage in self.stages if stage.state != "done" and stage.name != "report"]

    def has(self, stage: str) -> bool:
        """Whether this run has such a stage at all."""
        return any(each.name == stage for each in self.stages)

    def done(self, stage: str) -> bool:
        """Whether a stage is done."""
        return any(each.name == stage and each.state == "done" for each in self.stages)

    def file(self, stage: str, name: str) -> Path | None:
        """A file of a stage that is done."""
        path = self.path / stage / name
        return path if self.done(stage) and path.is_file() else None

    def json(self, stage: str, name: str) -> Any:
        """A record of a stage that is done."""
        path = self.file(stage, name)
        return None if path is None else _json(path)

    def text(self, stage: str, name: str) -> str | None:
        """A text of a stage that is done."""
        path = self.file(stage, name)
        return None if path is None else path.read_text(encoding="utf-8").strip()

    def message(self, stage: str, name: str, kind: type[M]) -> M | None:
        """A message of a stage that is done; a file that is damaged counts as none."""
        path = self.file(stage, name)
        if path is None:
            return None
        try:
            return load(path, kind)
        except H2S2RError:
            return None

    def _state(self, name: str, does: str) -> StageState:
        done = _json(self.path / name / DONE)
        if isinstance(done, dict) and "files" in done:
            return StageState(name, does, "done", float(done.get("seconds", 0.0)), dict(done["files"]))
        begun = (self.path / name / BEGUN).is_file()
        return StageState(name, does, "begun" if begun else "missing", 0.0, {})


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
