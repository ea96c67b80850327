"""The gateway: clients on one side, the loops' slots on the other.

In:  messages of authenticated clients, the loops' status.   Out: targets and orders, replies, states 100 times a second.
Not here: who is let in (zap), what is granted (desk) or followed (admission), motion (loops).

It acts when told the time, so the same lines run by the wall clock (``serve``) and in lock-step (``act``, ``hear``).
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

from h2s2r_hw.clock import Clock, LockstepError
from h2s2r_hw.config import MotionCfg
from h2s2r_hw.server.admission import Admission
from h2s2r_hw.server.config import GatewayCfg
from h2s2r_hw.server.desk import Desk, Surroundings
from h2s2r_hw.server.devices import device_levels
from h2s2r_hw.server.keys import KeyFolder
from h2s2r_hw.server.lease import Client, Lease
from h2s2r_hw.server.order_of_joints import JointMap
from h2s2r_hw.server.orders import Orders
from h2s2r_hw.server.rates import RateLimits
from h2s2r_hw.server.reading import Reader
from h2s2r_hw.server.refusals import Refused
from h2s2r_hw.server.slots import GatewaySlots
from h2s2r_hw.server.sockets import Incoming, Sockets
from h2s2r_hw.server.view import View
from h2s2r_schemas.client.addresses import FAULT, HELLO, REFUSED, REPLY, STATE, STATES, TO_SERVER, own_channels
from h2s2r_schemas.codec import encode
from h2s2r_schemas.robots import RobotSpec
from h2s2r_schemas.wire import Hello, Reply, Request, RobotCommand, RobotState

#: Messages read in one turn, so that a flood cannot keep states from going out.
_AT_ONCE = 256
#: [Hz] and at once: answers to refused commands of one key. States tell of every one; these say why.
_ANSWERS_HZ, _ANSWERS_BURST = 20.0, 20


class Gateway:
    """One server's door.

    Args:
        cfg: addresses, limits, time-outs.
        motion: tolerances of the start and the speed scale, which the loops know too.
        spec: the robot.
        emulated: whether no hardware is behind it.
        control_hz: [Hz] of the arm's loop.
        slots: shared with the loops.
        surroundings: the rest of the server.
        draw_token: gives secrets of leases, 1 … 2⁶³-1.

    Raises:
        H2S2RError: an address cannot be listened at, there are no keys, or the drivers cannot move this robot.
    """

    def __init__(
        self,
        cfg: GatewayCfg,
        motion: MotionCfg,
        spec: RobotSpec,
        emulated: bool,
        control_hz: float,
        slots: GatewaySlots,
        surroundings: Surroundings | None = None,
        draw_token: Callable[[], int] = lambda: 1 + secrets.randbelow(2**63 - 1),
    ) -> None:
        self._cfg, self._robot_hash = cfg, spec.hash()
        joints = JointMap(spec)
        self._slots, self.view = slots, View(slots.arm, slots.hand, joints)
        self.orders = Orders(slots.orders, slots.target, spec, joints, motion.speed_scale)
        self.lease = Lease(round(cfg.lease_ttl * 1e9), draw_token, self.orders.last_epoch)
        tolerance = np.full(len(spec.joint_names), motion.start_tolerance_hand)
        tolerance[: spec.num_arm_joints] = motion.start_tolerance
        self._admission = Admission(cfg, spec, self.lease, tolerance)
        around = surroundings or Surroundings()
        self._desk = Desk(cfg, spec, self.lease, self._admission, self.orders, self.view, around)
        self._keys = KeyFolder(Path(cfg.keys))
        self.hello = Hello(
            server=f"h2s2r-hw {version('h2s2r-hw')}",
            robot=spec,
            emulated=emulated,
            control_hz=control_hz,
            command_hz=np.array(cfg.command_hz),
            lease_ttl=cfg.lease_ttl,
            max_message_bytes=cfg.max_message_bytes,
        )
        self.counters: Counter[str] = Counter()
        """What was accepted and refused, by code; refused requests as ``request.CODE``."""
        self._last_refusal, self._last_fault = "", ("", 0.0)
        self._state_period_ns = round(1e9 / cfg.state_hz)
        self._state_due_ns, self._sequence = 0, 0
        self._reader, self._answers = Reader(cfg), RateLimits(_ANSWERS_HZ, _ANSWERS_BURST)
        self._sent: dict[str, int] = {}
        self.sockets = Sockets(cfg, self._keys)

    # ── time ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_event_ns(self) -> int:
        """[ns] when it wants to act next."""
        return min(self._state_due_ns, self.orders.next_beat_ns)

    def act(self, now_ns: int) -> dict[str, int]:
        """Do what is due; returns how many messages were sent on which channel."""
        self.view.look(now_ns)
        if self.lease.expired(now_ns):
            self.counters["lease_expired"] += 1
            self._desk.end_lease(now_ns)
        if self.orders.next_beat_ns <= now_ns:
            self.orders.write(now_ns)
        if self._state_due_ns <= now_ns:
            # After a stall, one state and no volley of those that were missed.
            missed = (now_ns - self._state_due_ns) // self._state_period_ns
            self._state_due_ns += (missed + 1) * self._state_period_ns
            self._publish(now_ns)
        return self._sent_so_far()

    def hear(self, channel: str, count: int, now_ns: int) -> dict[str, int]:
        """Read so many messages if they are for the server; returns how many were sent in answer.

        Raises:
            LockstepError: fewer came.
        """
        for _ in range(count if channel == TO_SERVER else 0):
            incoming = self.sockets.read(10.0)
            if incoming is None:
                raise LockstepError("A message was sent to the gateway but did not reach it.")
            self.take(incoming, now_ns)
        return self._sent_so_far()

    def step(self, now_ns: int) -> dict[str, int]:
        """Read what is there, then do what is due; returns how many messages were sent on which channel."""
        for _ in range(_AT_ONCE):
            incoming = self.sockets.read(0.0)
            if incoming is None:
                break
            self.take(incoming, now_ns)
        return self.act(now_ns)

    def serve(self, clock: Clock, stop: Callable[[], bool] = lambda: False) -> None:
        """Do so until ``stop()``, which is asked at every state."""
        while not stop():
            due_ns = self.next_event_ns()
            for _ in range(_AT_ONCE):
                incoming = clock.receive(TO_SERVER, self.sockets.read, due_ns)
                if incoming is None:
                    break
                self.take(incoming, clock.now_ns())
            self._tell(clock, self._sent_so_far())
            if clock.now_ns() >= due_ns:
                self._tell(clock, self.act(clock.now_ns()))

    @staticmethod
    def _tell(clock: Clock, sent: dict[str, int]) -> None:
        for channel, count in sent.items():
            clock.sent(channel, count)

    def close(self) -> None:
        """Close the sockets."""
        self.sockets.close()

    # ── messages ────────────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, incoming: Incoming, now_ns: int) -> None:
        """Deal with one message."""
        if not incoming.user:
            self._say_hello(incoming)
            return
        # What was written to the slots a moment ago counts, not what was so at the last state.
        self.view.look(now_ns)
        client = self._keys.client(incoming.user)
        message = self._reader.read(incoming, now_ns)
        if isinstance(message, Refused):
            self._refuse(incoming, 0, message, now_ns)
        elif isinstance(message, Request):
            self._answer(incoming, self._desk.answer(message, client, now_ns))
        else:
            self._follow(incoming, message, client, now_ns)

    def _follow(self, incoming: Incoming, command: RobotCommand, client: Client, now_ns: int) -> None:
        sent = self.view.joints("joint_pos_target")
        refused = self._admission.judge(command, client, now_ns, self.view.state.name.lower(), sent)
        if refused is not None:
            self._refuse(incoming, command.sequence, refused, now_ns)
            return
        made_ns = self._admission.made_ns(command.client_time, now_ns)
        self._admission.accept(command, now_ns)
        self.counters["accepted"] += 1
        self.orders.follow(command, now_ns, made_ns)

    def _refuse(self, incoming: Incoming, sequence: int, refused: Refused, now_ns: int) -> None:
        """Count it, show it in the states, and say why, unless that was said very often just now."""
        self.counters[refused.code] += 1
        self._last_refusal = refused.code
        if not self._answers.allow(incoming.user, now_ns):
            return
        reply = Reply(
            sequence=sequence,
            ok=False,
            time=now_ns * 1e-9,
            code=refused.code,
            cause=refused.cause,
            remedy=refused.remedy,
        )
        self._send(incoming.peer, REFUSED, reply)

    def _answer(self, incoming: Incoming, reply: Reply) -> None:
        if not reply.ok:
            self.counters[f"request.{reply.code}"] += 1
        self._send(incoming.peer, REPLY, reply)

    def _send(self, peer: bytes, kind: bytes, reply: Reply) -> None:
        self.sockets.answer(peer, kind, encode(reply))
        self._count(own_channels(peer.decode("ascii", "replace"))[0])

    def _say_hello(self, incoming: Incoming) -> None:
        self.sockets.publish(HELLO + incoming.peer, encode(self.hello))
        self._count(own_channels(incoming.peer.decode("ascii", "replace"))[1])

    # ── states ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _publish(self, now_ns: int) -> None:
        self.sockets.doorkeeper.look()
        state = self.state(now_ns)
        self._sequence += 1
        self.sockets.publish(STATE, encode(state))
        self._count(STATES)
        fault = ("", 0.0) if state.fault is None else (state.fault.code, state.fault.time)
        if state.fault is not None and fault != self._last_fault:
            self.sockets.publish(FAULT, encode(state.fault))
        self._last_fault = fault

    def state(self, now_ns: int) -> RobotState:
        """The robot as it is published next."""
        view = self.view
        doors = {f"connections.{name}": count for name, count in self.sockets.doorkeeper.counters.items() if count}
        accepted = self._admission.sequence >= 0
        return RobotState(
            robot_hash=self._robot_hash,
            sequence=self._sequence,
            time=now_ns * 1e-9,
            joint_pos=view.joints("joint_pos"),
            joint_vel=view.joints("joint_vel"),
            joint_torque=view.joints("joint_torque"),
            joint_pos_target=view.joints("joint_pos_target"),
            server_state=view.state.name.lower(),
            lease_epoch=self.lease.epoch,
            command_sequence=self._admission.sequence,
            command_age=max(0.0, (now_ns - self.orders.last_target_ns) * 1e-9) if accepted else 0.0,
            clamped=view.clamped,
            last_refusal=self._last_refusal,
            fault=view.fault(),
            counters={**self.counters, **doors, **view.counters(), **self._levels()},
        )

    def _levels(self) -> dict[str, int]:
        return device_levels(self._slots, self.view.arm_state, self.view.hand_state)

    def _count(self, channel: str) -> None:
        self._sent[channel] = self._sent.get(channel, 0) + 1

    def _sent_so_far(self) -> dict[str, int]:
        sent, self._sent = self._sent, {}
        return sent
