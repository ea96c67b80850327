"""The arm: palm poses, one by one and a thousand at once, beside other libraries.

In:  ``PoseProblems``.   Out: figures.
Not here: the hand (hand).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from h2s2r_retarget.benchmark import ours
from h2s2r_retarget.benchmark.peers import by_mink, by_pinocchio, by_pytorch_kinematics
from h2s2r_retarget.benchmark.problems import PoseProblems, outside_limits
from h2s2r_retarget.benchmark.timing import time_batches, time_singles

#: A peer counts as equally successful if it misses at most this share of the targets more than we do.
_EQUAL = 0.005

_SINGLE_PEERS: dict[str, Callable[[PoseProblems], Callable[[int], np.ndarray]]] = {
    "mink": by_mink.pose_solver,
    "pinocchio": by_pinocchio.pose_solver,
    "pytorch_kinematics": by_pytorch_kinematics.pose_solver,
}


def arm_figures(problems: PoseProblems, rounds: int, missing: set[str]) -> dict[str, Any]:
    """Success, times and ratios on all poses.

    Args:
        problems: the poses.
        rounds: turns of every solver.
        missing: names of peers that are not installed; those found missing here are added.
    """
    num = len(problems.matrices)
    backends = {"numpy": "numpy", "fast": "numba"} if ours.has_fast() else {"numpy": "numpy"}
    solvers = {name: ours.pose_solver(problems, backend) for name, backend in backends.items()}
    peers: dict[str, Callable[[int], np.ndarray]] = {}
    for name, make in _SINGLE_PEERS.items():
        try:
            peers[name] = make(problems)
        except ImportError:
            missing.add(name)
    timed = time_singles({**solvers, **peers}, num, rounds)
    success = {name: float(problems.solved(run.joint_pos).mean()) for name, run in timed.items()}
    figures: dict[str, Any] = {"arm_targets": num, "arm_success": min(success[name] for name in solvers)}
    for name, run in timed.items():
        figures[f"arm_ms_{name}"] = float(np.median(run.seconds)) * 1e3
        figures[f"arm_ms_mean_{name}"] = float(run.seconds.mean()) * 1e3
        if name in peers:
            figures[f"arm_success_{name}"] = success[name]
    figures["arm_limit_violations"] = sum(
        int(outside_limits(problems.chain, timed[name].joint_pos).sum()) for name in solvers
    )
    equal = [name for name in peers if success[name] >= figures["arm_success"] - _EQUAL]
    if "fast" in solvers and equal:
        best = min(equal, key=lambda name: figures[f"arm_ms_{name}"])
        figures["arm_best_peer"] = best
        figures["arm_ratio_best_peer"] = figures["arm_ms_fast"] / figures[f"arm_ms_{best}"]
        figures["arm_ratio_best_peer_mean"] = figures["arm_ms_mean_fast"] / min(
            figures[f"arm_ms_mean_{name}"] for name in equal
        )
    loops = {f"{name} one by one": num / float(timed[name].seconds.sum()) for name in equal}
    return {**figures, **_batch_figures(problems, rounds, loops, missing)}


def _batch_figures(problems: PoseProblems, rounds: int, loops: dict[str, float], missing: set[str]) -> dict[str, Any]:
    """All poses at once. Peers without a batch count as often as they solve one by one (``loops``, [1/s])."""
    num = len(problems.matrices)
    batches = {"": ours.pose_batch(problems, "numpy")}
    if ours.has_fast():
        batches["_fast"] = ours.pose_batch(problems, "numba")
        batches["_fast"]()
    own = tuple(batches)
    for setting in () if "pytorch_kinematics" in missing else by_pytorch_kinematics.SETTINGS:
        name = f"pytorch_kinematics {setting.retries} starts {setting.dtype}{' clamped' if setting.clamp else ''}"
        batches[name] = by_pytorch_kinematics.pose_batch(problems, setting)
    timed = time_batches(batches, rounds)
    per_second = {name: num / seconds for name, (seconds, _) in timed.items()}
    success = {name: float(problems.solved(joint_pos).mean()) for name, (_, joint_pos) in timed.items()}
    figures: dict[str, Any] = {f"arm_batch_per_s{name}": per_second[name] for name in own}
    figures["arm_batch_success"] = min(success[name] for name in own)
    equal = {
        name: rate
        for name, rate in per_second.items()
        if name not in own and success[name] >= figures["arm_batch_success"] - _EQUAL
    }
    for kind, rates in (("batched", equal), ("any", {**equal, **loops})):
        if rates:
            best = max(rates, key=lambda name: rates[name])
            figures[f"arm_batch_best_{kind}_peer"] = best
            figures[f"arm_batch_best_{kind}_peer_per_s"] = rates[best]
    if equal:
        figures["arm_batch_ratio_best_peer"] = per_second[""] / max(equal.values())
    return figures
