"""Stages in a folder: each is done once, and again only when what it works from has changed.

In:  stages in their order, a folder.   Out: a subfolder a stage, and which stages had to be done.
Not here: what stages do (stages).

A stage owns the subfolder of its name. ``begun.json`` there says what it works from, ``done.json`` what it made; both are
written whole, ``done.json`` last. So a stage that was stopped in the middle goes on in its own subfolder if it still works from
the same, and starts with an empty one if not. A file that a person changed after the stage was done is kept, and the stages
that read it are redone.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from h2s2r_schemas.codec import write_whole
from h2s2r_schemas.errors import H2S2RError

BEGUN, DONE = "begun.json", "done.json"


class StageError(H2S2RError):
    """A stage could not be done; all before it are kept."""


@dataclass(frozen=True)
class Work:
    """What a stage is given."""

    folder: Path
    """Its own subfolder: what it leaves there is what it made."""
    chain: Path
    """The folder of all stages."""

    def of(self, stage: str) -> Path:
        """The subfolder of an earlier stage."""
        return self.chain / stage


@dataclass(frozen=True)
class Stage:
    """One step of the chain."""

    name: str
    """Of the stage and its subfolder."""
    does: str
    """What it does, for people."""
    work: Callable[[Work], None]
    """Does it. Called again in the same subfolder if it was stopped."""
    needs: tuple[str, ...] = ()
    """Earlier stages whose files it reads."""
    settings: Mapping[str, Any] | None = None
    """What else decides its result, as JSON: seeds, options, hashes of the files of the user."""


@dataclass(frozen=True)
class Told:
    """News of a stage."""

    stage: Stage
    event: str
    """``begins``, ``goes on`` where it was stopped, ``done``, ``kept`` from before, or ``changed``: kept, with a file that a
    person changed."""
    seconds: float
    """[s] it took, when it is done or was."""


def run_stages(
    stages: Sequence[Stage], chain: Path, tell: Callable[[Told], None] = lambda told: None, start: str | None = None
) -> tuple[str, ...]:
    """Do the stages that are not done yet, in their order.

    Args:
        stages: all of them; each after those it needs.
        chain: the folder, made if need be.
        tell: told of every stage.
        start: this stage and those after it are done anew, done or not.

    Returns:
        The names of those that had to be done.

    Raises:
        StageError: one could not be done, or there is none of the name ``start``.
        OSError: the folder cannot be written to.
    """
    names = [stage.name for stage in stages]
    if start is not None and start not in names:
        raise StageError(f"There is no stage {start!r}; there are: {', '.join(names)}.")
    again = set(names[names.index(start) :]) if start is not None else set()
    redone: list[str] = []
    for stage in stages:
        work, key = Work(chain / stage.name, chain), _key(stage, chain)
        done = {} if stage.name in again else _read(work.folder / DONE)
        if done.get("key") == key and all((work.folder / name).is_file() for name in done["files"]):
            event = "kept" if done["files"] == made(work.folder) else "changed"
            tell(Told(stage, event, done["seconds"]))
            continue
        _do(stage, work, key, stage.name in again, tell)
        redone.append(stage.name)
    return tuple(redone)


def _do(stage: Stage, work: Work, key: str, afresh: bool, tell: Callable[[Told], None]) -> None:
    (work.folder / DONE).unlink(missing_ok=True)
    going_on = not afresh and _read(work.folder / BEGUN).get("key") == key
    if not going_on:
        shutil.rmtree(work.folder, ignore_errors=True)
        work.folder.mkdir(parents=True, exist_ok=True)
        _write(work.folder / BEGUN, {"key": key})
    tell(Told(stage, "goes on" if going_on else "begins", 0.0))
    began = time.perf_counter()
    try:
        stage.work(work)
    except (H2S2RError, OSError) as error:
        raise StageError(
            f"Stage {stage.name} ({stage.does}): {error} What was done before it is kept in {work.chain}: put that right and "
            "give the same command again."
        ) from error
    seconds = time.perf_counter() - began
    _write(work.folder / DONE, {"key": key, "files": made(work.folder), "seconds": round(seconds, 3)})
    tell(Told(stage, "done", seconds))


def made(folder: Path) -> dict[str, str]:
    """Hashes of the files that a stage left, by their path in its subfolder."""
    files = sorted(each for each in folder.rglob("*") if each.is_file() and each.name not in (BEGUN, DONE))
    return {each.relative_to(folder).as_posix(): file_hash(each) for each in files}


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _key(stage: Stage, chain: Path) -> str:
    """What a stage works from: its settings, and the files of the stages it needs as they are now."""
    content = {"settings": dict(stage.settings or {}), "needs": {name: made(chain / name) for name in stage.needs}}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> dict[str, Any]:
    """A record, or nothing where there is none; a file that is no record counts as none, and its stage is done again."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) and isinstance(record.get("key"), str) else {}


def _write(path: Path, record: Mapping[str, Any]) -> None:
    write_whole(path, json.dumps(record, indent=1).encode() + b"\n")
