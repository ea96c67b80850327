"""A place for the camera that nobody measured: level on the table.

In:  a ``Demo``.   Out: ``Calibration`` with ``calibrated`` false.
Not here: measured ones (fixed_board, hand_eye).
"""

from __future__ import annotations

import numpy as np

from h2s2r_perception.frames import decode
from h2s2r_perception.segment import find_plane
from h2s2r_schemas.artifacts import Calibration
from h2s2r_schemas.demo import Demo
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

#: Which way of the picture the world's x points: a robot at the left edge of the picture looks to the right.
FORWARD = {"right": (1.0, 0.0, 0.0), "left": (-1.0, 0.0, 0.0), "away": (0.0, 0.0, 1.0), "near": (0.0, 0.0, -1.0)}


def level_camera(
    demo: Demo, frame: int = 0, forward: str = "right", at: tuple[float, float] = (0.6, 0.0)
) -> Calibration:
    """A world that is chosen: z up from the table, the point of it in the middle of the picture at ``at``.

    Args:
        demo: the recording.
        frame: in which the table is seen.
        forward: which way of the picture x points: ``right``, ``left``, ``away`` from the camera or ``near``.
        at: (x, y) [m] of the table's point in the middle of the picture.

    Raises:
        SchemaError: no such frame or direction, no table, or the middle of the picture shows none.
    """
    if forward not in FORWARD:
        raise SchemaError(f"forward is {forward!r}; there are {', '.join(FORWARD)}.")
    if not 0 <= frame < len(demo):
        raise SchemaError(f"Frame {frame} of a recording of 0 to {len(demo) - 1}.")
    calibration = demo.meta.calibration
    plane = find_plane(decode(demo[frame], calibration, demo.meta.depth_unit))
    toward = np.array(FORWARD[forward])
    x = toward - (toward @ plane.normal) * plane.normal
    if np.linalg.norm(x) < 0.3:
        raise SchemaError(
            f"The camera looks straight down: {forward} is no direction along the table. Take left or right."
        )
    x /= np.linalg.norm(x)
    axes = np.stack((x, np.cross(plane.normal, x), plane.normal), axis=1)
    camera = calibration.color
    ray = np.array([(camera.width / 2 - camera.cx) / camera.fx, (camera.height / 2 - camera.cy) / camera.fy, 1.0])
    slope = float(ray @ plane.normal)
    if slope > -0.05:
        raise SchemaError("The middle of the picture does not look at the table: point the camera down at it.")
    T_camera_table = SE3.from_rotation_matrix(axes, ray * (-plane.offset / slope))
    T_world_table = SE3.from_parts(np.array([1.0, 0.0, 0.0, 0.0]), np.array([*at, 0.0]))
    T_world_camera = T_world_table @ T_camera_table.inv()
    return calibration.replace(
        wxyz_xyz_world_camera=T_world_camera.wxyz_xyz,
        calibrated=False,
        residual_px=None,
        method=f"chosen: level on the table of frame {frame}, x towards {forward} of the picture",
    )
