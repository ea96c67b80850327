"""Is an object, a hand, a path fit for a task? One clear error each.

In:  ``ObjectModel``, hand keypoints, a reference in a scene.   Out: nothing, or ``SchemaError``.
Not here: repairing meshes (perception), what messages check themselves (schemas).
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.artifacts import KEYPOINT_NAMES, ObjectModel, Shape
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.task.anchors import object_points

#: [m] sizes of things a hand moves on a table; what is outside is in another unit.
SMALLEST, LARGEST = 0.01, 1.5
#: [m] the middle of an object may lie off its frame's origin: success is measured there (limit of the published method).
OFF_CENTER = 0.02
#: [m] wrist to middle knuckle: from a small child's to more than the largest adult's.
PALM_LENGTH = (0.04, 0.14)
#: [m] a fingertip may be from the object's middle just before contact, beyond the object's own radius.
HAND_REACH = 0.30

_WRIST, _MIDDLE_KNUCKLE = KEYPOINT_NAMES.index("wrist"), KEYPOINT_NAMES.index("middle_mcp")
_TIPS = [KEYPOINT_NAMES.index(f"{finger}_tip") for finger in ("thumb", "index", "middle", "ring", "little")]


def check_object(model: ObjectModel) -> None:
    """Closed meshes, a plausible size, the frame in the middle.

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
