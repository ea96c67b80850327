"""The hand: fingertips of reachable and of human hands, against the floor and beside other libraries.

In:  ``TipProblems``.   Out: figures.
Not here: the arm (arm).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from h2s2r_retarget.benchmark import ours
from h2s2r_retarget.benchmark.floor import tip_floor
from h2s2r_retarget.benchmark.peers import by_dex_retargeting, by_pinocchio
from h2s2r_retarget.benchmark.problems import TipProblems, outside_limits
from h2s2r_retarget.benchmark.timing import time_batches, time_singles

_PEERS: dict[str, Callable[[TipProblems], Callable[[int], np.ndarray]]] = {
    "dex_retargeting": lambda problems: by_dex_retargeting.tip_solver(problems, tuned=False),
    "dex_retargeting_tuned": lambda problems: by_dex_retargeting.tip_solver(problems, tuned=True),
    "pinocchio": by_pinocchio.tip_solver,
}


def hand_figures(problems: TipProblems, rounds: int, slow: bool, missing: set[str]) -> dict[str, Any]:
    """Errors above the floor, limits and times on all hands.

    Args:
        problems: the hands.
        rounds: turns of every solver.
        slow: search the floor from four times as many starts.
        missing: names of peers that are not installed; those found missing here are added.
    """
    backends = {"numpy": "numpy", "fast": "numba"} if ours.has_fast() else {"numpy": "numpy"}
    solvers = {name: ours.tip_solver(problems, backend) for name, backend in backends.items()}
    peers: dict[str, Callable[[int], np.ndarray]] = {}
    for name, make in _PEERS.items():
        try:
            peers[name] = make(problems)
        except ImportError:
            missing.add(name.removesuffix("_tuned"))
    num, reachable = len(problems.points), problems.num_reachable
    timed = time_singles({**solvers, **peers}, num, rounds)
    own = {name: timed[name].joint_pos for name in solvers}
    batches = time_batches({name: ours.tip_batch(problems, backend) for name, backend in backends.items()}, rounds + 1)
    own.update({f"{name}_batch": joint_pos for name, (_, joint_pos) in batches.items()})
    figures: dict[str, Any] = {"tip_targets": num}
    try:
        floor = tip_floor(problems, 4 if slow else 1)
    except ImportError:
        missing.add("scipy")
    else:
        figures.update(_excess(problems, own, floor))
    figures["tip_limit_violations"] = sum(int(outside_limits(problems.chain, q).sum()) for q in own.values())
    for name, (seconds, _) in batches.items():
        figures["hand_batch_per_s" if name == "numpy" else f"hand_batch_per_s_{name}"] = num / seconds
    for name, run in timed.items():
        distance = problems.distances(run.joint_pos)
        figures[f"hand_ms_{name}"] = float(np.median(run.seconds)) * 1e3
        figures[f"tip_reachable_mm_{name}"] = float(distance[:reachable].mean()) * 1e3
        figures[f"tip_human_mm_{name}"] = float(distance[reachable:].mean()) * 1e3
        if name in peers:
            figures[f"tip_limit_violations_{name}"] = int(outside_limits(problems.chain, run.joint_pos).sum())
    return figures


def _excess(problems: TipProblems, own: dict[str, np.ndarray], floor: np.ndarray) -> dict[str, float]:
    """How far above the floor the fingertips end [µm], worst of our backends; and how far the floor was above us."""
    above = np.max([problems.distances(joint_pos) for joint_pos in own.values()], axis=0) - floor
    reachable, human = above[: problems.num_reachable], above[problems.num_reachable :]
    return {
        "tip_excess_um": float(max(reachable.mean(), human.mean())) * 1e6,
        "tip_excess_um_reachable": float(reachable.mean()) * 1e6,
        "tip_excess_um_human": float(human.mean()) * 1e6,
        "tip_excess_um_p99": float(np.percentile(above, 99)) * 1e6,
        "tip_excess_um_max": float(above.max()) * 1e6,
        "tip_floor_above_us_um_max": float(max(-above.min(), 0.0)) * 1e6,
        "tip_floor_human_mm": float(floor[problems.num_reachable :].mean()) * 1e3,
    }
