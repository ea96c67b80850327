"""Every fault that the emulated cell can have, and when it has it.

In:  text such as ``drop=0.1@2:4,safety_stop=1@6:7``.   Out: ``FaultPlan``: which faults act at a moment, with which values.
Not here: what a fault does (cabinet, hand).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from h2s2r_schemas.errors import SchemaError

#: Of the emulated cabinet: what the values mean. Times in "…" are those of the fault.
FRI_FAULTS = {
    "drop": "share of monitoring datagrams that are lost",
    "burst": "number of datagrams lost in a row, from the start of the fault",
    "duplicate": "share of datagrams sent twice",
    "reorder": "share of datagrams sent after the following one",
    "delay": "[ms] by which datagrams come late; a second value, if any, is the largest random addition [ms]",
    "wrong_id": "datagrams have the identifier of no message (no value)",
    "truncate": "[bytes] that are left of a datagram",
    "foreign_sender": "another socket sends forged datagrams beside the cabinet's (no value)",
    "quality": "the quality that the cabinet reports and acts on, whatever it measures: 0 poor to 3 excellent",
    "safety_stop": "a safety stop of level 0, 1 or 2, until the end of the fault",
    "operation_mode": "the key is turned to 0 (T1), 1 (T2) or 2 (AUT)",
    "drives_off": "the drives are off (no value)",
    "time_jump": "[s] by which the cabinet's time stamps jump, for good",
    "joint_count": "number of joints that the cabinet speaks of",
    "no_ipo": "the position of the cabinet's own motion is missing (no value)",
}
#: Of the emulated hand.
HAND_FAULTS = {
    "lost_frames": "share of frames that are lost, both ways",
    "silent_finger": "number of a finger that reports nothing: 0 index, 1 middle, 2 ring, 3 thumb",
    "stuck_encoder": "number of a joint (0-15) whose position does not change any more",
    "encoder_jump": "number of a joint, and [rad] by which its position is off",
    "bus_off": "the hand neither hears nor speaks; the bus reports an error frame (no value)",
    "wrong_version": "the hand is of the other version: identity and units (no value)",
    "wrong_side": "the hand is the other one (no value)",
    "over_temperature": "[°C] that the motors have",
    "motor_error": "number of a motor and flags of the error it reports, version 5 only",
}
#: How many values each fault needs: (fewest, most).
_COUNTS = dict.fromkeys((*FRI_FAULTS, *HAND_FAULTS), (1, 1)) | {
    "delay": (1, 2), "encoder_jump": (2, 2), "motor_error": (2, 2), "wrong_id": (0, 0), "foreign_sender": (0, 0),
    "drives_off": (0, 0), "no_ipo": (0, 0), "bus_off": (0, 0), "wrong_version": (0, 0), "wrong_side": (0, 0),
}  # fmt: skip
#: Largest values, where another one makes no sense; the smallest is 0 but for what is listed below.
_LARGEST = {
    "drop": 1.0, "duplicate": 1.0, "reorder": 1.0, "lost_frames": 1.0, "quality": 3, "safety_stop": 2, "operation_mode": 2,
    "silent_finger": 3, "stuck_encoder": 15, "encoder_jump": 15, "motor_error": 15, "joint_count": 15,
}  # fmt: skip
_MAY_BE_NEGATIVE = ("time_jump",)


class Fault(NamedTuple):
    """One fault."""

    kind: str
    """A key of ``FRI_FAULTS`` or ``HAND_FAULTS``."""
    start_ns: int
    """[ns] of the cell's time, from when on it acts."""
    end_ns: int
    """[ns] from when on it does not any more."""
    values: tuple[float, ...] = ()
    """What the kind asks for."""


class FaultPlan:
    """Faults over time.

    Args:
        faults: in any order; of two of a kind at the same time the first counts.

    Raises:
        SchemaError: no such kind, other values than it needs, or an end before its start.
    """

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self.faults = tuple(faults)
        for each in self.faults:
            _check(each)
        self._by_kind: dict[str, list[Fault]] = {}
        for each in self.faults:
            self._by_kind.setdefault(each.kind, []).append(each)

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.faults)

    def active(self, kind: str, now_ns: int) -> Fault | None:
        """The fault of this kind that acts now."""
        for each in self._by_kind.get(kind, ()):
            if each.start_ns <= now_ns < each.end_ns:
                return each
        return None

    def value(self, kind: str, now_ns: int, otherwise: float) -> float:
        """Its first value, or ``otherwise`` where none of this kind acts."""
        fault = self.active(kind, now_ns)
        return otherwise if fault is None else fault.values[0]


def parse_faults(text: str) -> FaultPlan:
    """Faults from one line: ``KIND[=VALUE[/VALUE]]@START[:END]`` in seconds, separated by commas; no end is for ever.

    Raises:
        SchemaError: something does not have this form.
    """
    faults: list[Fault] = []
    for item in (each.strip() for each in text.split(",") if each.strip()):
        what, at, when = item.partition("@")
        kind, _, values = what.partition("=")
        start, _, end = when.partition(":")
        try:
            numbers = tuple(float(value) for value in values.split("/") if value)
            first, last = round(float(start) * 1e9), round(float(end) * 1e9) if end else 2**62
        except ValueError:
            at = ""
            numbers, first, last = (), 0, 1
        if not at:
            raise SchemaError(
                f"{item!r} is no fault: write KIND=VALUE@START:END with times in seconds, as drop=0.1@2:4."
            )
        faults.append(Fault(kind, first, last, numbers))
    return FaultPlan(faults)


def _check(fault: Fault) -> None:
    if fault.kind not in _COUNTS:
        raise SchemaError(f"There is no fault {fault.kind!r}; there are: {', '.join(_COUNTS)}.")
    fewest, most = _COUNTS[fault.kind]
    about = {**FRI_FAULTS, **HAND_FAULTS}[fault.kind]
    if not fewest <= len(fault.values) <= most:
        raise SchemaError(f"Fault {fault.kind} has {len(fault.values)} values {fault.values}; it is: {about}.")
    if fault.end_ns <= fault.start_ns:
        raise SchemaError(f"Fault {fault.kind} ends at {fault.end_ns} ns, not after its start at {fault.start_ns} ns.")
    first = fault.values[0] if fault.values else 0.0
    smallest = -math.inf if fault.kind in _MAY_BE_NEGATIVE else 0.0
    if not (math.isfinite(first) and smallest <= first <= _LARGEST.get(fault.kind, math.inf)):
        raise SchemaError(f"Fault {fault.kind} has value {first}; it is: {about}.")
