"""One damped-least-squares step towards a pose: inverse kinematics for a control loop.

In:  Jacobian and error, or a chain, ``joint_pos`` (…, J) and a target pose.   Out: a joint step (…, J) [rad or m].
Not here: iterating to convergence and joint limits inside the step (solve).

The environment calls this with a batch of N robots, the robot's runner with a batch of one: the same lines.
"""

from __future__ import annotations

import numpy as np

from h2s2r_retarget.kinematics.chain import Chain
from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.se3 import SE3, quaternions


def pose_error(Ts_root_frame: SE3, Ts_root_target: SE3) -> Array:
    """What is left to go (…, 6): translation [m], then rotation vector [rad], both in root axes."""
    turn = quaternions.multiply(Ts_root_target.wxyz, quaternions.conjugate(Ts_root_frame.wxyz))
    return arrays.concatenate((Ts_root_target.translation - Ts_root_frame.translation, quaternions.log(turn)), -1)


def damped_step(jacobian: Array, error: Array, damping: float = 0.05) -> Array:
    """The step (…, J) that minimises ``|jacobian @ step - error|² + damping² |step|²``.

    Wampler (1986), Nakamura and Hanafusa (1986): bounded also where the Jacobian loses rank.

    Args:
        jacobian: (…, R, J) how the R rows of the error shrink with each joint.
        error: (…, R) what is left to go.
        damping: in the unit of the Jacobian; larger is slower and smoother.
    """
    transposed = arrays.swapaxes(jacobian, -1, -2)
    rows, joints = jacobian.shape[-2:]
    if rows <= joints:
        weight = arrays.solve(jacobian @ transposed + damping**2 * arrays.eye(rows, jacobian), error)
        return (transposed @ weight[..., None])[..., 0]
    gradient = (transposed @ error[..., None])[..., 0]
    return arrays.solve(transposed @ jacobian + damping**2 * arrays.eye(joints, jacobian), gradient)


def step_towards(
    chain: Chain,
    joint_pos: Array,
    Ts_root_target: SE3,
    frame: str,
    damping: float = 0.05,
    step_limit: float = np.inf,
) -> Array:
    """``joint_pos`` one step closer to a target pose, inside the joint limits.

    Args:
        chain: the robot; joints that do not move ``frame`` keep their position.
        joint_pos: (…, J) [rad or m].
        Ts_root_target: (…) wanted pose of ``frame`` in the chain's root.
        frame: which frame of the chain.
        damping: as in ``damped_step``.
        step_limit: [rad or m] largest change of any joint; a longer step is shortened as a whole.
    """
    joint_pos = chain.check(joint_pos)
    at = chain.frame_index(frame)
    error = pose_error(chain.forward(joint_pos, frame), Ts_root_target)
    step = damped_step(chain.jacobian(joint_pos)[..., at, :, :], error, damping)
    return chain.clip(joint_pos + limit_step(step, step_limit))


def limit_step(step: Array, step_limit: float) -> Array:
    """``step`` (…, J), shortened as a whole where a joint would move further than ``step_limit`` [rad or m]."""
    longest = arrays.amax(arrays.absolute(step), -1, True)
    return step * arrays.minimum(step_limit / arrays.maximum(longest, 1e-12), 1.0)
