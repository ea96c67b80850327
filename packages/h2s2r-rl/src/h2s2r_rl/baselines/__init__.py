"""What a learned policy is compared with: replays of the human's hand, and cloned behaviour.

In:  a task, a robot.   Out: policies by name, judged like any other.
Not here: the comparison (experiment).
"""

from h2s2r_rl.baselines.demonstration import JointPath, joint_path, scripted_hand
from h2s2r_rl.baselines.methods import BASELINES, REPLAYS, replay_env, replay_policy
from h2s2r_rl.baselines.replay import ObjectAwareReplay, Replay

__all__ = [
    "BASELINES",
    "REPLAYS",
    "JointPath",
    "ObjectAwareReplay",
    "Replay",
    "joint_path",
    "replay_env",
    "replay_policy",
    "scripted_hand",
]
