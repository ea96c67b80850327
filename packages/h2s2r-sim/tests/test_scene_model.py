"""The built scene is the robot, object and fixtures that the data describe; MuJoCo is the witness."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest

from h2s2r_retarget.embodiment import Embodiment, embodiment_names, load_embodiment
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.scene import SceneModel, SceneOptions, build_model
from h2s2r_sim.task import load_task, reexpressed, task_names

ROBOTS = ("iiwa14_allegro", "iiwa14_leap", "iiwa14_umi")


@pytest.fixture(scope="module")
def push() -> TaskSpec:
    return load_task("snackbox_push")


@pytest.fixture(scope="module", params=ROBOTS)
def built(request: pytest.FixtureRequest, push: TaskSpec) -> tuple[Embodiment, SceneModel]:
    embodiment = load_embodiment(request.param)
    return embodiment, build_model(push, embodiment)


def at(scene: SceneModel, joint_pos: np.ndarray, T_world_object: SE3) -> mujoco.MjData:
    data = mujoco.MjData(scene.model)
    data.qpos[scene.robot_qpos] = scene.all_joint_pos(joint_pos)
    data.qpos[scene.object_qpos] = T_world_object.wxyz_xyz
    data.ctrl[scene.actuators] = joint_pos
    mujoco.mj_forward(scene.model, data)
    return data


def contacts(scene: SceneModel, data: mujoco.MjData) -> set[tuple[str, str]]:
    """Bodies in contact, by name."""
    name = [scene.model.body(index).name for index in range(scene.model.nbody)]
    return {(name[a], name[b]) for a, b in scene.model.geom_bodyid[data.contact.geom]}


def test_all_robots_are_tested() -> None:
    assert embodiment_names() == ROBOTS


@pytest.mark.requirement("H14")
def test_forward_kinematics_agree_with_retargeting(built: tuple[Embodiment, SceneModel], push: TaskSpec) -> None:
    embodiment, scene = built
    rng = np.random.default_rng(0)
    for _ in range(20):
        joint_pos = rng.uniform(embodiment.position_lower, embodiment.position_upper)
        data = at(scene, joint_pos, push.reference.Ts_world_object[0])
        expected = embodiment.chain.forward(joint_pos)
        sites = [scene.palm_site, *scene.fingertip_sites]
        assert np.abs(data.site_xpos[sites] - expected.translation).max() < 1e-9
        assert np.abs(data.site_xmat[sites].reshape(-1, 3, 3) - expected.rotation_matrix()).max() < 1e-9


def test_masses_and_inertias_are_those_of_the_links(built: tuple[Embodiment, SceneModel]) -> None:
    embodiment, scene = built
    model = scene.model
    names = {model.body(body).name for body in range(model.nbody)}
    for name, matter in embodiment.links.items():
        if name == embodiment.model.root:
            continue  # the base stands still: its mass is nobody's
        if not (matter.mass or matter.visual or matter.collision):
            assert f"robot/{name}" not in names  # only a frame on another link
            continue
        body = model.body(f"robot/{name}").id
        assert model.body_mass[body] == pytest.approx(matter.mass)
        if matter.mass:
            axes = SE3.from_parts(model.body_iquat[body], np.zeros(3)).rotation_matrix()
            assert np.allclose(model.body_ipos[body], matter.center_of_mass, atol=1e-9)
            assert np.allclose(axes @ np.diag(model.body_inertia[body]) @ axes.T, matter.inertia, atol=1e-9)


def test_the_robot_holds_still_at_home_without_touching_itself(
    built: tuple[Embodiment, SceneModel], push: TaskSpec
) -> None:
    embodiment, scene = built
    data = at(scene, embodiment.home, push.reference.Ts_world_object[0])
    assert not {pair for pair in contacts(scene, data) if pair[0].startswith("robot") and pair[1].startswith("robot")}
    mujoco.mj_step(scene.model, data, 240)
    assert np.abs(data.qpos[scene.joint_qpos] - embodiment.home).max() < 1e-6
    assert np.abs(data.qpos[scene.object_qpos] - push.reference.wxyz_xyz_world_object[0]).max() < 1e-3


def test_servos_have_the_gains_and_limits_of_the_robot(built: tuple[Embodiment, SceneModel], push: TaskSpec) -> None:
    embodiment, scene = built
    assert np.array_equal(scene.model.actuator_gainprm[scene.actuators, 0], embodiment.kp)
    assert np.array_equal(
        scene.model.actuator_biasprm[scene.actuators, 1:3], -np.stack([embodiment.kp, embodiment.kd], -1)
    )
    assert scene.robot.joint_names == embodiment.joint_names
    far = at(scene, embodiment.home, push.reference.Ts_world_object[0])
    far.ctrl[scene.actuators] = embodiment.position_upper + 100.0
    mujoco.mj_forward(scene.model, far)
    torque = far.actuator_force[scene.actuators]
    wanted = embodiment.kp * (embodiment.position_upper - embodiment.home)
    assert np.allclose(torque, np.minimum(wanted, embodiment.torque_limit))


def test_targets_are_followed_and_coupled_joints_follow(built: tuple[Embodiment, SceneModel], push: TaskSpec) -> None:
    embodiment, scene = built
    data = at(scene, embodiment.home, push.reference.Ts_world_object[0])
    target = embodiment.home + 0.1 * (0.5 * (embodiment.position_lower + embodiment.position_upper) - embodiment.home)
    data.ctrl[scene.actuators] = target
    mujoco.mj_step(scene.model, data, 360)
    assert np.abs(data.qpos[scene.joint_qpos] - target).max() < 5e-3
    assert np.abs(data.qpos[scene.robot_qpos] - scene.all_joint_pos(target)).max() < 5e-3


def test_limits_of_joints_hold(built: tuple[Embodiment, SceneModel]) -> None:
    embodiment, scene = built
    joints = scene.model.dof_jntid[scene.joint_dofs]
    assert scene.model.jnt_limited[joints].all()
    assert np.allclose(scene.model.jnt_range[joints, 0], embodiment.position_lower)
    assert np.allclose(scene.model.jnt_range[joints, 1], embodiment.position_upper)


def test_every_colliding_geom_belongs_to_one_group(built: tuple[Embodiment, SceneModel]) -> None:
    _, scene = built
    groups = (scene.arm_geoms, scene.hand_geoms, scene.object_geoms, scene.table_geoms, scene.fixture_geoms)
    together = np.concatenate(groups)
    assert np.array_equal(np.sort(together), np.union1d(scene.model.pair_geom1, scene.model.pair_geom2))
    assert [len(group) > 0 for group in groups] == [True, True, True, True, False]
    bodies = np.concatenate([scene.arm_bodies, scene.hand_bodies])
    assert len(bodies) == len(np.unique(bodies))
    assert int(scene.model.site_bodyid[scene.palm_site]) in scene.hand_bodies
    assert np.isin(scene.model.site_bodyid[scene.fingertip_sites], scene.hand_bodies).all()


def test_places_in_the_state_are_read_only(built: tuple[Embodiment, SceneModel]) -> None:
    with pytest.raises(ValueError, match="read-only"):
        built[1].joint_qpos[0] = 3


def test_self_collision_is_on(built: tuple[Embodiment, SceneModel], push: TaskSpec) -> None:
    embodiment, scene = built
    rng = np.random.default_rng(1)
    seen: set[tuple[str, str]] = set()
    for _ in range(300):
        joint_pos = rng.uniform(embodiment.position_lower, embodiment.position_upper)
        joint_pos[3] = embodiment.position_lower[3]  # the elbow folded: the hand comes near base and upper arm
        seen |= contacts(scene, at(scene, joint_pos, push.reference.Ts_world_object[0]))
    own = {pair for pair in seen if pair[0].startswith("robot/") and pair[1].startswith("robot/")}
    hand, arm = ({scene.model.body(each).name for each in bodies} for bodies in (scene.hand_bodies, scene.arm_bodies))
    assert {pair for pair in own if set(pair) & hand and set(pair) & arm}


@pytest.mark.requirement("H46")
@pytest.mark.requirement("H47")
@pytest.mark.parametrize("name", task_names())
def test_every_task_builds_with_every_robot(built: tuple[Embodiment, SceneModel], name: str) -> None:
    embodiment, _ = built
    scene = build_model(load_task(name), embodiment, SceneOptions(visuals=False))
    data = mujoco.MjData(scene.model)
    mujoco.mj_step(scene.model, data)
    assert np.isfinite(data.qpos).all()
    # Without what is only seen, every geom collides with something.
    assert len(np.union1d(scene.model.pair_geom1, scene.model.pair_geom2)) == scene.model.ngeom


def test_options_reach_the_physics(push: TaskSpec) -> None:
    embodiment = load_embodiment("iiwa14_umi")
    model = build_model(push, embodiment, SceneOptions(sim_dt=1 / 240, cone="elliptic", impratio=3.0)).model
    assert model.opt.timestep == pytest.approx(1 / 240)
    assert model.opt.cone == mujoco.mjtCone.mjCONE_ELLIPTIC and model.opt.impratio == 3.0
    assert (model.opt.iterations, model.opt.ls_iterations) == (20, 50)
    with pytest.raises(SchemaError, match="'round'; allowed are pyramidal, elliptic"):
        build_model(push, embodiment, SceneOptions(cone="round"))


def test_the_table_is_a_plane_where_that_is_the_same(push: TaskSpec) -> None:
    def table_types(task: TaskSpec, options: SceneOptions) -> list[int]:
        scene = build_model(task, load_embodiment("iiwa14_umi"), options)
        return [int(each) for each in scene.model.geom_type[scene.table_geoms]]

    plane, box = int(mujoco.mjtGeom.mjGEOM_PLANE), int(mujoco.mjtGeom.mjGEOM_BOX)
    assert table_types(push, SceneOptions()) == table_types(push, SceneOptions(visuals=False)) == [plane]
    assert table_types(push, SceneOptions(table_plane=False)) == [box]
    # A table above the robot's base must not cut through the arm beside it: it stays a box.
    raised = reexpressed(push, SE3.from_parts(np.eye(4)[0], np.array([0.0, 0.0, 0.15])))
    assert table_types(raised, SceneOptions()) == [box]
    # A top that is not where the table's frame is stays what it is, too.
    sunk = push.scene.bodies[0].shapes[0].replace(wxyz_xyz=[1, 0, 0, 0, 0, 0, -0.05])
    lower = push.scene.replace(bodies=(push.scene.bodies[0].replace(shapes=(sunk,)),))
    assert table_types(push.replace(scene=lower), SceneOptions()) == [box]


def test_plane_and_box_hold_an_object_alike(push: TaskSpec) -> None:
    embodiment = load_embodiment("iiwa14_umi")
    heights = []
    for plane in (True, False):
        scene = build_model(push, embodiment, SceneOptions(table_plane=plane))
        data = at(scene, embodiment.home, push.reference.Ts_world_object[0])
        mujoco.mj_step(scene.model, data, 120)
        heights.append(data.qpos[scene.object_qpos])
    assert np.abs(heights[0] - heights[1]).max() < 1e-4
