"""Where the camera stands: by a board on the table, by a board on the robot's flange, or levelled on the table.

In:  a ``Demo`` of a board, poses of board or flange.   Out: ``Calibration`` with residuals; a bad one is refused.
Not here: intrinsics (the camera's maker gives them).
"""

from h2s2r_perception.calibrate.board import BoardCfg, Sight, find_board
from h2s2r_perception.calibrate.fixed_board import Calibrated, Limits, calibrate_board
from h2s2r_perception.calibrate.hand_eye import calibrate_hand_eye, read_flange_poses
from h2s2r_perception.calibrate.level import level_camera

__all__ = [
    "BoardCfg",
    "Calibrated",
    "Limits",
    "Sight",
    "calibrate_board",
    "calibrate_hand_eye",
    "find_board",
    "level_camera",
    "read_flange_poses",
]
