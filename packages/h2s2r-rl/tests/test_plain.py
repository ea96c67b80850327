"""Our learner beside rsl_rl's own: both come to where nine of ten succeed, and the benchmark says when.

In:  an environment that is learned in seconds.   Out: the benchmark's figures.
Not here: the task itself (h2s2r bench plain).
"""

from __future__ import annotations

import math

import pytest

pytest.importorskip("torch")
pytest.importorskip("rsl_rl")

from running_goals import RunningGoals

from h2s2r_rl.benchmark import plain
from h2s2r_rl.config import TrainCfg
from h2s2r_schemas.testing import PointMassEnv

CFG = TrainCfg(steps=64 * 32 * 20, num_envs=64, mini_batches=4, hidden=(32,))


def test_both_learn_and_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "_BAR", 0.03)
    found = plain.compare([CFG], lambda: RunningGoals(num_envs=CFG.num_envs))
    assert found["seeds"] == 1 and found["ours_never"] == found["plain_never"] == 0
    assert found["ours_over_plain"] == found["ours_cpu_s"] / found["plain_cpu_s"] > 0.0


def test_what_is_never_reached_is_no_time() -> None:
    short = TrainCfg(steps=64, num_envs=2, steps_per_iteration=8, hidden=(4,))
    assert math.isnan(plain.ours(PointMassEnv(2), short))
    found = plain.compare([short], lambda: PointMassEnv(2))
    assert found == {"seeds": 1, "ours_never": 1, "plain_never": 1}
