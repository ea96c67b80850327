"""Why a message was refused: the one table of codes, from which replies, counters and the page for operators come.

In:  a code, the value that was wrong.   Out: ``Refusal``; ``refuse`` for the one at hand.
Not here: who decides (lease, admission, orders), faults of the robot (states).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """One row of the table."""

    of: str
    """What is refused under it: ``message``, ``command``, ``request``, or ``both``: commands and requests."""
    meaning: str
    """When this happens."""
    remedy: str
    """What to do about it."""


@dataclass(frozen=True)
class Refused:
    """A refusal at hand."""

    code: str
    """Key of ``REFUSALS``."""
    cause: str
    """What was wrong, with the value."""

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return REFUSALS[self.code].remedy


def refuse(code: str, cause: str) -> Refused:
    """The refusal with this code.

    Raises:
        KeyError: the code is not in the table, which is a mistake of ours.
    """
    if code not in REFUSALS:
        raise KeyError(code)
    return Refused(code, cause)


REFUSALS: Mapping[str, Refusal] = {
    "malformed": Refusal(
        "message",
        "The bytes are not exactly one valid Request or RobotCommand: a number that is not finite, a missing or unknown field, "
        "a wrong type or length.",
        "Build messages with h2s2r_schemas.wire and send them with h2s2r_schemas.client, in the versions that fit the server.",
    ),
    "too_large": Refusal(
        "message",
        "A message is larger than hello().max_message_bytes. One twice as large is cut off by its connection, without a reply.",
        "Send one command or request per message.",
    ),
    "too_many": Refusal(
        "message",
        "A client sends more messages than the server reads from one.",
        "Send at most as many commands for each second as hello().command_hz says, and look for a loop that sends unpaced.",
    ),
    "no_lease": Refusal(
        "both",
        "Epoch, token or key are not those of the current lease. It ran out, was taken over, or was never granted.",
        "Acquire the lease with this client and use what the reply says; keep it by commands or renewals.",
    ),
    "lease_taken": Refusal(
        "request",
        "Somebody else holds the lease.",
        "Wait until it is released or runs out. The same key, or an operator's, may take it over: {'force': true}.",
    ),
    "lease_not_free": Refusal(
        "request",
        "The e-stop is reset only while nobody can command.",
        "Release the lease, or wait until it runs out; then ask again.",
    ),
    "not_operator": Refusal(
        "request",
        "This request needs a key with the role of an operator.",
        "Ask an operator, or let one give this key the role: h2s2r-hw keys allow --operator.",
    ),
    "foreign_robot": Refusal(
        "command",
        "The command carries the hash of another robot: other joints, another order or other limits.",
        "Take the robot from hello() of this server, not from a file.",
    ),
    "joint_count": Refusal(
        "command",
        "The command has another number of joints than the robot.",
        "Send one value for each joint of hello().robot, in its order.",
    ),
    "old_sequence": Refusal(
        "command",
        "The command's sequence is not above the last accepted one: it came twice, late, or from a second sender.",
        "Count up by one with each command, in one place.",
    ),
    "stale_command": Refusal(
        "both",
        "The command is too old, or a request that starts or keeps up motion is: it was under way, or waited in a queue, for "
        "longer than it may.",
        "Send commands when they are made; look for a network that stalls or a client that catches up after a pause.",
    ),
    "future_command": Refusal(
        "both",
        "The message's client_time has jumped ahead of the client's own clock as seen since the lease was granted.",
        "Use one monotonic clock for client_time everywhere; after a change of clocks acquire the lease anew.",
    ),
    "not_armed": Refusal(
        "command",
        "The robot is not armed.",
        "Arm it, and wait until states say hold.",
    ),
    "stopping": Refusal(
        "both",
        "The robot is coming to a controlled stop.",
        "Wait until states say hold, then begin again from joint_pos_target.",
    ),
    "estop": Refusal(
        "both",
        "The e-stop is latched.",
        "Find out why, release the lease, let an operator reset it (h2s2r-hw ack --estop), then arm.",
    ),
    "fault": Refusal(
        "both",
        "A fault is latched.",
        "Read its cause and remedy in the state (h2s2r-hw status), then let an operator acknowledge it (h2s2r-hw ack).",
    ),
    "no_fault": Refusal(
        "request",
        "There is no fault to acknowledge.",
        "Nothing: arm the robot.",
    ),
    "far_start": Refusal(
        "command",
        "The first target after standing still is too far from where the robot was sent last.",
        "Begin at joint_pos_target of the latest state and move on from there.",
    ),
    "far_outside": Refusal(
        "command",
        "A target lies outside a joint's limits by so much that its unit or joint order must be wrong. Closer ones are cut.",
        "Send radians (metres for a sliding joint) in the order of hello().robot.",
    ),
    "not_ready": Refusal(
        "request",
        "The robot cannot be armed or moved: a device is not connected, not identified, or not in the state for it.",
        "Read in h2s2r-hw status what is missing, and follow the page on first power-on.",
    ),
    "no_log": Refusal(
        "request",
        "The log cannot be written, and nothing moves without it.",
        "Make room on its disk or see why the logger ended, then ask again.",
    ),
    "busy": Refusal(
        "request",
        "The robot is in the middle of something that excludes this: it follows commands, or is arming or homing.",
        "Let it finish, or stop it (disarm).",
    ),
    "bad_arguments": Refusal(
        "request",
        "The request's arguments are not what this kind takes.",
        "acquire_lease takes force and ttl; tighten_limits takes position_lower, position_upper and velocity_limit by joint, and "
        "speed_scale; load_residual takes number; mark_log takes text; the others take none.",
    ),
    "bad_residual": Refusal(
        "request",
        "The learned correction of this number cannot be used: there is no file of it, it is for another robot, for joints or an "
        "output that the drivers do not take, or its bound is larger than is allowed. The one before stays.",
        "Put NUMBER.h2s into the server's folder of corrections (h2s2r-hw serve --residuals), fitted for this robot.",
    ),
    "not_tighter": Refusal(
        "request",
        "Limits may only be made tighter while the server runs.",
        "Ask for limits within the present ones; wider ones are settings, with a restart.",
    ),
    "unsupported": Refusal(
        "both",
        "This server does not do that with the devices it has.",
        "Leave it out.",
    ),
}
