"""The three processes of ``h2s2r bench cell``.

In:  which one, and addresses.   Out: figures as JSON on stdout.
Not here: the benchmark around them (benchmark).
"""

from __future__ import annotations

import json
import math
import socket
import sys
import time
from collections.abc import Sequence

from h2s2r_hw.clock import LockstepClock
from h2s2r_hw.drivers.allegro import V4, decode_positions, encode_period, encode_torques, finger_of_position, servo_on
from h2s2r_hw.drivers.can_port import CanPort, open_bus
from h2s2r_hw.drivers.fri import CommandMessage, FriVersion, SessionState, decode_monitoring, encode_command
from h2s2r_hw.emulators.cabinet import CabinetCfg
from h2s2r_hw.emulators.cell import CAN_CHANNEL, FRI_CHANNEL, Cell, CellCfg
from h2s2r_hw.emulators.lockstep import Lockstep
from h2s2r_hw.emulators.plant import IdealPlant, Plant
from h2s2r_hw.emulators.ports import UdpPort

_GROUP = "239.74.163.2"
_VERSION = FriVersion.V2_7
_ARM_PERIOD_MS, _HAND_PERIOD_MS = 5, 3


def main(arguments: Sequence[str]) -> None:
    """Be the process that the first argument names."""
    kind, seconds, *rest = arguments
    until_ns = round(float(seconds) * 1e9)
    figures = {"cell": _cell, "arm": _arm, "hand": _hand}[kind](until_ns, *rest)
    sys.stdout.write(json.dumps(figures) + "\n")


def _plant() -> Plant:
    from h2s2r_hw.emulators.cast import cast_twin  # noqa: PLC0415 - the clients need no physics

    return cast_twin("snackbox_push", "iiwa14_allegro", "right", "default", "standard", 0)[0]


def _cell(until_ns: int, own: str, cabinet: str, can_port: str, plant: str = "twin") -> dict[str, float]:
    moves = _plant() if plant == "twin" else IdealPlant()
    clock = Lockstep()
    fri = UdpPort(("127.0.0.1", int(cabinet)), ("127.0.0.1", int(own)))
    bus = CanPort(open_bus("udp_multicast", _GROUP, int(can_port)))
    cfg = CellCfg(CabinetCfg(version=_VERSION.value, send_period_ms=_ARM_PERIOD_MS))
    cell = Cell(cfg, moves, fri, bus)
    sys.stdout.write(clock.address + "\n")
    sys.stdout.flush()
    clock.gather(("arm", "hand"))
    wall, cpu = time.perf_counter(), time.process_time()
    clock.run(cell, until_ns)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    clock.close()
    errors = cell.cabinet.protocol_errors + len(cell.hand.protocol_errors)
    commanding = cell.cabinet.session.state == SessionState.COMMANDING_ACTIVE
    return {"wall": wall, "cell_cpu": cpu, "protocol_errors": errors, "ends_commanding": commanding}


def _arm(until_ns: int, address: str, own: str, cabinet: str) -> dict[str, float]:
    """Follows a sine."""
    clock = LockstepClock(address, "arm", (FRI_CHANNEL,))
    port = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    port.bind(("127.0.0.1", int(own)))
    port.connect(("127.0.0.1", int(cabinet)))

    def read(seconds: float) -> bytes | None:
        port.settimeout(seconds)
        return port.recv(1500)

    cpu, sent, since_ns = time.process_time(), 0, 0
    while clock.now_ns() < until_ns:
        datagram = clock.receive(FRI_CHANNEL, read, until_ns)
        if datagram is None:
            break
        message = decode_monitoring(datagram, _VERSION)
        joint_pos = message.ipo_joint_pos or None
        if message.session_state == SessionState.COMMANDING_ACTIVE and joint_pos is not None:
            since_ns = since_ns or clock.now_ns()
            moved = 0.1 * math.sin(math.pi * (clock.now_ns() - since_ns) * 1e-9)
            joint_pos = (*joint_pos[:3], joint_pos[3] + moved, *joint_pos[4:])
        port.send(encode_command(CommandMessage(sent, message.sequence, joint_pos), _VERSION))
        clock.sent(FRI_CHANNEL)
        sent += 1
    cpu = time.process_time() - cpu
    clock.close()
    return {"arm_cpu": cpu, "arm_hz": sent / (until_ns * 1e-9)}


def _hand(until_ns: int, address: str, can_port: str) -> dict[str, float]:
    """Opens and closes."""
    clock = LockstepClock(address, "hand", (CAN_CHANNEL,))
    port = CanPort(open_bus("udp_multicast", _GROUP, int(can_port)))
    for frame in (encode_period(_HAND_PERIOD_MS), servo_on()):
        port.send(frame)
        clock.sent(CAN_CHANNEL)
    joint_pos, before, fresh, cycles = [0.0] * 16, [0.0] * 16, 0, 0
    cpu = time.process_time()
    while clock.now_ns() < until_ns:
        frame = clock.receive(CAN_CHANNEL, port.read, until_ns)
        finger = None if frame is None else finger_of_position(frame.identifier)
        if frame is None or finger is None:
            continue
        joint_pos[4 * finger : 4 * finger + 4] = decode_positions(frame, V4)
        fresh |= 1 << finger
        if fresh == 0b1111:
            goal = 0.6 + 0.4 * math.sin(2 * math.pi * clock.now_ns() * 1e-9)
            rate = 1e3 / _HAND_PERIOD_MS
            torques = [0.8 * (goal - q) - 0.02 * rate * (q - p) for q, p in zip(joint_pos, before, strict=True)]
            for out in encode_torques(tuple(torques), V4):
                port.send(out)
                clock.sent(CAN_CHANNEL)
            fresh, before, cycles = 0, list(joint_pos), cycles + 1
    cpu = time.process_time() - cpu
    clock.close()
    port.close()
    return {"hand_cpu": cpu, "hand_hz": cycles / (until_ns * 1e-9)}
