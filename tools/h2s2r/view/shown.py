"""What there is of a run to be shown in space, on one clock and in one world.

In:  ``Folder``.   Out: ``ShownRun``.
Not here: showing it (page).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from h2s2r.chain.episodes import load_episodes
from h2s2r.chain.files import EPISODES, HAND, MIRROR, OBJECT, PATH, PLACE
from h2s2r.report.figures import start_time, task_of
from h2s2r.report.folder import Folder
from h2s2r_perception.mirror import Mirror
from h2s2r_perception.view import Finding
from h2s2r_retarget.embodiment import Embodiment, load_embodiment
from h2s2r_schemas.artifacts import HandTrajectory, ObjectModel, ObjectTrajectory, TaskSpec
from h2s2r_schemas.demo import open_demo
from h2s2r_schemas.errors import H2S2RError, SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.view import EpisodeStates, task_episode


@dataclass(frozen=True)
class ShownRun:
    """A run; whatever is none is not there yet."""

    name: str
    """Of the run."""
    finding: Finding | None
    """The recording with what was found in it, in its own world."""
    mirror: Mirror | None
    """In which the recording is shown; none if it is shown as it was. What was found is mirrored already."""
    T_new_world: SE3
    """From the recording's world to the task's."""
    task: TaskSpec | None
    """In the task's world."""
    embodiment: Embodiment | None
    """Its robot."""
    starts: float
    """[s] in the recording when the reference starts, and with it every episode."""
    policy: tuple[EpisodeStates, ...]
    """Filmed episodes."""
    rehearsal: tuple[EpisodeStates, ...]
    """Those on the emulated robot."""

    @property
    def span(self) -> tuple[float, float]:
        """[s] the first and the last time at which there is anything to see."""
        begins, ends = [], []
        if self.finding is not None:
            begins.append(float(self.finding.demo.meta.time[0]))
            ends.append(float(self.finding.demo.meta.time[-1]))
        if self.task is not None:
            begins.append(self.starts)
            ends.append(self.starts + self.task.reference.duration)
        ends += [self.starts + each.duration for each in (*self.policy, *self.rehearsal)]
        return min(begins, default=0.0), max(ends, default=0.0)


def shown_run(folder: Path) -> ShownRun:
    """Read what is there.

    Raises:
        H2S2RError: no run was begun there, or there is nothing of it to be seen in space yet.
    """
    run = Folder(folder)
    finding, task = _finding(run), task_of(run)
    if finding is None and task is None:
        raise H2S2RError(
            f"In {folder} there is neither a recording nor a task yet: let the run go on, with\n{run.command}"
        )
    embodiment = None if task is None else load_embodiment(run.record["settings"]["robot"], task.side)
    policy = _episodes(run, "film")
    if not policy and task is not None and embodiment is not None and task.robot_pose is not None:
        policy = (task_episode(task, embodiment),)
    place, stood = run.json("task", PLACE), run.json("mirror", MIRROR)
    mirror = None if stood is None else Mirror(SE3(np.array(stood["wxyz_xyz_world_mirror"])))
    return ShownRun(
        name=str(run.record["name"]),
        finding=finding,
        mirror=mirror,
        T_new_world=SE3.identity() if place is None else SE3(np.array(place["wxyz_xyz_new_world"])),
        task=task,
        embodiment=embodiment,
        starts=start_time(run) or 0.0,
        policy=policy,
        rehearsal=_episodes(run, "rehearse"),
    )


def _finding(run: Folder) -> Finding | None:
    where = run.json("recording", "where.json")
    if not run.done("recording"):
        return None
    place = run.path / "recording" / "demo" if where is None else Path(where["folder"])
    mirrored = run.done("mirror")
    model = run.message("mirror" if mirrored else "object", OBJECT, ObjectModel)
    try:
        demo = open_demo(place)
    except (H2S2RError, OSError, json.JSONDecodeError):
        return None
    path = run.message("mirror" if mirrored else "track", PATH, ObjectTrajectory)
    hand = run.message("mirror" if mirrored else "hand", HAND, HandTrajectory)
    return Finding(demo, model, None if model is None else path, hand)


def _episodes(run: Folder, stage: str) -> tuple[EpisodeStates, ...]:
    file = run.file(stage, EPISODES)
    try:
        return () if file is None else load_episodes(file)
    except SchemaError:
        return ()
