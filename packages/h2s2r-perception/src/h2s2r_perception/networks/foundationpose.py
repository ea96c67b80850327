"""An object's pose by FoundationPose, in its own process.

In:  ``RGBDFrame``, a mask once, an ``ObjectModel``.   Out: ``NetworkPose``: pose, confidence, lost.
Not here: the network (server), our own tracker (track).

FoundationPose says no loss: whether its pose fits the frame is judged here, by our own measure of depth and outline.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from h2s2r_perception.frames import RGBDFrame, project
from h2s2r_perception.networks.exchange import Exchange, NetworkError, Reply
from h2s2r_perception.track.surface import object_mesh, surface_of
from h2s2r_perception.track.visible import visible_samples
from h2s2r_schemas.artifacts import ObjectModel
from h2s2r_schemas.se3 import SE3

#: [m] depth that differs by less agrees; nearer than that, something hides the object.
_AGREE = 0.012
#: Share of what should be seen that must be seen, and of that the share that must agree.
_SEEN, _FIT = 0.10, 0.5


@dataclass(frozen=True)
class NetworkPose:
    """Where the network sees the object."""

    T_camera_object: SE3
    """Pose in the colour camera; where ``lost``, not to be used."""
    confidence: float
    """0 to 1: share of the visible surface whose depth agrees; 0 when lost."""
    lost: bool
    """Whether depth contradicts the pose."""


class FoundationPoseTracker:
    """``register`` with a mask, then ``track``.

    Args:
        model: the object.
        folder: of the exchange with a running server.
        timeout: [s] for an answer; the first takes longest.

    Raises:
        NetworkError: no such server, or it does not take the mesh.
    """

    def __init__(self, model: ObjectModel, folder: Path, timeout: float = 120.0) -> None:
        mesh = object_mesh(model)
        self._surface = surface_of(mesh, model.name)
        self._exchange, self._timeout = Exchange(folder, "foundationpose"), timeout
        rgb = np.concatenate(
            [np.tile(shape.rgba[:3], (len(_vertices(model, i)), 1)) for i, shape in enumerate(model.visual)]
        )
        arrays = {
            "vertices": np.asarray(mesh.vertices, float),
            "faces": np.asarray(mesh.faces),
            "rgb": np.rint(255 * rgb).astype(np.uint8),
        }
        turns = model.symmetry.rotations_wxyz
        if len(turns) > 1:
            arrays["symmetries"] = SE3.from_parts(turns, np.zeros((len(turns), 3))).as_matrix()
        self._exchange.ask("setup", None, arrays, timeout)

    def register(self, frame: RGBDFrame, mask: np.ndarray) -> NetworkPose:
        """Find the object in a frame, given a mask (H, W) of it.

        Raises:
            NetworkError: the mask is empty or has no depth, or the network fails.
        """
        if mask.shape != frame.depth.shape or not (mask & (frame.depth > 0)).any():
            raise NetworkError(f"The mask {mask.shape} shows no pixel with depth of the picture {frame.depth.shape}.")
        return self._pose(frame, self._exchange.ask("register", None, {**_arrays(frame), "mask": mask}, self._timeout))

    def track(self, frame: RGBDFrame) -> NetworkPose:
        """The object in the next frame.

        Raises:
            NetworkError: nothing was registered, or the network fails.
        """
        return self._pose(frame, self._exchange.ask("track", None, _arrays(frame), self._timeout))

    def _pose(self, frame: RGBDFrame, reply: Reply) -> NetworkPose:
        matrix = reply.arrays.get("T_camera_object", np.zeros(0))
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
            raise NetworkError(
                f"foundationpose answered a pose of shape {matrix.shape}; a finite 4×4 matrix is wanted."
            )
        T_camera_object = SE3.from_matrix(matrix)
        fit, seen = self._fits(frame, T_camera_object)
        lost = fit < _FIT or seen < _SEEN
        return NetworkPose(T_camera_object, 0.0 if lost else fit, lost)

    def _fits(self, frame: RGBDFrame, T_camera_object: SE3) -> tuple[float, float]:
        """Of the surface that faces the camera: share that agrees with depth where nothing hides it, and share that is seen."""
        rotation, shift = T_camera_object.rotation_matrix(), np.asarray(T_camera_object.translation)
        index = visible_samples(self._surface, rotation, shift, frame.camera)
        p_camera = T_camera_object.apply(self._surface.points[index])
        if not len(index) or (p_camera[:, 2] <= 0.05).any():
            return 0.0, 0.0
        u, v = np.rint(project(frame.camera, p_camera)).astype(int).T
        inside = (u >= 0) & (v >= 0) & (u < frame.camera.width) & (v < frame.camera.height)
        measured = frame.depth[v[inside], u[inside]]
        apart = measured - p_camera[inside, 2]
        known = measured > 0
        open_to_view = known & (apart > -_AGREE)
        agree = open_to_view & (apart < _AGREE)
        return float(agree.sum() / max(open_to_view.sum(), 1)), float(open_to_view.sum() / len(index))


def _vertices(model: ObjectModel, index: int) -> np.ndarray:
    part = model.replace(visual=(model.visual[index],))
    return np.asarray(object_mesh(part).vertices)


def _arrays(frame: RGBDFrame) -> dict[str, np.ndarray]:
    return {"K": frame.camera.matrix(), "rgb": frame.rgb, "depth": frame.depth.astype(np.float32)}
