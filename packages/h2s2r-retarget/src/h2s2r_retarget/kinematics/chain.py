"""A kinematic chain: from joint positions to the poses of named frames, and how those move.

In:  a URDF, the names of its frames and joints, ``joint_pos`` (…, J) [rad; m for a slide].
Out: ``SE3`` of each frame in the root frame, geometric Jacobians, limits by name.
Not here: finding joint positions for a pose (solve), one damped step towards it (damped), collision shapes (collision).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from h2s2r_retarget.kinematics import motion
from h2s2r_retarget.kinematics.coupling import couple
from h2s2r_retarget.kinematics.model import UrdfModel
from h2s2r_retarget.kinematics.tables import Tables, build_tables, moving_joints
from h2s2r_retarget.kinematics.urdf import UrdfSource, read_urdf
from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3


class Chain:
    """The part of a robot between a root link and one or more frames (links).

    The same object serves NumPy arrays and torch tensors, of float32 or float64, on any device: results have the kind
    of ``joint_pos``. Fixed joints are folded away; joints that move none of the frames do not appear, unless named.

    Args:
        model: the robot.
        frames: (F) links to follow; None for every link that carries no joint (the tips).
        root: link all poses are given in; None for the root of the tree.
        joint_names: (J) the free joints, in the order wanted for every ``joint_pos``; None for all that are needed, in
            the order of the file. Naming joints that move no frame is allowed: their columns are zero.
        frozen: joints held at a position [rad or m] instead of being free.
        missing_limits: (lower, upper) [rad or m] for revolute and prismatic joints without limits; None refuses them.

    Raises:
        SchemaError: a name is unknown, a needed joint is neither free nor frozen, or limits are missing or empty.
    """

    def __init__(
        self,
        model: UrdfModel,
        frames: Sequence[str] | None = None,
        root: str | None = None,
        joint_names: Sequence[str] | None = None,
        frozen: Mapping[str, float] | None = None,
        missing_limits: tuple[float, float] | None = None,
    ) -> None:
        self.model = model
        self.root = model.root if root is None else root
        self.frames = _leaves_below(model, self.root) if frames is None else tuple(frames)
        if isinstance(frames, str) or not self.frames:
            raise SchemaError(f"A chain needs a list of link names as frames; got {frames!r}.")
        self.frozen: dict[str, float] = dict(frozen or {})
        self.missing_limits = missing_limits
        moving = moving_joints(model, self.root, self.frames)
        coupling = couple(model, moving, joint_names, self.frozen, missing_limits)
        self.joint_names: tuple[str, ...] = coupling.joint_names
        self.lower: np.ndarray = coupling.lower
        self.upper: np.ndarray = coupling.upper
        self._tables = build_tables(model, self.root, self.frames, moving, coupling)
        self._by_kind: dict[Any, tuple[Tables, Array, Array]] = {}

    @classmethod
    def from_urdf(cls, source: UrdfSource, frames: Sequence[str] | None = None, **options: Any) -> Chain:
        """From a URDF: path, text or bytes. ``options`` are the other arguments of ``Chain``."""
        return cls(read_urdf(source), frames, **options)

    @classmethod
    def from_pytorch_kinematics(cls, chain: Any, frames: Sequence[str] | None = None, **options: Any) -> Chain:
        """From a ``pytorch_kinematics`` chain (extra ``torch``). ``options`` are the other arguments of ``Chain``."""
        from h2s2r_retarget.kinematics.pytorch_kinematics import to_model  # noqa: PLC0415 - the extra torch

        return cls(to_model(chain), frames, **options)

    def to_pytorch_kinematics(self, dtype: Any = None, device: Any = "cpu") -> Any:
        """The same kinematics as a ``pytorch_kinematics.Chain`` (extra ``torch``), float64 unless ``dtype`` says else.

        Raises:
            SchemaError: joints are coupled by mimic, which pytorch-kinematics cannot express.
        """
        from h2s2r_retarget.kinematics.pytorch_kinematics import from_chain  # noqa: PLC0415 - the extra torch

        return from_chain(self, dtype, device)

    def sub(self, frames: Sequence[str] | None = None, **options: Any) -> Chain:
        """Another chain of the same robot. ``options`` are the other arguments of ``Chain``."""
        return Chain(self.model, frames, **{"missing_limits": self.missing_limits, **options})

    def __repr__(self) -> str:
        return f"Chain({self.model.name}: {self.root} → {list(self.frames)}, joints {list(self.joint_names)})"

    # ── poses and their derivatives ─────────────────────────────────────────────────────────────────────────────────

    def forward(self, joint_pos: Array, frame: str | None = None) -> SE3:
        """Poses of the frames in the root frame: ``Ts_root_frame``.

        Args:
            joint_pos: (…, J) [rad or m].
            frame: one frame only; None for all.

        Returns:
            SE3 with batch (…, F), or (…) if ``frame`` is given.
        """
        matrices = self.matrices(joint_pos)
        if frame is not None:
            matrices = matrices[..., self.frame_index(frame), :, :]
        return SE3.from_rotation_matrix(matrices[..., :3, :3], matrices[..., :3, 3])

    def matrices(self, joint_pos: Array) -> Array:
        """Poses of the frames in the root frame as matrices (…, F, 4, 4) [m], for loops where SE3 costs too much."""
        joint_pos = self.check(joint_pos)
        return motion.place(self.tables(joint_pos), joint_pos).frames

    def jacobian(self, joint_pos: Array, p_frame_points: Array = None) -> Array:
        """Geometric Jacobian of the frames (…, F, 6, J), in root axes.

        Args:
            joint_pos: (…, J) [rad or m].
            p_frame_points: (…, F, 3) [m] a point carried by each frame, in that frame; None for the frames' origins.

        Returns:
            Rows 0 to 2: velocity of the point [m/s per rad/s]; rows 3 to 5: angular velocity of the frame.
        """
        joint_pos = self.check(joint_pos)
        tables = self.tables(joint_pos)
        placed = motion.place(tables, joint_pos)
        points = placed.points
        if p_frame_points is not None:
            offset = arrays.like(p_frame_points, joint_pos)
            points = points + (placed.rotations @ offset[..., None])[..., 0]
        both = (motion.point_jacobian(tables, placed, points), motion.turn_jacobian(tables, placed))
        return arrays.swapaxes(arrays.concatenate(both, -1), -1, -2)

    def tables(self, reference: Array) -> Tables:
        """The chain's constants with the kind, dtype and device of ``reference``; converted once for each."""
        return self._constants(reference)[0]

    def limits(self, reference: Array) -> tuple[Array, Array]:
        """Lower and upper limits (J) [rad or m] of the kind of ``reference``, never wider than they are in float64."""
        return self._constants(reference)[1:]

    def _constants(self, reference: Array) -> tuple[Tables, Array, Array]:
        key = (reference.dtype, getattr(reference, "device", None))
        if key not in self._by_kind:
            narrow = arrays.to_numpy(reference[..., :0]).dtype.type
            lower, upper = self.lower.astype(narrow), self.upper.astype(narrow)
            lower = np.where(lower < self.lower, np.nextafter(lower, narrow(np.inf)), lower)
            upper = np.where(upper > self.upper, np.nextafter(upper, narrow(-np.inf)), upper)
            constants = (self._tables.like(reference), arrays.like(lower, reference), arrays.like(upper, reference))
            self._by_kind[key] = constants
        return self._by_kind[key]

    # ── joints by name ──────────────────────────────────────────────────────────────────────────────────────────────

    def check(self, joint_pos: Any) -> Array:
        """``joint_pos`` as a floating array (…, J).

        Raises:
            SchemaError: the last dimension is not J.
        """
        joint_pos = arrays.asfloat(joint_pos)
        if joint_pos.ndim == 0 or joint_pos.shape[-1] != len(self.joint_names):
            raise SchemaError(
                f"joint_pos has shape {tuple(joint_pos.shape)}; this chain has {len(self.joint_names)} joints: "
                f"{list(self.joint_names)}."
            )
        return joint_pos

    def order(self, values: Array, joint_names: Sequence[str]) -> Array:
        """``values`` (…, len(joint_names)), given in the order of ``joint_names``, in this chain's order (…, J).

        Raises:
            SchemaError: a joint of this chain is missing, or named twice. Names it does not have are left out.
        """
        given = list(joint_names)
        missing = [name for name in self.joint_names if given.count(name) != 1]
        if missing or values.shape[-1] != len(given):
            raise SchemaError(
                f"Values of shape {tuple(values.shape)} for the joints {given}: this chain needs each of {missing} once."
            )
        return arrays.take(values, [given.index(name) for name in self.joint_names], -1)

    def frame_index(self, frame: str) -> int:
        """Place of ``frame`` among the frames.

        Raises:
            SchemaError: the chain does not follow it.
        """
        if frame not in self.frames:
            raise SchemaError(f"This chain does not follow {frame!r}; it follows {list(self.frames)}.")
        return self.frames.index(frame)

    @property
    def middle(self) -> np.ndarray:
        """(J) [rad or m] the middle of the limits; zero where there are none."""
        bounded = np.isfinite(self.lower) & np.isfinite(self.upper)
        return np.where(bounded, 0.5 * (np.where(bounded, self.lower, 0) + np.where(bounded, self.upper, 0)), 0.0)

    def clip(self, joint_pos: Array) -> Array:
        """``joint_pos`` (…, J) held inside the limits."""
        return arrays.clip(joint_pos, *self.limits(joint_pos))

    def at_limit(self, joint_pos: Array, margin: float = 1e-6) -> Array:
        """Which joints (…, J) stand within ``margin`` [rad or m] of a limit, or beyond it."""
        lower, upper = self.limits(joint_pos)
        return (joint_pos <= lower + margin) | (joint_pos >= upper - margin)


def _leaves_below(model: UrdfModel, root: str) -> tuple[str, ...]:
    """The tips of the tree that hang from ``root``."""
    below = {root}
    for _ in model.links:
        below |= {joint.child for joint in model.joints if joint.parent in below}
    return tuple(link for link in model.leaves if link in below)
