"""N robots at one task: what happens in a step, in its order.

In:  actions (N, A).   Out: observations, rewards, endings (``VecEnv``).
Not here: each of the things that happen (mdp, engines, and the modules beside this one).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_schemas import arrays
from h2s2r_schemas.artifacts import FAILURE_KINDS, ObsTerm, TaskSpec
from h2s2r_schemas.errors import ContractError
from h2s2r_schemas.robots import RobotSpec
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.engines import make_engine
from h2s2r_sim.env.episodes import Episodes
from h2s2r_sim.env.human import human_path
from h2s2r_sim.env.knowledge import Now
from h2s2r_sim.env.start.archive import Archive, pack, unpack
from h2s2r_sim.env.start.beginnings import Beginnings
from h2s2r_sim.env.start.pool import build_pool
from h2s2r_sim.env.start.slide import sliding
from h2s2r_sim.env.start.waiting import WaitingRoom
from h2s2r_sim.env.unstable import Recorder
from h2s2r_sim.mdp import events, observations, rewards
from h2s2r_sim.mdp.actions import ActionMap
from h2s2r_sim.mdp.body import Body
from h2s2r_sim.mdp.goal import GoalPath
from h2s2r_sim.mdp.tracking import TrackedObject
from h2s2r_sim.rows import take
from h2s2r_sim.scene.model import build_model

#: Every environment.
_ALL = slice(None)
#: Episodes prepared at once: as many array calls as for one, and little memory.
_PREPARED = 256


class Environment:
    """``VecEnv`` of one task and robot. The same seed and actions give the same bytes.

    Args:
        task: what is to be learned.
        embodiment: the robot.
        cfg: everything else.
        num_envs: N.
    """

    def __init__(self, task: TaskSpec, embodiment: Embodiment, cfg: EnvCfg, num_envs: int) -> None:
        self.task, self.embodiment, self.cfg, self.num_envs = task, embodiment, cfg, num_envs
        self.scene = build_model(task, embodiment, replace(cfg.scene, visuals=False))
        self.engine = make_engine(cfg.engine, self.scene, num_envs, cfg.decimation, cfg.num_threads)
        self.body = Body.of(embodiment)
        self.tracked = TrackedObject.of(task)
        self.control_dt = 1.0 / cfg.control_hz
        self.path = GoalPath(cfg.goal, task.reference, self.control_dt, self.tracked)
        self.actions = ActionMap(cfg.action, self.body, self.control_dt)
        self.recorder = Recorder(cfg.dump_folder)
        self.beginnings = Beginnings(
            cfg.perturbation,
            self.robot,
            self.num_actions,
            np.array(cfg.scene.gravity),
            lambda rng: build_pool(
                task, embodiment, cfg.start, cfg.perturbation, self.engine.overlap, rng, sliding(self.path)
            ),
        )
        self.episodes = Episodes(cfg, task, self.path, self.actions, num_envs)
        self._waiting = WaitingRoom(
            self.beginnings,
            Episodes(cfg, task, self.path, self.actions, _PREPARED),
            self.engine.prepare if cfg.perturbation.changes_physics else None,
        )
        self._human_path = human_path(task, embodiment, self.path) if cfg.reward.hand_tracking else None
        self._archive: Archive | None = None

    @property
    def num_actions(self) -> int:
        """A."""
        return self.actions.num_actions

    @property
    def robot(self) -> RobotSpec:
        """Gives the order of joints."""
        return self.body.robot

    @property
    def failure_kinds(self) -> tuple[str, ...]:
        """How an episode can fail."""
        return FAILURE_KINDS

    @property
    def now(self) -> Now:
        """The true state, for viewers and judges.

        Raises:
            ContractError: there is none before the first ``reset``.
        """
        if self.episodes.now is None:
            raise ContractError("The environment has not begun: call reset(seed) before anything else.")
        return self.episodes.now

    @property
    def obs_layout(self) -> tuple[ObsTerm, ...]:
        """The policy's observation term by term, as a ``PolicySpec`` stores it."""
        _ = self.now
        return observations.layout(self.episodes.seen(slice(1)), self.cfg.observation)

    # ── the contract ────────────────────────────────────────────────────────────────────────────────────────────────

    def reset(self, seed: int | None = None) -> dict[str, np.ndarray]:
        """Start all episodes anew; without a seed the random sequence goes on (the first time, from 0)."""
        self.beginnings.seed(seed)
        self._archive = None
        self._waiting.empty()
        obs = self._begin(np.arange(self.num_envs), {})
        if self.cfg.termination.stagger:
            self.episodes.endings.stagger(self.beginnings.rng)
        return obs

    def step(
        self, action: np.ndarray
    ) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, np.ndarray, Mapping[str, Any]]:
        """One policy step; the order of everything that happens is the order of these lines."""
        _ = self.now  # raises before the first reset
        cfg, rng, running = self.cfg, self.beginnings.rng, self.episodes
        action = self._checked(action)
        # The action becomes joint targets, from the joints as measured.
        sent = self._disturbed(action)
        running.actions = self.actions.apply(running.actions, sent, running.sensors.joint_pos)
        # Targets travel to the joints, something may push the object, and physics runs.
        targets = running.actuation.pieces(running.actions.joint_pos_target)
        pushes = events.draw_pushes(rng, cfg.perturbation, self.task.object.mass * running.physics.object_mass)
        state = self.recorder.step(self.engine, targets, pushes, running.physics)
        running.step_count += 1
        # Joints are measured and the object is seen: sensor noise is drawn here, once.
        running.sensors.update(state, rng)
        running.knowledge.update(running.goal_index)
        # The goal moves on.
        running.goal_index = self.path.advance(running.goal_index, running.knowledge.seen_error(running.goal_index))
        now = running.look(state)
        # What is paid.
        reward = self._reward(now, action)
        running.last_action = action
        # What has ended, and what it looked like.
        ended = running.endings.update(running.step_count, running.goal_index, now)
        final_obs = running.observe(_ALL)
        obs = {name: values.copy() for name, values in final_obs.items()}
        extras = {
            "final_obs": final_obs,
            "failure": ended.failure,
            "success": ended.success,
            "partial": ended.partial,
            "wxyz_xyz_world_object": now.state.wxyz_xyz_world_object.copy(),
            "anchor_error": now.judged.anchor.copy(),
            "position_error": now.judged.position.copy(),
            "rotation_error": now.judged.rotation.copy(),
        }
        # New episodes take the place of ended ones.
        self._remember(now, ended.terminated)
        env_ids = np.flatnonzero(ended.terminated | ended.truncated)
        if len(env_ids):
            # Of the episodes that ended: what their worlds, robots and cameras had been.
            extras["drawn"] = running.drawn()
            self._begin(env_ids, obs)
        return obs, reward, ended.terminated, ended.truncated, extras

    # ── its pieces ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _checked(self, action: np.ndarray) -> np.ndarray:
        action = np.asarray(action, dtype=np.float64)
        if action.shape != (self.num_envs, self.num_actions) or not np.isfinite(action).all():
            raise ContractError(
                f"An action has shape {(self.num_envs, self.num_actions)} and finite numbers in [-1, 1]; this one has shape "
                f"{action.shape}{'' if np.isfinite(action).all() else ' and holds NaN or infinity'}."
            )
        return arrays.clip(action, -1.0, 1.0)

    def _disturbed(self, action: np.ndarray) -> np.ndarray:
        noise = self.cfg.perturbation
        if noise.action_bias:
            action = action + self.episodes.signals.action_bias
        if noise.action_noise:
            action = action + noise.action_noise * self.beginnings.rng.standard_normal(action.shape)
        return action

    def _begin(self, env_ids: np.ndarray, obs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Start episodes ``env_ids`` (K) anew, everywhere, and write their observations over those in ``obs`` (N, …)."""
        waiting, begun = self._waiting, 0
        while begun < len(env_ids):
            rows = waiting.call(len(env_ids) - begun)
            into = env_ids[begun : begun + rows.stop - rows.start]
            if waiting.physics is not None:
                self.engine.set_parameters(into, waiting.physics, rows)
            self.engine.reset(into, take(waiting.start, rows))
            self.episodes.admit(into, waiting.episodes, rows)
            for name, values in waiting.obs.items():
                if name not in obs:
                    obs[name] = np.zeros((self.num_envs, *values.shape[1:]), dtype=values.dtype)
                obs[name][into] = values[rows]
            begun += len(into)
        self._recall(env_ids, obs)
        return obs

    def _remember(self, now: Now, ended: np.ndarray) -> None:
        """Put some states worth coming back to into the archive."""
        if self.cfg.archive.share == 0.0:
            return
        running = self.episodes
        if self._archive is None:
            one = pack(self.engine, running.actions, np.zeros(1, dtype=np.int64))
            self._archive = Archive(self.cfg.archive, self.path.last, one.shape[-1])
        worth = np.where(ended, np.inf, now.error.anchor)
        env_ids = self._archive.wanted(self.beginnings.rng, running.goal_index, worth)
        self._archive.keep(running.goal_index[env_ids], pack(self.engine, running.actions, env_ids))

    def _recall(self, env_ids: np.ndarray, obs: dict[str, np.ndarray]) -> None:
        """Put some of the episodes ``env_ids`` (K) into states from the archive, and their observations into ``obs``."""
        if self._archive is None:
            return
        running, rng = self.episodes, self.beginnings.rng
        chosen, index, rows = self._archive.draw(rng, len(env_ids))
        into = env_ids[chosen]
        if len(into):
            unpack(rows, self.engine, running.actions, into)
            running.step_count[into] = index
            running.goal_index[into] = index
            running.resume(into, self.engine.state(), rng)
            for name, values in running.observe(into).items():
                obs[name][into] = values

    def _reward(self, now: Now, action: np.ndarray) -> np.ndarray:
        cfg, running = self.cfg.reward, self.episodes
        reward = rewards.tracking(now.error.anchor, cfg.alpha)
        if self._human_path is not None:
            human = self._human_path[running.goal_index]
            share = cfg.hand_tracking
            reward = (1.0 - share) * reward + share * rewards.hand_tracking(now.frames[1], human, cfg.hand_alpha)
        return reward - cfg.action_change * rewards.action_change(action, running.last_action)
