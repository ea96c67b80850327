"""Can this robot be trained for this task? Looked at before hours are spent on it.

In:  ``TaskSpec``, embodiment, ``EnvCfg``.   Out: ``TaskReport``.
Not here: what makes a task impossible to even load (task.checks), learning (h2s2r-rl).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.env.make import make_env
from h2s2r_sim.env.start.premanip import robot_pose
from h2s2r_sim.scene import penetration
from h2s2r_sim.task.anchors import object_points

#: [m] things may be inside each other while nobody pushes, and along the reference.
DEEPEST = 0.002
#: Share of usable starts below which the noise of the start hardly fits the place.
FEW_STARTS = 0.5
#: [m] the palm may miss where the human's was.
PALM_OFF = 0.01
_NUM_ENVS, _STEPS = 16, 15


@dataclass(frozen=True)
class TaskReport:
    """What is to be known of a robot at a task."""

    object_mass: float
    """[kg]."""
    object_size: np.ndarray
    """(3) [m] along the axes of its frame."""
    duration: float
    """[s] of the reference."""
    distance: float
    """[m] the object's origin travels along it."""
    turn: float
    """[rad] the object turns along it, every step added up."""
    reference_depth: float
    """[m] how deep the object goes into table or fixtures along the reference."""
    palm_error: float
    """[m] of the pre-manipulation pose from the human's."""
    fingertip_error: float
    """[m] likewise, of the worst fingertip."""
    usable_starts: float
    """Share of the starts drawn under the configured noise that the robot reaches without touching anything."""
    depth: float
    """[m] deepest contact after one second in which the robot holds still."""
    unstable: int
    """Worlds that exploded meanwhile."""

    @property
    def findings(self) -> tuple[str, ...]:
        """What speaks against it; nothing if it is fine."""
        checks = (
            (
                self.reference_depth > DEEPEST,
                f"the reference goes {self.reference_depth * 1e3:.1f} mm into table or fixtures",
            ),
            (self.palm_error > PALM_OFF, f"the palm starts {self.palm_error * 1e3:.1f} mm from where the human's was"),
            (self.usable_starts < FEW_STARTS, f"only {self.usable_starts:.0%} of the starts are usable"),
            (self.depth > DEEPEST, f"things are {self.depth * 1e3:.1f} mm inside each other though nothing is pushed"),
            (self.unstable > 0, f"{self.unstable} of {_NUM_ENVS} worlds became unstable though nothing is pushed"),
        )
        return tuple(text for wrong, text in checks if wrong)


def check_task(task: TaskSpec, embodiment: Embodiment, cfg: EnvCfg | None = None, seed: int = 0) -> TaskReport:
    """Look at everything that can be looked at without learning; takes seconds.

    Args:
        task: to be done.
        embodiment: by whom.
        cfg: as for ``make_env``.
        seed: of the starts.

    Raises:
        SchemaError, StartError: the robot cannot reach the start, or hardly any.
        EngineError: no such engine here.
    """
    env = make_env(task, embodiment, _NUM_ENVS, cfg)
    env.reset(seed)
    unstable = np.zeros(_NUM_ENVS, dtype=bool)
    joint_pos_target = env.now.state.joint_pos[:, None]
    for _ in range(_STEPS):
        unstable |= env.engine.step(joint_pos_target, np.zeros((_NUM_ENVS, 6))).unstable
    reference, start = task.reference, robot_pose(task, embodiment)
    Ts_world_object = reference.Ts_world_object
    steps = (Ts_world_object[:-1].inv() @ Ts_world_object[1:]).log()
    return TaskReport(
        object_mass=task.object.mass,
        object_size=np.ptp(object_points(task.object), axis=0),
        duration=reference.duration,
        distance=float(np.linalg.norm(np.diff(reference.wxyz_xyz_world_object[:, 4:], axis=0), axis=-1).sum()),
        turn=float(np.linalg.norm(steps[:, 3:], axis=-1).sum()),
        reference_depth=max(
            float(each.max()) for each in penetration(task.object, task.scene, Ts_world_object).values()
        ),
        palm_error=float(start.palm_position_error),
        fingertip_error=float(np.max(start.fingertip_error)),
        usable_starts=env.beginnings.share_valid,
        depth=float(env.engine.penetration().max()),
        unstable=int(unstable.sum()),
    )
