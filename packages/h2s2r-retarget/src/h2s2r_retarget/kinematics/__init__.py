"""Kinematics of any robot given as a URDF, batched, on NumPy arrays or torch tensors.

In:  a URDF and joint positions.   Out: frame poses, Jacobians, damped steps.
Not here: iterative inverse kinematics (solve).
"""

from h2s2r_retarget.kinematics.chain import Chain
from h2s2r_retarget.kinematics.damped import damped_step, pose_error, step_towards
from h2s2r_retarget.kinematics.model import Mimic, UrdfJoint, UrdfModel
from h2s2r_retarget.kinematics.urdf import parse_xml, read_urdf

__all__ = [
    "Chain",
    "Mimic",
    "UrdfJoint",
    "UrdfModel",
    "damped_step",
    "parse_xml",
    "pose_error",
    "read_urdf",
    "step_towards",
]
