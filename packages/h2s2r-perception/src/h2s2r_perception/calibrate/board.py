"""A printed board in a picture: ChArUco, or a grid of AprilTags.

In:  ``BoardCfg``, a picture.   Out: ``Sight``: corners in the picture and on the board, the board's pose.
Not here: what is concluded from many pictures (fixed_board, hand_eye).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from h2s2r_perception.frames import RGBDFrame, project
from h2s2r_schemas.artifacts import CameraIntrinsics
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

KINDS = ("charuco", "apriltag")
#: Corners of a picture that are needed for a pose.
_FEWEST = 8


@dataclass(frozen=True)
class BoardCfg:
    """A board as it was printed; its frame is OpenCV's: origin in the first corner, x along the row, z into the board."""

    kind: str = "charuco"
    """``charuco``: a chessboard with markers; ``apriltag``: a grid of tags of family 36h11."""
    columns: int = 7
    """Squares, or tags, along x."""
    rows: int = 5
    """Squares, or tags, along y."""
    square: float = 0.035
    """[m] edge of a square; for tags, from one tag's edge to the same of the next."""
    marker: float = 0.026
    """[m] edge of a marker or tag, black border included, measured on the print."""
    dictionary: str = "DICT_5X5_100"
    """Of the markers of a ChArUco board; OpenCV's name."""

    def board(self) -> cv2.aruco.Board:
        """The same for OpenCV.

        Raises:
            SchemaError: sizes or names that make no board.
        """
        if self.kind not in KINDS:
            raise SchemaError(f"A board is one of {', '.join(KINDS)}; this is {self.kind!r}.")
        if not 0 < self.marker < self.square or min(self.columns, self.rows) < (2 if self.kind == "charuco" else 1):
            raise SchemaError(
                f"A board of {self.columns}×{self.rows} with squares of {self.square} m and markers of {self.marker} m "
                "cannot be: 0 < marker < square, at least 2×2 squares or 1 tag. Measure the print."
            )
        if self.kind == "apriltag":
            tags = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_APRILTAG_36h11)
            return cv2.aruco.GridBoard((self.columns, self.rows), self.marker, self.square - self.marker, tags)
        number = getattr(cv2.aruco, self.dictionary, None)
        if not self.dictionary.startswith("DICT_") or not isinstance(number, int):
            raise SchemaError(f"{self.dictionary!r} is no dictionary of OpenCV, like DICT_5X5_100 or DICT_4X4_50.")
        markers = cv2.aruco.getPredefinedDictionary(number)
        return cv2.aruco.CharucoBoard((self.columns, self.rows), self.square, self.marker, markers)


@dataclass(frozen=True)
class Sight:
    """A board seen in one frame."""

    index: int
    """Of the frame."""
    time: float
    """[s] of the frame."""
    p_board_corners: np.ndarray
    """(N, 3) [m] corners on the board."""
    pixels: np.ndarray
    """(N, 2) [px] where they are seen."""
    T_camera_board: SE3
    """Pose of the board by this frame alone."""
    residual_px: float
    """[px] root mean square distance between seen and expected corners."""
    depth_residual: float
    """[m] median of measured minus expected depth at the corners; NaN where too few were measured."""


def find_board(frame: RGBDFrame, cfg: BoardCfg) -> Sight | None:
    """The board in a frame; none if too little of it is seen.

    Raises:
        SchemaError: a board that cannot be.
    """
    board = cfg.board()
    grey = cv2.cvtColor(frame.rgb, cv2.COLOR_RGB2GRAY)
    on_board, pixels = _corners(grey, board)
    if len(pixels) < (4 if cfg.kind == "apriltag" else _FEWEST):
        return None
    solved, rotvec, shift = cv2.solvePnP(on_board, pixels, frame.camera.matrix(), None, flags=cv2.SOLVEPNP_IPPE)
    if not solved:
        return None
    rotvec, shift = cv2.solvePnPRefineLM(on_board, pixels, frame.camera.matrix(), None, rotvec, shift)
    T_camera_board = SE3.from_rotation_matrix(cv2.Rodrigues(rotvec)[0], shift.ravel())
    p_camera = T_camera_board.apply(on_board)
    off = project(frame.camera, p_camera) - pixels
    return Sight(
        frame.index,
        frame.time,
        on_board,
        pixels,
        T_camera_board,
        float(np.sqrt((off**2).sum(axis=1).mean())),
        _depth_residual(frame, frame.camera, p_camera),
    )


def _corners(grey: np.ndarray, board: cv2.aruco.Board) -> tuple[np.ndarray, np.ndarray]:
    """Corners on the board (N, 3) [m] and in the picture (N, 2) [px]."""
    if isinstance(board, cv2.aruco.CharucoBoard):
        corners, ids, _, _ = cv2.aruco.CharucoDetector(board).detectBoard(grey)
    else:
        parameters = cv2.aruco.DetectorParameters()
        parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_APRILTAG
        corners, ids, _ = cv2.aruco.ArucoDetector(board.getDictionary(), parameters).detectMarkers(grey)
    if ids is None or not len(ids):
        return np.zeros((0, 3)), np.zeros((0, 2))
    on_board, pixels = board.matchImagePoints(corners, ids)  # pyright: ignore[reportCallIssue, reportArgumentType]
    if on_board is None:
        return np.zeros((0, 3)), np.zeros((0, 2))
    return on_board.reshape(-1, 3).astype(float), pixels.reshape(-1, 2).astype(float)


def _depth_residual(frame: RGBDFrame, camera: CameraIntrinsics, p_camera: np.ndarray) -> float:
    u, v = np.rint(project(camera, p_camera)).astype(int).T
    inside = (u >= 0) & (v >= 0) & (u < camera.width) & (v < camera.height)
    measured = frame.depth[v[inside], u[inside]]
    known = measured > 0
    return float(np.median(measured[known] - p_camera[inside, 2][known])) if known.sum() >= 4 else float("nan")
