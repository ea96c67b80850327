"""Put a demonstration that nobody calibrated to a robot where the robot can do it.

In:  ``TaskSpec`` in the world of some camera, embodiment.   Out: ``Placed``: the task in the robot's world, and how well it fits.
Not here: tasks of a calibrated camera (they are where they are), the retargeting itself (h2s2r-retarget).

The table becomes level with the robot's base, and the middle of the object's path comes in front of the robot. Of the
directions in which the robot could stand, and can follow the whole path, the one counts in which its arm keeps furthest from
its joint limits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_retarget.retargeter import Retargeter
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.task.make import reexpressed

#: [m] in front of the base where the middle of the path comes, best first: the middle of an iiwa's reach at table height.
DISTANCES = (0.60, 0.52, 0.68)
#: Directions that are tried for each.
TURNS = 24
#: Places along the path that the palm, carried along with the object, must get to.
_ALONG = 7


@dataclass(frozen=True)
class Placed:
    """A task that a robot can do."""

    task: TaskSpec
    """In the robot's world."""
    T_new_world: SE3
    """From the world it came in."""
    margin: float
    """How far the arm keeps from its joint limits along the path, as a share of their ranges: 0 at a limit, 0.5 in the middle."""
    reachable: int
    """Of ``TURNS`` directions those in which the robot can follow."""

    @property
    def said(self) -> str:
        """What was done, in a sentence."""
        x, y, _ = self.task.reference.Ts_world_object[0].translation
        return (
            f"Nobody measured where the camera stood: the table is taken to be level with the robot's base, the object "
            f"{x:.2f} m in front of it and {abs(y):.2f} m to the {'left' if y >= 0 else 'right'}; the robot can follow from "
            f"{self.reachable} of {TURNS} directions, and stands where its joints keep {self.margin:.0%} of their ranges from "
            "their limits."
        )


def place(task: TaskSpec, embodiment: Embodiment) -> Placed:
    """The task where this robot can do it; the same every time.

    Raises:
        SchemaError: it can nowhere, or its hand is the other one.
    """
    retargeter = Retargeter(embodiment)
    for distance in DISTANCES:
        places = [_in_front(task, distance, turn * 2 * np.pi / TURNS) for turn in range(TURNS)]
        margin = np.array([_margin(task, T_new_world, retargeter) for T_new_world in places])
        best = int(np.argmax(margin))
        if margin[best] > 0.0:
            there = reexpressed(task, places[best])
            return Placed(there, places[best], float(margin[best]), int((margin > 0.0).sum()))
    raise SchemaError(
        f"{embodiment.name} cannot do {task.name!r} from any of {len(DISTANCES) * TURNS} places in front of it: its palm does "
        "not get where the human's was along the path. Is the scale right (an object's mesh in millimetres), or is the path "
        "longer than the robot's reach?"
    )


def _in_front(task: TaskSpec, distance: float, turn: float) -> SE3:
    """To a world whose z is up from the table, its surface at 0, the middle of the path ``distance`` [m] ahead."""
    T_table_world = task.scene.T_world_table.inv()
    p_table_path = (T_table_world @ task.reference.Ts_world_object).translation
    middle = 0.5 * (p_table_path.min(0) + p_table_path.max(0))
    T_new_middle = SE3.from_parts(
        np.array([np.cos(turn / 2), 0.0, 0.0, np.sin(turn / 2)]), np.array([distance, 0.0, 0.0])
    )
    T_middle_table = SE3.from_parts(np.array([1.0, 0.0, 0.0, 0.0]), -middle * (1.0, 1.0, 0.0))
    return T_new_middle @ T_middle_table @ T_table_world


def _margin(task: TaskSpec, T_new_world: SE3, retargeter: Retargeter) -> float:
    """How far the arm keeps from its limits along the path there (see ``Placed``); 0 where it cannot follow."""
    Ts_new_object = T_new_world @ task.reference.Ts_world_object
    index = np.linspace(0, len(Ts_new_object) - 1, _ALONG).round().astype(int)
    hands = Ts_new_object[index][:, None].apply(task.p_object_keypoints[None])
    found = retargeter.retarget(hands, task.side)
    if not found.ok.all():
        return 0.0
    robot = retargeter.embodiment
    arm = slice(robot.num_arm_joints)
    lower, upper = robot.position_lower[arm], robot.position_upper[arm]
    share = (found.joint_pos[:, arm] - lower) / (upper - lower)
    return float(np.minimum(share, 1.0 - share).min(initial=0.5))
