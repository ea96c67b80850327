"""MuJoCo behind the emulated wires: arm and fingers move as physics says, and differ from the model as was asked.

In:  clients that are not ours, in lock-step.   Out: positions on the wire beside those a second-order system has.
Not here: wires alone (test_cabinet, test_hand), MuJoCo itself.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from client_for_tests import sine
from rig_for_tests import SECOND, quick, run_cell

from h2s2r_hw.drivers.allegro import V4, encode_torques, servo_on
from h2s2r_hw.emulators.cabinet import CabinetCfg
from h2s2r_hw.emulators.faults import FaultPlan
from h2s2r_hw.emulators.hand import Hand, HandCfg

mujoco = pytest.importorskip("mujoco", reason="the twin needs the extra `emulator`")
pytest.importorskip("h2s2r_sim", reason="the twin needs the extra `emulator`")

from h2s2r_hw.emulators.cast import cast_twin, parse_perturbation  # noqa: E402
from h2s2r_hw.emulators.sight import Sight  # noqa: E402
from h2s2r_hw.emulators.twin import Twin  # noqa: E402
from h2s2r_schemas.errors import SchemaError  # noqa: E402

AMPLITUDE, HZ, JOINT = 0.1, 1.0, 3
FIST = [0.0, 1.2, 1.2, 1.0] * 3 + [0.7, 0.3, 0.3, 0.3]
OPEN = [0.0, 0.1, 0.1, 0.1] * 3 + [0.6, 0.1, 0.1, 0.1]


def twin(perturb="none", seed=0) -> Twin:
    return cast_twin("snackbox_push", "iiwa14_allegro", "right", "default", perturb, seed)[0]


def response(plant: Twin) -> tuple[float, complex]:
    """Of the joint's position to its target: spring and damper of the controller, inertia from MuJoCo's mass matrix."""
    model, data = plant.model, plant.data
    inertia = np.zeros((model.nv, model.nv))
    mujoco.mj_fullM(model, data, inertia)
    index = plant.spec.joint_names.index(f"iiwa14_joint_{JOINT + 1}")
    actuator, dof = plant.scene.actuators[index], plant.scene.joint_dofs[index]
    kp, kd = model.actuator_gainprm[actuator, 0], -model.actuator_biasprm[actuator, 2]
    omega = 2 * math.pi * HZ
    return kp, 1.0 / complex(kp - inertia[dof, dof] * omega**2, kd * omega)


def measured_response(run, start: float, end: float) -> complex:
    """Amplitude and phase at the sine's frequency of what the cabinet measured, as a complex number."""
    begins = next(now_ns for now_ns, m in run.fri.messages if m.connectionInfo.sessionState == 4)
    pairs = [(now_ns, m) for now_ns, m in run.fri.messages if begins + start * SECOND <= now_ns < begins + end * SECOND]
    times = np.array([(now_ns - begins) * 1e-9 for now_ns, _ in pairs])
    positions = np.array([m.monitorData.measuredJointPosition.value[JOINT] for _, m in pairs])
    waves = np.stack([np.sin(2 * np.pi * HZ * times), np.cos(2 * np.pi * HZ * times), np.ones_like(times)], -1)
    (in_phase, ahead, _), residual, *_ = np.linalg.lstsq(waves, positions, rcond=None)
    assert math.sqrt(residual[0] / len(times)) < 2e-3  # a sine and nothing else
    return complex(in_phase, ahead)


@pytest.mark.requirement("H26")
@pytest.mark.parametrize("version", ["1.15", "2.7"])
@pytest.mark.parametrize("mode", ["position", "torque"])
def test_the_arm_follows_a_sine_as_a_spring_with_inertia_does(version, mode):
    plant = twin()
    kp, unit = response(plant)
    torque = 40.0

    def push(message, seconds):
        pushed = [0.0] * 7
        pushed[JOINT] = torque * math.sin(2 * math.pi * HZ * seconds)
        return [0.0] * 7, pushed

    behaviour, expected = (
        (push, torque * unit) if mode == "torque" else (sine(JOINT, AMPLITUDE, HZ), AMPLITUDE * kp * unit)
    )
    cabinet = quick(CabinetCfg(version=version, mode=mode, active_time=2.0))
    run = run_cell(2.5, cabinet, plant=plant, fri={"behaviour": behaviour})
    assert run.fri.states == [1, 2, 3, 4, 0] and run.codes == ["motion_done"]
    assert run.cell.cabinet.protocol_errors == 0 and run.fri.undecodable == []
    assert run.fri.mirrored and all(ipo == sent for ipo, sent in run.fri.mirrored)
    got = measured_response(run, 1.0, 2.0)
    assert abs(got) == pytest.approx(abs(expected), rel=0.05)
    assert math.degrees(np.angle(got / expected)) == pytest.approx(0.0, abs=4.0)


@pytest.mark.requirement("H27")
@pytest.mark.parametrize("version", ["v4", "v5"])
def test_the_hand_follows_a_fist_and_opens(version):
    units = {"unit": math.radians(0.088), "per_newton_metre": 1430.0} if version == "v5" else {}
    target = {"target": lambda seconds: FIST if seconds < 1.0 else OPEN}
    run = run_cell(2.0, hand=HandCfg(version=version), plant=twin(), fingers={**units, **target})
    at = {}
    for now_ns, finger, counts in run.hand.reports:
        at[finger, now_ns >= SECOND] = [count * run.hand.unit for count in counts]
    for finger in range(4):
        goal = slice(4 * finger, 4 * finger + 4)
        assert at[finger, False] == pytest.approx(FIST[goal], abs=0.06)
        assert at[finger, True] == pytest.approx(OPEN[goal], abs=0.06)
    assert run.cell.hand.protocol_errors == []


def test_fingers_keep_pushing_when_their_host_dies():
    plant = twin()
    hand = Hand(HandCfg(), plant, FaultPlan(), 0)
    for frame in [servo_on(), *encode_torques((0.0, 0.05, 0.0, 0.0) + (0.0,) * 12, V4)]:
        hand.receive(frame, 0)
    # From here on nobody speaks: nothing is switched off, and the finger closes until it is stopped.
    angles = []
    for step in range(1, 11):
        plant.advance(step * SECOND // 10)
        hand.tick(step * SECOND // 10)
        angles.append(plant.measure_hand()[1])
    assert hand.motors.servo_on and angles[0] < angles[1] < angles[2] and angles[-1] > 1.3


def moved(plant: Twin, seconds=0.5) -> np.ndarray:
    """Everything that is measured while arm and fingers are driven."""
    rows = []
    for step in range(round(seconds / 0.01)):
        wave = math.sin(0.05 * step)
        plant.command_arm((0.2 * wave, 0.1 * wave, 0.0, -1.5708 + 0.2 * wave, 0.0, 1.5708, 0.0), (0.0,) * 7)
        plant.command_hand((0.0, 0.1 * wave, 0.1 * wave, 0.05) * 4)
        plant.advance(step * 10_000_000)
        arm, torque, _ = plant.measure_arm()
        rows.append([*arm, *torque, *plant.measure_hand(), *plant.T_world_object.wxyz_xyz])
    return np.array(rows)


@pytest.fixture(scope="module")
def as_modelled() -> np.ndarray:
    return moved(twin())


def test_the_same_seed_gives_the_same_motion(as_modelled):
    assert np.array_equal(moved(twin(seed=5)), as_modelled)  # nothing is drawn where nothing differs
    one, two, other = (moved(twin("standard,joint_noise=0.001", seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, two) and not np.array_equal(one, other)


@pytest.mark.parametrize(
    ("perturb", "columns"),
    [
        ("gains=0.3", slice(0, 30)),
        ("effort=0.9", slice(0, 30)),
        ("armature=0.5", slice(0, 30)),
        ("joint_friction=0.2", slice(0, 30)),
        ("stiction=0.2", slice(0, 30)),
        ("backlash=0.05", slice(0, 30)),
        ("payload=2.0", slice(0, 7)),
        ("joint_noise=0.01", slice(0, 7)),
        ("joint_bias=0.01", slice(14, 30)),
        ("action_delay=0.05", slice(0, 30)),
        ("push_probability=1,push_acceleration=20", slice(30, 37)),
        ("start_position=0.05", slice(30, 37)),
        ("gravity=0.3", slice(30, 37)),
    ],
)
def test_each_cause_is_felt_where_it_acts(perturb, columns, as_modelled):
    difference = np.abs(moved(twin(perturb, seed=3)) - as_modelled)[:, columns]
    assert difference.max() > 1e-6


def test_what_does_not_act_in_a_cell_is_said():
    _, elsewhere = cast_twin("snackbox_push", "iiwa14_allegro", "right", "default", "action_noise=0.1", 0)
    assert elsewhere == ("action_noise",)


def test_a_camera_beside_it_sees_the_object_late_and_noisy():
    plant = twin()
    sight = Sight(plant, 0.02)
    seen = sight.look()
    assert (
        np.allclose(seen.wxyz_xyz_world_object, plant.T_world_object.wxyz_xyz)
        and seen.object_name == plant.task.object.name
    )
    plant = twin("camera_hz=15,camera_delay=0.06,position_noise=0.01", seed=1)
    sight = Sight(plant, 0.02, seed=1)
    ages = []
    for step in range(1, 50):
        plant.advance(step * 20_000_000)
        seen = sight.look()
        ages.append(plant.time - seen.capture_time)
    assert min(ages) > 0.06 - 1e-9 and max(ages) < 0.06 + 1 / 15 + 0.021
    away = np.abs(seen.T_world_object.translation - plant.T_world_object.translation)
    assert 1e-4 < away.max() < 0.0101


@pytest.mark.parametrize(
    ("text", "word"),
    [("strange", "none, standard"), ("friction=much", "CAUSE=SEVERITY"), ("magic=1", "friction"), ("mass=-1", "-1")],
)
def test_a_perturbation_that_makes_no_sense_is_refused(text, word):
    with pytest.raises(SchemaError) as caught:
        parse_perturbation(text)
    assert word in str(caught.value)


def test_perturbations_are_levels_and_causes():
    made = parse_perturbation("standard, payload=0.5")
    assert made.payload == 0.5 and made.friction == 0.3
    assert parse_perturbation("") == parse_perturbation("none")


def test_another_robot_or_side_is_refused():
    with pytest.raises(SchemaError, match="iiwa with an Allegro"):
        cast_twin("snackbox_push", "iiwa14_leap", "right", "default", "none", 0)
    with pytest.raises(SchemaError, match="right hand"):
        cast_twin("snackbox_push", "iiwa14_allegro", "left", "default", "none", 0)
