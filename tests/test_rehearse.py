"""A policy in its own process drives the emulated cell, and is judged as in evaluation.

In:  a policy that nobody trained.   Out: the same episode from the same seed, nothing refused; the verdicts of evaluation.
Not here: how often a trained policy succeeds (h2s2r bench chain).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from h2s2r.rehearsal import RehearsalCfg, Rehearsed, rehearse
from h2s2r.rehearsal.config import can_be_emulated, server_cfg
from h2s2r.rehearsal.judge import Judge
from h2s2r.rehearsal.tracker import turns_alike, view_of
from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_rl.evaluate import env_cfg_of
from h2s2r_rl.policy import NETWORK, SPEC, TASK
from h2s2r_schemas.artifacts import FAILURE_KINDS, PolicySpec, Rollout, TaskSpec
from h2s2r_schemas.codec import encode, load, save
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.config import EnvCfg, for_evaluation
from h2s2r_sim.demonstrate.stage import color_camera
from h2s2r_sim.env.make import make_env
from h2s2r_sim.env.start.clear import clear_start
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.task import load_task

ALLEGRO = load_embodiment("iiwa14_allegro")


@pytest.fixture(scope="module")
def task() -> TaskSpec:
    # With the robot's pose found already, as the chain has it: each process would else search for it.
    return clear_start(load_task("snackbox_push"), ALLEGRO).task


@pytest.fixture(scope="module")
def exported(task: TaskSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy that moves the palm on, always the same way: what training would leave, without a training."""
    folder = tmp_path_factory.mktemp("exported")
    env = make_env(task, ALLEGRO, 1, EnvCfg(start=StartCfg(pool=1), num_threads=1))
    env.reset(0)
    size = sum(term.size for term in env.obs_layout)
    wanted = np.zeros((1, env.num_actions), np.float32)
    wanted[0, 0] = 0.2
    helper, floats = onnx.helper, onnx.TensorProto.FLOAT
    constants = [
        onnx.numpy_helper.from_array(np.zeros((size, env.num_actions), np.float32), "weight"),
        onnx.numpy_helper.from_array(wanted, "wanted"),
    ]
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["obs", "weight"], ["none"]),
            helper.make_node("Add", ["none", "wanted"], ["actions"]),
        ],
        "constant",
        [helper.make_tensor_value_info("obs", floats, ["N", size])],
        [helper.make_tensor_value_info("actions", floats, ["N", env.num_actions])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    network = model.SerializeToString()
    spec = PolicySpec(
        name="constant",
        task_name=task.name,
        task_hash=hashlib.sha256(encode(task)).hexdigest(),
        robot_name=ALLEGRO.name,
        robot_hash=env.robot.hash(),
        joint_names=env.robot.joint_names,
        control_hz=env.cfg.control_hz,
        obs_layout=env.obs_layout,
        obs_mean=np.zeros(size),
        obs_std=np.ones(size),
        obs_clip=10.0,
        num_actions=env.num_actions,
        action_map=env.actions.as_data(),
        goal_clock=env.cfg.goal.as_data(),
        onnx_sha256=hashlib.sha256(network).hexdigest(),
    )
    save(spec, folder / SPEC)
    save(task, folder / TASK)
    (folder / NETWORK).write_bytes(network)
    return folder


@pytest.fixture(scope="module")
def found(exported: Path) -> Rehearsed:
    return rehearse(exported, "iiwa14_allegro", RehearsalCfg(episodes=1, seed=3_000_000))


@pytest.mark.requirement("H28")
def test_the_policy_drives_the_emulated_robot(found: Rehearsed, task: TaskSpec) -> None:
    (episode,) = found.episodes
    assert episode.stopped == "" and episode.faults == ()
    assert not episode.success and episode.failure in FAILURE_KINDS
    steps = int(np.ceil(task.reference.duration * 15 - 1e-6)) + 8
    # One command to stand, then one for each step; none of them refused, though each went over an encrypted socket.
    assert episode.counters["accepted"] == steps + 1 and len(episode.thinking) == steps + 1
    record = found.record()
    assert record["what"] == "zero-shot to the emulated robot"
    assert record["commands_refused"] == {} and record["server_faults"] == {}
    assert (record["success"], record["episodes"], record["failures"]) == (0.0, 1, {episode.failure: 1})
    states = episode.states
    assert states is not None and states.dt == pytest.approx(1 / 15, abs=1e-6)
    # It went where the policy wanted: along the world's x.
    first, last = (ALLEGRO.chain.forward(states.joint_pos[row])[0].translation for row in (0, -1))
    assert last[0] - first[0] > 0.05


def test_the_same_seed_gives_the_same_episode(exported: Path, found: Rehearsed) -> None:
    again = rehearse(exported, "iiwa14_allegro", found.cfg).episodes[0]
    before = found.episodes[0]
    assert again.states is not None and before.states is not None
    assert np.array_equal(again.states.joint_pos, before.states.joint_pos)
    assert np.array_equal(again.states.wxyz_xyz_world_object, before.states.wxyz_xyz_world_object)
    assert again.counters == before.counters


def rollout_of(path_length: int, duration: float, time: np.ndarray) -> Rollout:
    """Rows of a run that saw everything as it was."""
    rows = len(time)
    return Rollout(
        task_name="any",
        policy_hash="",
        robot_hash="any",
        joint_names=("one",),
        emulated=True,
        seed=None,
        time=time,
        obs=np.zeros((rows, 1), np.float32),
        action=np.zeros((rows, 1), np.float32),
        joint_pos=np.zeros((rows, 1)),
        joint_pos_target=np.zeros((rows, 1)),
        wxyz_xyz_world_object=np.tile([1.0, 0, 0, 0, 0, 0, 0], (rows, 1)),
        object_age=np.zeros(rows),
        wxyz_xyz_world_goal=np.tile([1.0, 0, 0, 0, 0, 0, 0], (rows, 1)),
        goal_time=np.minimum(np.minimum(np.arange(rows), path_length) / 15, duration),
    )


def test_it_is_judged_as_in_evaluation(exported: Path, task: TaskSpec) -> None:
    """The same states give the same verdict as an environment of evaluation gives, success and failures."""
    spec = load(exported / SPEC, PolicySpec)
    judge = Judge(spec, task, ALLEGRO)
    last = judge.path.last
    time = 5.0 + np.arange(last + 9) / 15
    rollout = rollout_of(last, task.reference.duration, time)
    on_reference = judge.path.reference.wxyz_xyz_world_object[np.minimum(np.arange(len(time)), last)]
    assert task.robot_pose is not None
    joint_pos = np.tile(task.robot_pose.joint_pos, (len(time), 1))
    followed = judge.judge(rollout, joint_pos, on_reference)
    assert followed.success and followed.failure == "" and followed.position_error < 1e-9
    resting = judge.judge(rollout, joint_pos, np.repeat(on_reference[:1], len(time), 0))
    assert not resting.success and resting.failure == "missed"
    late = on_reference.copy()
    late[last + 7, 4] += 0.04
    assert not judge.judge(rollout, joint_pos, late).success
    fallen = on_reference.copy()
    fallen[10:, 6] -= 0.5
    assert judge.judge(rollout, joint_pos, fallen).failure == "out_of_workspace"
    # Stopped half way: neither a success nor a failure by kind.
    half = rollout_of(last, task.reference.duration, time[:20])
    assert judge.judge(half, joint_pos[:20], on_reference[:20]).success is False
    assert judge.judge(half, joint_pos[:20], on_reference[:20]).failure == ""


def test_the_judge_and_an_environment_agree(exported: Path, task: TaskSpec) -> None:
    spec = load(exported / SPEC, PolicySpec)
    cfg = replace(for_evaluation(env_cfg_of(spec)), start=StartCfg(pool=1), num_threads=1)
    env = make_env(task, ALLEGRO, 1, cfg)
    env.reset(5)
    joint_pos, poses = [env.now.state.joint_pos[0]], [env.now.state.wxyz_xyz_world_object[0]]
    while True:
        _, _, terminated, truncated, extras = env.step(np.full((1, env.num_actions), 0.1))
        poses.append(extras["wxyz_xyz_world_object"][0])
        if (terminated | truncated)[0]:
            break
        joint_pos.append(env.now.state.joint_pos[0])
    joint_pos.append(joint_pos[-1])
    judge = Judge(spec, task, ALLEGRO)
    rollout = rollout_of(judge.path.last, task.reference.duration, np.arange(len(poses)) / 15)
    verdict = judge.judge(rollout, np.array(joint_pos), np.array(poses))
    assert verdict.success == bool(extras["success"][0])
    assert verdict.failure == (FAILURE_KINDS[extras["failure"][0]] if terminated[0] else "")
    assert verdict.position_error == pytest.approx(float(extras["position_error"][0]))


def test_the_emulated_camera_sees_all_that_the_object_does(task: TaskSpec) -> None:
    camera, T_world_camera = color_camera(640, 480), view_of(task, ALLEGRO)
    for T_world_object in (task.reference.Ts_world_object[at] for at in range(0, len(task.reference.time), 10)):
        x, y, z = T_world_camera.inv().apply(T_world_object.apply(task.anchor_points)).T
        column, row = camera.fx * x / z + camera.cx, camera.fy * y / z + camera.cy
        assert (column > 0).all() and (column < 639).all() and (row > 0).all() and (row < 479).all()
        assert (z > 0.4).all()
    # Across the object from the hand, and over the table.
    assert task.robot_pose is not None
    middle = task.reference.Ts_world_object[0].translation
    to_hand = (task.robot_pose.T_world_palm.translation - middle)[:2]
    assert to_hand @ (T_world_camera.translation - middle)[:2] < 0.0 and T_world_camera.translation[2] > 0.3


def test_a_box_looks_the_same_by_half_turns_and_a_pitcher_does_not(task: TaskSpec) -> None:
    box = turns_alike(task.object)
    assert len(box) == 4
    corner = np.array([0.105, 0.08, 0.03])
    assert sorted(tuple(np.round(T_object_turned.apply(corner), 6)) for T_object_turned in box) == sorted(
        tuple(np.array(signs) * corner) for signs in ((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))
    )
    assert len(turns_alike(load_task("pitcher_pour").object)) < 4


def test_what_cannot_be_is_said() -> None:
    assert can_be_emulated(ALLEGRO) == "" and can_be_emulated(load_embodiment("iiwa14_allegro", "left")) == ""
    assert "Allegro hand" in can_be_emulated(load_embodiment("iiwa14_leap"))
    with pytest.raises(SchemaError, match="at least 1"):
        RehearsalCfg(episodes=0)
    with pytest.raises(SchemaError, match="standard"):
        RehearsalCfg(noise="loud")


def test_the_server_has_the_gains_that_the_policy_knows() -> None:
    hand = server_cfg(ALLEGRO).hand
    assert hand.kp == (1.0,) * 16 and hand.kd == (0.1,) * 16
