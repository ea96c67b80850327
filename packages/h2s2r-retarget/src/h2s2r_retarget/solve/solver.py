"""Inverse kinematics of any chain: poses and points of named frames to joint positions inside their limits.

In:  ``Chain``, names of frames, ``SE3`` poses and points [m] in the chain's root.   Out: ``Solution``.
Not here: what a human hand asks of a robot (targets, retarget), paths over time (trajectory).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from h2s2r_retarget.kinematics.chain import Chain
from h2s2r_retarget.solve.config import SolverCfg
from h2s2r_retarget.solve.fast import FastPart, applies
from h2s2r_retarget.solve.objective import Penalty
from h2s2r_retarget.solve.parts import Outcome, independent_parts
from h2s2r_retarget.solve.restarts import BatchedPart, spread_starts
from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3


@dataclass(frozen=True)
class Solution:
    """Joint positions for a batch (…) of targets, and how close they come."""

    chain: Chain
    """The robot, whose ``joint_names`` give ``joint_pos`` its order."""
    frames: tuple[str, ...]
    """(F) the frames placed: poses first, then points."""
    joint_pos: Array
    """(…, J) [rad or m], inside the limits."""
    reached: Array
    """(…, F) whether the frame, and all that share joints with it, reached their targets to the tolerance."""
    position_error: Array
    """(…, F) [m] distance of each frame from its target."""
    rotation_error: Array
    """(…, P) [rad] angle of each pose frame from its target."""
    iterations: Array
    """(…) steps tried, summed over attempts and independent parts."""

    @property
    def joint_names(self) -> tuple[str, ...]:
        """(J) names that give ``joint_pos`` its order."""
        return self.chain.joint_names

    @property
    def at_limit(self) -> Array:
        """(…, J) whether the joint stands at a limit."""
        return self.chain.at_limit(self.joint_pos)


class Solver:
    """Finds joint positions that put frames of a chain where they are wanted.

    Levenberg–Marquardt with an active set for the joint limits, from a first guess and, where that fails, from further
    starts. Frames that share no joint (fingers of a hand whose root is the palm) are solved independently, so each gets
    its own best start. Where a target is out of reach the closest configuration found is returned, and says so.

    Args:
        chain: the robot; it must follow the frames.
        poses: (P) frames whose position and orientation are wanted.
        points: (Q) frames whose position is wanted.
        cfg: tolerances and budget.
        penalty: an extra residual (N, K) [m] with Jacobian (N, K, J) of ``joint_pos`` (N, J), e.g. against collisions;
            it joins all frames into one problem, on the numpy backend.

    Raises:
        SchemaError: no frames, a frame named twice, or one the chain does not follow.
    """

    def __init__(
        self,
        chain: Chain,
        poses: Sequence[str] = (),
        points: Sequence[str] = (),
        cfg: SolverCfg | None = None,
        penalty: Penalty | None = None,
    ) -> None:
        self.chain, self.cfg, self.penalty = chain, cfg or SolverCfg(), penalty
        self.frames = (*poses, *points)
        self.num_poses = len(poses)
        for frame in self.frames:
            chain.frame_index(frame)
        if not self.frames or len(set(self.frames)) != len(self.frames):
            raise SchemaError(f"A solve needs frames, each once; got poses {list(poses)}, points {list(points)}.")
        self._parts = independent_parts(chain, self.frames, self.num_poses, together=penalty is not None)
        starts = [
            spread_starts(part.chain.lower, part.chain.upper, self.cfg.restarts, self.cfg.seed) for part in self._parts
        ]
        self._batched = [BatchedPart(part, s, self.cfg, penalty) for part, s in zip(self._parts, starts, strict=True)]
        self._fast = [FastPart(part, s, self.cfg) for part, s in zip(self._parts, starts, strict=True)]

    def solve(self, Ts_root_poses: SE3 | None = None, p_root_points: Any = None, guess: Any = None) -> Solution:
        """Solve a batch (…) of problems.

        Args:
            Ts_root_poses: (…, P) wanted poses, in the order of ``poses``; None if there are none.
            p_root_points: (…, Q, 3) [m] wanted positions, in the order of ``points``; None if there are none.
            guess: (J) or (…, J) [rad or m] where the first attempt starts, clipped to the limits; None for the middle
                of the limits. Joints that move no frame keep it.

        Raises:
            SchemaError: a shape does not fit, or a number is not finite.
        """
        points, wxyz, batch = self._targets(Ts_root_poses, p_root_points)
        guesses = self._guesses(guess, points, batch)
        fast = self.penalty is None and applies(self.cfg.backend, points)
        outcomes = []
        for part, solver in zip(self._parts, self._fast if fast else self._batched, strict=True):
            wanted, orientations, guessed = points, wxyz, guesses
            if len(self._parts) > 1:
                wanted, orientations = points[:, list(part.frames)], wxyz[:, list(part.pose_frames)]
            if len(part.joints) < len(self.chain.joint_names):
                guessed = guesses[:, list(part.joints)]
            outcomes.append(solver.solve(wanted, orientations, guessed))
        return self._assemble(outcomes, guesses, batch)

    def _assemble(self, outcomes: list[Outcome], guesses: Array, batch: tuple[int, ...]) -> Solution:
        """The solution for all frames and joints; ``guesses`` (N, J) are lost."""
        whole, frames = outcomes[0], len(self.frames)
        # One part that is everything, of the kind asked for, needs no copy: a single solve waits for nothing it can do without.
        if len(outcomes) > 1 or whole.joint_pos.shape != guesses.shape or whole.joint_pos.dtype != guesses.dtype:
            whole = self._joined(outcomes, guesses)
        position_error, rotation_error, reached = whole.position_error, whole.rotation_error, whole.reached
        if reached.ndim == 1:
            reached = reached[:, None] if frames == 1 else reached[:, None] & (position_error >= 0)
        joint_pos, iterations = whole.joint_pos, whole.iterations
        if len(batch) != 1:
            joint_pos, iterations = joint_pos.reshape(*batch, guesses.shape[-1]), iterations.reshape(batch)
            position_error, reached = position_error.reshape(*batch, frames), reached.reshape(*batch, frames)
            rotation_error = rotation_error.reshape(*batch, self.num_poses)
        return Solution(self.chain, self.frames, joint_pos, reached, position_error, rotation_error, iterations)

    def _joined(self, outcomes: list[Outcome], guesses: Array) -> Outcome:
        """Put the parts together: ``guesses`` (N, J) receives the joint positions; ``reached`` is (N, F)."""
        num, frames = len(guesses), len(self.frames)
        position_error = arrays.zeros((num, frames), guesses)
        rotation_error = arrays.zeros((num, self.num_poses), guesses)
        reached, iterations = position_error > 0, arrays.zeros((num,), guesses)
        for part, outcome in zip(self._parts, outcomes, strict=True):
            members, poses, joints = list(part.frames), list(part.pose_frames), list(part.joints)
            guesses[:, joints] = arrays.like(outcome.joint_pos, guesses)
            position_error[:, members] = arrays.like(outcome.position_error, guesses)
            rotation_error[:, poses] = arrays.like(outcome.rotation_error, guesses)
            reached[:, members] = outcome.reached[:, None]
            iterations = iterations + outcome.iterations
        return Outcome(guesses, position_error, rotation_error, reached, iterations)

    def _targets(self, Ts_root_poses: SE3 | None, p_root_points: Any) -> tuple[Array, Array, tuple[int, ...]]:
        """Wanted positions (N, F, 3) and quaternions (N, P, 4), and the shape of the batch."""
        num_points = len(self.frames) - self.num_poses
        given = None if Ts_root_poses is None else Ts_root_poses.wxyz_xyz
        points = None if p_root_points is None else arrays.asfloat(p_root_points)
        self._check(given, self.num_poses, 7, "Ts_root_poses")
        self._check(points, num_points, 3, "p_root_points")
        if given is None:
            assert points is not None
            batch = tuple(points.shape[:-2])
            flat = points.reshape(-1, num_points, 3)
            return flat, arrays.zeros((len(flat), 0, 4), flat), batch
        batch = tuple(given.shape[:-2])
        poses = given.reshape(-1, self.num_poses, 7)
        if points is None:
            return poses[..., 4:], poses[..., :4], batch
        points = arrays.like(points, given).reshape(-1, num_points, 3)
        if len(points) != len(poses):
            raise SchemaError(f"There are {len(poses)} problems in Ts_root_poses and {len(points)} in p_root_points.")
        return arrays.concatenate((poses[..., 4:], points), 1), poses[..., :4], batch

    def _check(self, values: Array | None, count: int, width: int, name: str) -> None:
        """Whether targets have the shape (…, count, width); None where count is 0."""
        if values is None and count == 0:
            return
        if values is None or count == 0 or values.shape[-2:] != (count, width):
            raise SchemaError(
                f"{name} must have shape (…, {count}, {width}) for the frames {list(self.frames)}; got "
                f"{None if values is None else tuple(values.shape)}."
            )
        if not arrays.isfinite(values).all():
            raise SchemaError(f"{name} holds numbers that are not finite. Remove them, or mask those targets out.")

    def _guesses(self, guess: Any, points: Array, batch: tuple[int, ...]) -> Array:
        """First guesses (N, J), inside the limits, in memory of their own."""
        num, joints = len(points), len(self.chain.joint_names)
        values = arrays.like(self.chain.middle if guess is None else guess, points)
        if values.shape[-1:] != (joints,) or tuple(values.shape[:-1]) not in ((), batch):
            raise SchemaError(
                f"guess has shape {tuple(values.shape)}; allowed are ({joints},) and {(*batch, joints)}, for the joints "
                f"{list(self.chain.joint_names)}."
            )
        values = self.chain.clip(values).reshape(-1, joints)
        return values if len(values) == num else values + arrays.zeros((num, joints), points)
