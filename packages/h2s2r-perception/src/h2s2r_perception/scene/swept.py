"""Where the object has been: nothing solid can be there.

In:  ``ObjectModel``, its path.   Out: ``Swept``: points of it in the table frame, frame by frame.
Not here: finding table and boxes (table, find).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_perception.scene.upright_box import UprightBox
from h2s2r_perception.track.surface import SurfaceModel
from h2s2r_schemas.se3 import SE3

#: Frames and points of the surface that are looked at, at most.
_FRAMES, _POINTS = 120, 400
#: [m] that a path may be off, and least points in a frame that are no accident.
_OFF, _FEWEST = 0.006, 3
#: Share of a thin box's half thickness that is left of it when its surface is drawn in by ``_OFF``.
_CORE = 0.3
#: Per cent of the frames whose lowest points are left out, and [m] that an object may seem to stand in the table.
_OUTLIERS, _DEEPEST = 2.0, 0.01


@dataclass(frozen=True)
class Swept:
    """Points of the object's surface in the table frame."""

    points: np.ndarray
    """(T, N, 3) [m]; only frames in which it was found."""
    lowest: np.ndarray
    """(T) [m] height of its lowest vertex."""

    def sunk(self) -> float:
        """[m] by which the object would stand inside the table; 0 where it does not, or where it is more than an error."""
        depth = -float(np.percentile(self.lowest, _OUTLIERS)) if len(self.lowest) else 0.0
        return depth if 0.0 < depth < _DEEPEST else 0.0

    def passes_through(self, box: UprightBox) -> bool:
        """Whether the object was inside a box in some frame, by more than its path may be off."""
        p_box = box.T_table_box.inv().apply(self.points.reshape(-1, 3)).reshape(self.points.shape)
        half = box.size / 2
        inside = (np.abs(p_box) < np.maximum(half - _OFF, _CORE * half)).all(axis=-1)
        return bool((inside.sum(axis=1) >= _FEWEST).any())


def swept_by(surface: SurfaceModel, Ts_table_object: SE3) -> Swept:
    """What an object swept over on its path (T); frames in which it was lost are NaN and are left out."""
    found = np.flatnonzero(np.isfinite(Ts_table_object.wxyz_xyz).all(axis=-1))
    some = surface.points[:: max(1, len(surface.points) // _POINTS)]
    lowest = np.array([Ts_table_object[int(t)].apply(surface.vertices)[:, 2].min() for t in found])
    every = found[:: max(1, len(found) // _FRAMES)]
    points = np.array([Ts_table_object[int(t)].apply(some) for t in every]).reshape(len(every), len(some), 3)
    return Swept(points, lowest)
