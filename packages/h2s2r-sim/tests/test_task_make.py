"""``make_task`` from a demonstration, and each way in which one can be unfit."""

from __future__ import annotations

import numpy as np
import pytest

from h2s2r_schemas.artifacts import HandPose, ObjectModel, Shape, TaskSpec, anchor_error
from h2s2r_schemas.codec import decode, encode
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.task import anchor_points, load_task, make_task, reexpressed
from h2s2r_sim.task.parts import turn_profile


@pytest.fixture(scope="module")
def push() -> TaskSpec:
    return load_task("snackbox_push")


def remade(push: TaskSpec, **changes: object) -> TaskSpec:
    """The push made anew from its own parts, some of them changed."""
    keypoints = push.reference.Ts_world_object[0].apply(push.p_object_keypoints)
    parts = {
        "trajectory": push.reference,
        "hand": HandPose(side="right", p_world_keypoints=keypoints, confidence=np.ones(21)),
        "scene": push.scene,
        "model": push.object,
        "name": "again",
    }
    return make_task(**{**parts, **changes})  # type: ignore[arg-type]


def meshed(push: TaskSpec, vertices: np.ndarray, faces: np.ndarray) -> ObjectModel:
    return push.object.replace(visual=(Shape(kind="mesh", vertices=vertices, faces=faces),))


CLOSED = turn_profile(np.array([[0.0, -0.03], [0.1, -0.03], [0.1, 0.03], [0.0, 0.03]]), 16)


def test_a_task_survives_its_file(push: TaskSpec) -> None:
    assert decode(encode(push), TaskSpec) == push


def test_what_it_was_made_from_is_written_down(push: TaskSpec) -> None:
    assert set(push.sources) == {"ObjectTrajectory", "HandPose", "Scene", "ObjectModel"}
    assert remade(push).sources["Scene"] == push.sources["Scene"]


@pytest.mark.requirement("H07")
def test_reexpressed_in_another_frame_and_back(push: TaskSpec) -> None:
    T_new_world = SE3.exp(np.array([0.4, -0.2, 0.1, 0.1, 0.2, 0.9]))
    moved = reexpressed(push, T_new_world)
    back = reexpressed(moved, T_new_world.inv())
    assert np.abs(back.reference.wxyz_xyz_world_object - push.reference.wxyz_xyz_world_object).max() < 1e-6
    T_old = push.scene.T_world_table.inv() @ push.reference.Ts_world_object
    T_moved = moved.scene.T_world_table.inv() @ moved.reference.Ts_world_object
    assert np.abs(T_old.wxyz_xyz - T_moved.wxyz_xyz).max() < 1e-6
    assert np.array_equal(moved.p_object_keypoints, push.p_object_keypoints)


@pytest.mark.requirement("H16")
def test_anchor_points_lie_on_the_object_and_see_turns(push: TaskSpec) -> None:
    anchors = anchor_points(push.object)
    assert anchors.shape == (4, 3)
    assert np.allclose(np.abs(anchors), push.object.visual[0].size / 2)
    for axis in range(3):
        turn = SE3.exp(np.eye(6)[3 + axis] * 0.3)
        assert anchor_error(turn, SE3.identity(), anchors, push.object.symmetry) > 0.02


@pytest.mark.requirement("H16")
def test_anchor_points_do_not_depend_on_the_order_of_vertices(push: TaskSpec) -> None:
    vertices, faces = CLOSED
    order = np.random.default_rng(0).permutation(len(vertices))
    shuffled = meshed(push, vertices[order], np.argsort(order)[faces])
    assert np.array_equal(anchor_points(meshed(push, vertices, faces)), anchor_points(shuffled))


@pytest.mark.requirement("H16")
def test_a_plate_may_turn_about_its_axis() -> None:
    plate = load_task("plate_push")
    T_goal = SE3.exp(np.array([0.1, 0.0, 0.0, 0.2, 0.0, 0.0]))
    spun = T_goal @ SE3.exp(np.array([0.0, 0.0, 0.0, 0.0, 0.0, 2.0]))
    tilted = T_goal @ SE3.exp(np.array([0.0, 0.0, 0.0, 0.3, 0.0, 0.0]))
    errors = [anchor_error(T, T_goal, plate.anchor_points, plate.object.symmetry) for T in (spun, tilted)]
    assert errors[0] < 1e-9 and errors[1] > 0.01


@pytest.mark.requirement("H14")
def test_a_mesh_with_a_hole_in_millimetres_or_off_centre(push: TaskSpec) -> None:
    vertices, faces = CLOSED
    remade(push, model=meshed(push, vertices, faces))
    with pytest.raises(SchemaError, match="not watertight: 3 open edges"):
        remade(push, model=meshed(push, vertices, faces[1:]))
    with pytest.raises(SchemaError, match="inside out"):
        remade(push, model=meshed(push, vertices, faces[:, ::-1]))
    with pytest.raises(SchemaError, match=r"200 m long.*scale it by 0\.001"):
        remade(push, model=meshed(push, vertices * 1000.0, faces))
    with pytest.raises(SchemaError, match=r"\[0\.05, 0\.0, 0\.0\] m in its own frame.*Shift"):
        remade(push, model=meshed(push, vertices + [0.05, 0.0, 0.0], faces))


def test_a_path_through_the_table_or_a_wall(push: TaskSpec) -> None:
    def lowered(by: float) -> object:
        poses = push.reference.wxyz_xyz_world_object.copy()
        poses[:, 6] -= by
        return push.reference.replace(wxyz_xyz_world_object=poses)

    with pytest.raises(SchemaError, match=r"30 mm into 'table' at .* calibration"):
        remade(push, trajectory=lowered(0.030))
    lifted = remade(push, trajectory=lowered(0.008))
    assert np.abs(lifted.reference.wxyz_xyz_world_object[:, 6] - 0.03).max() < 1e-3
    walled = load_task("snackbox_pivot").scene
    with pytest.raises(SchemaError, match="into 'wall'"):
        remade(push, scene=walled)


@pytest.mark.requirement("H14")
def test_what_collides_is_as_large_as_what_is_seen_and_where_it_is(push: TaskSpec) -> None:
    (box,) = push.object.collision
    for changed in (box.replace(size=box.size * 1000.0), box.replace(wxyz_xyz=box.wxyz_xyz + [0, 0, 0, 0, 0.05, 0, 0])):
        with pytest.raises(SchemaError, match=r"What collides of snackbox spans .* anew from the mesh, in metres"):
            remade(push, model=push.object.replace(collision=(changed,)))


@pytest.mark.requirement("H14")
def test_a_mass_in_grams_or_tonnes_and_an_inertia_of_another_unit(push: TaskSpec) -> None:
    thing = push.object
    with pytest.raises(SchemaError, match=r"411 kg in a box .* grams: give kilograms"):
        remade(push, model=thing.replace(mass=thing.mass * 1e3, inertia=thing.inertia * 1e3))
    with pytest.raises(SchemaError, match="tonnes: give kilograms"):
        remade(push, model=thing.replace(mass=thing.mass * 1e-3, inertia=thing.inertia * 1e-3))
    with pytest.raises(SchemaError, match="Give kg·m² about the centre of mass"):
        remade(push, model=thing.replace(inertia=thing.inertia * 1e3))


def test_a_path_in_millimetres_or_in_the_air(push: TaskSpec) -> None:
    def path(scale: float, up: float) -> object:
        poses = push.reference.wxyz_xyz_world_object * ([1.0] * 4 + [scale] * 3) + [0, 0, 0, 0, 0, 0, up]
        return push.reference.replace(wxyz_xyz_world_object=poses)

    with pytest.raises(SchemaError, match=r"travels \[0\.0, 249\.82, 0\.0\] m .* Paths are in metres"):
        remade(push, trajectory=path(1000.0, 0.0))
    with pytest.raises(SchemaError, match="hangs more than 15 mm above table and fixtures"):
        remade(push, trajectory=path(1.0, 0.03))
    remade(push, trajectory=path(1.0, 0.01))


def test_a_hand_in_millimetres_or_far_away(push: TaskSpec) -> None:
    keypoints = push.reference.Ts_world_object[0].apply(push.p_object_keypoints)
    with pytest.raises(SchemaError, match="Keypoints are in metres"):
        remade(push, hand=HandPose(side="right", p_world_keypoints=keypoints * 1000, confidence=np.ones(21)))
    with pytest.raises(SchemaError, match="nearest fingertip is"):
        remade(push, hand=HandPose(side="right", p_world_keypoints=keypoints + 0.5, confidence=np.ones(21)))
