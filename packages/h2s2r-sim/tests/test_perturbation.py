"""What is drawn has the statistics that the list says, is drawn once where it says once, and is off exactly when off."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3, quaternions
from h2s2r_sim.engine import PhysicalParameters
from h2s2r_sim.env.actuation import Actuation
from h2s2r_sim.env.camera import ObjectCamera
from h2s2r_sim.mdp import events
from h2s2r_sim.perturbation import CAUSES, NONE, PAPER, PHYSICS, STANDARD, Perturbation, level, only

ROBOT = load_embodiment("iiwa14_umi").spec()
GRAVITY = np.array([0.0, 0.0, -9.81])
COUNT = 4000
DT = 1.0 / 15.0
DEG = np.pi / 180.0


def uniform(values: np.ndarray, bound: float, middle: float = 0.0) -> None:
    """Evenly within ± bound: extremes, mean and standard deviation."""
    values = np.asarray(values).ravel() - middle
    assert np.abs(values).max() <= bound + 1e-12
    assert np.abs(values).max() > 0.97 * bound
    assert abs(values.mean()) < 0.05 * bound
    assert values.std() == pytest.approx(bound / np.sqrt(3.0), rel=0.05)


def test_standard_and_paper_are_those_of_the_design() -> None:
    assert (STANDARD.start_position, STANDARD.start_yaw, STANDARD.start_joints) == (0.05, 15 * DEG, 2 * DEG)
    assert (STANDARD.position_noise, STANDARD.rotation_noise) == (0.01, 5 * DEG)
    assert (STANDARD.position_bias, STANDARD.rotation_bias) == (0.01, 4 * DEG)
    assert (STANDARD.outliers, STANDARD.camera_hz, STANDARD.camera_delay) == (0.02, 15.0, 0.06)
    assert (STANDARD.friction, STANDARD.mass, STANDARD.gravity, STANDARD.gains) == (0.3, 0.3, 0.1, 0.1)
    assert STANDARD.push_probability > 0.0 < STANDARD.push_acceleration
    assert (PAPER.start_position, PAPER.start_yaw) == (0.10, 20 * DEG)
    assert (
        (PAPER.position_noise, PAPER.rotation_noise) == (PAPER.position_bias, PAPER.rotation_bias) == (0.02, 15 * DEG)
    )
    assert PAPER.outliers == 0.1
    assert all(
        getattr(PAPER, name) == 0.3
        for name in ("friction", "mass", "size", "gravity_noise", "gains", "effort", "armature")
    )
    assert level("standard") is STANDARD
    with pytest.raises(SchemaError, match="none, standard, paper"):
        level("narrow")


def test_severities_are_checked_and_named() -> None:
    with pytest.raises(SchemaError, match="at least 0"):
        Perturbation(mass=-0.1)
    with pytest.raises(SchemaError, match="below 1"):
        Perturbation(friction=1.5)
    with pytest.raises(SchemaError, match="no cause wind"):
        NONE.replace(wind=1.0)
    assert set(PHYSICS) <= set(CAUSES)
    assert only("mass", 0.2) == Perturbation(mass=0.2, fixed=True)


def draw(cfg: Perturbation, count: int = COUNT, seed: int = 0) -> PhysicalParameters:
    return events.draw_physics(np.random.default_rng(seed), cfg, count, ROBOT, GRAVITY)


@pytest.mark.requirement("H20")
def test_physics_has_the_statistics_of_the_list() -> None:
    cfg = Perturbation(
        friction=0.3, mass=0.3, inertia=0.2, com=0.01, gravity=0.1, gains=0.2, effort=0.3, armature=0.25,
        joint_friction=0.02, stiction=0.03, payload=0.5,
    )  # fmt: skip
    drawn = draw(cfg)
    for name, bound in (("object_friction", 0.3), ("robot_friction", 0.3), ("scene_friction", 0.3), ("object_mass", 0.3),
                        ("object_inertia", 0.2), ("armature", 0.25)):  # fmt: skip
        uniform(getattr(drawn, name), bound, 1.0)
    uniform(drawn.object_com, 0.01)
    uniform(events.draw_size(np.random.default_rng(0), Perturbation(size=0.1), COUNT), 0.1, 1.0)
    uniform(drawn.gravity[:, 2], 0.981)
    assert not drawn.gravity[:, :2].any()
    middle = 0.5 * (np.log(0.8) + np.log(1.2))
    for name in ("stiffness", "damping"):
        uniform(np.log(getattr(drawn, name)), 0.5 * (np.log(1.2) - np.log(0.8)), middle)
    uniform(drawn.joint_friction / ROBOT.torque_limit, 0.01, 0.01)
    uniform(drawn.stiction / ROBOT.torque_limit, 0.015, 0.015)
    uniform(drawn.payload, 0.25, 0.25)
    # Independent of each other, and of one joint to the next.
    for a, b in ((drawn.object_friction, drawn.robot_friction), (drawn.object_mass, drawn.object_friction),
                 (drawn.stiffness[:, 0], drawn.stiffness[:, 1]), (drawn.stiffness[:, 0], drawn.damping[:, 0])):  # fmt: skip
        assert abs(np.corrcoef(a, b)[0, 1]) < 0.06


def test_gravity_noise_is_normal_on_each_axis() -> None:
    pull = draw(Perturbation(gravity_noise=0.3)).gravity
    assert pull.mean(0) == pytest.approx(np.zeros(3), abs=0.02)
    assert pull.std(0) == pytest.approx(np.full(3, 0.3), rel=0.05)


def test_nothing_drawn_is_nominal_exactly() -> None:
    drawn, nominal = draw(NONE, 5), PhysicalParameters.nominal(5, len(ROBOT.joint_names))
    assert all(np.array_equal(getattr(drawn, each.name), getattr(nominal, each.name)) for each in fields(drawn))
    signals = events.draw_signals(np.random.default_rng(0), NONE, 5, ROBOT, 7)
    assert not any(getattr(signals, each.name).any() for each in fields(signals) if each.name != "camera_phase")
    assert not NONE.changes_physics and STANDARD.changes_physics and not only("outliers", 0.1).changes_physics


def test_one_cause_at_one_severity_is_not_drawn() -> None:
    drawn = draw(only("friction", 0.3), 5)
    assert np.array_equal(drawn.object_friction, np.full(5, 1.3))
    signals = events.draw_signals(np.random.default_rng(0), only("joint_bias", 0.02), 5, ROBOT, 7)
    assert signals.joint_bias[:, :7] == pytest.approx(0.02)
    # A slide of a few centimetres is not off by two of them.
    assert (signals.joint_bias[:, 7:] <= 0.02 * (ROBOT.position_upper - ROBOT.position_lower)[7:] + 1e-12).all()


@pytest.mark.requirement("H22")
def test_pushes_come_as_often_and_as_hard_as_configured() -> None:
    rng, mass = np.random.default_rng(0), np.full(COUNT, 0.4)
    wrench = np.concatenate(
        [events.draw_pushes(rng, Perturbation(push_probability=0.05, push_acceleration=5.0), mass) for _ in range(10)]
    )
    pushed = wrench.any(-1)
    assert pushed.mean() == pytest.approx(0.05, rel=0.1)
    assert wrench[pushed, :3].std(0) == pytest.approx(np.full(3, 2.0), rel=0.06)
    assert not wrench[:, 3:].any()
    before = rng.bit_generator.state
    assert not events.draw_pushes(rng, NONE, mass).any()
    assert rng.bit_generator.state == before


# ── the camera ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def camera_of(cfg: Perturbation, count: int, seed: int = 0) -> tuple[ObjectCamera, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    start = np.repeat([[1.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.1]], count, 0)
    camera = ObjectCamera(cfg, count, DT)
    camera.reset(np.arange(count), start, events.draw_signals(rng, cfg, count, ROBOT, 7), rng)
    return camera, start, rng


def moved(start: np.ndarray, time: float) -> np.ndarray:
    """The object after moving at 0.3 m/s along x and turning at 1 rad/s about z."""
    turn = SE3.exp(np.array([0.0, 0.0, 0.0, 0.0, 0.0, time])).wxyz
    return np.concatenate([np.repeat(turn[None], len(start), 0), start[:, 4:] + (0.3 * time, 0.0, 0.0)], -1)


def test_without_noise_the_camera_shows_the_truth_exactly() -> None:
    camera, start, rng = camera_of(NONE, 3)
    before = rng.bit_generator.state
    for step in range(1, 6):
        camera.update(moved(start, step * DT), rng)
        seen, age = camera.seen()
        assert np.array_equal(seen, moved(start, step * DT))
        assert np.array_equal(age, np.zeros(3))
    assert rng.bit_generator.state["state"] == before["state"]


@pytest.mark.requirement("H21")
def test_rate_and_delay_decide_how_old_a_pose_is() -> None:
    camera, start, rng = camera_of(Perturbation(camera_hz=15.0, camera_delay=0.06), 500)
    for step in range(1, 30):
        camera.update(moved(start, step * DT), rng)
        seen, age = camera.seen()
        assert (age >= 0.06 - 1e-9).all() and (age < 0.06 + 1.0 / 15.0 + 1e-9).all()
        if step > 3:
            # It is where the object was that long ago, also between policy steps.
            assert seen[:, 4] == pytest.approx(0.5 + 0.3 * (step * DT - age), abs=1e-9)
            angle = 2.0 * np.arctan2(seen[:, 3], seen[:, 0])
            assert angle == pytest.approx(step * DT - age, abs=1e-4)
    # The camera's phase differs between episodes: ages fill the period.
    assert age.std() == pytest.approx(DT / np.sqrt(12.0), rel=0.1)


def test_a_slow_camera_holds_its_pose() -> None:
    camera, start, rng = camera_of(Perturbation(camera_hz=5.0), 1)
    kept = []
    for step in range(1, 31):
        camera.update(moved(start, step * DT), rng)
        kept.append(camera.seen()[0][0, 4])
    assert len(np.unique(kept)) == pytest.approx(10, abs=1)


@pytest.mark.requirement("H21")
def test_pose_noise_has_the_statistics_of_the_list() -> None:
    cfg = Perturbation(position_noise=0.01, rotation_noise=5 * DEG, position_bias=0.02, rotation_bias=4 * DEG)
    camera, start, rng = camera_of(cfg, 3000)
    positions, turns = [], []
    for _ in range(1, 13):
        camera.update(start, rng)
        seen, _ = camera.seen()
        positions.append(seen[:, 4:] - start[:, 4:])
        turns.append(quaternions.log(seen[:, :4]))
    position, turn = np.array(positions), np.array(turns)
    bias, white = position.mean(0), position - position.mean(0)
    assert bias.std() == pytest.approx(np.sqrt(0.02**2 / 3 + 0.01**2 / 3 / 12), rel=0.05)
    assert white.std() == pytest.approx(0.01 / np.sqrt(3.0) * np.sqrt(11 / 12), rel=0.05)
    assert np.abs(position).max() <= 0.03
    assert turn.mean(0).std() == pytest.approx(np.sqrt((4 * DEG) ** 2 / 3 + (5 * DEG) ** 2 / 3 / 12), rel=0.05)
    # White: what comes next does not depend on what came before.
    assert abs(np.corrcoef(white[0].ravel(), white[1].ravel())[0, 1] + 1 / 11) < 0.04


@pytest.mark.requirement("H21")
def test_outliers_are_as_frequent_as_configured_and_far() -> None:
    camera, start, rng = camera_of(Perturbation(outliers=0.02), 3000)
    off = []
    for _ in range(10):
        camera.update(start, rng)
        off.append(np.abs(camera.seen()[0][:, 4:] - start[:, 4:]).max(-1))
    far = np.array(off) > 0.0
    assert far.mean() == pytest.approx(0.02, rel=0.15)
    assert 0.45 < np.array(off).max() <= 0.5


@pytest.mark.requirement("H21")
def test_dropouts_keep_the_old_pose_and_its_age_grows() -> None:
    camera, start, rng = camera_of(Perturbation(dropout=0.3), 2000)
    lost = []
    for step in range(1, 20):
        camera.update(moved(start, step * DT), rng)
        seen, age = camera.seen()
        assert seen[:, 4] == pytest.approx(0.5 + 0.3 * (step * DT - age), abs=1e-9)
        lost.append(age > 1e-9)
    assert np.array(lost)[1:].mean() == pytest.approx(0.3, rel=0.05)


def test_noise_is_drawn_once_for_each_picture() -> None:
    """Looking twice shows the same, and between pictures nothing changes."""
    camera, start, rng = camera_of(Perturbation(position_noise=0.01, camera_hz=5.0), 50)
    values = []
    for _ in range(30):
        camera.update(start, rng)
        first, second = camera.seen()[0], camera.seen()[0]
        assert np.array_equal(first, second)
        values.append(first[:, 4])
    assert max(len(np.unique(each)) for each in np.array(values).T) <= 11


# ── the way to the joints ───────────────────────────────────────────────────────────────────────────────────────────────


def actuation_of(cfg: Perturbation, count: int = 4) -> Actuation:
    actuation = Actuation(cfg, count, len(ROBOT.joint_names), DT, 4)
    actuation.reset(
        np.arange(count),
        np.zeros((count, len(ROBOT.joint_names))),
        events.draw_signals(np.random.default_rng(0), cfg, count, ROBOT, 7),
    )
    return actuation


def test_targets_pass_at_once_when_nothing_is_in_the_way() -> None:
    target = np.random.default_rng(0).normal(size=(4, len(ROBOT.joint_names)))
    assert np.array_equal(actuation_of(NONE).pieces(target), target[:, None])


def test_a_delay_moves_targets_by_its_time() -> None:
    actuation = actuation_of(only("action_delay", 0.05))
    target = np.ones((4, len(ROBOT.joint_names)))
    # 0.05 s are three of the four pieces of a step of 1/15 s.
    assert actuation.pieces(target)[0, :, 0].tolist() == [0.0, 0.0, 0.0, 1.0]
    assert actuation.pieces(target)[0, :, 0].tolist() == [1.0] * 4


def test_backlash_leaves_a_gap_on_reversal() -> None:
    actuation = actuation_of(only("backlash", 0.1))
    joints = len(ROBOT.joint_names)
    up = actuation.pieces(np.full((4, joints), 1.0))[0, -1, 0]
    held = actuation.pieces(np.full((4, joints), 0.95))[0, -1, 0]
    down = actuation.pieces(np.full((4, joints), 0.0))[0, -1, 0]
    assert (up, held, down) == (pytest.approx(0.95), pytest.approx(0.95), pytest.approx(0.05))
