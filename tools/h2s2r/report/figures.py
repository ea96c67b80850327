"""The plots of a report.

In:  ``Folder``.   Out: ``Plot`` by plot, or none where what it shows is not there.
Not here: how a plot looks (plots), the page (page).
"""

from __future__ import annotations

import json

import numpy as np

from h2s2r.chain.episodes import load_episodes
from h2s2r.chain.files import CURVE, EPISODES, HAND, HAND_POSE, PATH, TASK
from h2s2r.report.folder import Folder
from h2s2r.report.plots import AXES, BLUE, GREEN, ORANGE, RED, VIOLET, Drawing, Plot
from h2s2r_schemas.artifacts import HandPose, HandTrajectory, ObjectTrajectory, TaskSpec
from h2s2r_schemas.artifacts.success import SUCCESS
from h2s2r_schemas.errors import H2S2RError
from h2s2r_sim.task.reference import make_reference
from h2s2r_sim.view import EpisodeStates

_TIME = "time in the recording [s]"


def task_of(folder: Folder) -> TaskSpec | None:
    """The task that was trained for."""
    return folder.message("retarget", TASK, TaskSpec) or folder.message("task", TASK, TaskSpec)


def start_time(folder: Folder) -> float | None:
    """When [s] in the recording the reference starts: then it is 0 s of the robot's films."""
    clock = clock_of(folder)
    return None if clock is None else clock[0]


def clock_of(folder: Folder) -> tuple[float, float] | None:
    """When [s] in the recording the reference starts, and how many seconds the robot is given for one of the person's."""
    task = task_of(folder)
    path = folder.message("mirror" if folder.has("mirror") else "track", PATH, ObjectTrajectory)
    if path is None or task is None:
        return None
    try:
        reference, start = make_reference(path, task.anchor_points)
    except H2S2RError:
        return None
    return start, task.reference.duration / reference.duration


def seen_plots(folder: Folder) -> list[Plot]:
    """Where object and hand were, and how sure that is."""
    path, hand = folder.message("track", PATH, ObjectTrajectory), folder.message("hand", HAND, HandTrajectory)
    shift, premanip = start_time(folder), folder.message("premanip", HAND_POSE, HandPose)
    drawings = [*(_object_plots(path, shift) if path is not None else ()), *_sureness(path, hand, shift)]
    if premanip is not None:
        for drawing in drawings:
            drawing.instant(premanip.time, "hand taken")
    return [drawing.finish() for drawing in drawings]


def _object_plots(path: ObjectTrajectory, shift: float | None) -> list[Drawing]:
    kept = np.flatnonzero(~path.lost)
    if not kept.size:
        return []
    Ts_world_object = path.Ts_world_object[kept]
    moved, turned = np.full((2, len(path.time), 3), np.nan)
    moved[kept] = 100 * (Ts_world_object.translation - Ts_world_object.translation[0])
    turned[kept] = np.rad2deg((Ts_world_object[0].inv() @ Ts_world_object).log()[:, 3:])
    place = Drawing("Where the object went", _TIME, "moved by [cm]", shift)
    place.lines(path.time, moved, "xyz", AXES)
    turn = Drawing("How it turned", _TIME, "turned by [°]", shift)
    turn.lines(path.time, turned, [f"about {axis}" for axis in "xyz"], AXES)
    return [place, turn]


def _sureness(path: ObjectTrajectory | None, hand: HandTrajectory | None, shift: float | None) -> list[Drawing]:
    if path is None and hand is None:
        return []
    sure = Drawing("How sure this is", _TIME, "confidence", shift)
    if path is not None:
        sure.lines(path.time, path.confidence[:, None], ["object"], [ORANGE])
    if hand is not None:
        sure.lines(hand.time, hand.confidence.mean(axis=-1)[:, None], [f"{hand.side} hand"], [BLUE])
    sure.axes.set_ylim(-0.02, 1.02)
    return [sure]


def learning_plot(folder: Folder) -> Plot | None:
    """Success while exploring, over the training; of one that is not done, as far as it is."""
    curve = _curve(folder)
    if not len(curve):
        return None
    steps, success, reward = curve.T
    drawing = Drawing("While it explores", "thousand policy steps", "success, reward")
    steps = steps / 1000
    drawing.axes.plot(steps, success, color=GREEN, alpha=0.25, linewidth=1)
    drawing.lines(steps, _smooth(success)[:, None], ["success, mean of 5 updates"], [GREEN])
    drawing.lines(steps, reward[:, None], ["reward"], [VIOLET])
    drawing.axes.set_ylim(0.0, max(1.05, 1.05 * float(np.nanmax(reward))))
    return drawing.finish()


def trained_steps(folder: Folder) -> int:
    """Policy steps of the training so far; 0 of one that has not begun."""
    return int(_curve(folder)[:, 0].max(initial=0.0))


def _curve(folder: Folder) -> np.ndarray:
    """(K, 3) policy steps, success while exploring (NaN where no episode ended) and reward of each update; none where there is no
    curve, or none that can be read.
    """
    try:
        lines = (folder.path / "train" / CURVE).read_text(encoding="utf-8").splitlines()
        rows = [(each["steps"], each["success"], each["reward"]) for each in map(json.loads, lines)]
        return np.array(rows, dtype=float).reshape(-1, 3)
    except (OSError, ValueError, KeyError, TypeError):
        return np.zeros((0, 3))


def _smooth(values: np.ndarray, reach: int = 2) -> np.ndarray:
    """Mean of each value and its neighbours, of those that are numbers."""
    around = [values[max(at - reach, 0) : at + reach + 1] for at in range(len(values))]
    return np.array([np.mean(each[np.isfinite(each)]) if np.isfinite(each).any() else np.nan for each in around])


def rollout_plots(folder: Folder) -> list[Plot]:
    """What the filmed episodes' objects did, beside what the human's did."""
    file = folder.file("film", EPISODES)
    if file is None:
        return []
    try:
        episodes = load_episodes(file)
    except H2S2RError:
        return []
    return [_beside(episodes[0]), _error(episodes)]


def _beside(episode: EpisodeStates) -> Plot:
    time = episode.dt * np.arange(len(episode))
    drawing = Drawing("The object, moved by human (dashed) and robot", "time [s]", "moved by [cm]", 0.0)
    origin = episode.wxyz_xyz_world_goal[0, 4:]
    for axis, (name, colour) in enumerate(zip("xyz", AXES, strict=True)):
        wanted, done = (
            100 * (each[:, 4 + axis] - origin[axis])
            for each in (episode.wxyz_xyz_world_goal, episode.wxyz_xyz_world_object)
        )
        drawing.axes.plot(time, wanted, color=colour, linewidth=1.2, linestyle="--")
        drawing.axes.plot(time, done, color=colour, linewidth=1.5, label=name)
    return drawing.finish()


def _error(episodes: tuple[EpisodeStates, ...]) -> Plot:
    drawing = Drawing("How far the object was from where the human had it", "time [s]", "distance [mm]", 0.0)
    for index, (episode, colour) in enumerate(zip(episodes, (RED, GREEN, BLUE, ORANGE), strict=False)):
        off = episode.wxyz_xyz_world_object[:, 4:] - episode.wxyz_xyz_world_goal[:, 4:]
        distance = 1000 * np.linalg.norm(off, axis=-1)
        drawing.lines(episode.dt * np.arange(len(episode)), distance[:, None], [f"episode {index}"], [colour])
    drawing.axes.axhline(1000 * SUCCESS.position, color="#888", linestyle=":", linewidth=1.2)
    drawing.axes.set_ylim(bottom=0.0)
    return drawing.finish()
