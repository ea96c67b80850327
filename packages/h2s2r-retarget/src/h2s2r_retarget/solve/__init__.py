"""Inverse kinematics: joint positions, inside their limits, that put frames where they are wanted.

In:  a ``Chain`` and targets.   Out: ``Solution``.
Not here: kinematics (kinematics), what a human hand asks of a robot (targets, retarget).
"""

from h2s2r_retarget.solve.config import SolverCfg
from h2s2r_retarget.solve.solver import Solution, Solver

__all__ = ["Solution", "Solver", "SolverCfg"]
