"""The MuJoCo engine does what MuJoCo does, in every world by itself, and parameters act as physics says."""

from __future__ import annotations

from dataclasses import fields, replace

import mujoco
import numpy as np
import pytest

from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_sim.engine import EngineError, PhysicalParameters, StartState
from h2s2r_sim.engines import make_engine
from h2s2r_sim.engines.mujoco import MujocoEngine
from h2s2r_sim.scene import SceneModel, SceneOptions, build_model
from h2s2r_sim.task import load_task

DECIMATION = 8
NO_PUSH = np.zeros((1, 6))


@pytest.fixture(scope="module")
def task() -> TaskSpec:
    return load_task("snackbox_push")


@pytest.fixture(scope="module")
def scene(task: TaskSpec) -> SceneModel:
    return build_model(task, load_embodiment("iiwa14_allegro"), SceneOptions(visuals=False))


def start_of(scene: SceneModel, task: TaskSpec, count: int) -> StartState:
    object_pose = np.repeat(task.reference.wxyz_xyz_world_object[:1], count, 0)
    return StartState(np.repeat(scene.robot.home[None], count, 0), object_pose)


def engine_of(scene: SceneModel, task: TaskSpec, count: int = 1, threads: int = 1) -> MujocoEngine:
    engine = MujocoEngine(scene, count, DECIMATION, threads)
    engine.reset(np.arange(count), start_of(scene, task, count))
    return engine


def nominal(scene: SceneModel, count: int) -> PhysicalParameters:
    return PhysicalParameters.nominal(count, len(scene.robot.joint_names))


def holding(scene: SceneModel, count: int) -> np.ndarray:
    return np.repeat(scene.robot.home[None, None], count, 0)


def swing(scene: SceneModel, step: int, count: int) -> np.ndarray:
    """Targets (count, 1, J) of a smooth motion of all joints."""
    amplitude = 0.1 * np.minimum(1.0, scene.robot.position_upper - scene.robot.position_lower)
    target = scene.robot.home + amplitude * np.sin(0.3 * step + np.arange(len(scene.robot.home)))
    return np.repeat(np.clip(target, scene.robot.position_lower, scene.robot.position_upper)[None, None], count, 0)


def test_it_is_mujoco_with_gravity_and_compensation(scene: SceneModel, task: TaskSpec) -> None:
    """Weight is applied as a force and the robot's is left out: the same motion as MuJoCo's own gravity and gravcomp."""
    engine = engine_of(scene, task)
    data = mujoco.MjData(scene.model)
    data.qpos[scene.robot_qpos] = scene.all_joint_pos(scene.robot.home)
    data.qpos[scene.object_qpos] = task.reference.wxyz_xyz_world_object[0]
    for step in range(20):
        target = swing(scene, step, 1)
        state = engine.step(target, NO_PUSH)
        data.ctrl[scene.actuators] = target[0, 0]
        mujoco.mj_step(scene.model, data, DECIMATION)
        assert np.abs(state.joint_pos[0] - data.qpos[scene.joint_qpos]).max() < 1e-8
        assert np.abs(state.wxyz_xyz_world_object[0] - data.qpos[scene.object_qpos]).max() < 1e-8


def test_the_number_of_threads_changes_no_bit(scene: SceneModel, task: TaskSpec) -> None:
    one, two = engine_of(scene, task, 5, 1), engine_of(scene, task, 5, 2)
    rng = np.random.default_rng(0)
    for step in range(10):
        push = rng.normal(size=(5, 6))
        a, b = one.step(swing(scene, step, 5), push), two.step(swing(scene, step, 5), push)
        assert all(np.array_equal(getattr(a, each.name), getattr(b, each.name)) for each in fields(a))


def test_nominal_parameters_change_no_bit(scene: SceneModel, task: TaskSpec) -> None:
    """Off exactly when off, also in worlds beside one that differs."""
    plain, told = engine_of(scene, task, 2), engine_of(scene, task, 2)
    parameters = nominal(scene, 2)
    parameters.object_mass[0], parameters.object_friction[0], parameters.gravity[0] = 1.3, 0.7, (0.0, 0.0, 1.0)
    parameters.stiffness[0], parameters.object_size[0] = 0.8, 1.1
    told.set_parameters(np.arange(2), told.prepare(parameters))
    for step in range(10):
        a = plain.step(swing(scene, step, 2), np.repeat([[2.0, 1.0, 0.0, 0.0, 0.0, 0.1]], 2, 0))
        b = told.step(swing(scene, step, 2), np.repeat([[2.0, 1.0, 0.0, 0.0, 0.0, 0.1]], 2, 0))
        assert np.array_equal(a.joint_pos[1], b.joint_pos[1])
        assert np.array_equal(a.wxyz_xyz_world_object[1], b.wxyz_xyz_world_object[1])
    assert not np.array_equal(a.wxyz_xyz_world_object[0], b.wxyz_xyz_world_object[0])
    told.set_parameters(np.zeros(1, dtype=np.int64), told.prepare(nominal(scene, 1)))
    both = start_of(scene, task, 2)
    plain.reset(np.arange(2), both)
    told.reset(np.arange(2), both)
    a = plain.step(swing(scene, 1, 2), np.zeros((2, 6)))
    b = told.step(swing(scene, 1, 2), np.zeros((2, 6)))
    assert np.array_equal(a.wxyz_xyz_world_object, b.wxyz_xyz_world_object)
    assert np.array_equal(a.joint_pos, b.joint_pos)


@pytest.mark.requirement("H20")
def test_friction_decides_how_far_a_pushed_object_slides(scene: SceneModel, task: TaskSpec) -> None:
    engine, parameters = engine_of(scene, task, 2), nominal(scene, 2)
    # Of a pair the larger coefficient counts: both are changed.
    parameters.object_friction[:] = parameters.scene_friction[:] = (0.7, 1.3)
    engine.set_parameters(np.arange(2), engine.prepare(parameters))
    start = engine.state().wxyz_xyz_world_object[:, 4:]
    push = np.zeros((2, 6))
    push[:, 0] = 6.0
    engine.step(holding(scene, 2), push)
    for _ in range(10):
        state = engine.step(holding(scene, 2), np.zeros((2, 6)))
    slid = np.linalg.norm(state.wxyz_xyz_world_object[:, 4:] - start, axis=-1)
    assert slid[0] > 1.5 * slid[1] > 0.0


@pytest.mark.requirement("H20")
def test_mass_and_gravity_act_on_a_falling_object(scene: SceneModel, task: TaskSpec) -> None:
    engine, parameters = engine_of(scene, task, 4), nominal(scene, 4)
    parameters.object_mass[1] = 2.0
    parameters.gravity[2] = (0.0, 0.0, 9.81)
    parameters.gravity[3] = (1.0, 0.0, 0.0)
    engine.set_parameters(np.arange(4), engine.prepare(parameters))
    start = start_of(scene, task, 4)
    start.wxyz_xyz_world_object[:, 5:] += (0.7, 0.5)
    engine.reset(np.arange(4), start)
    lift = np.zeros((4, 6))
    lift[:, 2] = 1.0
    state = engine.step(holding(scene, 4), lift)
    mass, time = task.object.mass, 1.0 / 15.0
    speed = state.lin_vel_world_object
    assert speed[0, 2] == pytest.approx((-9.81 + 1.0 / mass) * time, rel=1e-6)
    assert speed[1, 2] == pytest.approx((-9.81 + 0.5 / mass) * time, rel=1e-6)
    assert speed[2, 2] == pytest.approx(1.0 / mass * time, rel=1e-6)
    assert speed[3, 0] == pytest.approx(1.0 * time, rel=1e-6)


def test_inertia_and_centre_of_mass_act_on_a_turning_object(scene: SceneModel, task: TaskSpec) -> None:
    engine, parameters = engine_of(scene, task, 3), nominal(scene, 3)
    parameters.object_inertia[1] = 2.0
    parameters.object_com[2] = (0.0, 0.05, 0.0)
    parameters.gravity[:] = (0.0, 0.0, 9.81)
    engine.set_parameters(np.arange(3), engine.prepare(parameters))
    start = start_of(scene, task, 3)
    start.wxyz_xyz_world_object[:, 5:] += (0.7, 0.5)
    engine.reset(np.arange(3), start)
    torque = np.zeros((3, 6))
    torque[:, 5] = 1e-3
    state = engine.step(holding(scene, 3), torque)
    spin = state.ang_vel_world_object[:, 2]
    assert spin[0] == pytest.approx(1e-3 / task.object.inertia[2, 2] / 15.0, rel=1e-3)
    assert spin[1] == pytest.approx(0.5 * spin[0], rel=1e-3)
    # It turns about its centre of mass, so the origin of its frame, 5 cm beside it, moves.
    assert state.lin_vel_world_object[2, 0] == pytest.approx(0.05 * spin[2], rel=1e-2)
    assert np.abs(state.lin_vel_world_object[0]).max() < 1e-9


def test_a_larger_object_is_that_of_a_scene_built_larger(scene: SceneModel, task: TaskSpec) -> None:
    factor = 1.25
    shapes = tuple(
        each.replace(size=each.size * factor, wxyz_xyz=each.wxyz_xyz * ([1.0] * 4 + [factor] * 3))
        for each in task.object.collision
    )
    model = task.object.replace(
        collision=shapes, inertia=task.object.inertia * factor**2, center_of_mass=task.object.center_of_mass * factor
    )
    built = build_model(task.replace(object=model), load_embodiment("iiwa14_allegro"), SceneOptions(visuals=False))
    grown, witness = engine_of(scene, task), engine_of(built, task)
    parameters = nominal(scene, 1)
    parameters.object_size[:] = factor
    grown.set_parameters(np.zeros(1, dtype=np.int64), grown.prepare(parameters))
    start = start_of(scene, task, 1)
    start.wxyz_xyz_world_object[:, 6] = 0.03 * factor + 0.01
    for engine in (grown, witness):
        engine.reset(np.zeros(1, dtype=np.int64), start)
    for _ in range(15):
        push = np.array([[1.0, 0.5, 0.0, 0.0, 0.0, 0.02]])
        a, b = grown.step(holding(scene, 1), push), witness.step(holding(scene, 1), push)
    assert np.abs(a.wxyz_xyz_world_object - b.wxyz_xyz_world_object).max() < 1e-6
    assert a.wxyz_xyz_world_object[0, 6] == pytest.approx(0.03 * factor, abs=1e-3)


@pytest.mark.parametrize(
    ("name", "value", "stiffer"),
    [("stiffness", 0.5, False), ("stiffness", 2.0, True), ("damping", 2.0, False), ("armature", 3.0, False),
     ("joint_friction", 3.0, False), ("stiction", 30.0, False)],
)  # fmt: skip
def test_joint_parameters_change_how_a_joint_follows(
    scene: SceneModel, task: TaskSpec, name: str, value: float, stiffer: bool
) -> None:
    engine, parameters = engine_of(scene, task, 2), nominal(scene, 2)
    getattr(parameters, name)[1, :7] = value
    engine.set_parameters(np.arange(2), engine.prepare(parameters))
    target = holding(scene, 2)
    target[:, :, 1] += 0.05
    state = engine.step(target, np.zeros((2, 6)))
    moved = state.joint_pos[:, 1] - scene.robot.home[1]
    assert (moved[1] > moved[0]) == stiffer
    assert moved[0] > 1e-3


def test_effort_bounds_the_torque(scene: SceneModel, task: TaskSpec) -> None:
    engine, parameters = engine_of(scene, task, 2), nominal(scene, 2)
    parameters.effort[1] = 0.01
    engine.set_parameters(np.arange(2), engine.prepare(parameters))
    target = holding(scene, 2)
    target[:, :, 1] += 0.25
    state = engine.step(target, np.zeros((2, 6)))
    assert np.abs(state.joint_torque[1]).max() <= 0.01 * scene.robot.torque_limit.max() + 1e-9
    assert np.abs(state.joint_pos[0, 1] - scene.robot.home[1]) > np.abs(state.joint_pos[1, 1] - scene.robot.home[1])


def test_a_payload_bends_the_arm_down(scene: SceneModel, task: TaskSpec) -> None:
    engine, parameters = engine_of(scene, task, 2), nominal(scene, 2)
    parameters.payload[1] = 2.0
    engine.set_parameters(np.arange(2), engine.prepare(parameters))
    for _ in range(30):
        state = engine.step(holding(scene, 2), np.zeros((2, 6)))
    bent = state.joint_pos - scene.robot.home
    assert np.abs(bent[0]).max() < 1e-6
    # Joint 4 carries palm and payload 0.4 m and more in front of it: 2 kg · 9.81 m/s² · 0.4 m / 400 N·m/rad.
    assert 0.01 < np.abs(bent[1]).max() < 0.2


def test_a_mesh_keeps_its_size(task: TaskSpec) -> None:
    corners = np.array([[x, y, z] for x in (-0.1, 0.1) for y in (-0.08, 0.08) for z in (-0.03, 0.03)])
    faces = np.array(
        [
            [0, 1, 3],
            [0, 3, 2],
            [4, 6, 7],
            [4, 7, 5],
            [0, 4, 5],
            [0, 5, 1],
            [2, 3, 7],
            [2, 7, 6],
            [0, 2, 6],
            [0, 6, 4],
            [1, 5, 7],
            [1, 7, 3],
        ]
    )
    mesh = task.object.collision[0].replace(kind="mesh", size=np.zeros(3), vertices=corners, faces=faces)
    scene = build_model(
        task.replace(object=task.object.replace(collision=(mesh,))),
        load_embodiment("iiwa14_allegro"),
        SceneOptions(visuals=False),
    )
    engine, parameters = engine_of(scene, task), nominal(scene, 1)
    parameters.object_size[:] = 1.1
    with pytest.raises(EngineError, match="primitive collision shapes"):
        engine.set_parameters(np.zeros(1, dtype=np.int64), engine.prepare(parameters))


def test_overlap_names_how_deep_the_robot_is(scene: SceneModel, task: TaskSpec) -> None:
    engine = engine_of(scene, task)
    start = start_of(scene, task, 1)
    assert engine.overlap(start.joint_pos, start.wxyz_xyz_world_object) == (0.0, 0.0)
    palm = load_embodiment("iiwa14_allegro").chain.forward(scene.robot.home)[0].translation
    inside = start.wxyz_xyz_world_object.copy()
    inside[0, 4:] = palm
    of_robot, of_object = engine.overlap(start.joint_pos, inside)
    assert of_robot[0] > 0.01 and of_object[0] == 0.0
    beside = inside.copy()
    beside[0, 5] += 0.5
    assert engine.overlap(start.joint_pos, beside) == (0.0, 0.0)


@pytest.mark.requirement("H13")
def test_overlap_names_how_deep_the_object_is_in_table_and_wall() -> None:
    task = load_task("snackbox_pivot")
    scene = build_model(task, load_embodiment("iiwa14_allegro"), SceneOptions(visuals=False))
    engine, poses = engine_of(scene, task), np.repeat(task.reference.wxyz_xyz_world_object[:1], 4, 0)
    # The box rests 0.2 mm above the table; its near side is closer to the wall than its half size.
    poses[1, 6] -= 0.0052
    poses[2, 5] = next(body for body in task.scene.bodies if body.name == "wall").wxyz_xyz_world_body[5]
    of_robot, of_object = engine.overlap(np.repeat(scene.robot.home[None], 4, 0), poses, np.array([1.0, 1.0, 1.0, 1.3]))
    assert not of_robot.any() and of_object[0] == 0.0
    assert of_object[1] == pytest.approx(0.005, abs=1e-4)
    assert of_object[2] > 0.01
    # A box larger by 0.3 times its half height of 3 cm.
    assert of_object[3] == pytest.approx(0.3 * 0.03 - 0.0002, abs=1e-4)


def test_penetration_of_a_pressed_object(scene: SceneModel, task: TaskSpec) -> None:
    engine = engine_of(scene, task, 2)
    push = np.zeros((2, 6))
    push[1, 2] = -40.0
    for _ in range(5):
        engine.step(holding(scene, 2), push)
    resting, pressed = engine.penetration()
    assert 0.0 <= resting < 1e-4 < pressed < 5e-3


def test_saved_worlds_go_on_as_they_would_have(scene: SceneModel, task: TaskSpec) -> None:
    engine = engine_of(scene, task, 3)
    for step in range(4):
        engine.step(swing(scene, step, 3), np.ones((3, 6)))
    kept = engine.save(np.array([0, 2]))
    after = engine.step(swing(scene, 5, 3), np.zeros((3, 6)))
    for step in range(6, 9):
        engine.step(swing(scene, step, 3), np.ones((3, 6)))
    engine.restore(np.array([0, 2]), kept)
    again = engine.step(swing(scene, 5, 3), np.zeros((3, 6)))
    for name in ("joint_pos", "joint_vel", "wxyz_xyz_world_object", "lin_vel_world_object"):
        assert np.array_equal(getattr(after, name)[[0, 2]], getattr(again, name)[[0, 2]])


def test_pieces_of_a_step_are_held_one_after_the_other(scene: SceneModel, task: TaskSpec) -> None:
    whole, pieces = engine_of(scene, task), engine_of(scene, task)
    target = swing(scene, 3, 1)
    a = whole.step(target, NO_PUSH)
    b = pieces.step(np.repeat(target, 4, 1), NO_PUSH)
    assert np.array_equal(a.joint_pos, b.joint_pos)
    with pytest.raises(EngineError, match="do not divide"):
        pieces.step(np.repeat(target, 3, 1), NO_PUSH)


def test_unknown_engine_and_impossible_numbers(scene: SceneModel) -> None:
    with pytest.raises(EngineError, match="there are: mujoco"):
        make_engine("bullet", scene, 1, 8)
    with pytest.raises(EngineError, match="at least 1"):
        make_engine("mujoco", scene, 0, 8)


def test_visual_shapes_change_no_physics(scene: SceneModel, task: TaskSpec) -> None:
    seen = build_model(task, load_embodiment("iiwa14_allegro"), replace(SceneOptions(), visuals=True))
    a = engine_of(scene, task).step(swing(scene, 2, 1), NO_PUSH)
    b = engine_of(seen, task).step(swing(seen, 2, 1), NO_PUSH)
    assert np.allclose(a.joint_pos, b.joint_pos, atol=1e-12)
