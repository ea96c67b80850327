"""The stages that make a task of what was seen, and a policy for it.

In:  ``RunCfg``, what the stages before left.   Out: stages ``task``, ``retarget``, ``train``, ``export``, ``judge``, ``film``.
Not here: how it is done (h2s2r-sim, h2s2r-retarget, h2s2r-rl).
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from h2s2r.chain.config import FRESH, Progress, RunCfg
from h2s2r.chain.episodes import save_episodes
from h2s2r.chain.files import (
    CURVE,
    EPISODES,
    EVALUATION,
    FILM,
    HAND,
    HAND_POSE,
    OBJECT,
    PATH,
    PLACE,
    SCENE,
    TASK,
)
from h2s2r.chain.pace import LEAST_DURATION, paced
from h2s2r.chain.stage import Stage, Work, made
from h2s2r.cores import usable_cores
from h2s2r_retarget.embodiment import Embodiment, embodiment_folder, load_embodiment
from h2s2r_retarget.view import save_png, view_scene
from h2s2r_rl import train as learn
from h2s2r_rl.config import PRESETS, TrainCfg
from h2s2r_rl.evaluate import evaluate
from h2s2r_rl.export import export
from h2s2r_rl.policy import OnnxPolicy
from h2s2r_schemas.artifacts import HandPose, HandTrajectory, ObjectModel, ObjectTrajectory, Scene, TaskSpec
from h2s2r_schemas.codec import encode, load, save, write_whole
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.config import for_evaluation
from h2s2r_sim.env.make import make_env
from h2s2r_sim.env.start.clear import LEAST_FREE, clear_start
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.task import load_task, make_task, place
from h2s2r_sim.task.make import reexpressed
from h2s2r_sim.view import FilmCfg, NoGraphicsError, record_episodes, save_film

_FILMED = 4


def learning(cfg: RunCfg, progress: Progress) -> list[Stage]:
    """The stages, in their order."""
    work = _Learning(cfg, progress)
    placed = {"turn": cfg.corrections.turn, "shift": list(cfg.corrections.shift), "least_duration": LEAST_DURATION}
    robot = {"robot": cfg.robot, "files": made(embodiment_folder(cfg.robot))}
    judged = {"episodes": cfg.episodes, "seed": FRESH + cfg.seed, "engine": cfg.engine}
    learnt = {"seed": cfg.seed, "preset": cfg.preset, "steps": work.training.steps, "engine": cfg.engine}
    seen = ("mirror",) if cfg.mirror else ("object", "track", "hand", "scene", "premanip")
    if cfg.task is not None:
        named = {"task": hashlib.sha256(encode(load_task(cfg.task))).hexdigest()}
        first = [Stage("task", "takes the task", work.named_task, (), named)]
    else:
        first = [
            Stage("task", "makes a task of it", work.task, seen, robot | {"name": cfg.name} | placed),
            Stage("retarget", "finds the robot's pose for the hand's", work.retarget, ("task",), robot),
        ]
    task = first[-1].name
    return [
        *first,
        Stage("train", "learns", work.train, (task,), robot | learnt),
        Stage("export", "writes what a robot PC runs", work.export, ("train",), {}),
        Stage("judge", "judges the policy on fresh episodes", work.judge, (task, "export"), robot | judged),
        Stage("film", "films the policy", work.film, (task, "export"), robot | judged | {"filmed": _FILMED}),
    ]


class _Learning:
    """The work of the stages.

    Args:
        cfg: what is asked for.
        progress: told of what takes long.
    """

    def __init__(self, cfg: RunCfg, progress: Progress) -> None:
        self._cfg, self._progress = cfg, progress
        # What the start was found by: with things around it, most displaced starts may touch one.
        start = StartCfg(min_valid=LEAST_FREE)
        preset = PRESETS[cfg.preset]()
        self._env = replace(preset.env, engine=cfg.engine, num_threads=len(usable_cores()), start=start)
        steps = preset.steps if cfg.steps is None else cfg.steps
        self.training: TrainCfg = replace(preset, steps=steps, seed=cfg.seed, env=self._env)
        """How the policy is trained."""

    def named_task(self, work: Work) -> None:
        """A task that needs no recording."""
        save(load_task(str(self._cfg.task)), work.folder / TASK)

    def task(self, work: Work) -> None:
        """The task, where the robot can do it."""

        def seen(stage: str) -> Path:
            return work.of("mirror" if self._cfg.mirror else stage)

        task = make_task(
            load(seen("track") / PATH, ObjectTrajectory),
            load(seen("premanip") / HAND_POSE, HandPose),
            load(seen("scene") / SCENE, Scene),
            load(seen("object") / OBJECT, ObjectModel),
            name=self._cfg.name,
            hand_trajectory=load(seen("hand") / HAND, HandTrajectory),
        )
        task, pace = paced(task)
        said, T_chosen_world = "The camera's place was measured: the task is where it was seen.", SE3.identity()
        turn, shift = self._cfg.corrections.turn, self._cfg.corrections.shift
        if not task.scene.calibrated:
            placed = place(task, load_embodiment(self._cfg.robot, task.side))
            T_chosen_new = moved(placed.task, turn, shift)
            task, T_chosen_world = reexpressed(placed.task, T_chosen_new), T_chosen_new @ placed.T_new_world
            said = placed.said + (
                f" A person turned it by {turn:g}° and moved it by {shift} m." if turn or any(shift) else ""
            )
        elif turn or any(shift):
            raise SchemaError(
                "The camera's place was measured, so the task is where it was seen: take turn and shift back."
            )
        save(task, work.folder / TASK)
        (work.folder / "place.txt").write_text(f"{said} {pace}".rstrip() + "\n")
        (work.folder / PLACE).write_text(json.dumps({"wxyz_xyz_new_world": T_chosen_world.wxyz_xyz.tolist()}) + "\n")

    def retarget(self, work: Work) -> None:
        """The task with the robot's pose at the start, and a picture of it beside the hand's."""
        task = load(work.of("task") / TASK, TaskSpec)
        embodiment = load_embodiment(self._cfg.robot, task.side)
        found = clear_start(task, embodiment)
        save(found.task, work.folder / TASK)
        started = found.task.robot_pose
        assert started is not None
        keypoints = task.reference.Ts_world_object[0].apply(task.p_object_keypoints)
        save_png(view_scene(embodiment, started.joint_pos, keypoints, task.side), work.folder / "pose.png")
        record = {
            "gap": found.gap,
            "lift": found.lift,
            "opening": found.opening,
            "share_free": found.share_free,
            "fingertip_error": dict(zip(started.fingertip_names, started.fingertip_error.tolist(), strict=True)),
        }
        (work.folder / "start.json").write_text(json.dumps(record, indent=1) + "\n")

    def train(self, work: Work) -> None:
        """A policy, from the last checkpoint on if there is one."""
        task, embodiment = self._task(work)
        curve = work.folder / CURVE
        # A training that was stopped repeats what came after its last checkpoint: by steps, each stands there once.
        known = [json.loads(line) for line in curve.read_text().splitlines()] if curve.is_file() else []
        records = {each["steps"]: each for each in known}

        def watch(at: learn.Progress) -> None:
            success = None if math.isnan(at.success) else at.success
            records[at.steps] = {"steps": at.steps, "success": success, "reward": at.reward}
            write_whole(curve, "".join(json.dumps(each) + "\n" for each in records.values()).encode())
            share = "  –" if math.isnan(at.success) else f"{100 * at.success:3.0f} %"
            note = f"success while exploring {share}, {at.steps_per_s:,.0f} steps/s"
            self._progress("learning", at.iteration, at.iterations, note)

        learn.train(task, embodiment, self.training, work.folder, watch, resume=True)

    def export(self, work: Work) -> None:
        """The policy as a robot PC runs it."""
        export(work.of("train") / learn.CHECKPOINT, work.folder)

    def judge(self, work: Work) -> None:
        """How often it succeeds."""
        task, embodiment = self._task(work)
        found = evaluate(
            OnnxPolicy.load(work.of("export")),
            task,
            embodiment,
            self._env,
            self._cfg.episodes,
            FRESH + self._cfg.seed,
            lambda done: self._progress("judging", done, self._cfg.episodes, f"episode {done}"),
        )
        record = {
            "success": found.success,
            "interval": list(found.interval),
            "episodes": found.episodes,
            "seed": found.seed,
            "noise": "standard",
            "failures": found.failures,
            "position_error": found.position_error,
            "rotation_error": found.rotation_error,
        }
        (work.folder / EVALUATION).write_text(json.dumps(record, indent=1) + "\n")

    def film(self, work: Work) -> None:
        """Some episodes, and a film of them; where nothing here can draw, why not."""
        task, embodiment = self._task(work)
        policy = OnnxPolicy.load(work.of("export"))
        env = make_env(task, embodiment, _FILMED, for_evaluation(replace(self._env, num_threads=1)))
        policy.reset()
        states = record_episodes(env, lambda obs: policy.act(obs["actor"]), _FILMED, FRESH + self._cfg.seed)
        save_episodes(states, work.folder / EPISODES)
        try:
            save_film(
                task,
                embodiment,
                states,
                work.folder / FILM,
                FilmCfg(),
                lambda done, total: self._progress("drawing", done, total, f"picture {done}"),
            )
        except NoGraphicsError as error:
            (work.folder / "no_film.txt").write_text(f"{error}\n")

    def _task(self, work: Work) -> tuple[TaskSpec, Embodiment]:
        task = load(work.of("task" if self._cfg.task is not None else "retarget") / TASK, TaskSpec)
        return task, load_embodiment(self._cfg.robot, task.side)


def moved(task: TaskSpec, turn: float, shift: tuple[float, float]) -> SE3:
    """T_chosen_new: about the vertical through the object's start by ``turn`` [deg], and then by ``shift`` [m]."""
    start = task.reference.Ts_world_object[0].translation * (1.0, 1.0, 0.0)
    half = math.radians(turn) / 2
    T_start_turned = SE3.from_parts(np.array([math.cos(half), 0.0, 0.0, math.sin(half)]), np.zeros(3))
    no_turn = np.array([1.0, 0.0, 0.0, 0.0])
    T_chosen_start = SE3.from_parts(no_turn, start + (*shift, 0.0))
    T_turned_new = SE3.from_parts(no_turn, -start)
    return T_chosen_start @ T_start_turned @ T_turned_new
