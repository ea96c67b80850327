"""What there is to see: the robot's solids, the human's skeleton, what was wanted and what was reached.

In:  an ``Embodiment``, joint positions (…, J), keypoints (…, 21, 3) [m] in the world.   Out: ``ViewScene``.
Not here: drawing it (browser, picture).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_retarget.targets import palm_targets
from h2s2r_retarget.view.solids import triangles
from h2s2r_schemas.artifacts import KEYPOINT_NAMES
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

#: Keypoints joined by a bone: every finger from the wrist out, and the knuckles across the palm.
BONES = tuple(
    bone
    for chain in (*((0, *range(start, start + 4)) for start in range(1, 21, 4)), (1, 5, 9, 13, 17))
    for bone in pairwise(chain)
)


@dataclass(frozen=True, eq=False)
class Solid:
    """One shape of a link."""

    link: int
    """Place of its link among those of the scene."""
    vertices: np.ndarray
    """(V, 3) [m] in the link."""
    faces: np.ndarray
    """(F, 3) vertices of each triangle."""
    rgb: np.ndarray
    """(3) in [0, 1]."""


@dataclass(frozen=True, eq=False)
class ViewScene:
    """T frames of a robot, with or without the human it imitates."""

    title: str
    """For people."""
    links: tuple[str, ...]
    """(L) links with shapes."""
    solids: tuple[Solid, ...]
    """Their shapes."""
    Ts_world_link: SE3
    """(T, L) where the links are."""
    Ts_world_palm: SE3
    """(T) the robot's palm."""
    p_world_fingertips: np.ndarray
    """(T, F, 3) [m] the robot's fingertips."""
    p_world_keypoints: np.ndarray | None = None
    """(T, 21, 3) [m] the human hand."""
    Ts_world_palm_wanted: SE3 | None = None
    """(T) where the palm should be."""
    p_world_fingertips_wanted: np.ndarray | None = None
    """(T, F, 3) [m] where the fingertips should be."""

    def __len__(self) -> int:
        """Number of frames."""
        return len(self.Ts_world_palm)

    def bones(self, frame: int) -> np.ndarray:
        """(B, 2, 3) [m] the human's bones; none without a human."""
        if self.p_world_keypoints is None:
            return np.zeros((0, 2, 3))
        return self.p_world_keypoints[frame][np.array(BONES)]

    def residuals(self, frame: int) -> np.ndarray:
        """(F + 1, 2, 3) [m] from each fingertip, then the palm, to where it should be; none without a human."""
        if self.p_world_fingertips_wanted is None or self.Ts_world_palm_wanted is None:
            return np.zeros((0, 2, 3))
        reached = np.concatenate([self.p_world_fingertips[frame], self.Ts_world_palm.translation[frame, None]])
        palm_wanted = self.Ts_world_palm_wanted.translation[frame, None]
        return np.stack([reached, np.concatenate([self.p_world_fingertips_wanted[frame], palm_wanted])], axis=1)


def view_scene(
    embodiment: Embodiment, joint_pos: object, keypoints: object = None, side: str | None = None
) -> ViewScene:
    """Put together what there is to see.

    Args:
        embodiment: the robot.
        joint_pos: (J) or (T, J) [rad; m for a slide] in the order of ``embodiment.joint_names``.
        keypoints: (21, 3) or (T, 21, 3) [m] in the world: the hand it imitates; None for the robot alone.
        side: whose hand; the robot's own if none.

    Raises:
        SchemaError: shapes that do not fit the robot or each other.
    """
    positions = np.atleast_2d(np.asarray(joint_pos, dtype=np.float64))
    if positions.ndim != 2 or positions.shape[-1] != len(embodiment.joint_names):
        raise SchemaError(
            f"joint_pos has shape {positions.shape}; {embodiment.name} needs (J) or (T, J) with J = "
            f"{len(embodiment.joint_names)}."
        )
    bodies = {name: body.visual or body.collision for name, body in embodiment.links.items()}
    links = tuple(name for name, shapes in bodies.items() if shapes)
    solids = tuple(
        Solid(index, *triangles(shape), rgb=shape.rgba[:3])
        for index, name in enumerate(links)
        for shape in bodies[name]
    )
    Ts_world_frame = embodiment.chain.forward(positions)
    palm, *tips = (embodiment.chain.frame_index(f) for f in (embodiment.palm_frame, *embodiment.fingertip_frames))
    robot = ViewScene(
        title=embodiment.name,
        links=links,
        solids=solids,
        Ts_world_link=embodiment.chain_of(links).forward(positions),
        Ts_world_palm=Ts_world_frame[:, palm],
        p_world_fingertips=Ts_world_frame.translation[:, tips],
    )
    return robot if keypoints is None else _with_human(robot, embodiment, keypoints, side)


def _with_human(robot: ViewScene, embodiment: Embodiment, keypoints: object, side: str | None) -> ViewScene:
    hands = np.asarray(keypoints, dtype=np.float64)
    hands = hands[None] if hands.ndim == 2 else hands
    if hands.shape != (len(robot), len(KEYPOINT_NAMES), 3):
        raise SchemaError(
            f"Keypoints have shape {hands.shape}; for {len(robot)} configurations ({len(robot)}, 21, 3) is needed."
        )
    side = side or ("right" if embodiment.side == "none" else embodiment.side)
    return ViewScene(
        title=robot.title,
        links=robot.links,
        solids=robot.solids,
        Ts_world_link=robot.Ts_world_link,
        Ts_world_palm=robot.Ts_world_palm,
        p_world_fingertips=robot.p_world_fingertips,
        p_world_keypoints=hands,
        Ts_world_palm_wanted=palm_targets(hands, side, embodiment.palm_offset),
        p_world_fingertips_wanted=embodiment.fingertip_targets(hands),
    )
