"""The emulated cell of one episode: twin, cabinet, hand, server and tracker in lock-step, and what truly happens in it.

In:  a task, a robot, settings, a seed.   Out: ``RehearsalCell``: addresses and keys for a policy elsewhere; ``Truth``.
Not here: the policy (driver), judging (judge).
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from h2s2r.rehearsal.config import RehearsalCfg, server_cfg
from h2s2r.rehearsal.tracker import CameraTracker, NoisyTracker
from h2s2r.rehearsal.wires import CHANNELS, POLICY
from h2s2r_hw.drivers.fri import JOINT_NAMES as ARM_JOINTS
from h2s2r_hw.emulators.cell import CellCfg
from h2s2r_hw.emulators.hand import HandCfg
from h2s2r_hw.emulators.lockstep import Lockstep
from h2s2r_hw.emulators.rehearsal.outside import Outside
from h2s2r_hw.emulators.rehearsal.whole import QUICK, SECOND, Rehearsal
from h2s2r_hw.emulators.rehearsal.whole import RehearsalCfg as WholeCfg
from h2s2r_hw.emulators.twin import Twin, TwinCfg
from h2s2r_hw.states import State
from h2s2r_retarget.embodiment import Embodiment
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.client import ClientKeys, ObjectPublisher
from h2s2r_schemas.errors import H2S2RError
from h2s2r_schemas.wire import ObjectState, RobotState
from h2s2r_sim.env.start.clear import LEAST_FREE
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.perturbation import LEVELS

#: A cell takes the first free one of the 64 starts drawn for it: with the share that ``clear_start`` accepts at least, some are.
_START = StartCfg(pool=1, min_valid=LEAST_FREE / 4)
#: [s] of the cell's time that cabinet and hand need until they could be armed.
_SETTLE = 1.0
#: [s] of wall time for the policy's process to connect.
_PATIENCE = 60.0


@dataclass
class Truth:
    """What truly happened, T samples at the times of the server's states."""

    time_ns: list[int] = field(default_factory=list)
    """(T) [ns] of the cell's time."""
    joint_pos: list[np.ndarray] = field(default_factory=list)
    """(T) of (J) [rad]."""
    wxyz_xyz_world_object: list[np.ndarray] = field(default_factory=list)
    """(T) of (7)."""
    external_torque: np.ndarray = field(default_factory=lambda: np.zeros(len(ARM_JOINTS)))
    """(7) [N·m] the largest that the server felt on each joint of the arm, either way."""


class _Watch:
    """Writes down the truth at the times of states; nothing pushes the object before the robot follows somebody."""

    def __init__(self, twin: Twin, whole: Rehearsal, period_ns: int) -> None:
        self.truth, self._whole = Truth(), whole
        self._twin, self._period_ns, self._due_ns = twin, period_ns, 0
        self._pushes, twin.pushing = twin.pushing, False
        self.counts = False
        """Whether what happens is part of the episode."""

    def next_event_ns(self) -> int:
        """[ns]."""
        return self._due_ns

    def hear(self, channel: str, count: int, now_ns: int) -> Mapping[str, int]:
        """Nothing is sent to it."""
        return {}

    def act(self, now_ns: int) -> Mapping[str, int]:
        """Look."""
        self._due_ns += self._period_ns
        if not self.counts:
            return {}
        twin, truth = self._twin, self.truth
        twin.advance(now_ns)
        twin.pushing = self._pushes and self._whole.gateway.view.state == State.TRACK
        felt = np.abs(self._whole.status("arm")["external_torque"])
        truth.external_torque = np.maximum(truth.external_torque, felt)
        truth.time_ns.append(now_ns)
        truth.joint_pos.append(twin.joint_pos)
        truth.wxyz_xyz_world_object.append(np.array(twin.T_world_object.wxyz_xyz))
        return {}


class RehearsalCell:
    """One cell, one episode. Use it in a ``with``.

    Args:
        task: gives scene and object.
        embodiment: the robot.
        cfg: how it differs from the model.
        seed: decides all that is drawn.
        folder: of its own, with a short path: keys, sockets, the server's log.
    """

    def __init__(self, task: TaskSpec, embodiment: Embodiment, cfg: RehearsalCfg, seed: int, folder: Path) -> None:
        self.folder = folder
        self.twin = Twin(task, embodiment, TwinCfg(_START, LEVELS[cfg.noise]), seed)
        server = server_cfg(embodiment)
        cell = CellCfg(cabinet=QUICK, hand=HandCfg(side=task.side), seed=seed)
        self.whole = Rehearsal(folder, WholeCfg(server, cell, embodiment.spec()), self.twin)
        keys = self.whole.keys
        robot_keys = keys.make_client(POLICY, folder / POLICY, operator=False)
        tracker = keys.make_client("tracker", folder / "tracker", operator=False)
        # What a subscriber of the tracker is given: its own keys, and the tracker's public one.
        object_keys, objects = folder / "objects", f"ipc://{folder / 'seen'}"
        shutil.copytree(robot_keys, object_keys)
        shutil.copyfile(tracker / "client.key", object_keys / "server.key")
        self._publisher, self._listened = ObjectPublisher(objects, ClientKeys.load(tracker)), False
        self.clock = Lockstep(patience=_PATIENCE)
        self.invitation = {
            "address": self.whole.server.gateway.address,
            "keys": str(robot_keys),
            "objects": objects,
            "object_keys": str(object_keys),
            "lockstep": self.clock.address,
        }
        """What the policy's process is told: addresses and folders of keys."""
        period_ns = round(SECOND / server.gateway.state_hz)
        watch, self._tracker = (
            _Watch(self.twin, self.whole, period_ns),
            self._make_tracker(embodiment, cfg, period_ns, seed),
        )
        self.truth = watch.truth
        self.whole.group.stages += [self._tracker, watch]
        self.whole.run(_SETTLE)
        # From here on there is somebody to tell, and what happens counts.
        self._tracker.publish = self._publish
        watch.counts = True
        self.clock.now_ns = self.whole.now_ns

    def _make_tracker(
        self, embodiment: Embodiment, cfg: RehearsalCfg, period_ns: int, seed: int
    ) -> NoisyTracker | CameraTracker:
        if not cfg.tracked:
            return NoisyTracker(self.twin, period_ns, seed)
        return CameraTracker(self.twin, embodiment, LEVELS[cfg.noise].camera_delay, seed)

    def _publish(self, state: ObjectState) -> None:
        if not self._listened:
            self._listened = self._publisher.wait_for_listener(_PATIENCE)
        if not self._listened:
            raise H2S2RError(f"The policy's process has not asked for object poses within {_PATIENCE} s.")
        self._publisher.publish(state)

    def run(self, seconds: float) -> None:
        """Let time pass for the policy's process until it leaves, at most so long [s] of the cell's time."""
        self.clock.gather((POLICY,))
        self.clock.run(Outside(self.whole.group, CHANNELS), self.whole.now_ns + round(seconds * SECOND))

    @property
    def final_state(self) -> RobotState:
        """The server's last: its fault, and all it counted."""
        return self.whole.gateway.state(self.whole.now_ns)

    def close(self) -> None:
        """End everything."""
        self.clock.close()
        self._publisher.close()
        self._tracker.close()
        self.whole.close()

    def __enter__(self) -> RehearsalCell:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
