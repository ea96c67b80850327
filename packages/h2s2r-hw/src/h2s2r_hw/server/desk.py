"""Answers requests: grants them and tells the loops, or refuses them with a reason.

In:  a decoded ``Request``, who sent it and when.   Out: its ``Reply``; changed orders and lease.
Not here: commands (admission), sockets (gateway).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from h2s2r_hw.server import arguments
from h2s2r_hw.server.admission import Admission
from h2s2r_hw.server.config import GatewayCfg
from h2s2r_hw.server.lease import Client, Lease
from h2s2r_hw.server.orders import Orders
from h2s2r_hw.server.refusals import Refused, refuse
from h2s2r_hw.server.view import View
from h2s2r_hw.states import State
from h2s2r_schemas.robots import RobotSpec
from h2s2r_schemas.wire import Reply, Request

_NEED_LEASE = (
    "renew_lease",
    "release_lease",
    "arm",
    "disarm",
    "home",
    "tighten_limits",
    "load_residual",
)
#: Of those, the ones that start or keep up motion: an old one, from a queue, must not.
_MUST_BE_FRESH = ("renew_lease", "arm", "home", "load_residual")
#: [s] a client's clock may show at most: beyond it, a double no longer resolves the age of a command.
_CLOCK_RANGE = 1e11
#: States in which nothing can be started, and what is said then.
_IMPOSSIBLE = {
    State.ESTOP: "estop",
    State.FAULT: "fault",
    State.SOFT_STOP: "stopping",
    State.OFFLINE: "not_ready",
    State.MONITOR: "not_ready",
}


@dataclass(frozen=True)
class Surroundings:
    """What the rest of the server offers a gateway."""

    ready: Callable[[], Refused | None] = lambda: None
    """Why the robot must not be armed now, apart from its own state, e.g. that nothing can be logged."""
    mark_log: Callable[[str, int], None] | None = None
    """Writes a text into the log, at a time [ns]; none where there is no log."""
    has_residual: bool = False
    """Whether a process is there that loads residuals."""
    residual_trouble: Callable[[int], str] = lambda number: ""
    """Why the residual of a number cannot be loaded; empty where it can."""


class Desk:
    """Answers one request at a time.

    Args:
        cfg: who may do what.
        spec: the robot.
        lease: who may command.
        admission: knows the clock of the lease's holder.
        orders: to the loops.
        view: what they do.
        surroundings: the rest of the server.
    """

    def __init__(
        self,
        cfg: GatewayCfg,
        spec: RobotSpec,
        lease: Lease,
        admission: Admission,
        orders: Orders,
        view: View,
        surroundings: Surroundings,
    ) -> None:
        self._cfg, self._spec, self._lease, self._admission = cfg, spec, lease, admission
        self._orders, self._view, self._around = orders, view, surroundings
        # Some kinds need no second thought once the lease is right.
        self._kinds: dict[str, Callable[[Request, Client, int], Refused | None]] = {
            "acquire_lease": self._acquire,
            "renew_lease": lambda request, client, now_ns: None,
            "release_lease": lambda request, client, now_ns: self.end_lease(now_ns),
            "arm": self._arm,
            "disarm": lambda request, client, now_ns: self._orders.write(now_ns, armed=0),
            "home": self._home,
            "estop": lambda request, client, now_ns: self._orders.write(now_ns, estop=1, armed=0),
            "reset_estop": self._reset_estop,
            "acknowledge_fault": self._acknowledge,
            "tighten_limits": self._tighten,
            "load_residual": self._load_residual,
            "mark_log": self._mark,
        }

    def answer(self, request: Request, client: Client, now_ns: int) -> Reply:
        """Do what was asked, or say why not. The view is as fresh as the caller made it."""
        refused = self._check(request, client, now_ns) or self._kinds[request.kind](request, client, now_ns)
        time = now_ns * 1e-9
        if refused is not None:
            cause = f"{request.kind}: {refused.cause}"
            return Reply(
                sequence=request.sequence, ok=False, time=time, code=refused.code, cause=cause, remedy=refused.remedy
            )
        if request.kind in _MUST_BE_FRESH:
            self._admission.note_fresh(request.client_time, now_ns)
        granted = request.kind == "acquire_lease"
        return Reply(
            sequence=request.sequence,
            ok=True,
            time=time,
            lease_epoch=self._lease.epoch if granted else 0,
            lease_token=self._lease.token if granted else 0,
        )

    def end_lease(self, now_ns: int) -> None:
        """Nobody commands any more: what moves comes to rest within its limits."""
        self._lease.free()
        self._orders.grow(now_ns, "stop_number")

    def _check(self, request: Request, client: Client, now_ns: int) -> Refused | None:
        kind = request.kind
        if kind == "estop":
            # Never refused, whatever else it says.
            return None
        if kind in self._cfg.operator_only and not client.operator:
            return refuse("not_operator", f"The key {client.name!r} is not an operator's.")
        if kind in _NEED_LEASE:
            refused = self._lease.check(client, request.lease_epoch, request.lease_token)
            if refused is None and kind in _MUST_BE_FRESH:
                refused = self._admission.judge_age(request.client_time, now_ns, self._cfg.lease_ttl)
            if refused is not None:
                return refused
        return arguments.check_names(kind, request.arguments)

    def _impossible(self) -> Refused | None:
        """Why nothing can be started, if so."""
        state = self._view.state
        if state not in _IMPOSSIBLE:
            return None
        arm, hand = self._view.arm_state.name.lower(), self._view.hand_state.name.lower()
        return refuse(_IMPOSSIBLE[state], f"The arm is {arm!r}, the hand is {hand!r}.")

    def _acquire(self, request: Request, client: Client, now_ns: int) -> Refused | None:
        read = arguments.read_lease(request.arguments, self._cfg.lease_ttl)
        if isinstance(read, Refused):
            return read
        force, ttl = read
        if abs(request.client_time) > _CLOCK_RANGE:
            return refuse(
                "bad_arguments",
                f"client_time is {request.client_time:.3g} s; at most {_CLOCK_RANGE:.0g} can be told apart.",
            )
        takes_over = self._lease.took_over(client, request.session)
        refused = self._lease.acquire(client, request.session, force, round(ttl * 1e9), now_ns)
        if refused is None:
            self._admission.begin(request.client_time, now_ns)
            if takes_over:
                self._orders.grow(now_ns, "stop_number")
        return refused

    def _arm(self, request: Request, client: Client, now_ns: int) -> Refused | None:
        if self._view.armed or self._view.state == State.ARMING:
            return None
        if self._view.state == State.HOMING:
            return refuse("busy", "The robot is on its way home.")
        refused = self._impossible() or self._around.ready()
        if refused is None:
            self._orders.grow(now_ns, "arm_number", armed=1)
        return refused

    def _home(self, request: Request, client: Client, now_ns: int) -> Refused | None:
        refused = self._impossible()
        if refused is None and self._view.state != State.HOLD:
            name = self._view.state.name.lower()
            code = "not_ready" if self._view.state == State.READY else "busy"
            refused = refuse(code, f"The robot's state is {name!r}; it goes home from 'hold' alone.")
        if refused is None:
            self._orders.grow(now_ns, "home_number")
        return refused

    def _reset_estop(self, request: Request, client: Client, now_ns: int) -> Refused | None:
        if self._lease.epoch:
            return refuse("lease_not_free", f"Session {self._lease.session!r} of {self._lease.holder!r} holds it.")
        self._orders.write(now_ns, estop=0)
        return None

    def _acknowledge(self, request: Request, client: Client, now_ns: int) -> Refused | None:
        if self._view.fault() is None:
            return refuse("no_fault", f"The robot's state is {self._view.state.name.lower()!r}.")
        arm, hand = self._view.fault_numbers
        self._orders.write(now_ns, arm_fault_acknowledged=arm, hand_fault_acknowledged=hand)
        return None

    def _tighten(self, request: Request, client: Client, now_ns: int) -> Refused | None:
        present = {name: self._orders.limits(name) for name in ("position_lower", "position_upper", "velocity_limit")}
        scale = float(self._orders["speed_scale"])
        read = arguments.read_limits(request.arguments, self._spec.joint_names, present, scale)
        if isinstance(read, Refused):
            return read
        self._orders.tighten(now_ns, *read)
        return None

    def _load_residual(self, request: Request, client: Client, now_ns: int) -> Refused | None:
        if not self._around.has_residual:
            return refuse("unsupported", "No process for residuals is running.")
        number = arguments.read_number(request.arguments)
        if isinstance(number, Refused):
            return number
        trouble = self._around.residual_trouble(number) if number else ""
        if trouble:
            return refuse("bad_residual", trouble)
        self._orders.write(now_ns, residual_number=number)
        return None

    def _mark(self, request: Request, client: Client, now_ns: int) -> Refused | None:
        text = arguments.read_mark(request.arguments)
        if isinstance(text, Refused):
            return text
        if self._around.mark_log is None:
            return refuse("unsupported", "This server writes no log.")
        self._around.mark_log(f"{client.name}: {text}", now_ns)
        return None
