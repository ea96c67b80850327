"""What happened: the runner's view of an episode, and the server's lossless log.

In:  rows, appended while things happen.   Out: ``Rollout``, ``MotionLog``; both are saved in stretches (``open_writer``).
Not here: how the server writes its log without missing a tick (hw), metrics over logs (rl).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from h2s2r_schemas.codec.array_spec import ArraySpec, PoseSpec
from h2s2r_schemas.codec.message import Message, MessageSpec, field, message
from h2s2r_schemas.codec.specs import (
    BoolSpec,
    IntSpec,
    MappingSpec,
    OptionalSpec,
    TextSpec,
    TextsSpec,
)

_ROW = ArraySpec(("T", "J"), unit="rad or m")

#: How an episode can fail.
FAILURE_KINDS = ("dropped", "missed", "stuck", "out_of_workspace", "unstable")


@message("h2s2r.Rollout", version=1)
class Rollout(Message):
    """One episode as the runner saw it and wanted it, a row per policy step."""

    stream_dim = "T"
    stream_last = ("success", "failure")

    task_name: str = field(TextSpec(empty=False, max_length=128))
    """``TaskSpec.name``."""
    policy_hash: str = field(TextSpec(max_length=64))
    """SHA-256 of the ``policy.onnx`` that acted."""
    robot_hash: str = field(TextSpec(empty=False, max_length=64))
    """``RobotSpec.hash()`` of the robot."""
    joint_names: tuple[str, ...] = field(TextsSpec("J"))
    """(J) joint order of the rows."""
    emulated: bool = field(BoolSpec())
    """True where no hardware moved."""
    seed: int | None = field(OptionalSpec(IntSpec()))
    """Seed of the episode; none on a real robot."""
    time: np.ndarray = field(ArraySpec(("T",), unit="s", increasing=True))
    """(T) [s] on the robot's clock."""
    obs: np.ndarray = field(ArraySpec(("T", "O"), dtype="float32"))
    """(T, O) what the policy saw, before normalisation."""
    action: np.ndarray = field(ArraySpec(("T", "A"), dtype="float32"))
    """(T, A) what it wanted, in [-1, 1]."""
    joint_pos: np.ndarray = field(_ROW)
    """(T, J) [rad; m] measured."""
    joint_pos_target: np.ndarray = field(_ROW)
    """(T, J) [rad; m] asked for."""
    wxyz_xyz_world_object: np.ndarray = field(PoseSpec(("T",), finite=False))
    """(T, 7) object pose as seen; NaN where lost."""
    object_age: np.ndarray = field(ArraySpec(("T",), unit="s", minimum=0.0))
    """(T) [s] age of that pose when it was used."""
    wxyz_xyz_world_goal: np.ndarray = field(PoseSpec(("T",)))
    """(T, 7) goal pose."""
    goal_time: np.ndarray = field(ArraySpec(("T",), unit="s", minimum=0.0))
    """(T) [s] of the goal clock along the reference."""
    success: bool | None = field(OptionalSpec(BoolSpec()), default=None)
    """By ``is_success`` on true poses; none where nobody knows them."""
    failure: str = field(TextSpec(("", *FAILURE_KINDS)), default="")
    """One of ``FAILURE_KINDS``; empty for none."""


@message("h2s2r.LogContext", version=1)
class LogContext(Message):
    """Under which conditions a log was made: what metrics are segmented by."""

    robot_serial: str = field(TextSpec(max_length=128), default="")
    """Which robot."""
    hardware_revision: str = field(TextSpec(max_length=128), default="")
    """Revision of the hardware, in an order that sorts by age, e.g. ``"r03"``."""
    firmware: str = field(TextSpec(max_length=128), default="")
    """Versions of cabinet and hand firmware."""
    payload_class: str = field(TextSpec(max_length=128), default="")
    """E.g. ``"none"``, ``"light"``, ``"heavy"``."""
    zone: str = field(TextSpec(max_length=128), default="")
    """Where in the workspace or on which floor."""
    temperature_band: str = field(TextSpec(max_length=128), default="")
    """E.g. ``"cold"``, ``"warm"``."""
    gripper: str = field(TextSpec(max_length=128), default="")
    """Which hand or gripper."""
    labels: Mapping[str, str] = field(MappingSpec(TextSpec(max_length=256)), default_factory=dict)
    """Anything else."""


@message("h2s2r.MotionLog", version=1)
class MotionLog(Message):
    """What the server was asked, sent and measured, a row per driver tick, nothing left out."""

    stream_dim = "T"
    stream_last = ("outcome",)

    robot_name: str = field(TextSpec(empty=False, max_length=128))
    """``RobotSpec.name``."""
    robot_hash: str = field(TextSpec(empty=False, max_length=64))
    """``RobotSpec.hash()``."""
    joint_names: tuple[str, ...] = field(TextsSpec("J"))
    """(J) joint order of the rows."""
    emulated: bool = field(BoolSpec())
    """True where no hardware moved."""
    context: LogContext = field(MessageSpec(LogContext))
    """Conditions."""
    sequence: np.ndarray = field(ArraySpec(("T",), dtype="int64", increasing=True))
    """(T) tick number; a gap is a tick that was lost, and proves how many."""
    time: np.ndarray = field(ArraySpec(("T",), unit="s", increasing=True))
    """(T) [s] on the robot's monotonic clock."""
    server_state: np.ndarray = field(ArraySpec(("T",), dtype="uint8"))
    """(T) index into ``wire.SERVER_STATES``."""
    command_sequence: np.ndarray = field(ArraySpec(("T",), dtype="int64"))
    """(T) sequence of the command in force; -1 for none."""
    joint_pos_asked: np.ndarray = field(_ROW)
    """(T, J) [rad; m] target of that command."""
    joint_pos_target: np.ndarray = field(_ROW)
    """(T, J) [rad; m] sent to the drivers, after all limits."""
    joint_pos: np.ndarray = field(_ROW)
    """(T, J) [rad; m] measured."""
    joint_vel: np.ndarray = field(ArraySpec(("T", "J"), unit="rad/s or m/s"))
    """(T, J) [rad/s; m/s] measured or observed."""
    joint_torque: np.ndarray = field(ArraySpec(("T", "J"), unit="N·m or N"))
    """(T, J) [N·m; N] measured."""
    joint_torque_sent: np.ndarray = field(ArraySpec(("T", "J"), unit="N·m or N"))
    """(T, J) [N·m; N] sent; 0 where the drivers take positions."""
    joint_residual: np.ndarray = field(ArraySpec(("T", "J")))
    """(T, J) correction inside what was sent, after its bounds, in the unit of that command."""
    clamped: np.ndarray = field(ArraySpec(("T", "J"), dtype="bool"))
    """(T, J) whether a limit changed this joint's command."""
    joint_temperature: np.ndarray | None = field(
        OptionalSpec(ArraySpec(("T", "J"), unit="°C", finite=False)), default=None
    )
    """(T, J) [°C]; NaN where not measured, none where never."""
    joint_current: np.ndarray | None = field(OptionalSpec(ArraySpec(("T", "J"), unit="A", finite=False)), default=None)
    """(T, J) [A]; NaN where not measured, none where never."""
    outcome: str = field(TextSpec(("unknown", "success", "failure")), default="unknown")
    """How the motion of this log ended, where somebody said so."""
