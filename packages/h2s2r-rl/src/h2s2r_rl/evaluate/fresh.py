"""A policy judged on episodes nobody used before.

In:  a policy, a task, a robot.   Out: ``Evaluation``; the environment's configuration that belongs to a policy.
Not here: counting (judge), what else can be asked of a policy (conditions, transfer, contacts).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_rl.evaluate.judge import Acts, Evaluation, judge
from h2s2r_schemas.artifacts import PolicySpec, TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.config import EnvCfg, for_evaluation
from h2s2r_sim.env.make import make_env
from h2s2r_sim.mdp.actions import ActionCfg
from h2s2r_sim.mdp.goal import GoalCfg
from h2s2r_sim.mdp.observations import TERMS, terms_of


def evaluate(
    policy: Acts,
    task: TaskSpec | str | Path,
    robot: Embodiment | str | Path = "iiwa14_allegro",
    cfg: EnvCfg | None = None,
    episodes: int = 256,
    seed: int = 1_000_000,
    progress: Callable[[int], None] = lambda done: None,
) -> Evaluation:
    """Judge a policy on episodes it was not trained on.

    Args:
        policy: to be judged.
        task: as ``make_env`` takes it.
        robot: as ``make_env`` takes it.
        cfg: as in training; what helps only learners is switched off here.
        episodes: how many; at least 256 for a figure that is to be quoted.
        seed: of the episodes; one that was used neither in training nor to choose anything.
        progress: told how many are done.

    Raises:
        SchemaError: no episode asked for, or from making the environment.
    """
    if episodes < 1:
        raise SchemaError(f"{episodes} episodes were asked for; at least 1 can be judged.")
    env = make_env(task, robot, min(episodes, 128), for_evaluation(cfg or EnvCfg()))
    return judge(policy, env, episodes, seed, progress=progress)


def env_cfg_of(spec: PolicySpec) -> EnvCfg:
    """An environment in which a policy sees, acts and is asked for what it was trained with; the rest is as by default.

    Raises:
        SchemaError: this h2s2r-sim does not know its observations, actions or goal.
    """
    unknown = [term.name for term in spec.obs_layout if term.name not in TERMS]
    try:
        action = ActionCfg(**spec.action_map)
    except TypeError as error:
        raise SchemaError(f"Policy {spec.name!r} has actions this h2s2r-sim cannot read: {error}.") from error
    if unknown:
        raise SchemaError(
            f"Policy {spec.name!r} sees {', '.join(unknown)}, which h2s2r-sim does not know; it knows {', '.join(TERMS)}."
        )
    return EnvCfg(
        control_hz=spec.control_hz,
        action=action,
        observation=terms_of(spec.obs_layout),
        goal=GoalCfg.from_data(spec.goal_clock),
    )
