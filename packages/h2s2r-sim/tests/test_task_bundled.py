"""The bundled tasks as data: they rest, are clear of what stands around, end where they hold, and can be added to."""

from __future__ import annotations

from pathlib import Path

import mujoco
import numpy as np
import pytest

from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.codec import save
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.scene.clearance import penetration
from h2s2r_sim.scene.options import SceneOptions
from h2s2r_sim.scene.world import world_spec
from h2s2r_sim.task import load_task, task_names
from h2s2r_sim.task.human_hand import FINGER_RADIUS

SEVEN = (
    "pitcher_pour",
    "plate_lift_rack",
    "plate_pivot_lift_rack",
    "plate_push",
    "snackbox_pivot",
    "snackbox_push",
    "snackbox_push_pivot",
)
#: Pairs of keypoints that a bone joins.
BONES = [(a, a + 1) for a in range(1, 21) if a % 4] + [(0, first) for first in (1, 5, 9, 13, 17)]

each_task = pytest.mark.parametrize("name", SEVEN)


@pytest.fixture(scope="module")
def tasks() -> dict[str, TaskSpec]:
    return {name: load_task(name) for name in SEVEN}


def simulated(task: TaskSpec, T_world_object: SE3, seconds: float) -> tuple[SE3, float]:
    """Where the object is after lying free for a while, and how deep it is in anything then [m]."""
    model = world_spec(task.object, task.scene, SceneOptions()).compile()
    data = mujoco.MjData(model)
    data.qpos[:3], data.qpos[3:7] = T_world_object.translation, T_world_object.wxyz
    mujoco.mj_step(model, data, round(seconds / model.opt.timestep))
    deepest = -min(data.contact.dist, default=0.0)
    return SE3.from_parts(data.qpos[3:7], data.qpos[:3]), deepest


@pytest.mark.requirement("H34b")
def test_all_seven_are_there() -> None:
    assert task_names() == SEVEN


@each_task
def test_the_object_rests_where_the_reference_starts(tasks: dict[str, TaskSpec], name: str) -> None:
    start = tasks[name].reference.Ts_world_object[0]
    after, deepest = simulated(tasks[name], start, 1.0)
    position, rotation = after.distance(start)
    assert position < 2e-3 and rotation < np.deg2rad(0.5)
    assert deepest < 1e-3


@each_task
def test_displaced_by_five_centimetres_and_fifteen_degrees_it_still_rests_and_overlaps_nothing(
    tasks: dict[str, TaskSpec], name: str
) -> None:
    # The headline noise of every task (DESIGN §5): no start of an episode may be inside a wall or fall off a block.
    task, start = tasks[name], tasks[name].reference.Ts_world_object[0]
    corners = [(x, y, yaw) for x in (-0.05, 0.05) for y in (-0.05, 0.05) for yaw in (-15.0, 15.0)]
    poses = [
        SE3.from_parts(
            (SE3.exp(np.array([0, 0, 0, 0, 0, np.deg2rad(yaw)])) @ start).wxyz, start.translation + [x, y, 0]
        )
        for x, y, yaw in corners
    ]
    depth = penetration(task.object, task.scene, SE3(np.stack([pose.wxyz_xyz for pose in poses])))
    assert max(float(depths.max()) for depths in depth.values()) < 1e-3
    for pose in poses[::3]:
        after, _ = simulated(task, pose, 1.0)
        position, rotation = after.distance(pose)
        assert position < 0.005 and rotation < np.deg2rad(3.0)


@each_task
def test_the_replayed_reference_goes_through_nothing(tasks: dict[str, TaskSpec], name: str) -> None:
    task = tasks[name]
    depth = penetration(task.object, task.scene, task.reference.Ts_world_object)
    assert max(float(depths.max()) for depths in depth.values()) < 1e-3
    lowered = SE3.from_parts(
        task.reference.Ts_world_object.wxyz, task.reference.Ts_world_object.translation - [0, 0, 0.02]
    )
    assert float(penetration(task.object, task.scene, lowered)["table"].max()) > 0.015 or name == "plate_lift_rack"


@pytest.mark.requirement("H35")
@pytest.mark.parametrize("name", ["plate_lift_rack", "plate_pivot_lift_rack"])
def test_the_rack_holds_the_plate_where_the_reference_ends(tasks: dict[str, TaskSpec], name: str) -> None:
    end = tasks[name].reference.Ts_world_object[-1]
    after, _ = simulated(tasks[name], end, 2.0)
    position, rotation = after.distance(end)
    assert position < 0.01 and rotation < np.deg2rad(5.0)


@each_task
def test_the_reference_is_a_calm_motion_that_a_robot_can_follow(tasks: dict[str, TaskSpec], name: str) -> None:
    reference = tasks[name].reference
    p_world_anchor = SE3(reference.wxyz_xyz_world_object[:, None, :]).apply(tasks[name].anchor_points)
    velocity = np.diff(p_world_anchor, axis=0) * 60.0
    acceleration = np.diff(velocity, axis=0) * 60.0
    assert np.linalg.norm(velocity, axis=-1).max() < 0.5
    assert np.linalg.norm(acceleration, axis=-1).max() < 2.0
    assert np.linalg.norm(velocity[0], axis=-1).max() < 0.02
    assert np.linalg.norm(velocity[-1], axis=-1).max() < 0.02
    assert 4.0 < reference.duration < 10.0


@each_task
def test_the_human_hand_is_near_and_clear_of_everything(tasks: dict[str, TaskSpec], name: str) -> None:
    task = tasks[name]
    spec = world_spec(task.object, task.scene, SceneOptions())
    start = task.reference.Ts_world_object[0]
    keypoints = start.apply(task.p_object_keypoints)
    for a, b in BONES:
        # The palm's bones are thin between thicker flesh: the radius of a finger stands for both.
        spec.worldbody.add_geom(
            name=f"hand/{a}-{b}",
            type=mujoco.mjtGeom.mjGEOM_CAPSULE,
            fromto=[*keypoints[a], *keypoints[b]],
            size=[FINGER_RADIUS, 0, 0],
        )
    model = spec.compile()
    data = mujoco.MjData(model)
    data.qpos[:3], data.qpos[3:7] = start.translation, start.wxyz
    mujoco.mj_forward(model, data)
    names = [model.geom(index).name for index in range(model.ngeom)]
    hand = [index for index, geom in enumerate(names) if geom.startswith("hand/")]

    def distance(prefix: str) -> float:
        others = [index for index, geom in enumerate(names) if geom.startswith(prefix)]
        return min(mujoco.mj_geomDistance(model, data, a, b, 1.0, None) for a in hand for b in others)

    # A hand around a rim is nearer than one beside a box.
    assert 0.005 <= distance("object/collision") <= 0.05
    assert distance("scene/") >= 0.005


def test_masses_and_inertias_are_those_of_the_parts(tasks: dict[str, TaskSpec]) -> None:
    box = tasks["snackbox_push"].object
    x, y, z = box.visual[0].size
    assert box.mass == pytest.approx(0.411)
    expected = box.mass / 12 * np.diag([y * y + z * z, x * x + z * z, x * x + y * y])
    assert np.allclose(box.inertia, expected, rtol=1e-6)
    plate, pitcher = tasks["plate_push"].object, tasks["pitcher_pour"].object
    assert plate.mass == pytest.approx(0.388) and pitcher.mass == pytest.approx(0.178)
    # A plate lies between a disc and a hoop of its radius; turning it, nothing changes.
    assert 0.4 < plate.inertia[2, 2] / (plate.mass * 0.1**2) < 0.6
    assert plate.inertia[0, 0] == pytest.approx(plate.inertia[1, 1], rel=1e-3)
    # The handle pulls the centre of mass back from the axis at x = 0.026.
    assert 0.0 < pitcher.center_of_mass[0] < 0.026


@each_task
def test_the_simulated_object_weighs_what_is_declared(tasks: dict[str, TaskSpec], name: str) -> None:
    task = tasks[name]
    model = world_spec(task.object, task.scene, SceneOptions()).compile()
    body = model.body("object").id
    axes = SE3.from_parts(model.body_iquat[body], np.zeros(3)).rotation_matrix()
    assert model.body_mass[body] == pytest.approx(task.object.mass)
    assert np.allclose(model.body_ipos[body], task.object.center_of_mass, atol=1e-9)
    assert np.allclose(axes @ np.diag(model.body_inertia[body]) @ axes.T, task.object.inertia, atol=1e-9)
    friction = model.geom_friction[model.geom("object/collision/0").id, 0]
    assert friction == pytest.approx(task.object.friction)


EIGHTH = """
name = "brick_slide"
object = "brick"

[[fixture]]
body = "table"
position = [0.4, 0.0, 0.1]

[[fixture]]
body = "kerb"
position = [0.6, 0.3, 0.1]

[[waypoint]]
time = 0.0
position = [0.5, 0.0, 0.13]

[[waypoint]]
time = 3.0
position = [0.6, 0.1, 0.13]
rpy_deg = [0.0, 0.0, 30.0]

[hand]
side = "left"
fingers_toward = [0.0, 0.0, -1.0]
palm_toward = [1.0, 0.0, 0.0]
middle_tip = [-0.08, 0.0, 0.0]
curl_deg = { index = [5, 5], middle = [5, 5], ring = [5, 5], little = [5, 5] }
"""
BRICK = """
name = "brick"
friction = 0.6
[[part]]
kind = "box"
size = [0.1, 0.08, 0.06]
mass = 0.9
[symmetry]
turns_rpy_deg = [[0, 0, 180], [180, 0, 0], [0, 180, 0]]
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
    for file, text in (("task", EIGHTH), ("brick", BRICK), ("kerb", KERB)):
        (tmp_path / f"{file}.toml").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.requirement("H33")
def test_an_eighth_task_by_files_alone(eighth: Path) -> None:
    task = load_task(eighth)
    assert (task.name, task.object.name, task.side) == ("brick_slide", "brick", "left")
    assert {body.name for body in task.scene.bodies} == {"table", "kerb"}
    assert len(task.object.symmetry.rotations_wxyz) == 4
    assert task.reference.wxyz_xyz_world_object[-1, 4:] == pytest.approx([0.6, 0.1, 0.13], abs=1e-3)
    assert task.p_object_keypoints[12] == pytest.approx([-0.08, 0.0, 0.0], abs=2e-3)
    save(task, eighth / "saved")
    assert load_task(eighth / "saved") == task


def test_what_is_wrong_in_a_task_folder_is_said(eighth: Path) -> None:
    with pytest.raises(SchemaError, match=r"no task 'no_such'. Give one of pitcher_pour, plate_lift_rack"):
        load_task("no_such")

    def broken(old: str, new: str) -> Path:
        (eighth / "task.toml").write_text(EIGHTH.replace(old, new), encoding="utf-8")
        return eighth

    with pytest.raises(SchemaError, match=r"no bric\.toml beside the task.*brick"):
        load_task(broken('object = "brick"', 'object = "bric"'))
    with pytest.raises(SchemaError, match=r"one .* must be the table"):
        load_task(broken('body = "table"', 'body = "wall"'))
    with pytest.raises(SchemaError, match="'middle_tip' is missing"):
        load_task(broken("middle_tip", "middletip"))
    with pytest.raises(SchemaError, match="times that grow"):
        load_task(broken("time = 3.0", "time = 0.0"))
    with pytest.raises(SchemaError, match="must not be parallel"):
        load_task(broken("palm_toward = [1.0, 0.0, 0.0]", "palm_toward = [0.0, 0.0, 1.0]"))
    with pytest.raises(SchemaError, match="cannot be read as TOML"):
        load_task(broken("[hand]", "[hand"))
