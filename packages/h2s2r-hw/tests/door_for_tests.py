"""A gateway with stand-in loops in lock-step, over real encrypted sockets, and clients of it.

In:  settings.   Out: ``Door``: the gateway, its loops, clients and raw sockets.
Not here: the real loops, which these only stand in for: joints go where they shall, no faster than they may.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import zmq

from h2s2r_hw.bus.records import ARM_STATUS, HAND_STATUS, JOINT_NAMES, NUM_ARM, NUM_JOINTS, ORDERS, TARGET
from h2s2r_hw.bus.slots import Slot
from h2s2r_hw.clock.inline import Inline
from h2s2r_hw.config import MotionCfg
from h2s2r_hw.server.config import GatewayCfg
from h2s2r_hw.server.desk import Surroundings
from h2s2r_hw.server.gateway import Gateway
from h2s2r_hw.server.keys import KeyFolder
from h2s2r_hw.server.slots import GatewaySlots
from h2s2r_hw.states import State
from h2s2r_schemas.client import ClientKeys, RobotClient, Session
from h2s2r_schemas.client.addresses import STATES, TO_SERVER, own_channels
from h2s2r_schemas.errors import RobotFault
from h2s2r_schemas.robots import RobotSpec
from h2s2r_schemas.wire import RobotCommand

MS = 1_000_000
SECOND = 1_000 * MS
_NAMES = itertools.count()


def robot_spec() -> RobotSpec:
    """The 23 joints of the drivers, the hand's in another order than on the bus."""
    names = JOINT_NAMES[:NUM_ARM] + tuple(reversed(JOINT_NAMES[NUM_ARM:]))
    ones = np.ones(NUM_JOINTS)
    return RobotSpec(
        name="iiwa14_allegro",
        side="right",
        joint_names=names,
        num_arm_joints=NUM_ARM,
        position_lower=-2.0 * ones,
        position_upper=2.0 * ones,
        velocity_limit=1.5 * ones,
        acceleration_limit=10.0 * ones,
        jerk_limit=200.0 * ones,
        torque_limit=10.0 * ones,
        home=0.2 * ones,
        base_frame="base",
        palm_frame="palm",
        fingertip_frames=("fingertip_index",),
    )


class StandInLoops:
    """Both loops: every 5 ms a step towards the newest target, as fast as may be."""

    PERIOD_NS, STALE_NS, SILENT_NS = 5 * MS, 200 * MS, 300 * MS

    def __init__(self, slots: GatewaySlots) -> None:
        self.orders, self.target = Slot(ORDERS, slots.orders.buffer), Slot(TARGET, slots.target.buffer)
        self.arm, self.hand = Slot(ARM_STATUS, slots.arm.buffer), Slot(HAND_STATUS, slots.hand.buffer)
        self.joint_pos, self.joint_vel = np.linspace(-0.3, 0.3, NUM_JOINTS), np.zeros(NUM_JOINTS)
        self.sent = self.joint_pos.copy()
        self.state, self.arms, self.stops, self.homes = State.READY, 0, 0, 0
        self.fault_code = self.fault_number = 0
        self.highest_speed = 0.0
        self._due_ns = 0

    def next_event_ns(self) -> int:
        return self._due_ns

    def act(self, now_ns: int) -> Mapping[str, int]:
        self._due_ns = now_ns + self.PERIOD_NS
        self.orders.read()
        self.target.read()
        self._step(now_ns)
        wanted = self.sent.copy()
        if self.state == State.TRACK:
            wanted = np.clip(self.target.record["joint_pos"], -2.0, 2.0)
        elif self.state == State.HOMING:
            wanted = np.full(NUM_JOINTS, 0.2)
        dt = self.PERIOD_NS * 1e-9
        step = np.clip(wanted - self.sent, -1.5 * dt, 1.5 * dt)
        self.highest_speed = max(self.highest_speed, float(np.abs(step).max()) / dt)
        self.sent = self.sent + step
        change = 0.3 * (self.sent - self.joint_pos)
        self.joint_pos, self.joint_vel = self.joint_pos + change, change / dt
        self._write(now_ns)
        return {}

    def hear(self, channel: str, count: int, now_ns: int) -> Mapping[str, int]:
        return {}

    def fail(self, code: int) -> None:
        """Latch a fault."""
        self.fault_code, self.fault_number = code, self.fault_number + 1

    def _step(self, now_ns: int) -> None:
        orders, state = self.orders.record, self.state
        fresh = self.target.count > 0 and now_ns - int(self.target.record["time_ns"]) <= self.STALE_NS
        stop = int(orders["stop_number"]) != self.stops or now_ns - int(orders["time_ns"]) > self.SILENT_NS
        arm, home = int(orders["arm_number"]) != self.arms, int(orders["home_number"]) != self.homes
        self.arms, self.stops = int(orders["arm_number"]), int(orders["stop_number"])
        self.homes = int(orders["home_number"])
        if self.fault_code and int(orders["arm_fault_acknowledged"]) == self.fault_number:
            self.fault_code = 0
            state = State.READY
        if orders["estop"]:
            state = State.ESTOP
        elif state == State.ESTOP:
            state = State.READY
        elif self.fault_code:
            state = State.FAULT
        elif state == State.READY and arm:
            state, self.sent = State.HOLD, self.joint_pos.copy()
        elif state in (State.HOLD, State.TRACK, State.HOMING) and not orders["armed"]:
            state = State.READY
        elif state in (State.TRACK, State.HOMING) and stop:
            state = State.HOLD
        elif state == State.TRACK and not fresh:
            state = State.HOLD
        elif state == State.HOLD and home:
            state = State.HOMING
        elif state == State.HOLD and fresh and not stop:
            near = np.abs(np.clip(self.target.record["joint_pos"], -2.0, 2.0) - self.sent).max() < 0.31
            state = State.TRACK if near else state
        elif state == State.HOMING and np.abs(self.sent - 0.2).max() < 1e-9:
            state = State.HOLD
        self.state = state

    def _write(self, now_ns: int) -> None:
        for slot, part in ((self.arm, slice(0, NUM_ARM)), (self.hand, slice(NUM_ARM, NUM_JOINTS))):
            record = slot.record
            record["number"] += 1
            record["time_ns"], record["state"] = now_ns, self.state
            record["joint_pos"], record["joint_vel"] = self.joint_pos[part], self.joint_vel[part]
            record["joint_pos_target"] = self.sent[part]
            if slot is self.arm:
                record["fault_code"], record["fault_number"] = self.fault_code, self.fault_number
                record["fault_value"], record["fault_joint"], record["fault_time_ns"] = 25.0, -1, now_ns
                record["fault_state"] = State.TRACK
            slot.write()


class Door:
    """Everything of one test."""

    def __init__(self, folder: Path, cfg: GatewayCfg | None = None, surroundings: Surroundings | None = None) -> None:
        self.folder, self.keys = folder, KeyFolder(folder / "keys")
        if not (folder / "keys").exists():
            self.keys.make()
        # Short, as the path of a socket is.
        self.cfg = replace(cfg or GatewayCfg(), address=free_address(), keys=str(folder / "keys"))
        self.slots = GatewaySlots.own()
        self.loops = StandInLoops(self.slots)
        tokens = itertools.count(4_000_000_000_000_000_007)
        self.gateway = Gateway(
            self.cfg, MotionCfg(), robot_spec(), True, 200.0, self.slots, surroundings, lambda: next(tokens)
        )
        self.group = Inline([self.loops, self.gateway], patience=10.0)
        self.group.run(20 * MS)
        self.clients: list[RobotClient] = []
        self.context = zmq.Context()
        self.raws: list[zmq.Socket] = []

    def new_keys(self, name: str, operator: bool = False) -> ClientKeys:
        """Keys that are allowed."""
        return ClientKeys.load(self.keys.make_client(name, self.folder / name, operator))

    def client(self, operator: bool = False, keys: ClientKeys | None = None) -> RobotClient:
        """A new client in lock-step, with keys of its own unless given."""
        name = f"client-{next(_NAMES)}"
        clock = self.group.clock((STATES, *own_channels(name)))
        made = RobotClient(keys or self.new_keys(name, operator), self.cfg.address, clock=clock, name=name)
        self.clients.append(made)
        return made

    def raw(self, keys: ClientKeys | None) -> zmq.Socket:
        """A socket that can send anything, connected with these keys or, without any, not encrypted."""
        made = self.context.socket(zmq.DEALER)
        # A socket whose connection was refused has nowhere to send to, and would wait for ever.
        made.linger, made.sndtimeo = 0, 2000
        if keys is not None:
            made.curve_publickey, made.curve_secretkey, made.curve_serverkey = keys.public, keys.secret, keys.server
        made.connect(self.cfg.address)
        self.raws.append(made)
        return made

    def attempt(self, socket: zmq.Socket, data: bytes) -> None:
        """Send bytes, unless the connection was refused before."""
        with contextlib.suppress(zmq.Again):
            socket.send(data, zmq.DONTWAIT)

    def deliver(self, socket: zmq.Socket, data: bytes) -> None:
        """Send bytes and have the gateway read them now."""
        socket.send(data)
        self.group.announce({TO_SERVER: 1}, None)

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.group.run(self.group.now_ns + round(seconds * SECOND))

    def close(self) -> None:
        self.context.destroy(0)
        for client in self.clients:
            client.close()
        self.gateway.close()

    def __enter__(self) -> Door:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def free_address() -> str:
    """Two free ports in a row on loopback."""
    context = zmq.Context()
    try:
        while True:
            first, second = context.socket(zmq.ROUTER), context.socket(zmq.ROUTER)
            port = first.bind_to_random_port("tcp://127.0.0.1", 20_000, 32_000)
            try:
                second.bind(f"tcp://127.0.0.1:{port + 1}")
            except zmq.ZMQError:
                continue
            return f"tcp://127.0.0.1:{port}"
    finally:
        context.destroy(0)


def code_of(call, *arguments, **named) -> str:
    """Code with which a request is refused; empty if it is granted."""
    try:
        call(*arguments, **named)
    except RobotFault as refused:
        return refused.code if refused.remedy else "without remedy"
    return ""


def armed(door: Door, operator: bool = False, keys: ClientKeys | None = None) -> Session:
    session = Session(door.client(operator, keys))
    session.acquire()
    session.arm()
    return session


def newest(door: Door, session: Session):
    """A state of after everything that was done so far."""
    door.run(0.02)
    return session.next_state()


def follow(session: Session, states: int, step: float = 0.0) -> None:
    """Command for so many states, each a step further from where the robot stands."""
    target = session.state.joint_pos_target.copy()
    for _ in range(states):
        target += step
        session.command(target)
        session.next_state()


def next_command(door: Door, session: Session, **changes: object) -> RobotCommand:
    """A valid command of this session, but for ``changes``."""
    fields = {
        "robot_hash": robot_spec().hash(),
        "lease_epoch": door.gateway.lease.epoch,
        "lease_token": door.gateway.lease.token,
        "sequence": 1000,
        "client_time": session.state.time,
        "joint_pos_target": session.state.joint_pos_target,
    }
    return RobotCommand(**{**fields, **changes})
