"""Where a run pauses, for a person to look and to correct.

In:  ``RunCfg``, a folder, somebody to ask.   Out: corrections, and the stages done as far as they were asked about.
Not here: what corrections do (corrections, seeing, learning), reading and printing (cli).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from h2s2r.chain.config import RunCfg
from h2s2r.chain.corrections import save_corrections
from h2s2r.chain.files import HAND, OBJECT, PATH, PREMANIP
from h2s2r.chain.seeing import open_recording
from h2s2r.chain.stage import Stage, StageError, Told, Work, run_stages
from h2s2r_perception.view import Finding
from h2s2r_perception.view.overlay import Overlay
from h2s2r_schemas.artifacts import HandTrajectory, ObjectModel, ObjectTrajectory
from h2s2r_schemas.codec import load
from h2s2r_schemas.errors import SchemaError

#: Folder of the pictures that are shown with questions.
PICTURES = "asked"
_SEEN = ("frame N", "left, right", "mask NAME")
_PLACED = ("turn DEGREES", "shift X Y")


@dataclass(frozen=True)
class Question:
    """What a person is asked."""

    text: str
    """What was found, or what went wrong."""
    picture: Path | None
    """To look at; none where there is nothing to show."""
    answers: Sequence[str]
    """What can be said besides ``accept`` and ``stop``, of ``corrections.WORDS``."""
    refused: str = ""
    """Why the answer before was none."""


#: Gives an answer in words.
Ask = Callable[[Question], str]


def ask_along(
    cfg: RunCfg, folder: Path, stages_of: Callable[[RunCfg], list[Stage]], tell: Callable[[Told], None], ask: Ask
) -> RunCfg:
    """Do the stages up to the last question, asking on the way.

    Args:
        cfg: what is asked for.
        folder: of all stages.
        stages_of: the stages of a configuration.
        tell: told of what is done, not of what is kept.
        ask: asked at each pause, until it accepts.

    Returns:
        The configuration with what was corrected.

    Raises:
        StageError: somebody said stop; or a stage failed and it was accepted so.
    """
    for until, look, words in (("premanip", _instant, _SEEN), ("retarget", _start, (*_SEEN, *_PLACED))):
        refused, accepted = "", False
        while not accepted:
            stages = stages_of(cfg)
            names = [stage.name for stage in stages]
            failed: StageError | None = None
            try:
                run_stages(stages[: names.index(until) + 1], folder, _news(tell))
            except StageError as error:
                failed = error
            text, picture = look(folder, failed)
            answer = ask(Question(text, picture, words, refused)).strip()
            refused, accepted = "", answer in ("accept", "")
            if accepted and failed is not None:
                raise failed
            if answer == "stop":
                raise StageError(f"Stopped before what comes after {until}; what is done is kept in {folder}.")
            if not accepted:
                cfg, refused = _corrected(cfg, answer, words, folder)
    return cfg


def _corrected(cfg: RunCfg, answer: str, words: Sequence[str], folder: Path) -> tuple[RunCfg, str]:
    """The configuration with an answer in it, or why that was none."""
    try:
        corrections = cfg.corrections.corrected(answer)
    except SchemaError as error:
        return cfg, str(error)
    allowed = {part.split()[0] for word in words for part in word.split(", ")}
    if answer.split(maxsplit=1)[0] not in allowed:
        return cfg, f"{answer!r} cannot be said here yet."
    save_corrections(corrections, folder)
    return replace(cfg, corrections=corrections), ""


def _news(tell: Callable[[Told], None]) -> Callable[[Told], None]:
    return lambda told: None if told.event == "kept" else tell(told)


def _instant(folder: Path, failed: StageError | None) -> tuple[str, Path | None]:
    """The frame in which the hand is taken; where none was found, the middle of what was followed."""
    work = Work(folder / PICTURES, folder)
    record = {} if failed is not None else json.loads((folder / "premanip" / PREMANIP).read_text(encoding="utf-8"))
    text = str(failed) if failed is not None else str(record["reason"])
    try:
        path = load(work.of("track") / PATH, ObjectTrajectory)
        hand = load(work.of("hand") / HAND, HandTrajectory) if (work.of("hand") / HAND).is_file() else None
        demo, model = open_recording(work), load(work.of("object") / OBJECT, ObjectModel)
    except (SchemaError, OSError):  # not come that far
        return text, None
    middle = int(demo.meta.time.searchsorted(path.time[len(path.time) // 2]))
    frame = int(record.get("frame", middle))
    side = "" if hand is None else f" It is taken for a {hand.side} hand."
    picture = Overlay(Finding(demo, model, path, hand)).picture(frame)
    return f"{text}{side}", _saved(picture, folder, f"frame_{frame:06d}.png")


def _start(folder: Path, failed: StageError | None) -> tuple[str, Path | None]:
    """The robot where it would begin."""
    said = folder / "task" / "place.txt"
    text = str(failed) if failed is not None else said.read_text(encoding="utf-8").strip()
    picture = folder / "retarget" / "pose.png"
    return text, picture if failed is None and picture.is_file() else None


def _saved(picture: np.ndarray, folder: Path, name: str) -> Path:
    (folder / PICTURES).mkdir(exist_ok=True)
    Image.fromarray(picture).save(folder / PICTURES / name)
    return folder / PICTURES / name
