"""Out of collisions, at the price of some accuracy.

In:  a ``Retargeted`` configuration that overlaps itself or the scene.   Out: one near it that does not, or does less.
Not here: finding the overlaps (collision), refusing what remains (retarget).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from h2s2r_retarget.collision import PenaltyCfg, penalty
from h2s2r_retarget.result import Retargeted
from h2s2r_retarget.retargeter import Retargeter
from h2s2r_retarget.solve import Solver
from h2s2r_schemas.se3 import SE3

#: How much a millimetre of overlap weighs against a millimetre from a target.
_WEIGHT = 10.0
#: Two fingertips may touch, as in a pinch, but not overlap.
_MARGINS = PenaltyCfg(tip_margin=0.0)


def moved_apart(
    retargeter: Retargeter, found: Retargeted, T_world_wanted: SE3, p_world_wanted: np.ndarray
) -> Retargeted:
    """The configuration near ``found`` that balances its targets against distance from itself and the scene.

    Palm and fingertips are solved together here: an arm that must give way takes the fingers along.

    Args:
        retargeter: of the robot, with its scene.
        found: one configuration.
        T_world_wanted: of the palm.
        p_world_wanted: (F, 3) [m] of the fingertips.
    """
    embodiment = retargeter.embodiment

    def push(joint_pos: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        residual, jacobian = penalty(retargeter.collision_model, joint_pos, retargeter.obstacles, _MARGINS)
        return _WEIGHT * residual, _WEIGHT * jacobian

    cfg = replace(retargeter.cfg, restarts=0, max_iterations=200, backend="numpy")
    solver = Solver(embodiment.chain, (embodiment.palm_frame,), embodiment.fingertip_frames, cfg, penalty=push)
    solution = solver.solve(T_world_wanted[None], p_world_wanted, guess=found.joint_pos)
    joint_pos = np.asarray(solution.joint_pos)
    arm_pos, hand_pos = np.split(joint_pos, [embodiment.num_arm_joints])
    T_world_palm = embodiment.chain.forward(joint_pos, embodiment.palm_frame)
    floor = retargeter.solve_fingertips(T_world_palm[None].inv().apply(p_world_wanted))
    return retargeter.describe(arm_pos, hand_pos, T_world_palm, T_world_wanted, p_world_wanted, floor)
