"""Rigid poses.

In:  poses in any common format.   Out: ``SE3``.
Not here: trajectories, symmetry, success (artifacts).
"""

from h2s2r_schemas.se3.pose import SE3

__all__ = ["SE3"]
