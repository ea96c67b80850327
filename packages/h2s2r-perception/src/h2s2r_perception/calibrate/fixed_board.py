"""Where the camera stands, from a board at a known place.

In:  ``Demo`` of the board, ``T_world_board``.   Out: ``Calibrated``.
Not here: a board that the robot moves (hand_eye).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from h2s2r_perception.calibrate.board import BoardCfg, Sight, find_board
from h2s2r_perception.frames import decode_all, project
from h2s2r_schemas.artifacts import Calibration, CameraIntrinsics
from h2s2r_schemas.demo import Demo
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3


@dataclass(frozen=True)
class Limits:
    """What a calibration may be off before it is refused."""

    residual_px: float = 1.0
    """[px] root mean square distance between seen and expected corners."""
    residual: float = 0.005
    """[m] the same at the board; for a hand-eye calibration, of the board's place by all flange poses."""
    depth: float = 0.02
    """[m] difference between measured and expected depth of the board: more, and it was printed in another size."""
    apart: float = 0.003
    """[m] by which the board's place may differ between frames in which it should stand still."""


@dataclass(frozen=True)
class Calibrated:
    """A calibration and how good it is."""

    calibration: Calibration
    """With ``calibrated`` true and its residual in pixels."""
    residual_px: float
    """[px] root mean square distance between seen and expected corners."""
    residual: float
    """[m] the same at the distance of the board."""
    depth_residual: float
    """[m] median of measured minus expected depth; NaN where depth was not measured."""
    frames: int
    """In which the board was seen and used."""


def sights_of(demo: Demo, cfg: BoardCfg, progress: Callable[[int, int], None] | None = None) -> list[Sight]:
    """Every frame of a recording in which the board is seen.

    Raises:
        SchemaError: it is seen in none.
    """
    sights = []
    for frame in decode_all(demo):
        seen = find_board(frame, cfg)
        if seen is not None:
            sights.append(seen)
        if progress is not None:
            progress(frame.index + 1, len(demo))
    if not sights:
        raise SchemaError(
            f"No {cfg.kind} board of {cfg.columns}×{cfg.rows} is seen in {len(demo)} frames. Check kind, columns, rows and "
            "dictionary; light it evenly, and bring it near enough that a marker is 15 px wide or more."
        )
    return sights


def calibrate_board(
    demo: Demo,
    board: BoardCfg,
    T_world_board: SE3,
    limits: Limits | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Calibrated:
    """The camera's place from a board that stands still at a known one.

    Args:
        demo: one frame of the board, or more.
        board: as it was printed.
        T_world_board: where it lies in the world (robot base).
        limits: beyond which the result is refused.
        progress: called with frames done and frames in all.

    Raises:
        SchemaError: no board, a board or camera that moved, or residuals beyond the limits.
    """
    limits = limits or Limits()
    sights = sights_of(demo, board, progress)
    places = np.array([sight.T_camera_board.translation for sight in sights])
    apart = float(np.linalg.norm(places - np.median(places, axis=0), axis=1).max())
    if apart > limits.apart:
        raise SchemaError(
            f"The board's place differs by {1000 * apart:.1f} mm between frames; {1000 * limits.apart:.1f} are allowed. Board "
            "or camera moved, or the board is too small in the picture: lay it down, and record it again."
        )
    camera = demo.meta.calibration.color
    on_board = np.concatenate([sight.p_board_corners for sight in sights])
    pixels = np.concatenate([sight.pixels for sight in sights])
    T_camera_board = _together(on_board, pixels, camera, sights[0].T_camera_board)
    off = project(camera, T_camera_board.apply(on_board)) - pixels
    residual_px = float(np.sqrt((off**2).sum(axis=1).mean()))
    distance = float(np.median(T_camera_board.apply(on_board)[:, 2]))
    depth = float(np.median([sight.depth_residual for sight in sights]))
    check(residual_px, residual_px * distance / camera.fx, depth, limits)
    T_world_camera = T_world_board @ T_camera_board.inv()
    method = f"{board.kind} board {board.columns}×{board.rows} at a known place, {len(sights)} frames"
    return Calibrated(
        place(demo.meta.calibration, T_world_camera, residual_px, method),
        residual_px,
        residual_px * distance / camera.fx,
        depth,
        len(sights),
    )


def _together(on_board: np.ndarray, pixels: np.ndarray, camera: CameraIntrinsics, T_camera_board: SE3) -> SE3:
    """One pose for all corners."""
    rotvec = cv2.Rodrigues(T_camera_board.rotation_matrix())[0]
    shift = np.array(T_camera_board.translation).reshape(3, 1)
    rotvec, shift = cv2.solvePnPRefineLM(on_board, pixels, camera.matrix(), None, rotvec, shift)
    return SE3.from_rotation_matrix(cv2.Rodrigues(rotvec)[0], shift.ravel())


def check(residual_px: float, residual: float, depth: float, limits: Limits) -> None:
    """Refuse a bad calibration.

    Raises:
        SchemaError: one of the residuals is beyond its limit.
    """
    if residual_px > limits.residual_px or residual > limits.residual:
        raise SchemaError(
            f"This calibration is off by {residual_px:.2f} px, {1000 * residual:.1f} mm at the board; "
            f"{limits.residual_px:g} px and {1000 * limits.residual:g} mm are allowed. Is the board flat, are "
            "columns, rows and sizes those of the print, and are the intrinsics those of this resolution?"
        )
    if np.isfinite(depth) and abs(depth) > limits.depth:
        raise SchemaError(
            f"Depth says the board is {1000 * depth:.0f} mm from where its size says; {1000 * limits.depth:.0f} are allowed. "
            "Measure a square and a marker on the print: printers scale to fit the page."
        )


def place(calibration: Calibration, T_world_camera: SE3, residual_px: float, method: str) -> Calibration:
    """The same cameras at a measured place."""
    return calibration.replace(
        wxyz_xyz_world_camera=T_world_camera.wxyz_xyz, calibrated=True, residual_px=residual_px, method=method
    )
