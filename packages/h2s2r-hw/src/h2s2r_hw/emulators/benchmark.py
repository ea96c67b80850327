"""What the emulated cell costs: ``h2s2r bench cell``.

In:  whether to run the long version.   Out: one flat mapping of figures.
Not here: what the figures must be (the issue says).

``realtime_factor`` is the cell's time over wall time, in the best of three runs, of three processes in lock-step over real
sockets: the cell with its twin, an arm client at 200 Hz and a hand controller at 333 Hz. They act one at a time, so it needs a
core that is free. ``…_us`` are CPU time [µs], the best of many batches;
``fri_codec_us`` is what one period costs a client, monitoring message in and command out, in the dearest version.
``…_cpu_per_second`` is CPU time [s] of each process for one second of the cell's time.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable

from h2s2r_hw.drivers.allegro import V4, Frame, decode_positions, encode_torques
from h2s2r_hw.drivers.fri import (
    ClientCommandMode,
    CommandMessage,
    ControlMode,
    DriveState,
    FriVersion,
    MonitoringMessage,
    OperationMode,
    Overlay,
    Quality,
    SafetyState,
    SessionState,
    decode_monitoring,
    encode_command,
    encode_monitoring,
)
from h2s2r_schemas.errors import H2S2RError

ARM_PERIOD_MS, HAND_PERIOD_MS = 5, 3
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def run(slow: bool = False) -> dict[str, float]:
    """All figures of the emulated cell.

    Args:
        slow: 30 s of the cell's time in each of three runs, instead of 3.

    Raises:
        H2S2RError: a process failed; the message ends with what it said.
    """
    seconds = 30.0 if slow else 3.0
    codec = {version: _codec_us(version) for version in FriVersion}
    figures: dict[str, float] = {"fri_codec_us": max(codec.values())}
    figures |= {f"fri_codec_{version.value.replace('.', '_')}_us": cost for version, cost in codec.items()}
    figures["hand_codec_us"] = _hand_codec_us()
    # The best of three: whatever else this machine does only makes it slower.
    return figures | max((_lockstep(seconds) for _ in range(3)), key=lambda run: run["realtime_factor"])


def _best_us(work: Callable[[], object], batches: int = 100, count: int = 50) -> float:
    """CPU time [µs] of one call, in the best batch: what neighbours on the same core do not add to."""
    costs: list[float] = []
    for _ in range(batches):
        start = time.process_time_ns()
        for _ in range(count):
            work()
        costs.append((time.process_time_ns() - start) / count * 1e-3)
    return min(costs)


def _codec_us(version: FriVersion) -> float:
    """A monitoring message with everything in it, and a command with position and torque."""
    joints = (0.1, -0.2, 0.3, -1.4, 0.5, 1.6, -0.7)
    message = MonitoringMessage(
        sequence=20_000,
        reflected_sequence=19_999,
        session_state=SessionState.COMMANDING_ACTIVE,
        quality=Quality.EXCELLENT,
        send_period_ms=ARM_PERIOD_MS,
        receive_multiplier=1,
        num_joints=7,
        safety_state=SafetyState.NORMAL_OPERATION,
        operation_mode=OperationMode.AUT,
        control_mode=ControlMode.JOINT_IMPEDANCE,
        drive_states=(DriveState.ACTIVE,) * 7,
        measured_joint_pos=joints,
        measured_torque=joints,
        commanded_joint_pos=joints,
        commanded_torque=joints,
        external_torque=joints,
        time_ns=1_767_225_600_123_456_789,
        ipo_joint_pos=joints,
        client_command_mode=ClientCommandMode.TORQUE,
        overlay=Overlay.JOINT,
        tracking_performance=1.0,
    )
    datagram = encode_monitoring(message, version)

    def work() -> None:
        got = decode_monitoring(datagram, version)
        encode_command(CommandMessage(got.reflected_sequence, got.sequence, got.ipo_joint_pos, joints), version)

    return _best_us(work)


def _hand_codec_us() -> float:
    """Four position frames in, four torque frames out."""
    frames = [Frame(0x80 + 4 * finger, bytes((1, 2, 3, 4, 5, 6, 7, 8))) for finger in range(4)]

    def work() -> None:
        for frame in frames:
            decode_positions(frame, V4)
        encode_torques((0.1,) * 16, V4)

    return _best_us(work)


def _lockstep(seconds: float) -> dict[str, float]:
    """Three processes; figures of the whole."""
    own, cabinet, can_port = _free_port(), _free_port(), _free_port()
    script = "import sys; from h2s2r_hw.emulators.bench_processes import main; main(sys.argv[1:])"
    cell = _spawn(script, "cell", str(seconds), str(own), str(cabinet), str(can_port))
    assert cell.stdout is not None
    address = cell.stdout.readline().strip()
    if not address:
        raise H2S2RError(f"The emulated cell did not start:\n{cell.communicate()[1][-2000:]}")
    clients = [
        _spawn(script, "arm", str(seconds), address, str(own), str(cabinet)),
        _spawn(script, "hand", str(seconds), address, str(can_port)),
    ]
    figures: dict[str, float] = {}
    for process in (*clients, cell):
        out, errors = process.communicate()
        if process.returncode:
            raise H2S2RError(f"A process of the benchmark failed:\n{errors[-2000:]}")
        figures |= json.loads(out.strip().splitlines()[-1])
    for name in ("cell", "arm", "hand"):
        figures[f"{name}_cpu_per_second"] = figures.pop(f"{name}_cpu") / seconds
    return {"realtime_factor": seconds / figures.pop("wall")} | figures


def _spawn(script: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, *arguments]
    environment = {**os.environ, **_ONE_THREAD}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
