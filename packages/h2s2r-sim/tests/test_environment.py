"""The environment keeps the contract of ``VecEnv``, for every task with every robot.

In:  bundled tasks, robots by name.   Out: conformance; finite observations.
Not here: the engine (test_engine_mujoco), starts (test_resets), endings (test_endings), learning (h2s2r-rl).
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from h2s2r_retarget.embodiment import embodiment_names
from h2s2r_schemas.testing import check_vec_env
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.env.make import make_env
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.task import task_names


def test_it_keeps_the_contract():
    check_vec_env(lambda: make_env("snackbox_push", num_envs=6), steps=150)


@pytest.mark.requirement("H46")
@pytest.mark.requirement("H47")
@pytest.mark.parametrize("robot", embodiment_names())
@pytest.mark.parametrize("task", task_names())
def test_every_robot_is_built_reset_and_stepped_at_every_task(task, robot):
    env = make_env(task, robot, num_envs=4, cfg=EnvCfg(start=StartCfg(pool=8)))
    obs = env.reset(0)
    assert not env.engine.penetration().any()
    for _ in range(5):
        obs, reward, *_ = env.step(np.zeros((4, env.num_actions)))
    assert all(np.isfinite(values).all() for values in obs.values())
    assert np.isfinite(reward).all()


def test_what_the_policy_sees_and_does_loads_no_engine():
    modules = ", ".join(f"h2s2r_sim.mdp.{name}" for name in ("observations", "actions", "rewards"))
    code = f"import sys, {modules}; sys.exit('mujoco' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
