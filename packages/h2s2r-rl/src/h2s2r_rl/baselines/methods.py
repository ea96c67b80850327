"""What a learned policy is compared with, by name.

In:  a name, a task, a robot.   Out: a policy and the environment it acts in.
Not here: judging it (evaluate), cloning (cloning).
"""

from __future__ import annotations

from dataclasses import replace

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_rl.baselines.demonstration import joint_path
from h2s2r_rl.baselines.replay import OBSERVATION, ObjectAwareReplay, Replay
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.mdp.goal import GoalPath
from h2s2r_sim.mdp.tracking import TrackedObject

#: Those that need no training.
REPLAYS = ("replay", "object_aware_replay")
#: All of them.
BASELINES = (*REPLAYS, "behaviour_cloning")


def replay_env(name: str, cfg: EnvCfg) -> EnvCfg:
    """The environment as a replay acts in it: joint targets; and a start that, for the blind one, is where the human's was.

    Raises:
        SchemaError: no replay has this name.
    """
    if name not in REPLAYS:
        raise SchemaError(f"There is no replay {name!r}; there are: {', '.join(REPLAYS)}.")
    start = replace(cfg.start, kind="unmoved") if name == "replay" else cfg.start
    return replace(cfg, action=replace(cfg.action, name="joint_target"), observation=OBSERVATION, start=start)


def replay_policy(name: str, task: TaskSpec, embodiment: Embodiment, cfg: EnvCfg) -> Replay:
    """A replay of a task's hand path.

    Raises:
        SchemaError: no replay has this name, or nothing says how the human did the task.
    """
    if name not in REPLAYS:
        raise SchemaError(f"There is no replay {name!r}; there are: {', '.join(REPLAYS)}.")
    goal = GoalPath(cfg.goal, task.reference, 1.0 / cfg.control_hz, TrackedObject.of(task))
    path = joint_path(task, embodiment, goal)
    return Replay(path, embodiment) if name == "replay" else ObjectAwareReplay(path, embodiment, task)
