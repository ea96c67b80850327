"""The records that pass between the processes of the server: who writes them, who reads them, what stands in them.

In:  nothing.   Out: NumPy dtypes, one per slot or log.
Not here: slots and rings themselves (slots, ring), what codes and states mean (states).

Joints stand in *driver order*, by name: the seven of ``drivers.fri.JOINT_NAMES``, then the sixteen of
``drivers.allegro.JOINT_NAMES`` (``JOINT_NAMES`` here). The gateway, which alone speaks to clients, maps from and to the order
of the ``RobotSpec`` by name. Units are rad, rad/s, N·m, and ns on the server's clock (``clock.Clock.now_ns``; all processes
have the same start). ``state`` is an index into ``wire.SERVER_STATES``; ``fault_code`` is a number of ``states.FAULTS``, 0 for
none. Every record has one writer. All are packed and little-endian, so that ``struct_of`` reads and writes them as well.

Who writes -> who reads:

- ``TARGET``  gateway -> arm loop, hand loop, residual process: where the joints shall go.
- ``ORDERS``  gateway -> arm loop, hand loop, residual process: what the operator and the lease's holder want.
- ``ARM_STATUS``  arm loop -> hand loop, gateway, residual process, supervisor: the arm now.
- ``HAND_STATUS``  hand loop -> arm loop, gateway, residual process, supervisor, guardian: the hand now.
- ``RESIDUAL``  residual process -> arm loop, hand loop, gateway: the learned correction, not yet bounded.
- ``HEARTBEAT``  each process -> supervisor (and the hand loop's -> guardian): that it lives.
- ``ARM_LOG``, ``HAND_LOG``  arm loop, hand loop -> logger, through a ring: every tick.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np

from h2s2r_hw.drivers.allegro import JOINT_NAMES as HAND_JOINT_NAMES
from h2s2r_hw.drivers.fri import JOINT_NAMES as ARM_JOINT_NAMES

#: (23) driver order.
JOINT_NAMES = ARM_JOINT_NAMES + HAND_JOINT_NAMES
NUM_ARM, NUM_HAND, NUM_JOINTS = len(ARM_JOINT_NAMES), len(HAND_JOINT_NAMES), len(JOINT_NAMES)

Dtype = np.dtype[Any]

#: Gateway -> loops: the newest accepted command. Written once per accepted command, never for a refused one.
TARGET: Dtype = np.dtype(
    [
        ("number", "<i8"),  # grows with each target of this gateway's life; 0 before the first
        ("time_ns", "<i8"),  # when it was received
        ("made_ns", "<i8"),  # when it was made: the client's time mapped to ours by the time filter, at most time_ns
        ("lease_epoch", "<i8"),
        ("command_sequence", "<i8"),
        ("use_residual", "<i8"),  # 1: the bounded correction may act
        ("joint_pos", "<f8", (NUM_JOINTS,)),  # finite; the loops limit it
        ("joint_torque", "<f8", (NUM_JOINTS,)),  # feed-forward; zeros for none
    ]
)

#: Gateway -> loops: what is wanted, as levels and counts, so that a loop that looks late misses nothing. Written on each change
#: and otherwise every 20 ms: it is the gateway's heartbeat too. A gateway that starts anew continues from what stands in
#: its slot, with armed = 0, and estop and all numbers as they were.
ORDERS: Dtype = np.dtype(
    [
        ("number", "<i8"),  # grows with each write
        ("time_ns", "<i8"),  # of this write
        (
            "arm_number",
            "<i8",
        ),  # grows with each accepted "arm" that changes anything: not where both parts are armed already
        ("armed", "<i8"),  # 1 from "arm" to "disarm"; a lease that is lost leaves it: the robot holds
        ("estop", "<i8"),  # 1 from estop until reset_estop
        ("home_number", "<i8"),  # grows with each accepted "home"
        ("stop_number", "<i8"),  # grows when motion must stop now, e.g. a lease ran out or was taken over
        ("arm_fault_acknowledged", "<i8"),  # fault_number of the arm's fault that was acknowledged last
        ("hand_fault_acknowledged", "<i8"),  # fault_number of the hand's
        ("residual_number", "<i8"),  # number of the residual to load, 0 for none: RESIDUAL says what is loaded
        ("speed_scale", "<f8"),  # 0 < … ≤ 1: part of the velocity limits that may be used
        ("position_lower", "<f8", (NUM_JOINTS,)),  # tightened limits; those of the RobotSpec unless tightened
        ("position_upper", "<f8", (NUM_JOINTS,)),
        ("velocity_limit", "<f8", (NUM_JOINTS,)),
    ]
)

#: What each loop counts, since it started. The gateway shows them as ``arm.received`` and so on.
ARM_COUNTERS = (
    "received",  # datagrams of the cabinet
    "sent",  # answers
    "undecodable",  # datagrams that were none
    "lost",  # messages missing from the cabinet's sequence
    "repeated",  # messages that came twice or out of order, not answered
    "timeouts",  # waits of three periods without a datagram
    "late",  # answers that took us longer than half a period
    "clock_jumps",  # steps of the cabinet's clock that do not fit its period
    "sessions",  # sessions that began
    "activations",  # times that COMMANDING_ACTIVE was reached
)
HAND_COUNTERS = (
    "received",  # frames
    "sent",  # frames
    "cycles",  # complete sets of four position frames
    "undecodable",  # frames that were none
    "incomplete",  # sets in which a finger was missing
    "zeroed",  # times that all currents were set to zero for lack of positions
    "servo_off",  # times that the servo was switched off
    "send_failed",  # frames that the bus did not take
    "bus_errors",  # error frames of the CAN controller
    "capped",  # joint-ticks at which the current cap acted
)
#: What motion counts in either loop, in joint-ticks unless said otherwise.
MOTION_COUNTERS = (
    "clamped_position",  # targets cut to the soft limits
    "guard_holds",  # ticks at which the final guard changed what was to be sent: must stay 0
    "stale_targets",  # times that tracking ended because the target was too old
    "stops",  # controlled stops begun
    "unsolved",  # ticks for which no way to the target could be computed, and motion was stopped instead
    "far_targets",  # targets refused because they began too far away
    "residual_active",  # ticks with a correction in what was sent
    "residual_not_finite",
    "residual_magnitude",
    "residual_rate",
    "residual_total",
    "residual_stale",  # ticks in which it was too old
    "residual_fallbacks",  # times that it was switched off and ramped to zero
)


def _counters(*groups: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(f"count_{name}", "<i8") for group in groups for name in group]


def _part(joints: int) -> list[Any]:
    """What both statuses share: state, joints, and the latched fault with its snapshot."""
    return [
        ("number", "<i8"),  # ticks since the loop started
        ("time_ns", "<i8"),  # of this tick
        ("state", "<i8"),
        ("target_number", "<i8"),  # TARGET.number in force; 0 for none
        ("command_sequence", "<i8"),  # of that target; -1 for none
        ("clamped", "<i8"),  # bit per joint (bit 0 is the first of this part): a limit changed its target in this tick
        ("residual_number", "<i8"),  # residual in what was sent in this tick; 0 for none
        ("joint_pos", "<f8", (joints,)),  # measured
        ("joint_vel", "<f8", (joints,)),  # observed
        ("joint_torque", "<f8", (joints,)),  # measured (arm) or commanded (hand, which does not measure it)
        ("joint_pos_target", "<f8", (joints,)),  # last sent (arm) or followed by the controller (hand)
        ("residual", "<f8", (joints,)),  # within its bounds, as applied: rad on a target, N·m on a torque
        ("fault_number", "<i8"),  # grows with each fault; ORDERS acknowledges by this number
        ("fault_code", "<i8"),  # 0 when none is latched
        ("fault_time_ns", "<i8"),
        ("fault_state", "<i8"),  # state in which it happened
        ("fault_value", "<f8"),  # what the code says is wrong, in its unit
        ("fault_joint", "<i8"),  # which joint of this part, -1 for none
        ("fault_joint_pos", "<f8", (joints,)),  # snapshot: measured
        ("fault_joint_pos_target", "<f8", (joints,)),  # snapshot: sent
    ]


#: Arm loop -> others, every tick (also when a datagram is missing).
ARM_STATUS: Dtype = np.dtype(
    [
        *_part(NUM_ARM),
        ("external_torque", "<f8", (NUM_ARM,)),  # as the cabinet estimates it
        ("cabinet_ns", "<i8"),  # the cabinet's own clock
        ("session_state", "<i8"),  # drivers.fri.SessionState; -1 before the first datagram
        ("quality", "<i8"),  # drivers.fri.Quality; -1 likewise, and so on
        ("safety_state", "<i8"),
        ("operation_mode", "<i8"),
        ("control_mode", "<i8"),
        ("drives_on", "<i8"),  # 1 when all drives are active
        ("send_period_ms", "<i8"),
        ("tracking_performance", "<f8"),
        *_counters(ARM_COUNTERS, MOTION_COUNTERS),
    ]
)

#: Hand loop -> others, every cycle of the hand, and every 10 ms at the latest.
HAND_STATUS: Dtype = np.dtype(
    [
        *_part(NUM_HAND),
        ("joint_temperature", "<f8", (NUM_HAND,)),  # [°C], NaN where the hand never said
        ("joint_command", "<f8", (NUM_HAND,)),  # sent on the bus: PWM (v4) or mA (v5)
        ("positions_ns", "<i8"),  # when the last complete set of positions came
        ("servo_on", "<i8"),  # 1 after servo on was sent, until servo off
        ("identified", "<i8"),  # 1 once version and side were as configured
        ("period_ms", "<i8"),
        *_counters(HAND_COUNTERS, MOTION_COUNTERS),
    ]
)

#: Residual process -> loops: what the model wants, before any bound. The loops bound it and look at its age.
RESIDUAL: Dtype = np.dtype(
    [
        ("number", "<i8"),  # grows with each write
        ("time_ns", "<i8"),  # when its inputs were measured
        ("residual_number", "<i8"),  # ORDERS.residual_number that is loaded; 0 for none
        ("refused", "<i8"),  # residual_number of the last one that could not be loaded; 0 for none
        ("arm_output", "<i8"),  # 0: added to the arm's targets [rad]; 1: to its torques [N·m], in torque mode only
        ("hand_output", "<i8"),  # the same for the hand
        ("clamp_fraction", "<f8"),  # of the spec: the largest part of a joint's limit
        ("gain", "<f8"),  # 0 … 1: how far the inputs are inside what it was trained on
        ("values", "<f8", (NUM_JOINTS,)),  # 0 for joints that it does not correct
    ]
)

#: Any process -> supervisor and guardian, at least every 10 ms.
HEARTBEAT: Dtype = np.dtype(
    [
        ("number", "<i8"),  # grows with each write
        ("time_ns", "<i8"),  # of this write
        ("process", "<i8"),  # its process number
        ("ending", "<i8"),  # 1 when it ends on purpose
    ]
)


def _log(joints: int) -> list[Any]:
    return [
        ("sequence", "<i8"),  # tick number; no gap is ever made by the loop
        ("time_ns", "<i8"),
        ("state", "<i8"),
        ("command_sequence", "<i8"),
        ("clamped", "<i8"),  # bit per joint
        ("fault_code", "<i8"),
        ("joint_pos_asked", "<f8", (joints,)),  # of the target in force
        ("joint_pos_target", "<f8", (joints,)),  # sent
        ("joint_pos", "<f8", (joints,)),
        ("joint_vel", "<f8", (joints,)),
        ("joint_torque", "<f8", (joints,)),
        ("joint_torque_sent", "<f8", (joints,)),
        ("joint_residual", "<f8", (joints,)),
    ]


#: Arm loop -> logger: one per datagram of the cabinet or missing datagram. The fields of ``MotionLog`` for the arm's joints.
ARM_LOG: Dtype = np.dtype([*_log(NUM_ARM), ("quality", "<i8"), ("session_state", "<i8"), ("cabinet_ns", "<i8")])
#: Hand loop -> logger: one per cycle of the hand or missing cycle. The fields of ``MotionLog`` for the hand's joints.
HAND_LOG: Dtype = np.dtype([*_log(NUM_HAND), ("joint_command", "<f8", (NUM_HAND,)), ("servo_on", "<i8")])


def struct_of(dtype: Dtype) -> struct.Struct:
    """The same bytes for ``struct``: a flat tuple of all numbers of a record, which a hot loop packs and unpacks at once."""
    kinds = ("d" if kind.base.kind == "f" else "q" for kind, *_ in _fields(dtype).values())
    counts = (place.stop - place.start for place in places_of(dtype).values())
    return struct.Struct("<" + "".join(f"{count}{kind}" for count, kind in zip(counts, kinds, strict=True)))


def places_of(dtype: Dtype) -> dict[str, slice]:
    """Where each field stands in that tuple; every number has 8 bytes."""
    return {name: slice(at // 8, (at + kind.itemsize) // 8) for name, (kind, at, *_) in _fields(dtype).items()}


def _fields(dtype: Dtype) -> Mapping[str, Any]:
    """Of each field its kind and where it begins, in their order."""
    fields = {} if dtype.fields is None else dict(dtype.fields)
    return dict(sorted(fields.items(), key=lambda item: item[1][1]))
