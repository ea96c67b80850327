"""Put a demonstration that nobody calibrated to a robot where the robot can do it.

In:  ``TaskSpec`` in the world of some camera, embodiment.   Out: ``Placed``: the task in the robot's world, and how well it fits.
Not here: tasks of a calibrated camera (they are where they are), the retargeting itself (h2s2r-retarget).

The table becomes level with the robot's base, and the middle of the object's path comes in front of the robot. Of the places
from which the robot can follow the whole path that one counts from which its arm keeps furthest from its joint limits: on the
path itself, and with the object as far off as an episode may begin with it. A joint that begins at its limit lets a hand push
and not pull.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_retarget.result import PALM_POSITION, PALM_ROTATION
from h2s2r_retarget.retargeter import Retargeter
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3, quaternions
from h2s2r_sim.perturbation import STANDARD, Perturbation
from h2s2r_sim.task.make import reexpressed

#: [m] in front of the base where the middle of the path may come: what an iiwa reaches with a bent arm at table height.
DISTANCES = (0.40, 0.44, 0.48, 0.52, 0.56, 0.60, 0.64, 0.68)
#: Directions that are tried for each.
TURNS = 24
#: Places along the path that the palm, carried along with the object, must get to; and with the object displaced.
_ALONG, _ALONG_DISPLACED = 7, 3


@dataclass(frozen=True)
class Placed:
    """A task that a robot can do."""

    task: TaskSpec
    """In the robot's world."""
    T_new_world: SE3
    """From the world it came in."""
    margin: float
    """How far the arm keeps from its joint limits along the path, as a share of their ranges: 0 at a limit, 0.5 in the middle."""
    displaced_margin: float
    """The same with the object displaced, averaged over displacements; one with which the arm cannot follow counts 0."""
    reachable: int
    """From how many of ``len(DISTANCES) * TURNS`` places the robot can follow."""

    @property
    def said(self) -> str:
        """What was done, in a sentence."""
        x, y, _ = self.task.reference.Ts_world_object[0].translation
        return (
            f"Nobody measured where the camera stood: the table is taken to be level with the robot's base, the object "
            f"{x:.2f} m in front of it and {abs(y):.2f} m to the {'left' if y >= 0 else 'right'}; the robot can follow from "
            f"{self.reachable} of {len(DISTANCES) * TURNS} places, and stands where its joints keep {self.margin:.0%} of their "
            f"ranges from their limits, {self.displaced_margin:.0%} where the object begins elsewhere."
        )


def place(task: TaskSpec, embodiment: Embodiment, noise: Perturbation = STANDARD) -> Placed:
    """The task where this robot can do it best; the same every time.

    Args:
        task: in any world.
        embodiment: the robot.
        noise: by how much starts are displaced.

    Raises:
        SchemaError: it can nowhere, or its hand is the other one.
    """
    retargeter = Retargeter(embodiment)
    found: list[Placed] = []
    for distance, turn in itertools.product(DISTANCES, range(TURNS)):
        T_new_world = _in_front(task, distance, turn * 2 * np.pi / TURNS)
        Ts_new_object = T_new_world @ task.reference.Ts_world_object
        margin = _margin(task, Ts_new_object, _ALONG, retargeter)
        if margin > 0.0:
            shares = [
                _margin(task, displaced, _ALONG_DISPLACED, retargeter) for displaced in _displaced(Ts_new_object, noise)
            ]
            found.append(Placed(task, T_new_world, margin, float(np.mean(shares)), 0))
    if not found:
        raise SchemaError(
            f"{embodiment.name} cannot do {task.name!r} from any of {len(DISTANCES) * TURNS} places in front of it: its palm "
            "does not get where the human's was along the path. Is the scale right (an object's mesh in millimetres), or is the "
            "path longer than the robot's reach?"
        )
    best = max(found, key=lambda each: each.margin + each.displaced_margin)
    return replace(best, task=reexpressed(task, best.T_new_world), reachable=len(found))


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


def _displaced(Ts_world_object: SE3, noise: Perturbation) -> list[SE3]:
    """The whole path with the object shifted to the corners of where it may begin, turned as far as it may be, both ways."""
    wxyz, xyz = Ts_world_object.wxyz, Ts_world_object.translation
    found = []
    for x, y, turn in itertools.product((-1.0, 1.0), repeat=3):
        half = 0.5 * turn * noise.start_yaw
        turned = quaternions.multiply(np.array([np.cos(half), 0.0, 0.0, np.sin(half)]), wxyz)
        found.append(SE3.from_parts(turned, xyz + noise.start_position * np.array([x, y, 0.0])))
    return found


def _margin(task: TaskSpec, Ts_new_object: SE3, count: int, retargeter: Retargeter) -> float:
    """How far the arm keeps from its limits in so many places along a path (see ``Placed``); 0 where it cannot follow."""
    index = np.linspace(0, len(Ts_new_object) - 1, count).round().astype(int)
    hands = Ts_new_object[index][:, None].apply(task.p_object_keypoints[None])
    Ts_new_palm, _ = retargeter.targets(hands, task.side)
    chain = retargeter.arm_chain
    if chain is None:
        return 0.5
    found = retargeter.solve_palm(Ts_new_palm)
    if not (found.position_error <= PALM_POSITION).all() or not (found.rotation_error <= PALM_ROTATION).all():
        return 0.0
    share = (np.asarray(found.joint_pos) - chain.lower) / (chain.upper - chain.lower)
    return float(np.minimum(share, 1.0 - share).min(initial=0.5))
