"""What of an object a camera sees at a given pose: which samples, and where its outline runs.

In:  ``SurfaceModel``, a pose in the camera frame, intrinsics.   Out: indices of samples, ``Outline``, a silhouette.
Not here: what hides the object from the camera (colour, evidence).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from h2s2r_perception.frames import project
from h2s2r_perception.track.surface import SurfaceModel
from h2s2r_schemas.artifacts import CameraIntrinsics

#: Cosine between normal and line of sight below which depth of a surface is not trusted.
_SLANT = 0.15
#: [px] between neighbouring points of an outline, and how far in and out its sides are looked at.
_STEP, _BESIDE = 4.0, 2.0


@dataclass(frozen=True)
class Silhouette:
    """What an object covers of the picture."""

    covered: np.ndarray
    """(h, w) bool, part of the picture."""
    left: int
    """[px] column of the picture at which that part begins."""
    top: int
    """[px] row of the picture at which that part begins."""

    def at(self, pixels: np.ndarray) -> np.ndarray:
        """(N) whether pixels (N, 2) are covered."""
        column, row = np.rint(pixels).astype(int).T - np.array([[self.left], [self.top]])
        height, width = self.covered.shape
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        found = np.zeros(len(pixels), bool)
        found[inside] = self.covered[row[inside], column[inside]]
        return found

    def grown(self, camera: CameraIntrinsics, margin: int) -> np.ndarray:
        """(H, W) bool of the whole picture: what is covered, wider by ``margin`` [px]."""
        (high, wide), height, width = self.covered.shape, camera.height, camera.width
        rows = slice(max(self.top - margin, 0), min(self.top + high + margin, height))
        columns = slice(max(self.left - margin, 0), min(self.left + wide + margin, width))
        whole = np.zeros((height, width), np.uint8)
        whole[self.top : self.top + high, self.left : self.left + wide] = self.covered
        square = np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)
        whole[rows, columns] = cv2.dilate(np.ascontiguousarray(whole[rows, columns]), square)
        return whole > 0


@dataclass(frozen=True)
class Outline:
    """Points of the object's surface that are on its outline as the camera sees it."""

    points: np.ndarray
    """(M, 3) [m] in the object frame."""
    normals: np.ndarray
    """(M, 2) unit vectors in the picture, out of the object."""

    def thinned(self, most: int) -> Outline:
        """The same with ``most`` points at most, spread evenly."""
        if len(self.points) <= most:
            return self
        some = np.linspace(0, len(self.points) - 1, most).astype(int)
        return Outline(self.points[some], self.normals[some])


def visible_samples(
    model: SurfaceModel, rotation: np.ndarray, translation: np.ndarray, camera: CameraIntrinsics
) -> np.ndarray:
    """(M) indices of the samples that face the camera and have nothing else of the object in front.

    Args:
        model: the object.
        rotation: (3, 3) of the object in the camera frame.
        translation: (3) [m] of the object in the camera frame.
        camera: without distortion.
    """
    p_camera = model.points @ rotation.T + translation
    distance = np.linalg.norm(p_camera, axis=1)
    slant = -(p_camera * (model.normals @ rotation.T)).sum(axis=1) / distance
    facing = np.flatnonzero((slant > _SLANT) & (p_camera[:, 2] > 0.05))
    if not len(facing):
        return facing
    # Picture cells of one and a half spacings: nearly every one holds a sample of the front surface.
    near = p_camera[facing]
    cell = 1.5 * model.spacing * camera.fx / float(np.median(near[:, 2]))
    column, row = np.floor(project(camera, near) / cell).astype(int).T
    column, row = column - column.min(), row - row.min()
    cells = row * (column.max() + 1) + column
    first = np.full(int(cells.max()) + 1, np.inf)
    np.minimum.at(first, cells, near[:, 2])
    slack = model.spacing * (1.0 + 1.5 / np.maximum(slant[facing], 0.25))
    return facing[near[:, 2] < first[cells] + slack]


def silhouette(
    model: SurfaceModel, rotation: np.ndarray, translation: np.ndarray, camera: CameraIntrinsics
) -> Silhouette:
    """The object's silhouette, clipped to the picture and cut to what it covers. Arguments as for ``visible_samples``."""
    p_camera = model.vertices @ rotation.T + translation
    p_camera[:, 2] = np.maximum(p_camera[:, 2], 0.05)
    pixels = project(camera, p_camera)
    margin = int(2 * _BESIDE) + 1
    low = np.clip(np.floor(pixels.min(axis=0)) - margin, 0, (camera.width - 1, camera.height - 1)).astype(int)
    high = np.clip(np.ceil(pixels.max(axis=0)) + margin, 0, (camera.width - 1, camera.height - 1)).astype(int)
    drawn = np.zeros((high[1] - low[1] + 1, high[0] - low[0] + 1), np.uint8)
    # Four binary digits behind the point of a pixel's coordinate.
    corners = np.rint((pixels - low) * 16).astype(np.int32)
    for facets, normals in zip(model.facets, model.facet_normals, strict=True):
        front = ((normals @ rotation.T) * p_camera[facets[:, 0]]).sum(axis=1) < 0
        for facet in corners[facets[front]]:
            cv2.fillConvexPoly(drawn, facet, 1, cv2.LINE_8, 4)
    return Silhouette(drawn > 0, int(low[0]), int(low[1]))


def outline(
    model: SurfaceModel, rotation: np.ndarray, translation: np.ndarray, camera: CameraIntrinsics, covered: Silhouette
) -> Outline:
    """The object's outline. Arguments as for ``visible_samples``; ``covered`` is the silhouette at the same pose."""
    p_camera = model.vertices @ rotation.T + translation
    normal = model.face_normals @ rotation.T
    towards = (normal * p_camera[model.faces[:, 0]]).sum(axis=1) < 0
    sides = towards[model.edge_faces]
    turning = (sides[:, 0] != sides[:, 1]) | (model.edge_faces[:, 0] == model.edge_faces[:, 1])
    ends = model.edges[turning]
    pixels = project(camera, np.maximum(p_camera, (-np.inf, -np.inf, 0.05)))
    start, along = pixels[ends[:, 0]], pixels[ends[:, 1]] - pixels[ends[:, 0]]
    length = np.linalg.norm(along, axis=1)
    pieces = np.maximum(np.rint(length / _STEP), np.where(length > 0.5, 1, 0)).astype(int)
    edge = np.repeat(np.arange(len(ends)), pieces)
    if not len(edge):
        return Outline(np.zeros((0, 3)), np.zeros((0, 2)))
    order = np.arange(len(edge)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    fraction = ((order + 0.5) / pieces[edge])[:, None]
    middle = start[edge] + along[edge] * fraction
    across = np.stack((along[edge, 1], -along[edge, 0]), axis=1) / length[edge, None]
    one, other = covered.at(middle + _BESIDE * across), covered.at(middle - _BESIDE * across)
    border = one != other
    normals = np.where(other[:, None], across, -across)[border]
    # A fraction of the way in the picture is not the same fraction in space; over one edge the difference is nothing.
    p_object = model.vertices[ends[edge, 0]] * (1 - fraction) + model.vertices[ends[edge, 1]] * fraction
    return Outline(p_object[border], normals)
