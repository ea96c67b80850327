"""Episodes side by side: all that N of them consist of besides their worlds.

In:  how they begin, what sensors deliver.   Out: ``Now``, observations, and the state of every part, row by row.
Not here: worlds and the order of a step (environment), what begins when (start).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.engine import EngineState, PhysicalParameters
from h2s2r_sim.env.actuation import Actuation
from h2s2r_sim.env.endings import Endings
from h2s2r_sim.env.knowledge import Knowledge, Now
from h2s2r_sim.env.sensors import Sensors
from h2s2r_sim.env.start.beginnings import Beginning
from h2s2r_sim.mdp import critic, events, observations
from h2s2r_sim.mdp.actions import ActionMap
from h2s2r_sim.mdp.goal import GoalPath
from h2s2r_sim.mdp.tracking import TrackedObject
from h2s2r_sim.perturbation import Perturbation
from h2s2r_sim.rows import Rows, copy_rows, take

#: Every episode.
_ALL = slice(None)
#: Into how many pieces a control period is cut where delay, play or stiction act within it.
_PIECES = 4


class Episodes:
    """N episodes of one task and robot.

    Args:
        cfg: of the environment.
        task: what is to be learned.
        path: the goal's.
        action_map: what an action means; gives the robot.
        num_envs: N.
    """

    STATE: ClassVar[tuple[str, ...]] = (
        "sensors", "knowledge", "actuation", "endings", "actions", "last_action", "step_count", "goal_index", "physics",
        "physics_columns", "signals", "now",
    )  # fmt: skip

    def __init__(self, cfg: EnvCfg, task: TaskSpec, path: GoalPath, action_map: ActionMap, num_envs: int) -> None:
        self._cfg, self._action_map, self.num_envs = cfg, action_map, num_envs
        noise, robot = cfg.perturbation, action_map.body.robot
        joints, control_dt = len(robot.joint_names), path.control_dt
        self.sensors = Sensors(noise, num_envs, events.joint_unit(robot), control_dt)
        memory = observations.memory_length(cfg.observation)
        self.knowledge = Knowledge(action_map.body, TrackedObject.of(task), path, self.sensors, memory)
        self.actuation = Actuation(noise, num_envs, joints, control_dt, _PIECES)
        self.endings = Endings(cfg.termination, num_envs, path, float(task.scene.wxyz_xyz_world_table[6]))
        self.actions = action_map.start(np.zeros((num_envs, joints)))
        """What the action map remembers."""
        self.last_action = np.zeros((num_envs, action_map.num_actions))
        """(N, A) before any noise."""
        self.step_count = np.zeros(num_envs, dtype=np.int64)
        """(N) policy steps since the start."""
        self.goal_index = np.zeros(num_envs, dtype=np.int64)
        """(N) the goal's clock."""
        self.physics = PhysicalParameters.nominal(num_envs, joints)
        """(N) how their worlds differ from the model."""
        self.physics_columns = critic.physics_columns(self.physics)
        """(N, 7) what of it the critic sees."""
        self.signals = events.draw_signals(
            np.random.default_rng(0), Perturbation(), num_envs, robot, action_map.num_actions
        )
        """(N) how measurements and commands differ from the truth."""
        self.now: Any = None
        """``Now``: the true state; None before any has begun."""

    def begin(self, beginning: Beginning, rng: np.random.Generator) -> None:
        """Begin all N anew, at rest."""
        everyone, state = np.arange(self.num_envs), EngineState.at_rest(beginning.start)
        self.physics, self.signals = beginning.physics, beginning.signals
        self.physics_columns = critic.physics_columns(beginning.physics)
        self.step_count[:] = self.goal_index[:] = beginning.goal_index
        self.actions = self._action_map.start(beginning.start.joint_pos)
        self.actuation.reset(everyone, beginning.start.joint_pos, beginning.signals)
        self.sensors.reset(everyone, state, beginning.signals, rng)
        self.knowledge.forget(everyone, self.goal_index)
        self.now = self.knowledge.look(state, self.goal_index, _ALL)
        self.endings.begin(everyone, self.step_count, self.goal_index, self.now, beginning.goal_index > 0)

    def admit(self, env_ids: np.ndarray, waiting: Episodes, rows: slice) -> None:
        """Let others, which have begun, take the place of the episodes ``env_ids`` (K)."""
        if self.now is None:
            self.now = take(waiting.now, np.zeros(self.num_envs, dtype=np.int64))
        copy_rows(self, env_ids, waiting, rows)

    def resume(self, env_ids: np.ndarray, state: EngineState, rng: np.random.Generator) -> None:
        """Go on with the episodes ``env_ids`` (K) in the middle, where worlds ``state`` (N) and clocks have been put."""
        signals = take(self.signals, env_ids)
        self.actuation.reset(env_ids, self.actions.joint_pos_target[env_ids], signals)
        self.sensors.reset(env_ids, state, signals, rng)
        self.knowledge.forget(env_ids, self.goal_index)
        there = self.knowledge.look(state, self.goal_index, env_ids)
        copy_rows(self.now, env_ids, there, _ALL)
        partial = np.ones(len(env_ids), dtype=bool)
        self.endings.begin(env_ids, self.step_count, self.goal_index, self.now, partial)

    def look(self, state: EngineState) -> Now:
        """Take worlds and clocks as they are now for the truth."""
        self.now = self.knowledge.look(state, self.goal_index, _ALL)
        return self.now

    def seen(self, rows: Rows) -> observations.Seen:
        """What the robots ``rows`` know."""
        return self.knowledge.seen(self.now, self.goal_index, self.actions, self.last_action, rows)

    def observe(self, rows: Rows) -> dict[str, np.ndarray]:
        """Observations of the episodes ``rows``, as float32."""
        now, seen = self.now, self.seen(rows)
        truth = critic.Truth(
            lin_vel_world_object=now.state.lin_vel_world_object[rows],
            ang_vel_world_object=now.state.ang_vel_world_object[rows],
            error=take(now.error, rows),
            anchor_limit=self.endings.anchor_limit[rows],
            physics=self.physics_columns[rows],
        )
        true = replace(seen, placed=take(now.placed, rows))
        shared: dict[str, np.ndarray] = {}
        return {
            "actor": observations.observe(seen, self._cfg.observation, shared).astype(np.float32),
            "critic": critic.critic_observation(true, truth, shared).astype(np.float32),
        }

    def drawn(self) -> dict[str, np.ndarray]:
        """All draws by name (N, …), copied: what a log of the episodes should hold."""
        return {name: value.copy() for part in (self.physics, self.signals) for name, value in vars(part).items()}
