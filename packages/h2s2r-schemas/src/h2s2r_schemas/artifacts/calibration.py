"""Where a camera is and how it projects.

In:  numbers of a calibration.   Out: ``CameraIntrinsics``, ``Calibration``.
Not here: finding them (perception).
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.codec.array_spec import ArraySpec, PoseSpec
from h2s2r_schemas.codec.message import Message, MessageSpec, field, message
from h2s2r_schemas.codec.specs import (
    BoolSpec,
    FloatSpec,
    IntSpec,
    OptionalSpec,
    TextSpec,
)
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3


@message("h2s2r.CameraIntrinsics", version=1)
class CameraIntrinsics(Message):
    """A pinhole camera, OpenCV convention: x right, y down, z forward; pixel centres at whole numbers."""

    width: int = field(IntSpec(1, 16384))
    """[px] picture width."""
    height: int = field(IntSpec(1, 16384))
    """[px] picture height."""
    fx: float = field(FloatSpec(1.0, 1e5, "px"))
    """[px] focal length along x."""
    fy: float = field(FloatSpec(1.0, 1e5, "px"))
    """[px] focal length along y."""
    cx: float = field(FloatSpec(unit="px"))
    """[px] principal point."""
    cy: float = field(FloatSpec(unit="px"))
    """[px] principal point."""
    distortion: np.ndarray = field(ArraySpec((5,)), default=(0.0, 0.0, 0.0, 0.0, 0.0))
    """(5) k1, k2, p1, p2, k3 of OpenCV."""

    def check(self) -> None:
        if not (0 <= self.cx <= self.width and 0 <= self.cy <= self.height):
            raise SchemaError(
                f"The principal point ({self.cx}, {self.cy}) px lies outside the picture of {self.width}×{self.height} px. "
                "Were intrinsics of another resolution used?"
            )

    def matrix(self) -> np.ndarray:
        """(3, 3) camera matrix [px]."""
        return np.array([[self.fx, 0.0, self.cx], [0.0, self.fy, self.cy], [0.0, 0.0, 1.0]])


@message("h2s2r.Calibration", version=1)
class Calibration(Message):
    """Both cameras of an RGB-D sensor, and where it stands."""

    color: CameraIntrinsics = field(MessageSpec(CameraIntrinsics))
    """Intrinsics of the colour pictures."""
    depth: CameraIntrinsics = field(MessageSpec(CameraIntrinsics))
    """Intrinsics of the depth pictures; equal to ``color`` where depth is aligned to colour."""
    wxyz_xyz_color_depth: np.ndarray = field(PoseSpec(), default=(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0))
    """(7) pose of the depth camera in the colour camera; identity where aligned."""
    wxyz_xyz_world_camera: np.ndarray | None = field(OptionalSpec(PoseSpec()), default=None)
    """(7) pose of the colour camera in the world (robot base); none where nobody measured or chose it yet."""
    calibrated: bool = field(BoolSpec(), default=False)
    """Whether ``wxyz_xyz_world_camera`` was measured against a robot; false where it was chosen."""
    residual_px: float | None = field(OptionalSpec(FloatSpec(0.0, unit="px")), default=None)
    """[px] root mean square reprojection error of the calibration, where known."""
    method: str = field(TextSpec(), default="")
    """How it was found, in words."""

    @property
    def T_world_camera(self) -> SE3:
        """``wxyz_xyz_world_camera`` as a pose.

        Raises:
            SchemaError: nobody measured or chose it yet.
        """
        if self.wxyz_xyz_world_camera is None:
            raise SchemaError(
                "This Calibration does not say where the camera is: calibrate it, or level it on the table."
            )
        return SE3(self.wxyz_xyz_world_camera)
