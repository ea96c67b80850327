"""The report: one page with everything a run came to, and what it did not come to yet.

In:  the folder of a run.   Out: ``report/index.html`` in it, with films and pictures beside it.
Not here: plots (figures), films (films), how the page looks (the folder page).
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from PIL import Image

from h2s2r.chain.files import EVALUATION, FILM, HAND_POSE, OBJECT, PATH, PREMANIP
from h2s2r.report import films
from h2s2r.report.figures import clock_of, learning_plot, rollout_plots, seen_plots, task_of, trained_steps
from h2s2r.report.folder import Folder
from h2s2r.report.picture import save_picture
from h2s2r.report.rehearsal import Rehearsal, rehearsal_of
from h2s2r_schemas.artifacts import HandPose, ObjectModel, ObjectTrajectory
from h2s2r_schemas.codec import write_whole
from h2s2r_schemas.errors import H2S2RError
from h2s2r_sim.view import FilmCfg

#: In the folder of the run.
REPORT, INDEX = "report", "index.html"
_PAGE = Path(__file__).with_name("page")
#: Frames for which the overlay rests on the instant, beside the instant itself (h2s2r_perception.view.overlay).
_REST = 14


@dataclass(frozen=True)
class Shown:
    """A film of its own."""

    film: str
    """File names in the report's folder."""
    poster: str


@dataclass(frozen=True)
class Beside:
    """Two films of one clock."""

    human: str
    """File names in the report's folder."""
    robot: str
    ahead: float
    """[s] of the robot's film when the human's begins."""
    mirrored: bool
    """Whether the robot does it as in a mirror."""


def write_report(folder: Path, picture: Path | None = None) -> Path:
    """Write the page anew.

    Args:
        folder: of the run, done or not.
        picture: file of a moving picture of human and robot to write besides, ending in .webp.

    Returns:
        The page.

    Raises:
        H2S2RError: no run was begun there, or there are no films for a picture yet.
        OSError: it cannot be written.
    """
    run, target = Folder(folder), folder / REPORT
    target.mkdir(exist_ok=True)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_PAGE), autoescape=True, trim_blocks=True, undefined=jinja2.StrictUndefined
    )
    contents = _contents(run, target)
    write_whole(target / INDEX, environment.get_template("index.html.j2").render(contents).encode())
    if picture is not None:
        beside = contents["beside"]
        if beside is None:
            raise H2S2RError(f"{folder} has no films of human and robot yet: let the run go on, with\n{run.command}")
        save_picture(target, beside.human, beside.robot, beside.ahead, picture)
    return target / INDEX


def _contents(run: Folder, target: Path) -> dict[str, Any]:
    """What the template shows."""
    rehearsal = rehearsal_of(run, target)
    return {
        "run": run,
        "name": run.record["name"],
        "task": task_of(run),
        "object": run.message("object", OBJECT, ObjectModel),
        "judged": run.json("judge", EVALUATION),
        "seconds": sum(stage.seconds for stage in run.stages),
        "beside": _beside(run, target),
        "seen": _film(run.file("seen", "seen.mp4"), target / "seen.mp4"),
        "film": _posed(_copy(run.file("film", FILM), target), target),
        "no_film": run.text("film", "no_film.txt"),
        "instant": _instant(run, target),
        "premanip": run.json("premanip", PREMANIP),
        "why": _copy(run.file("seen", "premanip.png"), target),
        "place": run.text("task", "place.txt"),
        "start": run.json("retarget", "start.json"),
        "retargeted": _copy(run.file("retarget", "pose.png"), target),
        "seen_plots": seen_plots(run),
        "rollout_plots": rollout_plots(run),
        "learning": learning_plot(run),
        "trained_steps": trained_steps(run),
        "rehearsal": rehearsal if isinstance(rehearsal, Rehearsal) else None,
        "no_rehearsal": rehearsal if isinstance(rehearsal, str) else "",
        "rehearsed": _posed(rehearsal.film, target) if isinstance(rehearsal, Rehearsal) else None,
    }


def _poster(film: Path) -> str:
    """A picture from the middle of a film, to stand there until it is played."""
    shown = list(films.pictures(film))
    name = f"{film.stem}.jpg"
    Image.fromarray(shown[len(shown) // 2]).save(film.with_name(name), quality=80)
    return name


def _copy(file: Path | None, target: Path) -> str | None:
    if file is None:
        return None
    shutil.copyfile(file, target / file.name)
    return file.name


def _film(file: Path | None, film: Path) -> Shown | None:
    return None if file is None else Shown(films.convert(file, film).name, _poster(film))


def _posed(film: str | None, target: Path) -> Shown | None:
    """A film that browsers can play as it is."""
    return None if film is None else Shown(film, _poster(target / film))


def _shown(run: Folder) -> tuple[list[int], np.ndarray, int | None] | None:
    """Of the overlay: which of its pictures shows each frame, those frames' times [s], and which shows the instant."""
    path = run.message("track", PATH, ObjectTrajectory)
    if path is None:
        return None
    frames = run.record["settings"].get("frames")
    at = run.json("premanip", PREMANIP)
    instant = None if at is None else at["frame"] - (frames[0] if frames else 0)
    # The overlay rests on an instant that was found, not on one that a person chose.
    rests_after = len(path.time) if at is None or instant is None or at.get("chosen") else instant
    index = [k + (_REST if k > rests_after else 0) for k in range(len(path.time))]
    return index, path.time, instant


def _instant(run: Folder, target: Path) -> str | None:
    """The frame in which the hand is taken, with the hand in it."""
    file, shown = run.file("seen", "seen.mp4"), _shown(run)
    if file is None or shown is None or shown[2] is None or run.message("premanip", HAND_POSE, HandPose) is None:
        return None
    picture = next(islice(films.pictures(file), shown[2], None), None)
    if picture is None:
        return None
    Image.fromarray(picture).save(target / "instant.jpg", quality=88)
    return "instant.jpg"


def _beside(run: Folder, target: Path) -> Beside | None:
    """The human's film from where the reference starts, at the robot's pace, and that of the robot's first episode."""
    human, robot, shown, clock = (
        run.file("seen", "seen.mp4"),
        run.file("film", FILM),
        _shown(run),
        clock_of(run),
    )
    if human is None or robot is None or shown is None or clock is None:
        return None
    index, time, _ = shown
    start, pace = clock
    first = int(np.searchsorted(time, start - 1e-3))
    wanted = dict(zip(index[first:], time[first:], strict=True))
    pictures = (picture for number, picture in enumerate(films.pictures(human)) if number in wanted)
    films.write_film(target / "human.mp4", pictures, [start + pace * (each - start) for each in wanted.values()])
    films.one_tile(robot, target / "robot_one.mp4", *FilmCfg().size)
    mirrored = bool(run.record["settings"].get("mirror"))
    return Beside("human.mp4", "robot_one.mp4", float(pace * (time[first] - start)), mirrored)
