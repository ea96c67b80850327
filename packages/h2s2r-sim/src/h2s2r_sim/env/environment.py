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
from h2s2r_schemas.artifacts import FAILURE_KINDS, ObsTerm, TaskSpec
from h2s2r_schemas.errors import ContractError
from h2s2r_schemas.robots import RobotSpec
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.engines import make_engine
from h2s2r_sim.env.actuation import Actuation
from h2s2r_sim.env.endings import Endings
from h2s2r_sim.env.human import human_path
from h2s2r_sim.env.knowledge import Knowledge, Now
from h2s2r_sim.env.rows import Rows, put, take
from h2s2r_sim.env.sensors import Sensors
from h2s2r_sim.env.start.archive import Archive, pack, parts_of, unpack
from h2s2r_sim.env.start.beginnings import Beginnings
from h2s2r_sim.env.start.pool import build_pool
from h2s2r_sim.env.unstable import Recorder
from h2s2r_sim.mdp import critic, events, observations, rewards
from h2s2r_sim.mdp.actions import ActionMap
from h2s2r_sim.mdp.body import Body
from h2s2r_sim.mdp.goal import GoalPath
from h2s2r_sim.mdp.tracking import TrackedObject
from h2s2r_sim.scene.model import build_model

#: Every environment.
_ALL = slice(None)
#: Into how many pieces a control period is cut where delay, play or stiction act within it.
_PIECES = 4


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
        noise, joints = cfg.perturbation, len(self.robot.joint_names)
        self.sensors = Sensors(noise, num_envs, events.joint_unit(self.robot), self.control_dt)
        memory = observations.memory_length(cfg.observation)
        self.knowledge = Knowledge(self.body, self.tracked, self.path, self.sensors, memory)
        self.actuation = Actuation(noise, num_envs, joints, self.control_dt, _PIECES)
        table_height = float(task.scene.wxyz_xyz_world_table[6])
        self.endings = Endings(cfg.termination, num_envs, self.path, table_height)
        self.beginnings = Beginnings(
            noise,
            num_envs,
            self.robot,
            self.num_actions,
            np.array(cfg.scene.gravity),
            lambda rng: build_pool(task, embodiment, cfg.start, noise, self.engine.overlap, rng),
        )
        self._human_path = human_path(task, embodiment, self.path) if cfg.reward.hand_tracking else None
        self.step_count = np.zeros(num_envs, dtype=np.int64)
        self.goal_index = np.zeros(num_envs, dtype=np.int64)
        self._last_action = np.zeros((num_envs, self.num_actions))
        self._action_state = self.actions.start(np.zeros((num_envs, joints)))
        self._archive: Archive | None = None
        self._now: Now | None = None

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
        if self._now is None:
            raise ContractError("The environment has not begun: call reset(seed) before anything else.")
        return self._now

    @property
    def obs_layout(self) -> tuple[ObsTerm, ...]:
        """The policy's observation term by term, as a ``PolicySpec`` stores it."""
        seen = self.knowledge.seen(self.now, self.goal_index, self._action_state, self._last_action, slice(1))
        return observations.layout(seen, self.cfg.observation)

    # ── the contract ────────────────────────────────────────────────────────────────────────────────────────────────

    def reset(self, seed: int | None = None) -> dict[str, np.ndarray]:
        """Start all episodes anew; without a seed the random sequence goes on (the first time, from 0)."""
        self.beginnings.seed(seed)
        self._archive = None
        self._now = None
        self._begin(np.arange(self.num_envs))
        return self._observe(_ALL)

    def step(
        self, action: np.ndarray
    ) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray, np.ndarray, Mapping[str, Any]]:
        """One policy step; the order of everything that happens is the order of these lines."""
        _ = self.now  # raises before the first reset
        cfg, rng = self.cfg, self.beginnings.rng
        action = self._checked(action)
        # The action becomes joint targets, from the joints as measured.
        sent = self._disturbed(action)
        self._action_state = self.actions.apply(self._action_state, sent, self.sensors.joint_pos)
        # Targets travel to the joints, something may push the object, and physics runs.
        targets = self.actuation.pieces(self._action_state.joint_pos_target)
        pushes = events.draw_pushes(rng, cfg.perturbation, self.task.object.mass * self.beginnings.physics.object_mass)
        state = self.recorder.step(self.engine, targets, pushes, self.beginnings.physics)
        self.step_count += 1
        # Joints are measured and the object is seen: sensor noise is drawn here, once.
        self.sensors.update(state, rng)
        self.knowledge.update(self.goal_index)
        # The goal moves on.
        self.goal_index = self.path.advance(self.goal_index, self.knowledge.seen_error(self.goal_index))
        now = self._now = self.knowledge.look(state, self.goal_index, _ALL)
        # What is paid.
        reward = self._reward(now, action)
        self._last_action = action
        # What has ended, and what it looked like.
        ended = self.endings.update(self.step_count, self.goal_index, now)
        final_obs = self._observe(_ALL)
        obs = {name: values.copy() for name, values in final_obs.items()}
        extras = {
            "final_obs": final_obs,
            "failure": ended.failure,
            "success": ended.success,
            "helped": ended.helped,
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
            extras["drawn"] = self.beginnings.drawn()
            self._begin(env_ids)
            fresh = self._observe(env_ids)
            for name, values in fresh.items():
                obs[name][env_ids] = values
        return obs, reward, ended.terminated, ended.truncated, extras

    # ── its pieces ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _checked(self, action: np.ndarray) -> np.ndarray:
        action = np.asarray(action, dtype=np.float64)
        if action.shape != (self.num_envs, self.num_actions) or not np.isfinite(action).all():
            raise ContractError(
                f"An action has shape {(self.num_envs, self.num_actions)} and finite numbers in [-1, 1]; this one has shape "
                f"{action.shape}{'' if np.isfinite(action).all() else ' and holds NaN or infinity'}."
            )
        return np.clip(action, -1.0, 1.0)

    def _disturbed(self, action: np.ndarray) -> np.ndarray:
        noise = self.cfg.perturbation
        if noise.action_bias:
            action = action + self.beginnings.signals.action_bias
        if noise.action_noise:
            action = action + noise.action_noise * self.beginnings.rng.standard_normal(action.shape)
        return action

    def _begin(self, env_ids: np.ndarray) -> None:
        """Start episodes ``env_ids`` (K) anew, everywhere."""
        beginning = self.beginnings.draw(env_ids)
        if self.cfg.perturbation.changes_physics:
            self.engine.set_parameters(env_ids, beginning.physics)
        self.engine.reset(env_ids, beginning.start)
        started = self.actions.start(beginning.start.joint_pos)
        for mine, new in zip(parts_of(self._action_state), parts_of(started), strict=True):
            mine[env_ids] = new
        self.step_count[env_ids] = 0
        self.goal_index[env_ids] = 0
        self._last_action[env_ids] = 0.0
        helped = self._recall(env_ids)
        state = self.engine.state()
        self.actuation.reset(env_ids, self._action_state.joint_pos_target[env_ids], beginning.signals)
        self.sensors.reset(env_ids, state, beginning.signals, self.beginnings.rng)
        self.knowledge.forget(env_ids, self.goal_index)
        fresh = self.knowledge.look(state, self.goal_index, env_ids)
        if self._now is None:
            self._now = fresh
        else:
            put(self._now, env_ids, fresh)
        self.endings.begin(env_ids, self._now, helped)

    def _remember(self, now: Now, ended: np.ndarray) -> None:
        """Put some states worth coming back to into the archive."""
        if self.cfg.archive.share == 0.0:
            return
        if self._archive is None:
            one = pack(self.engine, self._action_state, np.zeros(1, dtype=np.int64))
            self._archive = Archive(self.cfg.archive, self.path.last, one.shape[-1])
        worth = np.where(ended, np.inf, now.error.anchor)
        env_ids = self._archive.wanted(self.beginnings.rng, self.goal_index, worth)
        self._archive.keep(self.goal_index[env_ids], pack(self.engine, self._action_state, env_ids))

    def _recall(self, env_ids: np.ndarray) -> np.ndarray:
        """Put some of the episodes ``env_ids`` (K) into states from the archive; which ones (K)."""
        if self._archive is None:
            return np.zeros(len(env_ids), dtype=bool)
        chosen, index, rows = self._archive.draw(self.beginnings.rng, len(env_ids))
        into = env_ids[chosen]
        if len(into):
            unpack(rows, self.engine, self._action_state, into)
            self.step_count[into] = index
            self.goal_index[into] = index
        return chosen

    def _reward(self, now: Now, action: np.ndarray) -> np.ndarray:
        cfg = self.cfg.reward
        reward = rewards.tracking(now.error.anchor, cfg.alpha)
        if self._human_path is not None:
            human = self._human_path[self.goal_index]
            share = cfg.hand_tracking
            reward = (1.0 - share) * reward + share * rewards.hand_tracking(now.frames[1], human, cfg.hand_alpha)
        return reward - cfg.action_change * rewards.action_change(action, self._last_action)

    def _observe(self, rows: Rows) -> dict[str, np.ndarray]:
        """Observations of the environments ``rows``, as float32."""
        now = self.now
        seen = self.knowledge.seen(now, self.goal_index, self._action_state, self._last_action, rows)
        truth = critic.Truth(
            lin_vel_world_object=now.state.lin_vel_world_object[rows],
            ang_vel_world_object=now.state.ang_vel_world_object[rows],
            error=take(now.error, rows),
            anchor_limit=self.endings.anchor_limit(self.step_count, self.goal_index)[rows],
            physics=self.beginnings.physics_columns[rows],
        )
        true = replace(seen, placed=take(now.placed, rows))
        return {
            "actor": observations.observe(seen, self.cfg.observation).astype(np.float32),
            "critic": critic.critic_observation(true, truth).astype(np.float32),
        }
