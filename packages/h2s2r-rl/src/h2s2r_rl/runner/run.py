"""The loop: look, think, command, wait; on the robot's clock.

In:  policy, ``Robot``, ``ObjectState`` from any source, task.   Out: ``RunResult`` with a ``Rollout``.
Not here: whether it may begin (start), what is seen and meant (mind), talking to the robot (link).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_rl.runner.config import RunCfg, RunError
from h2s2r_rl.runner.link import Link
from h2s2r_rl.runner.mind import Mind, Sight
from h2s2r_rl.runner.start import check_object, check_partners, check_robot_start
from h2s2r_schemas.artifacts import SUCCESS, Rollout, TaskSpec, is_success
from h2s2r_schemas.contracts import Policy, Robot
from h2s2r_schemas.errors import RobotFault
from h2s2r_schemas.se3 import SE3
from h2s2r_schemas.wire import ObjectState

#: The newest message of a tracker; none before the first.
ObjectSource = Callable[[], ObjectState | None]
_EARLY = 1e-6


@dataclass(frozen=True)
class RunResult:
    """What came of a run."""

    rollout: Rollout
    """What was seen and wanted. Its ``success`` is known only where true poses are, its ``failure`` is left open."""
    stopped: str
    """Why it ended before its time; empty if it did not."""
    thinking: np.ndarray
    """(T) [s] of wall time from a state to its command, for each row of the rollout."""


def run_policy(
    policy: Policy,
    robot: Robot,
    object_source: ObjectSource,
    task: TaskSpec,
    embodiment: Embodiment,
    cfg: RunCfg | None = None,
    truth: Callable[[], np.ndarray] | None = None,
    seed: int | None = None,
) -> RunResult:
    """Let a policy do its task once. The robot stands at the pre-manipulation pose already.

    Args:
        policy: exported, or still in torch.
        robot: simulated, emulated or real.
        object_source: the newest object pose; asked once a policy step.
        task: that the policy was trained for.
        embodiment: of the robot.
        cfg: limits.
        truth: the true object pose (7), where somebody knows it.
        seed: of a simulated episode, for the record.

    Raises:
        RunError: it may not begin: another robot or task, no object in sight, far from the start, lease or arming refused.
        RobotFault: the robot cannot be reached.
    """
    cfg = cfg or RunCfg()
    link = Link(robot)
    check_partners(policy.spec, link.hello, task, embodiment)
    run = _Run(policy, link, object_source, Mind(policy.spec, task, embodiment), task, cfg, truth)
    check_robot_start(link.state, run.await_object(), task, embodiment, cfg)
    if cfg.dry_run:
        return run.episode(seed)
    link.arm(cfg.arm_timeout)
    try:
        return run.episode(seed)
    finally:
        link.release()


class _Run:
    """One episode and its record."""

    def __init__(
        self,
        policy: Policy,
        link: Link,
        object_source: ObjectSource,
        mind: Mind,
        task: TaskSpec,
        cfg: RunCfg,
        truth: Callable[[], np.ndarray] | None,
    ) -> None:
        self._policy, self._link, self._source, self._mind = policy, link, object_source, mind
        self._task, self._cfg, self._truth = task, cfg, truth
        self._rows: dict[str, list[Any]] = {}
        self._indices: list[int] = []
        self._thinking: list[float] = []
        self._true: list[np.ndarray] = []

    def await_object(self) -> ObjectState:
        """The object where the task begins, seen just now.

        Raises:
            RunError: not within the time allowed.
        """
        began = self._link.state.time
        while True:
            seen = self._source()
            try:
                return check_object(seen, self._link.state.time, self._task, self._cfg)
            except RunError:
                if self._link.state.time - began >= self._cfg.object_wait:
                    raise
            self._link.wait()

    def episode(self, seed: int | None) -> RunResult:
        """Act until the reference and the time to settle after it have passed, or all time allowed."""
        link, mind, dt = self._link, self._mind, self._mind.control_dt
        self._policy.reset()
        # Anew, as arming may have taken a while.
        seen = self.await_object()
        if not self._cfg.dry_run:
            link.stand(dt, self._cfg.follow_timeout)
            seen = self._better(seen)
        began, step, stopped = link.state.time, 0, ""
        sight = Sight(seen.wxyz_xyz_world_object, seen.capture_time)
        mind.begin(link.state, sight)
        while not stopped and not self._over(step * dt):
            self._act(sight)
            step += 1
            while not stopped and link.state.time < began + step * dt - _EARLY:
                stopped = self._pass()
            sight = self._newest(sight)
            mind.look(sight)
            if link.state.time - sight.time > self._cfg.object_age:
                stopped = f"The object has not been seen for {link.state.time - sight.time:.2f} s."
        if link.state.time > self._rows["time"][-1]:
            # How it ended; what is wanted then is not commanded any more.
            self._act(sight, command=False)
        return RunResult(self._record(seed, stopped), stopped, np.array(self._thinking))

    def _pass(self) -> str:
        """Let time pass to the next state; why nothing more can be done, if so."""
        try:
            self._link.next_state()
        except RobotFault as fault:
            # What was seen so far is worth keeping.
            return f"The robot cannot be reached any more, {fault.code}: {fault}"
        return "" if self._cfg.dry_run else self._link.trouble()

    def _over(self, time: float) -> bool:
        """Whether all is done, so long [s] after the start."""
        path = self._mind.path
        if path.last in self._indices:
            ended = self._indices.index(path.last) * path.control_dt
            return time >= ended + SUCCESS.settle_time - _EARLY
        return time > SUCCESS.time_limit_factor * path.duration

    def _better(self, before: ObjectState) -> ObjectState:
        """The object as seen now, unless that cannot be."""
        try:
            return check_object(self._source(), self._link.state.time, self._task, self._cfg)
        except RunError:
            return before

    def _newest(self, before: Sight) -> Sight:
        """The object as seen now; where it is lost it stays where it was, and ages, as in training."""
        seen = self._source()
        if seen is None or seen.lost or seen.object_name != self._task.object.name:
            return before
        return Sight(seen.wxyz_xyz_world_object, seen.capture_time)

    def _act(self, sight: Sight, command: bool = True) -> None:
        """One policy step: observe, decide, command, write down."""
        link, mind, began = self._link, self._mind, perf_counter()
        state, index = link.state, int(mind.goal_index[0])
        obs = mind.observe(state, sight)
        action = np.asarray(self._policy.act(obs))
        target = mind.target(action, state)
        if command and not self._cfg.dry_run:
            link.command(target)
        self._thinking.append(perf_counter() - began)
        row = {
            "time": state.time,
            "obs": obs[0],
            "action": action[0].astype(np.float32),
            "joint_pos": state.joint_pos,
            "joint_pos_target": target,
            "wxyz_xyz_world_object": sight.wxyz_xyz_world_object,
            "object_age": max(0.0, state.time - sight.time),
            "wxyz_xyz_world_goal": mind.path.target.wxyz_xyz_world_object[index],
            "goal_time": min(index * mind.control_dt, mind.path.duration),
        }
        self._indices.append(index)
        for name, value in row.items():
            self._rows.setdefault(name, []).append(value)
        if self._truth is not None:
            self._true.append(np.array(self._truth()))

    def _record(self, seed: int | None, stopped: str) -> Rollout:
        spec, hello = self._policy.spec, self._link.hello
        rows: dict[str, Any] = {name: np.array(values) for name, values in self._rows.items()}
        return Rollout(
            task_name=self._task.name,
            policy_hash=spec.onnx_sha256,
            robot_hash=spec.robot_hash,
            joint_names=hello.robot.joint_names,
            emulated=hello.emulated,
            seed=seed,
            success=None if self._truth is None else not stopped and self._success(),
            **rows,
        )

    def _success(self) -> bool:
        path, task = self._mind.path, self._task
        time = np.array(self._rows["time"], dtype=np.float64)
        index = np.array(self._indices)
        at_end = np.flatnonzero(index == path.last)
        return is_success(
            time - time[0],
            SE3(np.stack(self._true)),
            SE3(path.reference.wxyz_xyz_world_object[index]),
            float(time[at_end[0]] - time[0]) if len(at_end) else float("inf"),
            path.duration,
            task.anchor_points,
            task.object.symmetry,
        )
