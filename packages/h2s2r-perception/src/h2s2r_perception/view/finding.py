"""All that was found in one recording, frame by frame, for the views.

In:  ``Demo``, ``ObjectModel``, paths of object and hand, the pre-manipulation instant.   Out: ``Finding``.
Not here: drawing it (overlay, plots, browser).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_perception.premanip import Premanip
from h2s2r_schemas.artifacts import HandTrajectory, ObjectModel, ObjectTrajectory
from h2s2r_schemas.demo import Demo
from h2s2r_schemas.errors import SchemaError

#: Pairs of keypoints with a bone between them: the wrist to each finger, and along it.
BONES = tuple(
    (0 if joint == 0 else 4 * finger + joint, 4 * finger + joint + 1) for finger in range(5) for joint in range(4)
)


@dataclass(frozen=True)
class Finding:
    """What to show; whatever is none is not shown."""

    demo: Demo
    """The recording."""
    model: ObjectModel | None = None
    """The object; needed for ``path``."""
    path: ObjectTrajectory | None = None
    """The object's path, in the world."""
    hand: HandTrajectory | None = None
    """The hand's path, in the world."""
    premanip: Premanip | None = None
    """The instant before the object moves."""

    def __post_init__(self) -> None:
        if self.path is not None and self.model is None:
            raise SchemaError("An object's path can only be shown with its ObjectModel: give both.")

    def object_entry(self, time: float) -> int | None:
        """Entry of the object's path at a time [s] of the recording; none if it has none."""
        return None if self.path is None else _entry(self.path.time, time)

    def hand_entry(self, time: float) -> int | None:
        """Entry of the hand's path at a time [s] of the recording; none if it has none."""
        return None if self.hand is None else _entry(self.hand.time, time)


def _entry(times: np.ndarray, time: float) -> int | None:
    nearest = int(np.argmin(np.abs(times - time)))
    return nearest if abs(float(times[nearest]) - time) < 1e-6 else None
