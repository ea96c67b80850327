"""Safety stops, drives and the key of the emulated cabinet, as the plan of faults says.

In:  the plan, the time, whether the arm rests.   Out: safety state, drive state, operation mode.
Not here: what a session does about them (session).

The safety controller of a real cabinet decides this by itself; nothing over FRI can influence it.
"""

from __future__ import annotations

from h2s2r_hw.drivers.fri import DriveState, OperationMode, SafetyState
from h2s2r_hw.emulators.cabinet.config import CabinetCfg
from h2s2r_hw.emulators.faults import FaultPlan

#: [ns] for which drives are in transition before they are active again. Ours.
_SWITCH_ON_NS = 200_000_000


class Safety:
    """The part of the cabinet that may always stop the arm."""

    def __init__(self, cfg: CabinetCfg, plan: FaultPlan) -> None:
        self._plan, self._key = plan, int(OperationMode[cfg.operation_mode])
        self._on_since_ns: int | None = -_SWITCH_ON_NS
        self.safety_state = SafetyState.NORMAL_OPERATION
        self.drive_state = DriveState.ACTIVE
        self.operation_mode = OperationMode[cfg.operation_mode]
        self.key_turned = False
        """Whether the operation mode changed in this cycle."""

    def update(self, now_ns: int, at_rest: bool) -> None:
        """One more cycle."""
        mode = OperationMode(int(self._plan.value("operation_mode", now_ns, self._key)))
        self.key_turned, self.operation_mode = mode != self.operation_mode, mode
        stop = self._plan.active("safety_stop", now_ns)
        self.safety_state = SafetyState.NORMAL_OPERATION if stop is None else SafetyState(int(stop.values[0]) + 1)
        self.drive_state = self._drives(now_ns, at_rest)

    def _drives(self, now_ns: int, at_rest: bool) -> DriveState:
        state = self.safety_state
        if self._plan.active("drives_off", now_ns) or state == SafetyState.SAFETY_STOP_LEVEL_0:
            self._on_since_ns = None
            return DriveState.OFF
        if state == SafetyState.SAFETY_STOP_LEVEL_1:
            self._on_since_ns = None
            return DriveState.OFF if at_rest else DriveState.TRANSITIONING
        if self._on_since_ns is None:
            self._on_since_ns = now_ns
        return DriveState.ACTIVE if now_ns - self._on_since_ns >= _SWITCH_ON_NS else DriveState.TRANSITIONING

    def objection(self) -> tuple[str, str] | None:
        """Why the arm may not move now; None if it may."""
        if self.safety_state != SafetyState.NORMAL_OPERATION:
            return "safety_stop", f"{self.safety_state.name}."
        if self.drive_state != DriveState.ACTIVE:
            return "drives_off", f"the drives are {self.drive_state.name}."
        if self.key_turned:
            return "operation_mode", f"the key was turned to {self.operation_mode.name}."
        return None

    @property
    def brakes_at_once(self) -> bool:
        """Whether the arm's brakes close where it is."""
        return self.drive_state == DriveState.OFF
