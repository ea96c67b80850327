"""How episodes end: a replayed reference succeeds at every task, a motionless robot at none, every failure gets its kind.

In:  bundled tasks; an engine in which the object goes where a test says.   Out: endings as the environment reports them.
Not here: the definition of success (h2s2r-schemas), explosions of a real engine (test_unstable).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from h2s2r_schemas.artifacts import FAILURE_KINDS, SUCCESS, TaskSpec, is_success
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.config import EnvCfg, for_evaluation
from h2s2r_sim.engine import EngineState
from h2s2r_sim.env.environment import Environment
from h2s2r_sim.env.make import make_env
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.mdp.goal import GoalCfg
from h2s2r_sim.mdp.terminations import TerminationCfg
from h2s2r_sim.perturbation import NONE
from h2s2r_sim.task import load_task, task_names

#: Where the object is (7) at a time [s] of the episode.
Script = Callable[[float], np.ndarray]
PUSH = load_task("snackbox_push")
#: [Hz] of policy steps.
RATE = EnvCfg().control_hz


class ScriptedEngine:
    """An engine whose robots move as in the engine behind it, and whose objects go where scripts say."""

    def __init__(self, env: Environment, scripts: list[Script]) -> None:
        self._env, self._engine, self._scripts = env, env.engine, scripts
        self.unstable = np.zeros(env.num_envs, dtype=bool)

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)

    def step(self, joint_pos_target: np.ndarray, wrench_world_object: np.ndarray) -> EngineState:
        self._engine.step(joint_pos_target, wrench_world_object)
        # The environment counts the step when the engine is done.
        return self.state(steps=1)

    def state(self, steps: int = 0) -> EngineState:
        time = (self._env.episodes.step_count + steps) * self._env.control_dt
        poses = np.stack([script(float(each)) for script, each in zip(self._scripts, time, strict=True)])
        return replace(self._engine.state(), wxyz_xyz_world_object=poses, unstable=self.unstable.copy())


def scripted(task: TaskSpec, scripts: list[Script], **cfg: object) -> Environment:
    """An undisturbed environment that judges, with one script for each of its episodes."""
    base = for_evaluation(EnvCfg(perturbation=NONE, start=StartCfg(pool=1)))
    env = make_env(task, num_envs=len(scripts), cfg=replace(base, **cfg))  # type: ignore[arg-type]
    env.engine = ScriptedEngine(env, scripts)  # type: ignore[assignment]
    env.reset(0)
    return env


def replay(task: TaskSpec, speed: float = 1.0, delay: float = 0.0) -> Script:
    """The reference, at the times of policy steps."""
    reference, Ts_world_object = task.reference, task.reference.Ts_world_object
    at = np.clip((np.arange(round(60.0 * RATE)) / RATE - delay) * speed, 0.0, reference.duration)
    after = np.clip(np.searchsorted(reference.time, at, side="right"), 1, len(reference.time) - 1)
    fraction = (at - reference.time[after - 1]) / (reference.time[after] - reference.time[after - 1])
    poses = Ts_world_object[after - 1].interpolate(Ts_world_object[after], fraction).wxyz_xyz
    return lambda time: poses[round(time * RATE)]


def still(task: TaskSpec) -> Script:
    return lambda time: task.reference.wxyz_xyz_world_object[0]


def moved(script: Script, offset: SE3, since: float = 0.0) -> Script:
    """Off by ``offset``, in the object's own frame, from a time on."""
    return lambda time: (SE3(script(time)) @ offset).wxyz_xyz if time >= since else script(time)


def outcomes(env: Environment, seconds: float = 40.0) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Of the first episode of each environment: success, kind of failure, and how long it took [s]."""
    success, kind = np.zeros(env.num_envs, dtype=bool), [""] * env.num_envs
    ended_at = np.full(env.num_envs, np.inf)
    for step in range(1, round(seconds / env.control_dt)):
        *_, terminated, truncated, extras = env.step(np.zeros((env.num_envs, env.num_actions)))
        for index in np.flatnonzero((terminated | truncated) & np.isinf(ended_at)):
            success[index], ended_at[index] = extras["success"][index], step * env.control_dt
            kind[index] = FAILURE_KINDS[extras["failure"][index]] if terminated[index] else ""
        if np.isfinite(ended_at).all():
            return success, kind, ended_at
    raise AssertionError(f"Episodes have not ended after {seconds} s: {np.flatnonzero(np.isinf(ended_at))}.")


def turn(axis: int, degrees: float) -> SE3:
    return SE3.exp(np.eye(6)[3 + axis] * np.deg2rad(degrees))


@pytest.mark.parametrize("name", task_names())
def test_the_replayed_reference_succeeds_and_one_that_misses_the_end_does_not(name: str) -> None:
    task = load_task(name)
    exact, end = replay(task), task.reference.duration
    inside, outside = SE3.exp(np.array([0.028, 0, 0, 0, 0, 0])), SE3.exp(np.array([0, 0.034, 0, 0, 0, 0]))
    late, turned = moved(exact, outside, end), moved(exact, turn(0, 17.0), end)
    env = scripted(task, [exact, moved(exact, inside), late, turned, still(task)])
    success, kind, ended_at = outcomes(env)
    assert success.tolist() == [True, True, False, False, False]
    assert kind[:2] == ["", ""] and "" not in kind[2:4] and kind[4] == "missed"
    # It is over when the object has been still for the time to settle.
    assert ended_at[0] == pytest.approx(end + SUCCESS.settle_time, abs=2.1 * env.control_dt)


@pytest.mark.parametrize("name", task_names())
def test_a_motionless_robot_never_succeeds(name: str) -> None:
    env = make_env(name, num_envs=8, cfg=replace(for_evaluation(EnvCfg()), start=StartCfg(pool=20)))
    env.reset(3)
    success, kind, _ = outcomes(env)
    assert not success.any()
    assert set(kind) <= set(FAILURE_KINDS)


def test_the_environment_judges_as_the_definition_does() -> None:
    """Random paths around the reference: the same verdicts as ``is_success`` of the poses that were logged."""
    rng, goals = np.random.default_rng(0), replay(PUSH)
    scripts = [
        moved(
            moved(goals, SE3.exp(np.concatenate([rng.normal(0.0, 0.012, 3), rng.normal(0.0, 0.08, 3)]))),
            SE3.exp(np.array([rng.choice([0.0, 0.02, 0.11]), 0.0, 0.0, 0.0, 0.0, 0.0])),
            rng.uniform(0.0, 1.2 * PUSH.reference.duration),
        )
        for _ in range(24)
    ]
    success, _, _ = outcomes(scripted(PUSH, scripts))
    dt = 1.0 / 15.0
    end = np.ceil(PUSH.reference.duration / dt - 1e-6) * dt
    time = dt * np.arange(round((end + SUCCESS.settle_time) / dt) + 2)
    goal = SE3(np.stack([goals(each) for each in time]))
    expected = [
        is_success(
            time, SE3(np.stack([script(each) for each in time])), goal, end, PUSH.reference.duration,
            PUSH.anchor_points, PUSH.object.symmetry,
        )
        for script in scripts
    ]  # fmt: skip
    assert success.tolist() == expected
    assert 4 < sum(expected) < 20


@pytest.mark.requirement("H16")
def test_a_plate_may_be_turned_about_its_axis_and_a_box_may_not() -> None:
    for name, allowed in (("plate_push", True), ("snackbox_push", False)):
        task = load_task(name)
        success, _, _ = outcomes(scripted(task, [moved(replay(task), turn(2, 60.0))]))
        assert success[0] == allowed


# ── kinds of failure ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("H55")
def test_every_kind_of_failure_is_told_apart() -> None:
    task = load_task("pitcher_pour")
    exact, start = replay(task), task.reference.wxyz_xyz_world_object[0]
    middle = task.reference.duration / 2.0

    def dropped(time: float) -> np.ndarray:
        return exact(time) if time < middle else np.concatenate([exact(time)[:6], start[6:]])

    def nudged(time: float) -> np.ndarray:
        return start + np.array([0, 0, 0, 0, 0.02, 0, 0]) * (time > 0.3)

    def fell_off(time: float) -> np.ndarray:
        return start if time < 0.5 else start - np.array([0, 0, 0, 0, 0, 0, 0.5])

    def thrown(time: float) -> np.ndarray:
        return start if time < 0.5 else start + np.array([0, 0, 0, 0, 1.0, 0, 0])

    env = scripted(task, [dropped, still(task), nudged, fell_off, thrown, exact])
    success, kind, ended_at = outcomes(env)
    assert kind == ["dropped", "missed", "stuck", "out_of_workspace", "out_of_workspace", ""]
    assert success.tolist() == [False] * 5 + [True]
    assert middle <= ended_at[0] <= middle + 0.2


@pytest.mark.requirement("H55")
def test_an_unstable_world_ends_as_such_whatever_else_is_wrong() -> None:
    env = scripted(PUSH, [replay(PUSH), still(PUSH)])
    for _ in range(5):
        env.step(np.zeros((2, env.num_actions)))
    env.engine.unstable[0] = True  # type: ignore[attr-defined]
    *_, terminated, truncated, extras = env.step(np.zeros((2, env.num_actions)))
    assert terminated.tolist() == [True, False] and not truncated.any()
    assert FAILURE_KINDS[extras["failure"][0]] == "unstable"
    assert extras["failure"][1] == -1


def leaving(cfg: EnvCfg) -> tuple[Environment, np.ndarray]:
    """An episode whose object follows the reference by itself, and an action with which the hand leaves it."""
    env = make_env(PUSH, num_envs=1, cfg=cfg)
    env.engine = ScriptedEngine(env, [replay(PUSH)])  # type: ignore[assignment]
    env.reset(0)
    away = np.zeros((1, env.num_actions))
    away[:, 0], away[:, 2] = -1.0, 1.0
    return env, away


@pytest.mark.requirement("H55")
def test_a_hand_that_leaves_ends_an_episode_in_training_only() -> None:
    base = EnvCfg(perturbation=NONE, start=StartCfg(pool=1))
    for cfg, missed in ((base, True), (for_evaluation(base), False)):
        env, away = leaving(cfg)
        for _ in range(200):
            *_, terminated, truncated, extras = env.step(away)
            if terminated[0] or truncated[0]:
                break
        assert terminated[0] == missed
        assert extras["success"][0] == (not missed)
        assert not missed or FAILURE_KINDS[extras["failure"][0]] == "missed"


def test_a_hand_may_leave_by_no_more_than_a_learner_lets_it() -> None:
    ended = []
    for leave in (None, 0.05, 0.02):
        base = EnvCfg(perturbation=NONE, start=StartCfg(pool=1), termination=TerminationCfg(hand_leave=leave))
        env, away = leaving(base)
        for _ in range(200):
            distance = env.now.hand_distance[0]
            *_, terminated, _, _ = env.step(away)
            if terminated[0]:
                ended.append(distance)
                break
    far, near, nearest = ended
    assert far > near > nearest
    assert near - nearest == pytest.approx(0.03, abs=0.01)
    assert for_evaluation(base).termination.hand_leave is None
    with pytest.raises(SchemaError, match="hand_leave 0"):
        TerminationCfg(hand_leave=0.0)


def test_staggered_episodes_are_cut_short_once_and_then_run_apart() -> None:
    staggered = replace(for_evaluation(EnvCfg()).termination, stagger=True)
    env = scripted(PUSH, [replay(PUSH)] * 8, termination=staggered)
    whole = env.path.last + round(SUCCESS.settle_time * RATE) + 1
    ends: list[list[tuple[int, bool, bool]]] = [[] for _ in range(env.num_envs)]
    for step in range(1, 2 * whole + 3):
        *_, terminated, truncated, extras = env.step(np.zeros((env.num_envs, env.num_actions)))
        assert not terminated.any()
        for index in np.flatnonzero(truncated):
            ends[index].append((step, bool(extras["success"][index]), bool(extras["partial"][index])))
    first, second = [each[0] for each in ends], [each[1] for each in ends]
    # Cut short at moments of their own, as neither successes nor whole episodes; from then on as ever.
    assert len({step for step, *_ in first}) >= 6 and max(step for step, *_ in first) <= env.path.last
    assert all(rest == [False, True] for _, *rest in first) and all(rest == [True, False] for _, *rest in second)
    assert all(abs(after - before - whole) <= 2 for (before, *_), (after, *_) in zip(first, second, strict=True))


def test_nothing_is_cut_short_where_policies_are_judged() -> None:
    learning = replace(EnvCfg(), termination=replace(EnvCfg().termination, stagger=True))
    assert not for_evaluation(learning).termination.stagger


# ── the goal clock ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("H25")
def test_a_waiting_clock_stands_while_the_object_is_behind_and_a_running_one_does_not() -> None:
    late = replay(PUSH, delay=1.5)
    for clock, succeeds in (("waits", True), ("runs", False)):
        env = scripted(PUSH, [late, replay(PUSH)], goal=GoalCfg(clock=clock, wait_distance=0.05))
        success, _, ended_at = outcomes(env)
        assert success.tolist() == [succeeds, True]
        if succeeds:
            assert 0.5 < ended_at[0] - ended_at[1] <= 1.5 + 2.1 * env.control_dt


@pytest.mark.requirement("H25")
def test_a_clock_that_waits_for_ever_is_a_failure_at_the_time_limit() -> None:
    env = scripted(PUSH, [still(PUSH)], goal=GoalCfg(clock="waits", wait_distance=0.03))
    success, kind, ended_at = outcomes(env)
    assert (bool(success[0]), kind[0]) == (False, "missed")
    assert ended_at[0] == pytest.approx(2.0 * PUSH.reference.duration, abs=2.1 * env.control_dt)
    assert env.episodes.goal_index[0] < env.path.last


@pytest.mark.requirement("H41")
@pytest.mark.parametrize("target", ["fixed", "interpolated", "downsampled"])
def test_whatever_is_aimed_at_the_reference_decides_success(target: str) -> None:
    task = load_task("plate_lift_rack")
    env = scripted(task, [replay(task), still(task)], goal=GoalCfg(target=target))
    success, _, _ = outcomes(env)
    assert success.tolist() == [True, False]
