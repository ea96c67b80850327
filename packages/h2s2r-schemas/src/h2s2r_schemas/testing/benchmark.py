"""What messages cost, and what hostile bytes and kills can do: ``h2s2r bench schemas``.

In:  whether to run the long version.   Out: one flat mapping of figures.
Not here: what the figures must be (the tests and the issue say).

Times are process CPU time, the best of several rounds; every ratio compares two things measured in the same round.
"""

from __future__ import annotations

import time
from typing import Any, Callable

import msgpack
import numpy as np

from h2s2r_schemas.artifacts import ObjectTrajectory
from h2s2r_schemas.codec import decode, encode
from h2s2r_schemas.testing.fuzz import fuzz
from h2s2r_schemas.testing.kills import save_kills
from h2s2r_schemas.testing.paths import object_trajectory
from h2s2r_schemas.wire import RobotState

#: Which requirement each figure shows.
SHOWS = {"robot_state_ratio": ["H03"], "trajectory_ratio": ["H07"], "fuzz_failures": ["D03"], "save_losses": ["H03"]}

FUZZ_CASES, FUZZ_CASES_SLOW = 20_000, 1_000_000
SAVE_KILLS, SAVE_KILLS_SLOW = 40, 200
_SEED = 20_261_121


def run(slow: bool = False) -> dict[str, float]:
    """All figures of this package.

    Args:
        slow: a million fuzz cases and 200 kills instead of a quick look.
    """
    figures = {**_robot_state(), **_trajectory()}
    report = fuzz(FUZZ_CASES_SLOW if slow else FUZZ_CASES, _SEED)
    figures.update(
        fuzz_cases=report.cases,
        fuzz_accepted=report.accepted,
        fuzz_failures=len(report.failures),
        fuzz_peak_mib_above_input=report.peak_bytes_above_input / 2**20,
    )
    figures.update(save_kills(SAVE_KILLS_SLOW if slow else SAVE_KILLS, _SEED))
    return figures


def _robot_state() -> dict[str, float]:
    """Encode and decode of a 23-joint ``RobotState`` over plain msgpack of the same values as lists, unchecked."""
    state = robot_state()
    plain = {
        name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in state.plain_fields().items()
    }
    ours, theirs = _compare(
        lambda: decode(encode(state), RobotState), lambda: msgpack.unpackb(msgpack.packb(plain)), calls=2000
    )
    return {"robot_state_us": ours * 1e6, "robot_state_plain_us": theirs * 1e6, "robot_state_ratio": ours / theirs}


def _trajectory() -> dict[str, float]:
    """Encode and decode of a 10,000-pose ``ObjectTrajectory`` over msgpack of its ready-made bytes, unchecked."""
    trajectory = object_trajectory(10_000)
    ready = [getattr(trajectory, name).tobytes() for name in ("time", "wxyz_xyz_world_object", "confidence", "lost")]
    ours, theirs = _compare(
        lambda: decode(encode(trajectory), ObjectTrajectory),
        lambda: msgpack.unpackb(msgpack.packb(ready)),
        calls=20,
    )
    return {"trajectory_us": ours * 1e6, "trajectory_plain_us": theirs * 1e6, "trajectory_ratio": ours / theirs}


def _compare(ours: Callable[[], Any], theirs: Callable[[], Any], calls: int) -> tuple[float, float]:
    """Best CPU seconds per call of each, over rounds in which both take turns."""
    best = [np.inf, np.inf]
    for _ in range(15):
        for which, function in enumerate((ours, theirs)):
            start = time.process_time()
            for _ in range(calls):
                function()
            best[which] = min(best[which], (time.process_time() - start) / calls)
    return best[0], best[1]


def robot_state() -> RobotState:
    """A 23-joint state as a server sends it while tracking."""
    rng = np.random.default_rng(_SEED)
    joints = rng.normal(size=(4, 23))
    return RobotState(
        robot_hash="0123456789abcdef",
        sequence=123_456,
        time=4321.5,
        joint_pos=joints[0],
        joint_vel=joints[1],
        joint_torque=joints[2],
        joint_pos_target=joints[3],
        server_state="track",
        lease_epoch=7,
        command_sequence=99_000,
        command_age=0.012,
    )
