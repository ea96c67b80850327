"""One world of a physics engine as a ``Robot`` with a camera beside it; time passes when its next state is asked for.

In:  requests and commands.   Out: ``Hello``, ``Reply``, ``RobotState``, and ``ObjectState`` as a tracking camera would send it.
Not here: FRI datagrams and CAN frames (the emulated cell of h2s2r-hw).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.wire import Hello, ObjectState, Reply, Request, RobotCommand, RobotState
from h2s2r_sim.engine import EngineState
from h2s2r_sim.engines import make_engine
from h2s2r_sim.env.actuation import Actuation
from h2s2r_sim.env.sensors import Sensors
from h2s2r_sim.env.start.beginnings import Beginnings
from h2s2r_sim.env.start.pool import StartCfg, build_pool
from h2s2r_sim.mdp import events
from h2s2r_sim.perturbation import NONE, PUSH_HZ, Perturbation
from h2s2r_sim.robot.lease import REFUSALS, Lease
from h2s2r_sim.scene.model import build_model
from h2s2r_sim.scene.options import SceneOptions

_ONE = np.zeros(1, dtype=np.int64)
_ARMED = ("hold", "track")


@dataclass(frozen=True)
class SimRobotCfg:
    """What is simulated, and how it answers."""

    state_hz: float = 60.0
    """[Hz] of states."""
    command_hz: tuple[float, float] = (15.0, 60.0)
    """[Hz] slowest and fastest stream of commands it follows."""
    lease_ttl: float = 0.5
    """[s] a lease lives without an accepted command or a renewal."""
    scene: SceneOptions = field(default_factory=SceneOptions)
    """Time step, contacts and solver."""
    engine: str = "mujoco"
    """Physics engine by name."""
    start: StartCfg = field(default_factory=lambda: StartCfg(pool=1))
    """Where robot and object are at first."""
    perturbation: Perturbation = NONE
    """How this cell differs from the model: drawn once, by the seed."""


class SimRobot:
    """Satisfies ``Robot``. Each ``next_state()`` lets one period of virtual time pass.

    Noise of actions is left to whoever acts: all other causes of the perturbation act as in the environment.

    Args:
        task: gives object and scene.
        embodiment: the robot.
        cfg: what is simulated.
        seed: decides where robot and object start and all that is drawn.

    Raises:
        SchemaError: ``state_hz`` is no whole number of time steps.
        StartError: no start can be reached without contact.
    """

    def __init__(self, task: TaskSpec, embodiment: Embodiment, cfg: SimRobotCfg | None = None, seed: int = 0) -> None:
        self.task, self.spec, self.cfg = task, embodiment.spec(), cfg or SimRobotCfg()
        cfg, noise, joints = self.cfg, self.cfg.perturbation, len(self.spec.joint_names)
        substeps = 1.0 / (cfg.state_hz * cfg.scene.sim_dt)
        if abs(substeps - round(substeps)) > 1e-6 or round(substeps) < 1:
            raise SchemaError(
                f"state_hz {cfg.state_hz} at sim_dt {cfg.scene.sim_dt} gives {substeps:.3f} substeps, not a whole number."
            )
        self._hash, self._period = self.spec.hash(), 1.0 / cfg.state_hz
        scene = build_model(task, embodiment, replace(cfg.scene, visuals=False))
        engine = self._engine = make_engine(cfg.engine, scene, 1, round(substeps), 1)
        self._beginnings = Beginnings(
            noise,
            self.spec,
            joints,
            np.array(cfg.scene.gravity),
            lambda rng: build_pool(task, embodiment, cfg.start, noise, engine.overlap, rng),
        )
        self._sensors = Sensors(noise, 1, events.joint_unit(self.spec), self._period)
        self._actuation = Actuation(noise, 1, joints, self._period, round(substeps))
        self._sequence, self._time, self._command_time = 0, 0.0, 0.0
        self._server_state, self._last_refusal, self._clamped = "ready", "", 0
        self._counters: dict[str, int] = {}
        self._lease = Lease(cfg.lease_ttl)
        self._push = np.zeros((1, 6))
        self._state = self._begin(seed)
        self._sent = self._wanted = self._state.joint_pos[0].copy()

    def _begin(self, seed: int) -> EngineState:
        self._beginnings.seed(seed)
        beginning = self._beginnings.draw(1)
        self._object_mass = self.task.object.mass * beginning.physics.object_mass
        if self.cfg.perturbation.changes_physics:
            self._engine.set_parameters(_ONE, self._engine.prepare(beginning.physics))
        self._engine.reset(_ONE, beginning.start)
        state = self._engine.state()
        self._sensors.reset(_ONE, state, beginning.signals, self._beginnings.rng)
        self._actuation.reset(_ONE, state.joint_pos, beginning.signals)
        return state

    # ── the contract ────────────────────────────────────────────────────────────────────────────────────────────────

    def hello(self) -> Hello:
        """Who it is and what it accepts."""
        return Hello(
            server=f"h2s2r-sim {version('h2s2r-sim')}",
            robot=self.spec,
            emulated=True,
            control_hz=self.cfg.state_hz,
            command_hz=np.array(self.cfg.command_hz),
            lease_ttl=self.cfg.lease_ttl,
            max_message_bytes=65536,
        )

    def request(self, request: Request) -> Reply:
        """Do what was asked, or say why not."""
        answer: dict[str, Any] = {"sequence": request.sequence, "time": self._time}
        code = self._lease.request_refusal(request, self._server_state)
        if code:
            cause, remedy = REFUSALS[code]
            return Reply(ok=False, code=code, cause=f"{request.kind}: {cause}", remedy=remedy, **answer)
        self._carry_out(request)
        if request.kind == "acquire_lease":
            answer.update(lease_epoch=self._lease.epoch, lease_token=self._lease.token)
        return Reply(ok=True, **answer)

    def command(self, command: RobotCommand) -> None:
        """Follow a command from the next state on, or count its refusal."""
        armed = self._server_state in _ARMED
        code = self._lease.command_refusal(command, self._hash, len(self.spec.joint_names), armed)
        if code:
            self._last_refusal = code
            self._counters[code] = self._counters.get(code, 0) + 1
            return
        self._wanted = np.clip(command.joint_pos_target, self.spec.position_lower, self.spec.position_upper)
        self._lease.accept(command, self._time)
        self._command_time, self._server_state = self._time, "track"

    def next_state(self) -> RobotState:
        """Let one period pass and say how things are then."""
        self._time += self._period
        self._sequence += 1
        if self._lease.expired(self._time):
            self._release()
        if self._server_state in (*_ARMED, "homing"):
            self._approach()
        if (self._sequence - 1) % max(1, round(self.cfg.state_hz / PUSH_HZ)) == 0:
            self._push = events.draw_pushes(self._beginnings.rng, self.cfg.perturbation, self._object_mass)
        self._state = self._engine.step(self._actuation.pieces(self._sent[None]), self._push)
        self._sensors.update(self._state, self._beginnings.rng)
        return RobotState(
            robot_hash=self._hash,
            sequence=self._sequence,
            time=self._time,
            joint_pos=self._sensors.joint_pos[0].copy(),
            joint_vel=self._sensors.joint_vel[0].copy(),
            joint_torque=self._state.joint_torque[0].copy(),
            joint_pos_target=self._sent.copy(),
            server_state=self._server_state,
            lease_epoch=self._lease.epoch,
            command_sequence=self._lease.command_sequence,
            command_age=self._time - self._command_time,
            clamped=self._clamped,
            last_refusal=self._last_refusal,
            counters=dict(self._counters),
        )

    # ── beside the contract: what a camera and a judge see ──────────────────────────────────────────────────────────

    def object_state(self) -> ObjectState:
        """The object as the tracking camera reports it now; its clock is the robot's."""
        return ObjectState(
            object_name=self.task.object.name,
            sequence=self._sequence,
            capture_time=self._time - float(self._sensors.object_age[0]),
            wxyz_xyz_world_object=self._sensors.wxyz_xyz_world_object[0],
            confidence=1.0,
            lost=False,
        )

    @property
    def wxyz_xyz_world_object(self) -> np.ndarray:
        """(7) where the object truly is."""
        return self._state.wxyz_xyz_world_object[0].copy()

    # ── its pieces ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _carry_out(self, request: Request) -> None:
        if request.kind == "acquire_lease":
            self._lease.grant(request.session, self._time)
        elif request.kind == "renew_lease":
            self._lease.used = self._time
        elif request.kind == "release_lease":
            self._release()
        elif request.kind == "estop":
            self._server_state, self._wanted = "estop", self._sent.copy()
        elif request.kind == "reset_estop" and self._server_state == "estop":
            self._server_state = "ready"
        elif request.kind == "disarm" and self._server_state != "estop":
            self._server_state = "ready"
        elif request.kind == "arm" and self._server_state not in _ARMED:
            # Motion begins where the joints are, not where they were last sent.
            measured = np.clip(self._state.joint_pos[0], self.spec.position_lower, self.spec.position_upper)
            self._sent, self._wanted, self._server_state = measured, measured.copy(), "hold"
        elif request.kind == "home":
            self._wanted, self._server_state = self.spec.home.copy(), "homing"

    def _release(self) -> None:
        """Nobody commands any more: stand still where it was sent last."""
        self._lease.free()
        self._wanted = self._sent.copy()
        if self._server_state in ("track", "homing"):
            self._server_state = "hold"

    def _approach(self) -> None:
        """Move what is sent towards what is wanted: no joint faster than its limit, nor than it can brake before its stop."""
        left = self._wanted - self._sent
        room = np.where(left > 0.0, self.spec.position_upper - self._sent, self._sent - self.spec.position_lower)
        # With half of what it can, so that the joint itself, which lags behind and overshoots, does not hit the stop.
        braking = np.sqrt(self.spec.acceleration_limit * room)
        step = np.minimum(self.spec.velocity_limit, braking) * self._period
        self._clamped = int((np.abs(left) > step).sum())
        self._sent = self._sent + np.clip(left, -step, step)
        if self._server_state == "homing" and self._clamped == 0:
            self._server_state = "hold"
