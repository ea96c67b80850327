"""What the solver may spend and when it is content.

In:  nothing.   Out: ``SolverCfg``.
Not here: what to reach (targets of a call), which robot (chain).
"""

from __future__ import annotations

from dataclasses import dataclass

from h2s2r_schemas.errors import SchemaError

BACKENDS = ("auto", "numpy", "numba")


@dataclass(frozen=True)
class SolverCfg:
    """Options of ``Solver``. The defaults were measured on arms of 7 and hands of 16 joints."""

    tolerance: float = 1e-7
    """[m] a target counts as reached when no component of its error is larger; float32 is held to 4e-6."""
    rotation_weight: float = 0.3
    """[m/rad] how much a turn weighs against a distance; 0.15 to 0.6 change little."""
    step_limit: float = 1.0
    """[rad or m] longest step of any joint in one iteration; without it more first attempts end in a local minimum."""
    initial_damping: float = 0.2
    """Damping of the first step, relative to the error [m] times the longest lever of a joint [m/rad]."""
    curvature_after: int = 8
    """Iterations of Gauss–Newton before point targets get their exact curvature, which decides where they are out of
    reach; pose targets stay with Gauss–Newton."""
    stationarity: float = 1e-6
    """[m/rad] slope of the error, along the joints that are free to move, at which a minimum is found."""
    max_iterations: int = 40
    """Iterations of one attempt."""
    restarts: int = 31
    """Further starts for targets that the first attempt did not reach, tried in growing rounds."""
    agreement: int = 8
    """A target is out of reach when this many attempts, and all so far, end at the same error."""
    seed: int = 0
    """Shifts the starts; the same seed gives the same result."""
    backend: str = "auto"
    """``numpy`` runs on every kind of array; ``numba`` (extra ``fast``) on NumPy arrays, 30 to 80 times faster for one
    target; ``auto`` takes numba where it is installed and applies."""

    def __post_init__(self) -> None:
        if self.backend not in BACKENDS:
            raise SchemaError(f"The backend is {self.backend!r}; allowed are {list(BACKENDS)}.")
        positive = ("tolerance", "rotation_weight", "step_limit", "initial_damping", "stationarity", "max_iterations")
        for name in positive:
            if not getattr(self, name) > 0:
                raise SchemaError(f"{name} is {getattr(self, name)}; it must be positive.")
        if self.restarts < 0 or self.agreement < 1:
            raise SchemaError(f"restarts is {self.restarts} (0 or more), agreement {self.agreement} (1 or more).")

    @property
    def rounds(self) -> tuple[tuple[int, int], ...]:
        """(start, stop) of the attempts of each round: 1, then up to 4, 8, 16, 32 … in total."""
        ends = [1, 4]
        while ends[-1] < self.restarts + 1:
            ends.append(2 * ends[-1])
        ends = sorted({min(end, self.restarts + 1) for end in ends})
        return tuple(zip([0, *ends[:-1]], ends, strict=True))
