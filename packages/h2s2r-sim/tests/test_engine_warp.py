"""The engine on MuJoCo Warp does what the engine on MuJoCo does, to rounding.

In:  scenes, targets, parameters.   Out: states of both engines.
Not here: what parameters do (test_engine_mujoco; both engines share that code), speed.

Warp compiles its kernels when they are first used, which takes minutes: what computes is marked slow.
"""

from __future__ import annotations

import sys

import numpy as np
import pytest
from mujoco.batch import MODEL_FIELDS, Batch

from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.engine import EngineError, PhysicalParameters, StartState
from h2s2r_sim.engines import make_engine
from h2s2r_sim.engines.mujoco.parameters import WorldParameters, weightless
from h2s2r_sim.env.make import make_env
from h2s2r_sim.mdp import rewards
from h2s2r_sim.mdp.tracking import TrackedObject
from h2s2r_sim.perturbation import STANDARD
from h2s2r_sim.scene import SceneOptions, build_model
from h2s2r_sim.task import load_task

TASK = load_task("snackbox_push")
EMBODIMENT = load_embodiment("iiwa14_allegro", TASK.side)
PARITY = 1e-4
"""[rad] what two engines may differ by after two seconds without contact."""


@pytest.fixture(scope="module")
def scene():
    return build_model(TASK, EMBODIMENT, SceneOptions(visuals=False))


@pytest.fixture
def warp():
    return pytest.importorskip("warp")


def pair(scene, num_envs, device="cpu"):
    return make_engine("mujoco", scene, num_envs, 8, 1), make_engine(f"warp:{device}", scene, num_envs, 8, 1)


def at_home(num_envs):
    joint_pos = np.repeat(EMBODIMENT.home[None], num_envs, 0)
    return StartState(joint_pos, np.repeat(TASK.reference.wxyz_xyz_world_object[:1], num_envs, 0))


def drawn(num_envs):
    """Parameters that differ from the model in every way."""
    rng, joints = np.random.default_rng(0), len(EMBODIMENT.joint_names)
    nominal = PhysicalParameters.nominal(num_envs, joints)
    for name, value in vars(nominal).items():
        factor = 1.0 if np.all(value == 1.0) else 0.0
        spread = {"stiction": 0.02, "joint_friction": 0.02, "object_com": 0.005, "payload": 0.2, "gravity": 0.5}
        shape = rng.uniform(0.0 if factor == 0.0 else -1.0, 1.0, value.shape)
        value[:] = factor + spread.get(name, 0.1) * shape
    return nominal


def wave(step, num_envs):
    """Targets of a motion in which nothing touches: every joint swings, the fingers inwards."""
    start = at_home(num_envs).joint_pos
    amplitude = np.where(np.arange(start.shape[1]) < 7, 0.25, 0.1)
    amplitude = amplitude * np.linspace(0.5, 1.0, num_envs)[:, None]
    return (start + amplitude * np.sin(np.pi * step / 15.0))[:, None]


def test_without_the_library_one_error_says_what_to_install(scene, monkeypatch):
    for module in ("warp", "mujoco_warp"):
        monkeypatch.setitem(sys.modules, module, None)
    for module in [each for each in sys.modules if each.startswith("h2s2r_sim.engines.warp")]:
        monkeypatch.delitem(sys.modules, module)
    with pytest.raises(EngineError, match=r"needs warp, which is not installed: pip install 'h2s2r-sim\[warp\]'"):
        make_engine("warp", scene, 1, 8)


def test_an_unknown_engine_is_answered_with_those_there_are(scene):
    for name in ("isaac", "mujoco:cuda"):
        with pytest.raises(EngineError, match=f"no engine '{name}'; there are: mujoco, warp"):
            make_engine(name, scene, 1, 8)


def test_a_gpu_that_is_not_there_is_one_error(scene, warp):
    if warp.get_cuda_device_count():
        pytest.skip("there is a GPU here")
    with pytest.raises(EngineError, match=r"no CUDA device here\. Use engine 'mujoco'"):
        make_env(TASK, EMBODIMENT, 1, EnvCfg(engine="warp"))
    with pytest.raises(EngineError, match="no device 'tpu' for engine 'warp'; there are: cpu"):
        make_engine("warp:tpu", scene, 1, 8)


def test_everything_that_parameters_change_goes_to_the_device(scene, warp):
    from h2s2r_sim.engines.warp.fields import ELSEWHERE, FIELDS

    batch = Batch(weightless(scene.model), 2, 1)
    parameters = WorldParameters(scene, batch)
    parameters.write(np.arange(2), parameters.prepare(drawn(2)))
    changed = {name for name in MODEL_FIELDS if batch.expanded(name) is not None}
    assert {"body_mass", "body_invweight0", "geom_size", "dof_frictionloss"} <= changed
    assert changed <= {*FIELDS, *ELSEWHERE}


@pytest.mark.slow
@pytest.mark.requirement("H15")
@pytest.mark.parametrize("varied", [False, True], ids=["as modelled", "every parameter drawn"])
def test_two_seconds_without_contact_agree(scene, warp, varied):
    mujoco, other = pair(scene, 3)
    for engine in (mujoco, other):
        if varied:
            engine.set_parameters(np.arange(3), engine.prepare(drawn(3)))
        start = at_home(3)
        # So high that it falls freely all the time.
        start.wxyz_xyz_world_object[:, 6] += 40.0
        engine.reset(np.arange(3), start)
    worst = moved = 0.0
    for step in range(30):
        states = [engine.step(wave(step, 3), np.zeros((3, 6))) for engine in (mujoco, other)]
        worst = max(worst, float(np.abs(states[0].joint_pos - states[1].joint_pos).max()))
        moved = max(moved, float(np.abs(states[0].joint_pos - EMBODIMENT.home).max()))
        assert not states[1].unstable.any()
        assert (mujoco.penetration() == 0.0).all()
        assert (other.penetration() == 0.0).all()
    assert moved > 0.1
    assert worst < PARITY
    assert np.allclose(states[0].wxyz_xyz_world_object, states[1].wxyz_xyz_world_object, atol=1e-4)
    if varied:
        assert np.ptp(states[0].wxyz_xyz_world_object[:, 6]) > 0.1


@pytest.mark.slow
def test_equal_states_earn_equal_rewards(scene, warp):
    tracked = TrackedObject.of(TASK)
    T_world_goal = SE3(TASK.reference.wxyz_xyz_world_object[::20])
    goals = tracked.placed(T_world_goal).p_world_anchors
    rng = np.random.default_rng(1)
    shift = SE3.exp(0.05 * rng.standard_normal((len(T_world_goal), 6)))
    start = StartState(np.repeat(EMBODIMENT.home[None], len(T_world_goal), 0), (T_world_goal @ shift).wxyz_xyz)
    paid = []
    for engine in pair(scene, len(T_world_goal)):
        engine.reset(np.arange(len(T_world_goal)), start)
        anchors = tracked.placed(SE3(engine.state().wxyz_xyz_world_object)).p_world_anchors
        paid.append(rewards.tracking(np.linalg.norm(anchors - goals, axis=-1).mean(-1), EnvCfg().reward.alpha))
    assert np.abs(paid[0] - paid[1]).max() < 1e-6
    assert np.ptp(paid[0]) > 0.1


@pytest.mark.slow
def test_the_environment_runs_on_it_with_noise_and_the_same_seed_gives_the_same_bytes(warp):
    env = make_env(TASK, EMBODIMENT, 4, EnvCfg(engine="warp:cpu", perturbation=STANDARD))
    runs = []
    for _ in range(2):
        obs = env.reset(5)
        rng = np.random.default_rng(0)
        for _ in range(12):
            obs, reward, *_ = env.step(rng.uniform(-1.0, 1.0, (4, env.num_actions)))
        runs.append((obs["critic"].tobytes(), reward.tobytes()))
    assert runs[0] == runs[1]
    assert np.isfinite(obs["critic"]).all()


@pytest.mark.slow
def test_what_was_saved_can_be_gone_on_with(scene, warp):
    engine = make_engine("warp:cpu", scene, 2, 8, 1)
    engine.reset(np.arange(2), at_home(2))
    for step in range(5):
        engine.step(wave(step, 2), np.zeros((2, 6)))
    kept = engine.save(np.array([1]))
    after = engine.step(wave(5, 2), np.zeros((2, 6)))
    engine.restore(np.array([1]), kept)
    again = engine.step(wave(5, 2), np.zeros((2, 6)))
    assert np.array_equal(after.joint_pos[1], again.joint_pos[1])
    assert not np.array_equal(after.joint_pos[0], again.joint_pos[0])


@pytest.mark.slow
def test_contacts_and_explosions_are_seen(scene, warp):
    engine = make_engine("warp:cpu", scene, 2, 8, 1)
    start = at_home(2)
    start.wxyz_xyz_world_object[1, 6] -= 0.004
    engine.reset(np.arange(2), start)
    depth = engine.penetration()
    assert depth[0] < 1e-3
    assert 0.003 < depth[1] < 0.0045
    push = np.zeros((2, 6))
    push[1, 2] = 1e7
    state = engine.step(start.joint_pos[:, None], push)
    assert state.unstable.tolist() == [False, True]
    assert np.isfinite(state.wxyz_xyz_world_object).all()


@pytest.mark.gpu
def test_a_gpu_agrees_with_the_cpu(scene, warp):
    mujoco, other = pair(scene, 64, device="cuda")
    for engine in (mujoco, other):
        engine.set_parameters(np.arange(64), engine.prepare(drawn(64)))
        engine.reset(np.arange(64), at_home(64))
    for step in range(30):
        states = [engine.step(wave(step, 64), np.zeros((64, 6))) for engine in (mujoco, other)]
    assert np.abs(states[0].joint_pos - states[1].joint_pos).max() < PARITY
