"""Where the camera stands, from a board on the robot's flange.

In:  ``Demo`` of the board, a file of timestamped flange poses.   Out: ``Calibrated``.
Not here: a board at a known place (fixed_board).

The file is CSV with the header ``time,qw,qx,qy,qz,x,y,z``: [s] on the clock of the recording, unit quaternion and place [m]
of the flange in the world (robot base). Let the robot stop at each of ten poses or more, turned differently about at least
two axes.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

from h2s2r_perception.calibrate.board import BoardCfg, Sight
from h2s2r_perception.calibrate.fixed_board import Calibrated, Limits, check, place, sights_of
from h2s2r_perception.frames import project
from h2s2r_schemas.artifacts import CameraIntrinsics
from h2s2r_schemas.demo import Demo
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

COLUMNS = ("time", "qw", "qx", "qy", "qz", "x", "y", "z")
#: [s] between flange poses around a frame beyond which it is not used, and [m], [rad] that the flange may move meanwhile.
_GAP, _MOVED, _TURNED = 0.25, 0.001, np.deg2rad(0.2)
#: Frames needed, and [rad] about a second axis that their poses differ by: one axis alone leaves the camera free along it.
_FEWEST, _SECOND_AXIS = 6, np.deg2rad(12.0)


@dataclass(frozen=True)
class FlangePoses:
    """Where the flange was."""

    time: np.ndarray
    """(N) [s] on the clock of the recording, strictly growing."""
    Ts_world_flange: SE3
    """(N) poses."""

    def still_at(self, time: float) -> SE3 | None:
        """The pose at ``time`` [s]; none where the file says nothing or the flange moves."""
        after = int(np.searchsorted(self.time, time))
        if not 0 < after < len(self.time) or self.time[after] - self.time[after - 1] > _GAP:
            return None
        before = self.Ts_world_flange[after - 1]
        moved, turned = before.distance(self.Ts_world_flange[after])
        share = np.array((time - self.time[after - 1]) / (self.time[after] - self.time[after - 1]))
        still = moved < _MOVED and turned < _TURNED
        return before.interpolate(self.Ts_world_flange[after], share) if still else None


def read_flange_poses(path: Path) -> FlangePoses:
    """Poses of a CSV file.

    Raises:
        SchemaError: another header, a line that is no eight numbers, a quaternion of another length than 1, time that does
            not grow, or fewer than two lines.
    """
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            lines = list(csv.reader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SchemaError(f"{path} cannot be read as CSV: {error}.") from error
    if not lines or tuple(name.strip() for name in lines[0]) != COLUMNS:
        raise SchemaError(
            f"{path} begins with {lines[0] if lines else 'nothing'}; the header {','.join(COLUMNS)} is wanted."
        )
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            rows.append([float(value) for value in line])
        except ValueError as error:
            raise SchemaError(f"{path}, line {number}: {error}.") from error
        if len(line) != len(COLUMNS) or not np.isfinite(rows[-1]).all():
            raise SchemaError(f"{path}, line {number} is {line}; {len(COLUMNS)} finite numbers are wanted.")
    if len(rows) < 2:
        raise SchemaError(f"{path} holds {len(rows)} poses; two are the least.")
    values = np.array(rows)
    length = np.linalg.norm(values[:, 1:5], axis=1)
    if np.abs(length - 1).max() > 1e-3:
        wrong = int(np.abs(length - 1).argmax())
        raise SchemaError(
            f"{path}, line {wrong + 2}: the quaternion's length is {length[wrong]:.4f}; qw,qx,qy,qz have 1."
        )
    if (np.diff(values[:, 0]) <= 0).any():
        raise SchemaError(f"{path}, line {int(np.diff(values[:, 0]).argmin()) + 3}: time must grow from line to line.")
    return FlangePoses(values[:, 0], SE3.from_parts(values[:, 1:5], values[:, 5:]))


def calibrate_hand_eye(
    demo: Demo,
    board: BoardCfg,
    flange: FlangePoses,
    limits: Limits | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Calibrated:
    """The camera's place from a board that the robot holds.

    Args:
        demo: frames of the board in many poses.
        board: as it was printed; how it is held does not matter, but it must not slip.
        flange: where the flange was.
        limits: beyond which the result is refused.
        progress: called with frames done and frames in all.

    Raises:
        SchemaError: too few frames in which the flange stands still, poses too much alike, or residuals beyond the limits.
    """
    limits = limits or Limits()
    sights, Ts_world_flange = _still_sights(sights_of(demo, board, progress), flange)
    T_world_camera, T_flange_board = _closed_form(sights, Ts_world_flange)
    camera = demo.meta.calibration.color
    T_world_camera, T_flange_board, residual_px = _refined(
        sights, Ts_world_flange, T_world_camera, T_flange_board, camera
    )
    Ts_camera_board = SE3(np.stack([sight.T_camera_board.wxyz_xyz for sight in sights]))
    T_camera_world = T_world_camera.inv()
    apart, _ = (T_camera_world @ Ts_world_flange @ T_flange_board).distance(Ts_camera_board)
    residual = float(np.sqrt((np.asarray(apart) ** 2).mean()))
    depth = float(np.median([sight.depth_residual for sight in sights]))
    check(residual_px, residual, depth, limits)
    method = f"hand-eye, {board.kind} board {board.columns}×{board.rows} on the flange, {len(sights)} frames"
    calibration = place(demo.meta.calibration, T_world_camera, residual_px, method)
    return Calibrated(calibration, residual_px, residual, depth, len(sights))


def _still_sights(sights: list[Sight], flange: FlangePoses) -> tuple[list[Sight], SE3]:
    """The sights at which the flange stood still, and where it was."""
    known = [(sight, flange.still_at(sight.time)) for sight in sights]
    still = [(sight, T_world_flange) for sight, T_world_flange in known if T_world_flange is not None]
    if len(still) < _FEWEST:
        raise SchemaError(
            f"In {len(still)} of {len(sights)} frames with the board the flange is known to stand still; {_FEWEST} are needed. "
            f"Are its times on the recording's clock, from {flange.time[0]:.1f} to {flange.time[-1]:.1f} s, "
            f"at least {1 / _GAP:.0f} a second?"
        )
    Ts_world_flange = SE3(np.stack([T_world_flange.wxyz_xyz for _, T_world_flange in still]))
    T_flange_world = Ts_world_flange[0].inv()
    turns = (T_flange_world @ Ts_world_flange).log()[:, 3:]
    spread = np.linalg.svd(turns - turns.mean(axis=0), compute_uv=False) / np.sqrt(len(turns))
    if spread[1] < _SECOND_AXIS / 2:
        raise SchemaError(
            f"The flange turned by {np.rad2deg(2 * spread[0]):.0f}° about one axis and {np.rad2deg(2 * spread[1]):.0f}° about "
            f"another; {np.rad2deg(_SECOND_AXIS):.0f}° about two are needed. Turn the board about its own and a second axis."
        )
    return [sight for sight, _ in still], Ts_world_flange


def _closed_form(sights: list[Sight], Ts_world_flange: SE3) -> tuple[SE3, SE3]:
    """Camera in the world and board on the flange, after Park and Martin (IEEE T-RA 10(5), 1994).

    Between any two frames the flange moved by A in the world and the board by B in the camera, and A·Y = Y·B for the camera's
    pose Y: first the turn that takes the axes of all B to those of A, then the shift by least squares.
    """
    pairs = [(i, j) for i in range(len(sights)) for j in range(i)]
    boards = SE3(np.stack([sight.T_camera_board.wxyz_xyz for sight in sights]))
    first, second = np.array(pairs).T
    by_flange = Ts_world_flange[first] @ Ts_world_flange[second].inv()
    by_board = boards[first] @ boards[second].inv()
    rotation = Rotation.align_vectors(by_flange.log()[:, 3:], by_board.log()[:, 3:])[0].as_matrix()
    rows = (by_flange.rotation_matrix() - np.eye(3)).reshape(-1, 3)
    values = (by_board.translation @ rotation.T - by_flange.translation).reshape(-1)
    T_world_camera = SE3.from_rotation_matrix(rotation, np.linalg.lstsq(rows, values, rcond=None)[0])
    T_camera_board = sights[0].T_camera_board
    T_flange_world = Ts_world_flange[0].inv()
    return T_world_camera, T_flange_world @ T_world_camera @ T_camera_board


def _refined(
    sights: list[Sight], Ts_world_flange: SE3, T_world_camera: SE3, T_flange_board: SE3, camera: CameraIntrinsics
) -> tuple[SE3, SE3, float]:
    """Both poses such that all corners fall where they are seen, and the root mean square error [px]."""

    def places(x: np.ndarray) -> tuple[SE3, SE3]:
        return T_world_camera @ SE3.exp(x[:6]), T_flange_board @ SE3.exp(x[6:])

    def off(x: np.ndarray) -> np.ndarray:
        T_world_seer, T_flange_grid = places(x)
        T_seer_world = T_world_seer.inv()
        Ts_seer_grid = T_seer_world @ Ts_world_flange @ T_flange_grid
        errors = [
            project(camera, Ts_seer_grid[i].apply(sight.p_board_corners)) - sight.pixels
            for i, sight in enumerate(sights)
        ]
        return np.concatenate(errors).ravel()

    found = least_squares(off, np.zeros(12), x_scale=0.01, loss="soft_l1", f_scale=1.0).x
    errors = off(found).reshape(-1, 2)
    return (*places(found), float(np.sqrt((errors**2).sum(axis=1).mean())))
