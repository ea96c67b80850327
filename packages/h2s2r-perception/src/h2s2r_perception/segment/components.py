"""Things that stand on a plane, each on its own.

In:  ``RGBDFrame``, ``Plane``.   Out: ``Component`` with a mask, largest first.
Not here: the plane (plane), which one is the object (track.start).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import cv2
import numpy as np
from scipy.spatial import KDTree

from h2s2r_perception.frames import RGBDFrame, deproject
from h2s2r_perception.segment.plane import Plane

#: [m] between which heights above the plane a thing is looked for; noise adds to the lower one.
_LOWEST, _HIGHEST = 0.006, 0.6
#: [m] between neighbouring pixels beyond which two surfaces are different things; at a slant, times the distance.
_JUMP = 0.015
_FEWEST_PIXELS = 150
#: Length along the picture's border, relative to the square root of its area, from which a thing is cut by it.
_CUT = 0.35
#: [px] in the picture between things that may be parts of one: where one surface steps behind another, depth has a gap.
_TOUCH = 7


@dataclass(frozen=True)
class Component:
    """A thing on the table."""

    mask: np.ndarray
    """(H, W) bool."""
    points: np.ndarray
    """(N, 3) [m] its measured points in the camera frame, every second pixel."""
    on_border: bool
    """Whether the border of the picture cuts through it, as through an arm, and does not only touch it."""

    @property
    def extent(self) -> float:
        """[m] largest distance of its points from their middle, but for the farthest twentieth, twice."""
        middle = np.median(self.points, axis=0)
        return 2.0 * float(np.percentile(np.linalg.norm(self.points - middle, axis=1), 95))


def find_components(frame: RGBDFrame, plane: Plane, noise: float) -> list[Component]:
    """Things above the plane, largest first.

    Args:
        frame: the pictures.
        plane: that they stand on.
        noise: [m] standard deviation of depth at 1 m.
    """
    depth = frame.depth[::2, ::2].astype(float)
    v, u = 2 * np.mgrid[: depth.shape[0], : depth.shape[1]]
    p_camera = deproject(frame.camera, u, v, depth)
    height = plane.height(p_camera)
    lowest = _LOWEST + 3 * noise * depth**2
    above = (depth > 0) & (height > lowest) & (height < _HIGHEST)
    jump = (_JUMP + 3 * noise * depth**2) * (depth > 0)
    torn = np.zeros(depth.shape, bool)
    for axis in (0, 1):
        step = np.abs(np.diff(depth, axis=axis, append=np.take(depth, [-1], axis)))
        torn |= step > jump
    solid = (above & ~torn).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(solid, connectivity=4)
    sides = (labels[:2].max(0), labels[-2:].max(0), labels[:, :2].max(1), labels[:, -2:].max(1))
    at_border = np.sum([np.bincount(side, minlength=count) for side in sides], axis=0)
    found = []
    for label in range(1, count):
        if stats[label, cv2.CC_STAT_AREA] < _FEWEST_PIXELS // 4:
            continue
        # What was torn off along the thing's own rim belongs to it again.
        grown = cv2.dilate((labels == label).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        inside = grown & above & ((labels == label) | torn)
        border = at_border[label] > _CUT * np.sqrt(stats[label, cv2.CC_STAT_AREA])
        mask = cv2.resize(inside.astype(np.uint8), frame.depth.shape[::-1], interpolation=cv2.INTER_NEAREST) > 0
        found.append(Component(mask, p_camera[inside], bool(border)))
    return sorted(found, key=lambda component: -len(component.points))


def join_neighbours(components: list[Component], reach: float) -> list[list[Component]]:
    """Groups of things that may be parts of one: they touch in the picture, and in depth are no farther apart than ``reach`` [m].

    A handle is torn off its mug where it leaves the wall's flank; a thing cut in two by a finger is two.
    """
    grown = [cv2.dilate(one.mask.astype(np.uint8), np.ones((_TOUCH, _TOUCH), np.uint8)) > 0 for one in components]
    groups: list[list[int]] = []
    for index, one in enumerate(components):
        touching = [
            group
            for group in groups
            if any((grown[other] & grown[index]).any() and _apart(components[other], one) < reach for other in group)
        ]
        groups = [group for group in groups if group not in touching] + [[*itertools.chain(*touching), index]]
    return [[components[index] for index in group] for group in groups]


def joined(components: list[Component]) -> Component:
    """Several things as one."""
    mask = np.logical_or.reduce([one.mask for one in components])
    return Component(mask, np.concatenate([one.points for one in components]), any(one.on_border for one in components))


def _apart(one: Component, other: Component) -> float:
    """[m] between the nearest points of two things, a fiftieth left out for noise."""
    few = other.points[:: max(1, len(other.points) // 500)]
    distance, _ = KDTree(one.points).query(few)
    return float(np.percentile(distance, 2))
