"""An environment from names or nouns, in one call.

In:  a task and a robot, by name, file or value.   Out: ``Environment``.
Not here: the environment itself (environment).
"""

from __future__ import annotations

from pathlib import Path

from h2s2r_retarget.embodiment import Embodiment, load_embodiment
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.env.environment import Environment
from h2s2r_sim.task import load_task


def make_env(
    task: TaskSpec | str | Path,
    robot: Embodiment | str | Path = "iiwa14_allegro",
    num_envs: int = 128,
    cfg: EnvCfg | None = None,
) -> Environment:
    """``num_envs`` robots at a task.

    Args:
        task: a task, the name of a bundled one, or where one is.
        robot: an embodiment, the name of one that comes with h2s2r-retarget, or its folder; mirrored to the task's side.
        num_envs: N.
        cfg: everything else.

    Raises:
        SchemaError: no such task or robot, or settings that do not fit.
        EngineError: no such engine here.
        StartError: hardly any start can be reached without contact (at the first ``reset``).
    """
    spec = task if isinstance(task, TaskSpec) else load_task(task)
    embodiment = robot if isinstance(robot, Embodiment) else load_embodiment(robot, spec.side)
    return Environment(spec, embodiment, cfg or EnvCfg(), num_envs)
