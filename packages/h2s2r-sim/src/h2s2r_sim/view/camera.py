"""From where a task is looked at.

In:  ``TaskSpec``.   Out: ``Camera``.
Not here: pixels (offscreen), the browser's own camera once somebody turns it (browser).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_schemas.artifacts import TaskSpec


@dataclass(frozen=True)
class Camera:
    """From where it is looked at."""

    p_world_lookat: np.ndarray
    """(3) [m] what is in the middle of the picture."""
    distance: float
    """[m] of the eye from there."""
    azimuth: float
    """[deg] direction of view about z, from x."""
    elevation: float
    """[deg] direction of view above the horizontal plane; negative looks down."""

    @property
    def p_world_eye(self) -> np.ndarray:
        """(3) [m] where the eye is."""
        azimuth, elevation = np.deg2rad([self.azimuth, self.elevation])
        ahead = np.cos(elevation) * np.array([np.cos(azimuth), np.sin(azimuth), np.tan(elevation)])
        return self.p_world_lookat - self.distance * ahead


def find_camera(task: TaskSpec) -> Camera:
    """In front of the robot, from where the whole reference and the hand at its start are seen."""
    p_world_path = task.reference.wxyz_xyz_world_object[:, 4:]
    reach = float(np.linalg.norm(task.anchor_points, axis=-1).max())
    p_world_keypoints = task.reference.Ts_world_object[0].apply(task.p_object_keypoints)
    seen = np.concatenate([p_world_path - reach, p_world_path + reach, p_world_keypoints])
    low, high = seen.min(0), seen.max(0)
    radius = 0.5 * float(np.linalg.norm(high - low))
    return Camera(0.5 * (low + high) + (0.0, 0.0, 0.05), 0.72 + 1.42 * radius, 152.0, -28.0)
