"""What differs between cells acts in the environment as declared: drawn once, told afterwards, off exactly when off.

In:  perturbations, seeds.   Out: equal bytes where they must be equal, differences where something is drawn.
Not here: the statistics of single draws (test_perturbation), what parameters do to physics (test_engine_mujoco).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from h2s2r_sim.config import EnvCfg
from h2s2r_sim.env.environment import Environment
from h2s2r_sim.env.make import make_env
from h2s2r_sim.env.start.archive import ArchiveCfg
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.perturbation import CAUSES, NONE, PAPER, STANDARD, Perturbation, only

N = 6
#: A severity of each cause that acts within a few steps.
SEVERITIES = dict.fromkeys(CAUSES, 0.3) | {
    "com": 0.02, "joint_friction": 0.02, "stiction": 0.05, "backlash": 0.02, "position_noise": 0.01, "position_bias": 0.01,
    "camera_hz": 7.0, "camera_delay": 0.05, "joint_noise": 0.01, "joint_bias": 0.01, "action_delay": 0.05,
    "size": 0.1, "start_position": 0.03, "start_yaw": 0.2, "start_joints": 0.02, "gravity_noise": 1.0,
}  # fmt: skip


def env_of(perturbation: Perturbation, threads: int = 2, **cfg: object) -> Environment:
    base = EnvCfg(perturbation=perturbation, start=StartCfg(pool=20), num_threads=threads)
    return make_env("snackbox_push", num_envs=N, cfg=replace(base, **cfg))  # type: ignore[arg-type]


def flat(record: Mapping[str, object]) -> bytes:
    """All arrays of nested mappings as bytes."""
    return b"".join(
        flat(each) if isinstance(each, Mapping) else np.ascontiguousarray(each).tobytes() for each in record.values()
    )


def rollout(env: Environment, seed: int = 0, steps: int = 25) -> bytes:
    """Everything an environment returns under actions that press the hand against the object."""
    out, rng = flat(env.reset(seed)), np.random.default_rng(11)
    for _ in range(steps):
        action = rng.uniform(-1.0, 1.0, (N, env.num_actions))
        action[:, 1] = 0.5
        obs, reward, terminated, truncated, extras = env.step(action)
        out += flat(obs) + flat({"reward": reward, "terminated": terminated, "truncated": truncated}) + flat(extras)
    return out


def test_the_same_seed_gives_the_same_bytes_whatever_the_threads() -> None:
    busy = {"archive": ArchiveCfg(share=0.5)}
    first = rollout(env_of(PAPER, 1, **busy), steps=60)
    assert first == rollout(env_of(PAPER, 1, **busy), steps=60)
    assert first == rollout(env_of(PAPER, 2, **busy), steps=60)
    assert first != rollout(env_of(PAPER, 1, **busy), seed=1, steps=60)


@pytest.mark.requirement("H20")
def test_off_is_off_exactly() -> None:
    """Any cause at severity 0 beside others that act, and all causes at 0, change no byte."""
    assert rollout(env_of(NONE)) == rollout(env_of(Perturbation(**dict.fromkeys(CAUSES, 0.0))))
    env = env_of(NONE)
    rollout(env)
    drawn = env.episodes.drawn()
    for name, values in drawn.items():
        if name != "camera_phase":
            nominal = float(name.startswith(("object_f", "robot_f", "scene_f", "object_m", "object_i", "object_s"))
                            or name in ("stiffness", "damping", "effort", "armature"))  # fmt: skip
            assert (values == nominal).all(), name


def test_no_computation_divides_by_nothing_or_overflows() -> None:
    # Centre of mass and size together: bounding volumes are turned and shifted.
    with np.errstate(divide="raise", invalid="raise", over="raise"):
        rollout(env_of(PAPER.replace(com=0.02)))


@pytest.mark.requirement("H42")
def test_without_randomisation_every_episode_is_the_same() -> None:
    env = env_of(NONE)
    env.reset(0)
    for _ in range(10):
        obs, reward, *_ = env.step(np.full((N, env.num_actions), 0.3))
    assert all((values == values[:1]).all() for values in (obs["actor"], obs["critic"], reward))


@pytest.fixture(scope="module")
def undisturbed() -> bytes:
    return rollout(env_of(NONE), steps=8)


@pytest.mark.parametrize("cause", CAUSES)
def test_every_cause_reaches_the_simulation(cause: str, undisturbed: bytes) -> None:
    """None of them is a name that nothing listens to."""
    if cause.startswith("push_"):
        severe = Perturbation(push_probability=0.5, push_acceleration=20.0)
    elif cause.startswith("start_"):
        # Where episodes start is drawn even where all else acts with its exact severity.
        severe = Perturbation(**{cause: SEVERITIES[cause]})
    else:
        severe = only(cause, SEVERITIES[cause])
    assert rollout(env_of(severe), steps=8) != undisturbed


@pytest.mark.requirement("H20")
def test_what_was_drawn_is_told_of_every_episode() -> None:
    env = env_of(PAPER)
    env.reset(0)
    before, action = env.episodes.drawn(), np.zeros((N, env.num_actions))
    # Up and away: every episode ends.
    action[:, 2] = 1.0
    told: dict[int, dict[str, np.ndarray]] = {}
    for _ in range(150):
        *_, terminated, truncated, extras = env.step(action)
        ended = np.flatnonzero(terminated | truncated)
        assert ("drawn" in extras) == bool(len(ended))
        for index in ended:
            told.setdefault(int(index), {name: values[index] for name, values in extras["drawn"].items()})
        if len(told) == N:
            break
    assert len(told) == N
    for index, drawn in told.items():
        assert all(np.array_equal(drawn[name], before[name][index]) for name in before)
    assert len(np.unique(before["object_friction"])) == N
    # New episodes have draws of their own.
    assert not np.array_equal(env.episodes.drawn()["object_friction"], before["object_friction"])


@pytest.mark.requirement("H21")
def test_noise_is_drawn_once_a_step_and_everything_sees_the_same() -> None:
    """The measured joints that the policy sees are those its action starts from, however often they are looked at."""
    env = env_of(Perturbation(joint_noise=0.02, position_noise=0.02))
    env.reset(0)
    for _ in range(3):
        env.step(np.zeros((N, env.num_actions)))
    state = env.beginnings.rng.bit_generator.state
    first, second = (env.episodes.observe(slice(None)) for _ in range(2))
    assert flat(first) == flat(second)
    assert env.beginnings.rng.bit_generator.state == state
    robot, names = env.robot, [term.name for term in env.obs_layout]
    assert names[0] == "joint_pos"
    span = 0.5 * (robot.position_upper - robot.position_lower)
    measured = first["actor"][:, : len(span)] * span + 0.5 * (robot.position_upper + robot.position_lower)
    assert np.allclose(measured, env.episodes.sensors.joint_pos, atol=1e-5)
    assert np.abs(measured - env.now.state.joint_pos).max() > 0.02


def test_the_critic_sees_the_truth_and_the_actor_does_not() -> None:
    env = env_of(STANDARD)
    env.reset(0)
    for _ in range(5):
        obs, *_ = env.step(np.zeros((N, env.num_actions)))
    sizes = [term.size for term in env.obs_layout]
    at = sum(sizes[: [term.name for term in env.obs_layout].index("object_pose")])
    seen = obs["actor"][:, at : at + 3]
    true = env.now.state.wxyz_xyz_world_object[:, 4:]
    assert 1e-3 < np.abs(seen - true).max() < 0.05
    windows = np.lib.stride_tricks.sliding_window_view(obs["critic"], 3, axis=1)
    assert (np.abs(windows - true[:, None].astype(np.float32)).max(-1) < 1e-6).any(1).all()
