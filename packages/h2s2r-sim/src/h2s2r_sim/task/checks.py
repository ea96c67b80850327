"""Is an object, a hand, a path fit for a task? One clear error each.

In:  ``ObjectModel``, hand keypoints, a path in a scene.   Out: nothing, or ``SchemaError``.
Not here: repairing meshes (perception), what messages check themselves (schemas).
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.artifacts import KEYPOINT_NAMES, ObjectModel, ObjectTrajectory, Scene, Shape
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.scene.clearance import penetration
from h2s2r_sim.task.anchors import object_points, surface_points

#: [m] sizes of things a hand moves on a table; what is outside is in another unit.
SMALLEST, LARGEST = 0.01, 1.5
#: [m] the middle of an object may lie off its frame's origin: success is measured there (limit of the published method).
OFF_CENTER = 0.02
#: [m] what collides may differ from what is seen: convex parts are never exact.
COLLISION_OFF = 0.03
#: [kg/m³] of the box around an object: from foam to platinum.
LIGHTEST, HEAVIEST = 2.0, 22_000.0
#: [m] an object is carried on a table by a hand, along any axis.
LONGEST_PATH = 3.0
#: [m] the object may hang above what it rests on at the start, as tracking has errors.
HANGING = 0.015
#: [m] wrist to middle knuckle: from a small child's to more than the largest adult's.
PALM_LENGTH = (0.04, 0.14)
#: [m] a fingertip may be from the object's middle just before contact, beyond the object's own radius.
HAND_REACH = 0.30

_WRIST, _MIDDLE_KNUCKLE = KEYPOINT_NAMES.index("wrist"), KEYPOINT_NAMES.index("middle_mcp")
_TIPS = [KEYPOINT_NAMES.index(f"{finger}_tip") for finger in ("thumb", "index", "middle", "ring", "little")]


def check_object(model: ObjectModel) -> None:
    """Closed meshes, a plausible size and mass, the frame in the middle, one size of what is seen and what collides.

    Raises:
        SchemaError: what is wrong with the first thing that is.
    """
    for shape in model.visual:
        if shape.kind == "mesh":
            _check_closed(shape, model.name)
    points = object_points(model)
    low, high = points.min(axis=0), points.max(axis=0)
    size = float((high - low).max())
    if not SMALLEST <= size <= LARGEST:
        guess = (
            "it looks like millimetres: scale it by 0.001" if size > LARGEST else "it looks like kilometres or inches"
        )
        raise SchemaError(
            f"{model.name} is {size:.3g} m long; a hand moves things of {SMALLEST}-{LARGEST} m. Meshes are in metres; {guess}."
        )
    center = (low + high) / 2
    if float(np.abs(center).max()) > OFF_CENTER:
        raise SchemaError(
            f"The middle of {model.name} lies at {np.round(center, 3).tolist()} m in its own frame; at most {OFF_CENTER} m off "
            f"on each axis is allowed. Shift mesh, collision shapes and centre of mass by {np.round(-center, 4).tolist()}."
        )
    _check_collision(model, low, high)
    _check_mass(model, high - low)


def _check_collision(model: ObjectModel, low: np.ndarray, high: np.ndarray) -> None:
    """What collides fills the box (low, high) [m] of what is seen."""
    points = np.concatenate([surface_points(shape) for shape in model.collision])
    off = np.maximum(np.abs(points.min(axis=0) - low), np.abs(points.max(axis=0) - high))
    if float(off.max()) > COLLISION_OFF:
        raise SchemaError(
            f"What collides of {model.name} spans {np.round(np.ptp(points, axis=0), 3).tolist()} m about "
            f"{np.round((points.min(axis=0) + points.max(axis=0)) / 2, 3).tolist()} m, what is seen "
            f"{np.round(high - low, 3).tolist()} m about {np.round((low + high) / 2, 3).tolist()} m; they may differ by "
            f"{COLLISION_OFF} m. Make the collision shapes anew from the mesh, in metres and in its frame."
        )


def _check_mass(model: ObjectModel, size: np.ndarray) -> None:
    """Mass and inertia that a thing of this size (3) [m] can have."""
    density = model.mass / float(np.prod(size))
    if not LIGHTEST <= density <= HEAVIEST:
        guess = "It looks like grams" if density > HEAVIEST else "It looks like tonnes"
        raise SchemaError(
            f"{model.name} has {model.mass:.3g} kg in a box of {np.round(size, 3).tolist()} m: {density:.3g} kg/m³; things have "
            f"{LIGHTEST:g}-{HEAVIEST:g}. {guess}: give kilograms."
        )
    gyration = float(np.sqrt(np.linalg.eigvalsh(model.inertia)[-1] / model.mass))
    if gyration > float(np.linalg.norm(size)):
        raise SchemaError(
            f"The inertia of {model.name} is that of a thing {gyration:.3g} m in radius; it is {np.round(size, 3).tolist()} m "
            "large. Give kg·m² about the centre of mass, computed from this mass."
        )


def _check_closed(shape: Shape, name: str) -> None:
    edges = np.concatenate([shape.faces[:, [0, 1]], shape.faces[:, [1, 2]], shape.faces[:, [2, 0]]]).astype(np.int64)
    code = len(shape.vertices)
    forward, backward = edges[:, 0] * code + edges[:, 1], edges[:, 1] * code + edges[:, 0]
    # Closed and consistently turned: each edge is run through once in each direction.
    matched = np.isin(forward, backward) & np.isin(backward, forward)
    doubled = len(forward) - len(np.unique(forward))
    if not matched.all() or doubled:
        raise SchemaError(
            f"The mesh of {name} is not watertight: {int((~matched).sum())} open edges, {doubled} doubled ones. Close its holes "
            "and merge equal vertices (any mesh editor does), or use its convex hull."
        )
    a, b, c = (shape.vertices[shape.faces[:, corner]] for corner in range(3))
    if float((a * np.cross(b, c)).sum()) <= 0:
        raise SchemaError(f"The faces of the mesh of {name} are turned inside out: flip them to counter-clockwise.")


def check_path(reference: ObjectTrajectory, scene: Scene, model: ObjectModel) -> None:
    """A path of a hand's reach that starts on something.

    Raises:
        SchemaError: a path in another unit, or one that starts in the air.
    """
    span = np.ptp(reference.wxyz_xyz_world_object[:, 4:], axis=0)
    if float(span.max()) > LONGEST_PATH:
        raise SchemaError(
            f"{model.name} travels {np.round(span, 2).tolist()} m along the axes of the world; a hand carries it {LONGEST_PATH} "
            "m at most. Paths are in metres: it looks like millimetres or inches."
        )
    start = reference.Ts_world_object[:1]
    down = scene.T_world_table.rotate(np.array([0.0, 0.0, -HANGING]))
    lowered = SE3.from_parts(start.wxyz, start.translation + down)
    if not any(depth.any() for depth in penetration(model, scene, lowered).values()):
        raise SchemaError(
            f"At the start of its path {model.name} hangs more than {HANGING * 1e3:.0f} mm above table and fixtures. It must "
            "rest on something until the hand moves it: check the height of the table, the camera's calibration, and the "
            "size of the mesh."
        )


def check_hand(p_object_keypoints: np.ndarray, model: ObjectModel) -> None:
    """A hand of human size, near the object.

    Args:
        p_object_keypoints: (21, 3) [m] in the object frame.
        model: the object.

    Raises:
        SchemaError: wrong size (units) or too far away (wrong instant, or camera and scene that do not fit).
    """
    palm = float(np.linalg.norm(p_object_keypoints[_MIDDLE_KNUCKLE] - p_object_keypoints[_WRIST]))
    if not PALM_LENGTH[0] <= palm <= PALM_LENGTH[1]:
        raise SchemaError(
            f"Wrist and middle knuckle are {palm:.3g} m apart; hands have {PALM_LENGTH[0]}-{PALM_LENGTH[1]} m. "
            "Keypoints are in metres."
        )
    nearest = float(np.linalg.norm(p_object_keypoints[_TIPS], axis=-1).min())
    allowed = HAND_REACH + float(np.linalg.norm(object_points(model), axis=-1).max())
    if nearest > allowed:
        raise SchemaError(
            f"The nearest fingertip is {nearest:.2f} m from the middle of {model.name} just before contact; at most "
            f"{allowed:.2f} m makes sense. Check the instant, and that hand and object were seen from one calibrated camera."
        )
