"""How far the hand is from the object, frame by frame.

In:  ``HandTrajectory``, ``ObjectTrajectory``, ``ObjectModel``.   Out: ``Approach``.
Not here: finding the hand (hand).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from h2s2r_perception.premanip.config import PremanipCfg
from h2s2r_perception.track.surface import object_mesh
from h2s2r_schemas.artifacts import HandTrajectory, ObjectModel, ObjectTrajectory

#: Points of the surface that the hand is measured against.
_SAMPLES = 4000


@dataclass(frozen=True)
class Approach:
    """Per frame of the object's trajectory."""

    time: np.ndarray
    """(T) [s]"""
    hand_index: np.ndarray
    """(T) entry of the hand path at that time; -1 where the hand was not found."""
    distance: np.ndarray
    """(T) [m] of the nearest keypoint from the object's surface; NaN where hand or object were not found."""
    frames: np.ndarray
    """(T) of the recording."""

    def comes(self, first: int, last: int, cfg: PremanipCfg) -> bool:
        """Whether in some frame from ``first`` to ``last`` the hand is not on the object, or not there at all."""
        near = self.distance[(self.frames >= first) & (self.frames <= last)] <= cfg.on_object
        return bool((~near).any())


def measure_approach(path: ObjectTrajectory, model: ObjectModel, hand: HandTrajectory, first: int = 0) -> Approach:
    """How far a hand is from an object; both paths by one clock, frames need not be the same.

    Args:
        path: of the object; its first frame is frame ``first`` of the recording.
        model: the object.
        hand: of the hand.
        first: see ``path``.
    """
    mesh = object_mesh(model)
    points = np.asarray(mesh.sample(_SAMPLES, seed=0))
    tree, spacing = KDTree(points), float(np.sqrt(mesh.area / _SAMPLES))
    hand_index = np.full(len(path.time), -1)
    distance = np.full(len(path.time), np.nan)
    step = float(np.median(np.diff(path.time))) if len(path.time) > 1 else 1.0
    for frame, time in enumerate(path.time):
        nearest = int(np.argmin(np.abs(hand.time - time)))
        if abs(hand.time[nearest] - time) > 0.5 * step or hand.lost[nearest]:
            continue
        hand_index[frame] = nearest
        if not path.lost[frame]:
            p_object = path.Ts_world_object[frame].inv().apply(hand.p_world_keypoints[nearest])
            distance[frame] = max(float(tree.query(p_object)[0].min()) - spacing / 2, 0.0)
    return Approach(path.time, hand_index, distance, np.arange(len(path.time)) + first)
