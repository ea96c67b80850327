"""The robot's body as observations and actions need it: where its palm and fingertips are, how its arm moves.

In:  ``joint_pos`` (N, J) in the order of ``RobotSpec``.   Out: palm poses, fingertips, the palm's Jacobian.
Not here: what a policy makes of them (observations, actions).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_retarget.kinematics import Chain
from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.robots import RobotSpec

_BLOCK = 256


@dataclass(frozen=True)
class Body:
    """One robot's kinematics, on NumPy arrays or torch tensors."""

    robot: RobotSpec
    """Joints, limits, frames."""
    whole: Chain
    """Follows the palm, then the fingertips, by all joints in the order of ``robot``; root = world."""
    arm: Chain
    """Follows the palm by the arm's joints alone."""
    synergies: np.ndarray
    """(S, H) [rad; m] how far each of the H hand joints moves along each synergy from coordinate 0 to 1."""

    @cached_property
    def joint_middle(self) -> np.ndarray:
        """(J) [rad; m] the middle of each joint's range."""
        return 0.5 * (self.robot.position_lower + self.robot.position_upper)

    @cached_property
    def joint_half(self) -> np.ndarray:
        """(J) [rad; m] half of each joint's range."""
        return 0.5 * (self.robot.position_upper - self.robot.position_lower)

    @classmethod
    def of(cls, embodiment: Embodiment) -> Body:
        """The body of an embodiment."""
        arm = Chain(embodiment.model, (embodiment.palm_frame,), joint_names=embodiment.arm_joint_names)
        return cls(embodiment.spec(), embodiment.chain, arm, embodiment.synergies)

    def frames(self, joint_pos: Array) -> tuple[Array, Array]:
        """Palm as matrices (N, 4, 4) and fingertips as points (N, F, 3), in the world [m]."""
        # So many rows at a time stay in the processor's cache: of 2,000 rows at once, each took twice as long.
        rows = joint_pos.shape[0]
        blocks = [self.whole.matrices(joint_pos[at : at + _BLOCK]) for at in range(0, max(rows, 1), _BLOCK)]
        matrices = blocks[0] if rows <= _BLOCK else arrays.concatenate(blocks, 0)
        return matrices[..., 0, :, :], matrices[..., 1:, :3, 3]

    def palm_jacobian(self, arm_joint_pos: Array) -> Array:
        """(N, 6, A) velocity of the palm's origin, then its angular velocity, per arm joint; world axes."""
        return self.arm.jacobian(arm_joint_pos)[..., 0, :, :]
