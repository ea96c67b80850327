"""Under which conditions a policy may act.

In:  nothing.   Out: ``RunCfg``, ``RunError``.
Not here: checking them (start, run).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_schemas.errors import H2S2RError


class RunError(H2S2RError):
    """A policy was not started: something is not as it has to be. Nothing was commanded."""


@dataclass(frozen=True)
class RunCfg:
    """Limits of a run. Those of the start leave room for what the ``standard`` noise does to a start in training."""

    object_age: float = 0.5
    """[s] age of the object's pose above which nothing starts, and a run is stopped."""
    object_position: float = 0.15
    """[m] of the object from the start of the reference."""
    object_rotation: float = float(np.deg2rad(45.0))
    """[rad] likewise."""
    palm_position: float = 0.10
    """[m] of the palm from its pre-manipulation pose at the object, as seen."""
    palm_rotation: float = float(np.deg2rad(30.0))
    """[rad] likewise."""
    hand_joints: float = 0.3
    """[rad; m] of any hand joint from the pre-manipulation pose."""
    object_wait: float = 1.0
    """[s] of the robot's time to wait for an object pose that is as it has to be: single ones may be lost or far off."""
    arm_timeout: float = 10.0
    """[s] of the robot's time that arming may take."""
    follow_timeout: float = 1.0
    """[s] of the robot's time within which it follows, once armed."""
    dry_run: bool = False
    """Look, think and write down, but never ask for the lease and never command."""
