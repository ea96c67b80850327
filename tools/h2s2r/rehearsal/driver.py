"""The policy's process: a policy PC with nothing but the exported policy, keys and addresses.

In:  ``python -m h2s2r.rehearsal.driver POLICY EMBODIMENT``; on stdin a line of JSON for each episode.   Out: rollouts as
files; on stdout a line of JSON for each.
Not here: the loop (h2s2r-rl's runner), the cell (cell), who starts this (process).

A line names ``address``, ``keys``, ``objects``, ``object_keys``, ``lockstep``, ``seed`` and ``out``. The answer says
``stopped``, ``thinking`` ([s] for each step), ``unsent``, ``lost_states`` and the last ``refused``; or ``error``.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from h2s2r.rehearsal.wires import CHANNELS, POLICY
from h2s2r_hw.clock import LockstepClock
from h2s2r_retarget.embodiment import Embodiment, load_embodiment
from h2s2r_rl.policy import TASK, OnnxPolicy
from h2s2r_rl.runner import Newest, run_policy
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.client import ClientKeys, ObjectSubscriber, RobotClient
from h2s2r_schemas.codec import load, save
from h2s2r_schemas.errors import H2S2RError

#: What is said once all is loaded.
READY = {"ready": True}


def drive(policy: OnnxPolicy, task: TaskSpec, embodiment: Embodiment, job: dict[str, Any]) -> dict[str, Any]:
    """One episode."""
    clock = LockstepClock(job["lockstep"], POLICY, CHANNELS)
    with (
        closing(clock),
        closing(ObjectSubscriber(job["objects"], ClientKeys.load(job["object_keys"]), clock)) as heard,
        RobotClient(ClientKeys.load(job["keys"]), job["address"], clock=clock, name=POLICY) as robot,
    ):
        result = run_policy(policy, robot, Newest(heard), task, embodiment, seed=job["seed"])
        save(result.rollout, job["out"])
        return {
            "stopped": result.stopped,
            "thinking": result.thinking.tolist(),
            "unsent": robot.unsent,
            "lost_states": robot.lost_states,
            "refused": [f"{each.code}: {each.cause}" for each in robot.refusals],
        }


def main(folder: str, robot: str) -> None:
    """Until nobody wants another episode."""
    policy, task = OnnxPolicy.load(folder), load(Path(folder) / TASK, TaskSpec)
    embodiment = load_embodiment(robot, task.side)
    _say(READY)
    for line in sys.stdin:
        try:
            _say(drive(policy, task, embodiment, json.loads(line)))
        except H2S2RError as error:
            _say({"error": str(error)})


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
