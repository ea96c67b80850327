"""Results as tables and words.

In:  ``Result``s.   Out: Markdown.
Not here: making them (campaign), learning curves (curves).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from h2s2r_rl.baselines import BASELINES
from h2s2r_rl.experiment.job import METHODS, POLICY, Result
from h2s2r_rl.interval import wilson

#: Percentage points by which the published method was better than each baseline, on a real robot.
PAPER_DIFFERENCES = {"replay": 67.0, "object_aware_replay": 55.0, "behaviour_cloning": 68.0}


def pooled(results: Sequence[Result], level: str = "standard") -> tuple[float, tuple[float, float]]:
    """Share of successes over all results' episodes, and its 95 % interval."""
    scores = [result.scores[level] for result in results]
    episodes, successes = sum(each.episodes for each in scores), sum(each.successes for each in scores)
    return successes / episodes, wilson(successes, episodes)


def of(results: Sequence[Result], **wanted: object) -> list[Result]:
    """Those whose job has these values."""
    return [each for each in results if all(getattr(each.job, name) == value for name, value in wanted.items())]


def differences(results: Sequence[Result], level: str = "standard") -> dict[str, float]:
    """By how many points the policy is better than each baseline, averaged over the tasks that have both."""
    found = {}
    for method in BASELINES:
        gaps = []
        for task in sorted({each.job.task for each in results}):
            mine, theirs = (of(results, task=task, method=each, ablation="") for each in (POLICY, method))
            if mine and theirs:
                gaps.append(100.0 * (pooled(mine, level)[0] - pooled(theirs, level)[0]))
        if gaps:
            found[method] = float(np.mean(gaps))
    return found


def failures(results: Sequence[Result]) -> dict[str, int]:
    """Failures by kind over all results' episodes, the most frequent first."""
    counts: dict[str, int] = {}
    for result in results:
        for kind, count in result.scores["standard"].failures.items():
            counts[kind] = counts.get(kind, 0) + count
    return dict(sorted(counts.items(), key=lambda item: -item[1]))


def transfer_drop(results: Sequence[Result]) -> float | None:
    """By how much success over all results' episodes is lower in the worst transfer check; none without checks.

    Over all seeds: the worst of eight checks of 256 episodes each is by chance alone some points below their mean.
    """
    checked = [each for each in results if each.checks]
    names = set.intersection(*(set(each.checks) for each in checked)) if checked else set()
    return pooled(checked)[0] - min(pooled(checked, name)[0] for name in names) if names else None


def stages(results: Sequence[Result]) -> dict[str, float]:
    """Share of all results' episodes that came through each stage of the reference, in order; of results that tell."""
    scores = [result.scores["standard"] for result in results if result.scores["standard"].stages]
    names = scores[0].stages if scores else {}
    return {name: sum(each.stages[name] for each in scores) / sum(each.episodes for each in scores) for name in names}


def table(results: Sequence[Result], level: str = "standard") -> str:
    """Success of every method on every task, with intervals, and the three differences that the paper claims."""
    methods = [method for method in METHODS if of(results, method=method, ablation="")]
    lines = [
        "| task | " + " | ".join(methods) + " | CPU-minutes | transfer drop | failures of the policy |",
        "|---" * (len(methods) + 4) + "|",
    ]
    for task in sorted({each.job.task for each in results}):
        cells = [_cell(of(results, task=task, method=method, ablation=""), level) for method in methods]
        mine = of(results, task=task, method=POLICY, ablation="")
        lines.append("| " + " | ".join([task, *cells, *_training(mine)]) + " |")
    lines += ["", f"Success in % of fresh episodes at noise level `{level}`; in brackets Wilson's 95 % interval.", ""]
    ours = differences(results, level)
    lines += ["| points better than | paper, on a real robot | here |", "|---|---|---|"]
    for method, paper in PAPER_DIFFERENCES.items():
        lines.append(f"| {method} | {paper:+.0f} | {f'{ours[method]:+.0f}' if method in ours else 'not measured'} |")
    return "\n".join(lines) + "\n"


def _cell(results: Sequence[Result], level: str) -> str:
    if not results:
        return "–"
    share, (low, high) = pooled(results, level)
    return f"{100 * share:.0f} ({100 * low:.0f}–{100 * high:.0f})"


def _training(results: Sequence[Result]) -> list[str]:
    """CPU-minutes, transfer drop and failures of policies, as text."""
    if not results:
        return ["–", "–", "–"]
    minutes = float(np.median([each.cpu_seconds for each in results])) / 60.0
    drop = transfer_drop(results)
    named = ", ".join(f"{count} {kind}" for kind, count in failures(results).items()) or "none"
    return [f"{minutes:.1f}", "–" if drop is None else f"{100 * drop:+.0f}", named]


def ablation_table(results: Sequence[Result], threshold: float = 0.8) -> str:
    """What each ablation does: success, and policy steps until ``threshold`` of the episodes succeed while exploring."""
    lines = ["| task | changed | success | seeds | steps to " + f"{threshold:.0%} |", "|---|---|---|---|---|"]
    for task in sorted({each.job.task for each in results}):
        for name in sorted({each.job.ablation for each in results}):
            found = of(results, task=task, ablation=name, method=POLICY)
            if not found:
                continue
            reached = [steps_to(each.curve, threshold) for each in found]
            steps = ", ".join("never" if each is None else f"{each / 1000:.0f}k" for each in reached)
            lines.append(f"| {task} | {name or 'nothing'} | {_cell(found, 'standard')} | {len(found)} | {steps} |")
    return "\n".join(lines) + "\n"


def steps_to(curve: Sequence[Sequence[float]], threshold: float) -> float | None:
    """Policy steps at the first of two points in a row of a learning curve at or above ``threshold``; None for never."""
    for here, after in itertools.pairwise(curve):
        if min(here[1], after[1]) >= threshold:
            return float(here[0])
    return None
