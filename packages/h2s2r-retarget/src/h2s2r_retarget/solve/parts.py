"""The independent parts of a solve: fingers that share no joint are problems of their own.

In:  a chain, the frames to place.   Out: ``Part``: a smaller chain, and where its joints and frames stand in the whole;
     ``Outcome``: what a backend finds for one.
Not here: solving them (solver).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from h2s2r_retarget.kinematics.chain import Chain
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.errors import SchemaError


@dataclass(frozen=True)
class Part:
    """Frames that share joints, and no joint with any other frame."""

    chain: Chain
    """Over these frames (poses first) and the joints that move them."""
    frames: tuple[int, ...]
    """Their places among all frames of the solve, poses first."""
    num_poses: int
    """How many of the frames want an orientation too."""
    joints: tuple[int, ...]
    """Places of the part's joints in the whole chain."""

    @property
    def pose_frames(self) -> tuple[int, ...]:
        """Places of its pose frames among all frames of the solve."""
        return self.frames[: self.num_poses]


class Outcome(NamedTuple):
    """The solution of one part, for N problems."""

    joint_pos: Array
    """(N, J) [rad or m] of the part's joints."""
    position_error: Array
    """(N, F) [m] of the part's frames."""
    rotation_error: Array
    """(N, P) [rad] of its pose frames."""
    reached: Array
    """(N) whether all of them were reached to the tolerance."""
    iterations: Array
    """(N) steps tried, over all attempts."""


def independent_parts(chain: Chain, frames: Sequence[str], num_poses: int, together: bool) -> list[Part]:
    """Split a solve for ``frames`` (the first ``num_poses`` as poses) into parts.

    Args:
        chain: the robot.
        frames: frames to place.
        num_poses: how many of them want an orientation too.
        together: do not split, and keep joints that move no frame: something else couples them.

    Raises:
        SchemaError: no joint moves one of the frames.
    """
    moves = _moves(chain, frames)
    still = [frame for frame, joints in zip(frames, moves, strict=True) if not joints.any()]
    if still:
        raise SchemaError(f"No joint of {chain} moves {still}. Choose other frames, or a root further up.")
    if together:
        groups = [(tuple(range(len(frames))), np.ones(len(chain.joint_names), dtype=bool))]
    else:
        groups = _connected(moves)
    parts = []
    for members, joints in groups:
        place = tuple(int(j) for j in np.flatnonzero(joints))
        sub = chain.sub(
            [frames[f] for f in members],
            root=chain.root,
            joint_names=[chain.joint_names[j] for j in place],
            frozen=chain.frozen,
        )
        parts.append(Part(sub, members, sum(f < num_poses for f in members), place))
    return parts


def _moves(chain: Chain, frames: Sequence[str]) -> np.ndarray:
    """(F, J) whether a joint moves a frame."""
    whole = chain.sub(frames, root=chain.root, joint_names=chain.joint_names, frozen=chain.frozen)
    tables = whole.tables(np.zeros(0))
    return (tables.turns + tables.slides) @ np.abs(tables.matrix) > 0


def _connected(moves: np.ndarray) -> list[tuple[tuple[int, ...], np.ndarray]]:
    """Frames grouped by shared joints: their places, and the mask (J) of the joints that move them."""
    groups: list[tuple[tuple[int, ...], np.ndarray]] = []
    for frame, joints in enumerate(moves):
        members, mask = [frame], joints.copy()
        apart = []
        for others, other_joints in groups:
            if (other_joints & mask).any():
                members, mask = [*others, *members], mask | other_joints
            else:
                apart.append((others, other_joints))
        groups = [*apart, (tuple(sorted(members)), mask)]
    return groups
