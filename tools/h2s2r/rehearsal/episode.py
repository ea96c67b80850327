"""One episode of a rehearsal: a cell, a policy in its own process, a verdict.

In:  task, robot, settings, seed, the policy's process.   Out: ``Episode``.
Not here: many of them (rehearse), the cell's parts (cell).
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from h2s2r.rehearsal.cell import RehearsalCell
from h2s2r.rehearsal.config import RehearsalCfg
from h2s2r.rehearsal.judge import Judge, Verdict
from h2s2r.rehearsal.process import PolicyProcess
from h2s2r_retarget.embodiment import Embodiment
from h2s2r_schemas.artifacts import Rollout, TaskSpec
from h2s2r_schemas.codec import load
from h2s2r_sim.view import EpisodeStates

#: [s] of the cell's time that an episode may take beside twice its reference: arming, standing, settling.
_EXTRA = 15.0


@dataclass(frozen=True)
class Episode:
    """What came of one."""

    seed: int
    """Of its cell."""
    success: bool
    """By the definition that holds for everybody."""
    failure: str
    """One of ``FAILURE_KINDS``; empty for a success, and where it was stopped or could not begin."""
    stopped: str
    """Why it ended before its time or never began; empty if neither."""
    position_error: float
    """[m] of the object from the reference, at last; NaN where it never began."""
    rotation_error: float
    """[rad] likewise."""
    faults: tuple[str, ...]
    """Codes of faults that the server latched."""
    external_torque: float
    """[N·m] the largest that the server felt on any joint of the arm."""
    counters: Mapping[str, int]
    """All that the server counted."""
    thinking: tuple[float, ...]
    """[s] of wall time of each policy step: from a state to its command."""
    seconds: float
    """[s] of wall time."""
    states: EpisodeStates | None
    """What truly happened; none where it never began."""


def play(
    task: TaskSpec,
    embodiment: Embodiment,
    cfg: RehearsalCfg,
    seed: int,
    policy: PolicyProcess,
    judge: Judge,
) -> Episode:
    """One episode, from setting up a cell to the verdict.

    Raises:
        H2S2RError: the policy's process died or never connected.
    """
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="h2s2r") as name:
        rollout = Path(name) / "rollout.h2s"
        with RehearsalCell(task, embodiment, cfg, seed, Path(name)) as cell:
            policy.begin({**cell.invitation, "seed": seed, "out": str(rollout)})
            cell.run(2.0 * task.reference.duration + _EXTRA)
        # Who still waits for a turn is told by now that there are no more.
        said = policy.end()
        if "error" in said:
            verdict, states = Verdict(False, "", float("nan"), float("nan")), None
        else:
            verdict, states = _judged(load(rollout, Rollout), cell, judge, seed)
    stopped, state = said.get("error", said.get("stopped", "")), cell.final_state
    return Episode(
        seed=seed,
        success=verdict.success and not stopped,
        failure=verdict.failure,
        stopped="" if verdict.failure else stopped,
        position_error=verdict.position_error,
        rotation_error=verdict.rotation_error,
        faults=() if state.fault is None else (state.fault.code,),
        external_torque=float(cell.truth.external_torque.max()),
        counters=dict(state.counters),
        thinking=tuple(said.get("thinking", ())),
        seconds=time.perf_counter() - began,
        states=states,
    )


def _judged(rollout: Rollout, cell: RehearsalCell, judge: Judge, seed: int) -> tuple[Verdict, EpisodeStates]:
    """The verdict, and what truly happened while the policy acted."""
    truth = cell.truth
    at = {time_ns: sample for sample, time_ns in enumerate(truth.time_ns)}
    rows = [at[round(each * 1e9)] for each in rollout.time]
    joint_pos, wxyz_xyz = np.array(truth.joint_pos), np.array(truth.wxyz_xyz_world_object)
    verdict = judge.judge(rollout, joint_pos[rows], wxyz_xyz[rows])
    outcome = "success" if verdict.success else verdict.failure or "stopped"
    off = 1000 * verdict.position_error, np.rad2deg(verdict.rotation_error)
    states = EpisodeStates(
        joint_pos=joint_pos[rows],
        wxyz_xyz_world_object=wxyz_xyz[rows],
        wxyz_xyz_world_goal=rollout.wxyz_xyz_world_goal,
        dt=float(rollout.time[-1] - rollout.time[0]) / max(1, len(rows) - 1) or 1.0,
        title=f"emulated robot, cell {seed}: {outcome}, {off[0]:.0f} mm and {off[1]:.0f}° off at its end",
        success=verdict.success,
    )
    return verdict, states
