"""Learning curves with bands over seeds, as pictures (matplotlib, from the extra [train]).

In:  ``Result``s.   Out: image files.
Not here: the results (campaign), tables (report).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from h2s2r_rl.experiment.job import POLICY, Result
from h2s2r_rl.experiment.report import of

mpl.rcParams["svg.hashsalt"] = "h2s2r"
#: Columns of ``Result.curve``.
STEPS, SUCCESS, REWARD = 0, 1, 2


def draw_curves(results: Sequence[Result], path: str | Path, column: int = SUCCESS) -> None:
    """Success (or reward) over policy steps, one picture per task, one curve per ablation: the mean over seeds, and a band
    from the worst to the best.
    """
    trained = [each for each in results if each.job.method == POLICY and each.curve]
    tasks = sorted({each.job.task for each in trained})
    figure = Figure(figsize=(5 * max(len(tasks), 1), 3.6), layout="constrained")
    for axes, task in zip(figure.subplots(1, max(len(tasks), 1), squeeze=False)[0], tasks, strict=False):
        for name in sorted({each.job.ablation for each in of(trained, task=task)}):
            steps, low, mean, high = band([each.curve for each in of(trained, task=task, ablation=name)], column)
            axes.plot(steps / 1000, mean, label=name or "as it is")
            axes.fill_between(steps / 1000, low, high, alpha=0.2)
        axes.set(
            title=task,
            xlabel="policy steps [thousands]",
            ylabel="success, exploring" if column == SUCCESS else "reward",
        )
        axes.legend(fontsize=7)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None} if Path(path).suffix == ".svg" else None)


def band(
    curves: Sequence[Sequence[Sequence[float]]], column: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Steps (P), and of all seeds the worst, the mean and the best there, up to where the shortest ends."""
    tables = [np.asarray(curve) for curve in curves]
    steps = np.linspace(max(each[0, STEPS] for each in tables), min(each[-1, STEPS] for each in tables), 60)
    # Points before any episode has ended have no success: -1.
    values = np.stack([np.interp(steps, each[:, STEPS], np.maximum(each[:, column], 0.0)) for each in tables])
    return steps, values.min(0), values.mean(0), values.max(0)
