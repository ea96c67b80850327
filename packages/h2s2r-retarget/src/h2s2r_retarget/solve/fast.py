"""The numba backend (extra ``fast``): the same algorithm, problem by problem, without the cost of NumPy calls.

In:  ``Part``, wanted positions and orientations, guesses and starts.   Out: ``Outcome``.
Not here: the compiled loops (kernel); the batched NumPy and torch form (restarts).
"""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from h2s2r_retarget.kinematics.chain import Chain
from h2s2r_retarget.solve.config import SolverCfg
from h2s2r_retarget.solve.descent import effective_tolerance
from h2s2r_retarget.solve.parts import Outcome, Part
from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.errors import SchemaError

if TYPE_CHECKING:
    from h2s2r_retarget.solve.kernel import Options
    from h2s2r_retarget.solve.kernel_model import Robot

_log = logging.getLogger(__name__)


def applies(backend: str, reference: Array) -> bool:
    """Whether arrays like ``reference`` are solved by numba.

    Raises:
        SchemaError: ``backend`` asks for it, but numba is missing or the arrays are not NumPy's.
    """
    possible = not arrays.is_torch(reference) and _installed()
    if backend == "numba" and not possible:
        raise SchemaError(
            "The backend numba needs NumPy arrays and the extra fast: pip install 'h2s2r-retarget[fast]'. "
            "Or choose backend='numpy', which gives the same results, slower."
        )
    return possible and backend != "numpy"


@lru_cache(maxsize=1)
def _installed() -> bool:
    from importlib.util import find_spec  # noqa: PLC0415 - only whoever solves pays for it

    return find_spec("numba") is not None


class FastPart:
    """One part, solved problem by problem by the kernel; packed, and the kernel loaded, at the first solve.

    Args:
        part: frames and joints.
        starts: (S, J) [rad or m] further starts.
        cfg: tolerances and budget.
    """

    def __init__(self, part: Part, starts: np.ndarray, cfg: SolverCfg) -> None:
        self._part, self._starts, self._cfg = part, starts, cfg
        self._ends = np.array([stop for _, stop in cfg.rounds])
        self._packed: dict[np.dtype, tuple[Any, Robot, Options]] = {}

    def solve(self, points: np.ndarray, wxyz: np.ndarray, guess: np.ndarray) -> Outcome:
        """Solve N problems: ``points`` (N, F, 3) [m], ``wxyz`` (N, P, 4), ``guess`` (N, J)."""
        solve_each, robot, options = self._packed.get(points.dtype) or self._pack(points)
        num, frames = points.shape[:2]
        joint_pos = np.array(guess, dtype=np.float64, order="C")
        position_error, rotation_error = np.empty((num, frames)), np.empty((num, wxyz.shape[1]))
        reached, iterations = np.empty(num, dtype=np.bool_), np.empty(num)
        solve_each(
            robot, options, self._ends, self._starts, np.ascontiguousarray(points, np.float64),
            np.ascontiguousarray(wxyz, np.float64), joint_pos, position_error, rotation_error, reached, iterations,
        )  # fmt: skip
        return Outcome(joint_pos, position_error, rotation_error, reached, iterations)

    def _pack(self, reference: np.ndarray) -> tuple[Any, Robot, Options]:
        """Kernel, robot and options for targets of the dtype of ``reference``."""
        _log.info("Loading the numba kernel; the first time on a machine it is compiled, for up to half a minute.")
        from h2s2r_retarget.solve import kernel  # noqa: PLC0415 - the extra fast

        cfg = self._cfg
        options = kernel.Options(
            effective_tolerance(cfg.tolerance, reference), cfg.rotation_weight, cfg.step_limit, cfg.initial_damping,
            cfg.curvature_after, cfg.stationarity, cfg.max_iterations, cfg.agreement,
        )  # fmt: skip
        packed = (kernel.solve_each, pack_robot(self._part.chain, reference), options)
        self._packed[reference.dtype] = packed
        return packed


def pack_robot(chain: Chain, reference: np.ndarray) -> Robot:
    """A chain as the kernel's arrays, with limits that hold in the dtype of ``reference`` too."""
    from h2s2r_retarget.solve.kernel_model import Robot  # noqa: PLC0415 - the extra fast

    tables = chain.tables(np.zeros(0))
    lower, upper = chain.limits(reference)
    still, _, cosine = tables.terms[:, :3].reshape(-1, 3, 4, 4).swapaxes(0, 1)
    slides = tables.slides.any(0)
    turned = np.concatenate((cosine[:, :3, :2], still[:, :3, 2:3]), -1)
    rotation = np.where(slides[:, None, None], still[:, :3, :3], turned)
    parent = np.full(len(slides), -1)
    for (start, stop), (before, _), places in zip(tables.levels[1:], tables.levels, tables.parents[1:], strict=False):
        parent[start:stop] = before + np.array(range(stop - start) if places is None else places)
    driven = tables.matrix.any(1)
    # Every moving joint follows one chain joint at most, so each row of the matrix holds one number at most.
    driver = np.where(driven, np.abs(tables.matrix).argmax(1) if tables.matrix.shape[1] else -1, -1)
    return Robot(
        parent=parent,
        slides=slides,
        rotation=np.ascontiguousarray(rotation),
        position=np.ascontiguousarray(still[:, :3, 3]),
        driver=driver,
        multiplier=tables.matrix.sum(1),
        offset=tables.offset,
        carrier=np.array(tables.frame_joints) - 1,
        frame_rotation=np.ascontiguousarray(tables.frames[:, :3, :3]),
        frame_position=np.ascontiguousarray(tables.frames[:, :3, 3]),
        moves=(tables.turns + tables.slides) > 0,
        lower=lower.astype(np.float64),
        upper=upper.astype(np.float64),
    )
