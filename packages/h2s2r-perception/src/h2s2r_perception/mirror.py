"""A demonstration as a mirror would show it: the left hand's becomes one of the right hand.

In:  what was found in a recording: paths, hand, scene, object.   Out: the same, mirrored about one vertical plane.
Not here: finding it (track, hand, scene), mirrored robots (h2s2r-retarget).

The object's mesh is mirrored too, across the x-z plane of its frame: a mug with its handle on the left stays a mug, with its
handle on the right, and poses stay proper rotations. Mirrored twice, everything is what it was.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_schemas.artifacts import HandPose, HandTrajectory, ObjectModel, ObjectTrajectory, Scene, Shape, Symmetry
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

#: What mirroring across the x-z plane does to a point, and to a pose (wxyz, xyz) with its own frame mirrored likewise.
_POINT = np.array([1.0, -1.0, 1.0])
_POSE = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0])
_OTHER = {"left": "right", "right": "left"}


@dataclass(frozen=True)
class Mirror:
    """A mirror that stands somewhere."""

    T_world_mirror: SE3
    """Its frame: the mirror is the x-z plane."""

    def points(self, p_world: np.ndarray) -> np.ndarray:
        """Points (…, 3) [m] of the world; NaN stays NaN."""
        return self.T_world_mirror.apply(self.T_world_mirror.inv().apply(p_world) * _POINT)

    def poses(self, wxyz_xyz: np.ndarray) -> np.ndarray:
        """Poses (…, 7) in the world, of things whose own frames are mirrored across their x-z planes; NaN stays NaN."""
        seen = np.isfinite(wxyz_xyz).all(axis=-1)
        mirrored = np.full_like(wxyz_xyz, np.nan)
        Ts_mirror_thing = self.T_world_mirror.inv() @ SE3(wxyz_xyz[seen])
        mirrored[seen] = (self.T_world_mirror @ SE3(Ts_mirror_thing.wxyz_xyz * _POSE)).wxyz_xyz
        return mirrored

    def path(self, path: ObjectTrajectory) -> ObjectTrajectory:
        """Of the mirrored object."""
        return path.replace(wxyz_xyz_world_object=self.poses(path.wxyz_xyz_world_object))

    def hand(self, hand: HandTrajectory) -> HandTrajectory:
        """Of the other hand."""
        return hand.replace(side=_OTHER[hand.side], p_world_keypoints=self.points(hand.p_world_keypoints))

    def hand_pose(self, hand: HandPose) -> HandPose:
        """Of the other hand."""
        return hand.replace(side=_OTHER[hand.side], p_world_keypoints=self.points(hand.p_world_keypoints))

    def scene(self, scene: Scene) -> Scene:
        """Table and fixtures."""
        bodies = tuple(
            body.replace(
                shapes=tuple(_shape(each) for each in body.shapes),
                wxyz_xyz_world_body=self.poses(body.wxyz_xyz_world_body[None])[0],
            )
            for body in scene.bodies
        )
        return scene.replace(wxyz_xyz_world_table=self.poses(scene.wxyz_xyz_world_table[None])[0], bodies=bodies)


def find_mirror(path: ObjectTrajectory, scene: Scene) -> Mirror:
    """The upright mirror through the world's origin (the robot's base, or the camera) and the object where it starts.

    Raises:
        SchemaError: the object is seen in no frame.
    """
    if path.lost.all():
        raise SchemaError("The object is lost in every frame: there is nothing to put a mirror through.")
    start = path.wxyz_xyz_world_object[int(np.argmin(path.lost)), 4:]
    up = scene.T_world_table.rotate(np.array([0.0, 0.0, 1.0]))
    away = start - (start @ up) * up
    if np.linalg.norm(away) < 1e-6:
        away = np.cross(np.eye(3)[int(np.argmin(np.abs(up)))], up)
    ahead = away / np.linalg.norm(away)
    T_world_mirror = np.eye(4)
    T_world_mirror[:3] = np.column_stack([ahead, np.cross(up, ahead), up, start])
    return Mirror(SE3.from_matrix(T_world_mirror))


def mirrored_model(model: ObjectModel) -> ObjectModel:
    """The object as a mirror shows it, across the x-z plane of its frame."""
    return model.replace(
        visual=tuple(_shape(each) for each in model.visual),
        collision=tuple(_shape(each) for each in model.collision),
        center_of_mass=model.center_of_mass * _POINT,
        inertia=model.inertia * np.outer(_POINT, _POINT),
        symmetry=Symmetry(axis=model.symmetry.axis * _POINT, rotations_wxyz=model.symmetry.rotations_wxyz * _POSE[:4]),
    )


def _shape(shape: Shape) -> Shape:
    """Primitives are their own mirror images; the faces of a mesh are turned round, so that they look outwards again."""
    return shape.replace(
        wxyz_xyz=SE3(shape.wxyz_xyz * _POSE).wxyz_xyz, vertices=shape.vertices * _POINT, faces=shape.faces[:, ::-1]
    )
