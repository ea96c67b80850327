"""How far an object is from where it stood, in translation and rotation alike: six numbers per frame, in metres.

In:  ``ObjectTrajectory``, ``ObjectModel``.   Out: ``Motion``.
Not here: when it began (onset).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from h2s2r_perception.track.surface import object_mesh
from h2s2r_schemas.artifacts import ObjectModel, ObjectTrajectory
from h2s2r_schemas.artifacts.success import align_symmetry
from h2s2r_schemas.se3 import SE3


@dataclass(frozen=True)
class Motion:
    """An object's path for the eyes of a change detector. Only frames in which it was found."""

    frames: np.ndarray
    """(M) int, frame of the recording."""
    time: np.ndarray
    """(M) [s]"""
    Ts_world_object: SE3
    """(M) poses."""
    p_object_centre: np.ndarray
    """(3) [m] middle of the object, in its frame: turns about it move the object least."""
    lever: float
    """[m] by which a turn [rad] moves the surface on average."""
    model: ObjectModel
    """Its symmetry tells which turns are none."""

    def since(self, first: int) -> Motion:
        """The same without the frames before number ``first`` of it."""
        return replace(
            self, frames=self.frames[first:], time=self.time[first:], Ts_world_object=self.Ts_world_object[first:]
        )

    def away(self, T_world_still: SE3) -> np.ndarray:
        """(M, 6) [m] from a pose: the centre's shift in the world, and the turn in the pose's frame times ``lever``."""
        T_world_still = SE3(np.broadcast_to(T_world_still.wxyz_xyz, (len(self.frames), 7)))
        Ts_world_object = align_symmetry(self.Ts_world_object, T_world_still, self.model.symmetry)
        shift = Ts_world_object.apply(self.p_object_centre) - T_world_still.apply(self.p_object_centre)
        turn = (T_world_still.inv() @ Ts_world_object).log()[:, 3:]
        return np.concatenate((shift, self.lever * turn), axis=-1)

    def still_pose(self, kept: np.ndarray) -> SE3:
        """``T_world_still``, in the middle of the poses of some frames (M) bool: of their medians, number by number."""
        T_world_object = self.Ts_world_object[int(np.flatnonzero(kept)[kept.sum() // 2])]
        middle = np.median(self.away(T_world_object)[kept], axis=0)
        centre = T_world_object.apply(self.p_object_centre) + middle[:3]
        turned = T_world_object @ SE3.exp(np.concatenate((np.zeros(3), middle[3:] / self.lever)))
        return SE3.from_parts(turned.wxyz, centre - turned.rotate(self.p_object_centre))


def motion_of(path: ObjectTrajectory, model: ObjectModel, first: int = 0) -> Motion:
    """What a path says about motion; its first frame is frame ``first`` of the recording."""
    mesh = object_mesh(model)
    centre = mesh.bounds.mean(axis=0)
    # An axis of a turn has on average two thirds of the squared distance from it.
    lever = float(np.sqrt((2 / 3) * ((mesh.triangles_center - centre) ** 2).sum(axis=-1) @ mesh.area_faces / mesh.area))
    seen = np.flatnonzero(~path.lost)
    return Motion(seen + first, path.time[seen], path.Ts_world_object[seen], centre, lever, model)
