"""A task that comes with nobody: an object, fixtures and a hand as files, and robots that are built, reset and stepped at it.

In:  three TOML files.   Out: an environment in which its replayed reference succeeds; errors for what is not there.
Not here: what a task file may say (test_task_bundled), tasks from recordings (test_task_make).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from h2s2r_retarget.embodiment import embodiment_names, load_embodiment
from h2s2r_schemas.artifacts import HandPose
from h2s2r_schemas.errors import H2S2RError, SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.benchmark.resets import Inspector, valid_share
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.engine import EngineError
from h2s2r_sim.env.make import make_env
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.perturbation import STANDARD
from h2s2r_sim.task import load_task, make_task

TASK = """
name = "tin_slide"
object = "tin"

[[fixture]]
body = "table"
position = [0.4, 0.0, 0.0]

[[fixture]]
body = "kerb"
position = [0.62, 0.45, 0.0]

[[waypoint]]
time = 0.0
position = [0.60, 0.05, 0.0502]

[[waypoint]]
time = 0.5
position = [0.60, 0.05, 0.0502]

[[waypoint]]
time = 3.5
position = [0.63, 0.22, 0.0502]

[[waypoint]]
time = 4.0
position = [0.63, 0.22, 0.0502]

[hand]
side = "right"
fingers_toward = [0.0, -0.423, -0.906]
palm_toward = [0.0, 0.906, -0.423]
middle_tip = [0.0, -0.085, -0.01]
curl_deg = { index = [45, 25], middle = [45, 25], ring = [45, 25], little = [47, 28] }
spread = 2.0
thumb_opposition_deg = 30.0
thumb_bend_deg = [5.0, 5.0]
"""
TIN = """
name = "tin"
friction = 0.4
[[part]]
kind = "cylinder"
size = [0.05, 0.10, 0.0]
mass = 0.45
[symmetry]
axis = [0.0, 0.0, 1.0]
"""
KERB = """
name = "kerb"
friction = 0.5
[[part]]
kind = "box"
size = [0.3, 0.02, 0.03]
position = [0.0, 0.0, 0.015]
"""


@pytest.fixture
def eighth(tmp_path: Path) -> Path:
    for file, text in (("task", TASK), ("tin", TIN), ("kerb", KERB)):
        (tmp_path / f"{file}.toml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.requirement("H48")
@pytest.mark.parametrize("robot", embodiment_names())
def test_files_alone_make_an_environment(eighth: Path, robot: str) -> None:
    task, embodiment = load_task(eighth), load_embodiment(robot)
    env = make_env(eighth, robot, 4, EnvCfg(start=StartCfg(pool=20)))
    obs = env.reset(0)
    assert Inspector(task, embodiment, STANDARD).wrong(env.now.state) == [""] * 4
    assert env.cfg.reward == EnvCfg().reward
    for _ in range(10):
        obs, reward, *_ = env.step(np.zeros((4, env.num_actions)))
    assert np.isfinite(obs["actor"]).all() and (reward > 0.3).all()
    assert valid_share(task, embodiment, STANDARD, 100, 1) == 1.0


@pytest.mark.requirement("H46")
def test_a_left_hand_gets_a_left_robot(eighth: Path) -> None:
    right = load_task(eighth)
    mirror = np.array([1.0, -1.0, 1.0])
    reference = right.reference.wxyz_xyz_world_object * [1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0]
    keypoints = right.reference.Ts_world_object[0].apply(right.p_object_keypoints) * mirror
    bodies = tuple(
        body.replace(wxyz_xyz_world_body=body.wxyz_xyz_world_body * [1, -1, 1, -1, 1, -1, 1])
        for body in right.scene.bodies
    )
    left = make_task(
        right.reference.replace(wxyz_xyz_world_object=reference),
        HandPose(side="left", p_world_keypoints=keypoints, confidence=np.ones(21)),
        right.scene.replace(bodies=bodies),
        right.object,
        name="tin_slide_left",
    )
    env = make_env(left, "iiwa14_allegro", 4, EnvCfg(start=StartCfg(pool=20)))
    env.reset(0)
    assert env.embodiment.side == "left"
    assert not env.engine.penetration().any()


# ── what is not there ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_unknown_names_are_answered_with_the_known_ones(eighth: Path) -> None:
    with pytest.raises(SchemaError, match=r"no task 'tin_slide'\. Give one of pitcher_pour"):
        make_env("tin_slide")
    with pytest.raises(H2S2RError, match=r"iiwa14_allegro.*iiwa14_leap.*iiwa14_umi"):
        make_env(eighth, "iiwa14_shadow")
    with pytest.raises(EngineError, match=r"no engine 'bullet'; there are: mujoco"):
        make_env(eighth, num_envs=2, cfg=EnvCfg(engine="bullet"))
    with pytest.raises(EngineError, match="num_envs 0"):
        make_env(eighth, num_envs=0)
    with pytest.raises(SchemaError, match=r"substeps a policy step; it must be a whole number, as 8 for 15 Hz"):
        EnvCfg(control_hz=16.0)


@pytest.mark.requirement("H11")
def test_a_start_out_of_reach_names_the_distance_and_what_to_do(eighth: Path) -> None:
    near = load_task(eighth)
    away = SE3.from_parts(np.eye(4)[0], np.array([0.5, 0.0, 0.0]))
    far = replace(
        near, reference=near.reference.replace(wxyz_xyz_world_object=(away @ near.reference.Ts_world_object).wxyz_xyz)
    )
    with pytest.raises(H2S2RError, match=r"misses the palm by \d+ mm .* Move the demonstration nearer"):
        make_env(far, num_envs=2).reset(0)
