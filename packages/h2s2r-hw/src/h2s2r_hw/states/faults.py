"""Every fault that stops the arm or the hand: what is wrong, and what the operator does about it.

In:  nothing.   Out: ``FAULTS``.
Not here: refusals of requests and commands (server), what makes a fault hold (loops).

Codes are for ever: a number or a name that was published never means anything else.
"""

from __future__ import annotations

from typing import NamedTuple


class FaultKind(NamedTuple):
    """One kind of fault. ``{value}`` and ``{joint}`` in ``cause`` are what the loop saw."""

    number: int
    """In records; 0 is none."""
    code: str
    """In messages."""
    part: str
    """``arm``, ``hand`` or ``both``."""
    cause: str
    """What was wrong."""
    remedy: str
    """What the operator does next."""

    def say(self, value: float, joint_name: str) -> str:
        """The cause, with what was seen."""
        return self.cause.format(value=value, joint=joint_name)


_PENDANT = "Look at the pendant, remove the cause, start the FRI application there again, then acknowledge and arm."
_CABLE = "Check the CAN cable, its terminators and the hand's supply, then acknowledge and arm."

_ALL = (
    FaultKind(
        1,
        "fri_silent",
        "arm",
        "The cabinet has sent nothing for {value:.0f} ms.",
        "Check the cable to the KONI port and whether the FRI application runs, then acknowledge and arm.",
    ),
    FaultKind(2, "fri_session_closed", "arm", "The cabinet closed the FRI session.", _PENDANT),
    FaultKind(
        3,
        "fri_quality_lost",
        "arm",
        "The quality of the connection fell to {value:.0f} (0 poor, 1 fair, 2 good, 3 excellent).",
        "Look for other load on this PC and a switch in the cable; run h2s2r-hw selftest. Then acknowledge and arm.",
    ),
    FaultKind(4, "fri_left_commanding", "arm", "The cabinet ended the motion that ours is laid on.", _PENDANT),
    FaultKind(5, "safety_stop", "arm", "The safety controller stopped the arm (level {value:.0f}).", _PENDANT),
    FaultKind(
        6,
        "operation_mode_changed",
        "arm",
        "The key on the pendant was turned to {value:.0f} (0 T1, 1 T2, 2 AUT).",
        "Choose the mode, then acknowledge and arm.",
    ),
    FaultKind(7, "drives_off", "arm", "The drives of the arm are off.", _PENDANT),
    FaultKind(
        8,
        "fri_wrong_version",
        "arm",
        "{value:.0f} datagrams in a row could not be decoded.",
        "Set fri_version in the server's configuration to that of the cabinet.",
    ),
    FaultKind(
        9,
        "fri_incomplete",
        "arm",
        "The cabinet's message has {value:.0f} joint positions of its own motion; the arm has 7.",
        "Use an FRI application for a seven-joint arm with a position overlay.",
    ),
    FaultKind(
        10,
        "fri_wrong_period",
        "arm",
        "The cabinet sends every {value:.0f} ms, not as configured.",
        "Make the send period of the application and send_period_ms here the same, and the receive multiplier 1.",
    ),
    FaultKind(
        11,
        "fri_wrong_mode",
        "arm",
        "The cabinet expects commands of mode {value:.0f} (1 position, 2 wrench, 3 torque), not as configured.",
        "Make the client command mode of the application and mode here the same.",
    ),
    FaultKind(
        12,
        "arm_off_target",
        "arm",
        "{joint} is {value:.3f} rad away from what was commanded.",
        "Look for a collision or a load that is not configured, then acknowledge and arm.",
    ),
    FaultKind(
        13,
        "external_torque",
        "arm",
        "{joint} feels {value:.1f} N·m from outside.",
        "Look for a collision, a wrong payload on the cabinet or a limit that is too low, then acknowledge and arm.",
    ),
    FaultKind(
        14,
        "arming_timeout",
        "both",
        "The device did not follow within {value:.1f} s of arming.",
        "Arm: start the motion of the FRI application. Hand: see the other part's state. Then acknowledge and arm.",
    ),
    FaultKind(
        15,
        "outside_limits",
        "both",
        "{joint} is measured at {value:.4f} rad, outside its limits.",
        "Move it back by hand or by the pendant; check the robot's description. Then acknowledge and arm.",
    ),
    FaultKind(
        16,
        "guard_held",
        "both",
        "The final guard would not send what the motion asked for {joint}: {value:.4g} times a limit.",
        "This is an error of this software: keep the log, report it, then acknowledge and arm.",
    ),
    FaultKind(20, "hand_silent", "hand", "The hand has sent no complete set of positions for {value:.0f} ms.", _CABLE),
    FaultKind(
        21,
        "hand_wrong_identity",
        "hand",
        "The hand is not of the configured version and side (it says hardware version {value:.0f}).",
        "Connect the right hand, or correct version and side in the configuration.",
    ),
    FaultKind(
        22,
        "hand_over_temperature",
        "hand",
        "The hand is too hot ({value:.0f} °C).",
        "Let it cool down, lower the current limit, then acknowledge and arm.",
    ),
    FaultKind(
        23, "hand_motor_error", "hand", "{joint} reports error flags {value:.0f}.", "Switch the hand off and on again."
    ),
    FaultKind(
        24,
        "hand_encoder_jump",
        "hand",
        "{joint} jumped by {value:.3f} rad from one report to the next.",
        "Check the encoder's cable; hold the joint still, then acknowledge and arm.",
    ),
    FaultKind(
        25,
        "hand_joint_stuck",
        "hand",
        "{joint} did not move while it was pushed to somewhere else for {value:.1f} s.",
        "Look for what blocks it, or for an encoder that died, then acknowledge and arm.",
    ),
    FaultKind(26, "can_bus_off", "hand", "The CAN controller reports that the bus is off.", _CABLE),
    FaultKind(27, "can_send_failed", "hand", "{value:.0f} frames in a row could not be sent.", _CABLE),
    FaultKind(
        28,
        "hand_internal_fault",
        "hand",
        "The hand reports a fault between its own parts.",
        "Switch the hand off and on again.",
    ),
)

#: By code.
FAULTS = {each.code: each for each in _ALL}
#: By number.
FAULTS_BY_NUMBER = {each.number: each for each in _ALL}


def fault_number(code: str) -> int:
    """Number of a code."""
    return FAULTS[code].number
