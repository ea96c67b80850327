"""The judge of object paths, and poses that look alike."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from scenes_for_tests import box_mesh

from h2s2r_perception.track.facets import flat_pieces
from h2s2r_perception.track.judge import figures, judge_path, start_is_right
from h2s2r_perception.track.likeness import nearest_likeness, shape_turns
from h2s2r_perception.track.surface import object_mesh, surface_of
from h2s2r_schemas.artifacts import HandTrajectory, ObjectModel, ObjectTrajectory, Shape, Symmetry
from h2s2r_schemas.demo import DemoTruth
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_schemas.testing.examples import examples

BOX = (0.16, 0.10, 0.07)
TIME = np.arange(20) / 30


def model(shape, symmetry=None):
    return ObjectModel(
        name="thing",
        visual=(shape,),
        collision=(shape,),
        mass=0.3,
        center_of_mass=(0.0, 0.0, 0.0),
        inertia=np.diag((1e-3, 1e-3, 1e-3)),
        symmetry=symmetry or Symmetry(),
    )


def path(Ts_world_object, lost=()):
    flagged = np.isin(np.arange(len(TIME)), lost)
    return ObjectTrajectory(
        object_name="thing",
        time=TIME,
        wxyz_xyz_world_object=np.where(flagged[:, None], np.nan, Ts_world_object.wxyz_xyz),
        confidence=np.where(flagged, 0.0, 1.0),
        lost=flagged,
    )


def truth_of(thing, Ts_world_object):
    hand = HandTrajectory(
        side="left",
        time=TIME,
        p_world_keypoints=np.zeros((len(TIME), 21, 3)),
        confidence=np.ones((len(TIME), 21)),
        lost=np.zeros(len(TIME), bool),
    )
    return DemoTruth(
        object=thing,
        scene=examples()["Scene"],
        object_trajectory=path(Ts_world_object),
        hand_trajectory=hand,
        contact_frame=3,
        first_motion_frame=4,
    )


def moving():
    return SE3(np.stack([SE3.exp((0.01 * t, 0.0, 0.05, 0.0, 0.0, 0.03 * t)).wxyz_xyz for t in range(len(TIME))]))


def test_a_shift_is_its_own_length_and_a_flagged_frame_does_not_count():
    thing = model(Shape(kind="box", size=BOX))
    Ts_world_true = moving()
    shifts = np.zeros((len(TIME), 3))
    shifts[:, 0], shifts[5, 0], shifts[6, 0] = 0.003, 0.05, 0.05
    Ts_world_found = SE3.from_parts(Ts_world_true.wxyz, Ts_world_true.translation + shifts)
    errors = judge_path(path(Ts_world_found, lost=[6]), truth_of(thing, Ts_world_true))
    assert np.isnan(errors.add[6]) and errors.add[5] == pytest.approx(0.05) and errors.add[4] == pytest.approx(0.003)
    assert errors.false.nonzero()[0].tolist() == [5] and not errors.turned
    counted = figures([errors, errors])
    assert counted["frames"] == 40 and counted["false_poses"] == 2 and counted["flagged_percent"] == pytest.approx(5.0)
    assert counted["add_mean_mm"] == pytest.approx((18 * 3 + 50) / 19) and counted["rotation_p99_deg"] < 1e-4


def test_half_turns_of_a_box_are_one_choice_for_a_whole_recording():
    thing = model(Shape(kind="box", size=BOX))
    Ts_world_true = moving()
    T_object_turned = SE3.exp((0.0, 0.0, 0.0, 0.0, 0.0, np.pi))
    errors = judge_path(path(Ts_world_true @ T_object_turned), truth_of(thing, Ts_world_true))
    assert errors.turned and np.nanmax(errors.add) < 1e-9 and np.nanmax(errors.rotation) < 1e-6
    flips = Ts_world_true.wxyz_xyz.copy()
    flips[10:] = (Ts_world_true[10:] @ T_object_turned).wxyz_xyz
    errors = judge_path(path(SE3(flips)), truth_of(thing, Ts_world_true))
    assert np.rad2deg(np.nanmax(errors.rotation)) == pytest.approx(180.0, abs=1e-3)


def test_a_declared_axis_is_undone_in_every_frame():
    plate = model(Shape(kind="cylinder", size=(0.1, 0.02, 0.0)), Symmetry(axis=(0.0, 0.0, 1.0)))
    Ts_world_true = moving()
    spins = SE3(np.stack([SE3.exp((0, 0, 0, 0, 0, 0.9 * t)).wxyz_xyz for t in range(len(TIME))]))
    errors = judge_path(path(Ts_world_true @ spins), truth_of(plate, Ts_world_true))
    assert np.nanmax(errors.add) < 1e-9 and np.nanmax(errors.rotation) < 1e-6


def test_a_wholly_flagged_path_has_no_errors_and_no_recording_is_refused():
    thing, Ts_world_true = model(Shape(kind="box", size=BOX)), moving()
    errors = judge_path(path(Ts_world_true, lost=range(20)), truth_of(thing, Ts_world_true))
    assert figures([errors]) == {"frames": 20, "flagged_percent": 100.0, "false_poses": 0}
    with pytest.raises(SchemaError, match="No recording"):
        figures([])


def test_a_path_of_another_recording_is_refused():
    thing, Ts_world_true = model(Shape(kind="box", size=BOX)), moving()
    other = path(Ts_world_true)
    shifted = ObjectTrajectory(
        object_name="thing",
        time=TIME + 0.01,
        wxyz_xyz_world_object=other.wxyz_xyz_world_object,
        confidence=other.confidence,
        lost=other.lost,
    )
    with pytest.raises(SchemaError, match="not frames of the recording"):
        judge_path(shifted, truth_of(thing, Ts_world_true))


def test_a_start_is_right_within_a_centimetre_and_ten_degrees():
    thing = model(Shape(kind="box", size=BOX))
    surface = surface_of(object_mesh(thing), "thing")
    T_world_true = moving()[3]
    for step, right in (((0.009, 0, 0, 0, 0, 0), True), ((0.011, 0, 0, 0, 0, 0), False), ((0, 0, 0, 0, 0, 0.2), False)):
        assert start_is_right(T_world_true @ SE3.exp(step), T_world_true, thing, surface) is right
    T_world_turned = T_world_true @ SE3.exp((0, 0, 0, np.pi, 0, 0))
    assert start_is_right(T_world_turned, T_world_true, thing, surface)


@pytest.mark.parametrize(("size", "count"), [(BOX, 4), ((0.1, 0.1, 0.06), 8), ((0.1, 0.1, 0.1), 24)])
def test_a_box_has_the_turns_of_its_sides(size, count):
    turns = shape_turns(surface_of(box_mesh(size), "box"))
    assert len(turns) == count
    assert np.allclose(turns[0].wxyz_xyz, SE3.identity().wxyz_xyz)


def test_a_shape_with_a_handle_has_no_turns_and_a_box_off_its_origin_turns_about_its_middle():
    body = trimesh.creation.cylinder(0.05, 0.2, sections=32)
    handle = trimesh.creation.box(
        (0.05, 0.02, 0.1), transform=SE3.from_parts((1, 0, 0, 0), (0.07, 0, 0.02)).as_matrix()
    )
    assert len(shape_turns(surface_of(trimesh.util.concatenate([body, handle]), "mug"))) == 1
    off = surface_of(box_mesh(BOX, SE3.from_parts((1, 0, 0, 0), (0.3, 0.1, 0.0))), "box")
    turns = shape_turns(off)
    assert len(turns) == 4
    for T_object_turned in turns:
        assert np.allclose(T_object_turned.apply(off.centre), off.centre)
    T_camera_wanted = SE3.exp((0.1, 0.0, 0.7, 0.3, 0.1, 0.0))
    T_camera_same, _ = nearest_likeness(T_camera_wanted @ turns[2], T_camera_wanted, Symmetry(), turns)
    assert np.allclose(T_camera_same.distance(T_camera_wanted), 0.0, atol=1e-6)


def test_flat_pieces_are_the_same_surface():
    mesh = trimesh.util.concatenate([trimesh.creation.cylinder(0.05, 0.2, sections=24), box_mesh(BOX)])
    mesh.merge_vertices()
    (quads, triangles), (quad_normals, triangle_normals) = flat_pieces(mesh)
    assert len(quads) >= 24 + 6 and 2 * len(quads) + len(triangles) == len(mesh.faces)
    halves = np.concatenate((quads[:, [0, 1, 2]], quads[:, [0, 2, 3]], triangles))
    again = trimesh.Trimesh(mesh.vertices, halves, process=False)
    assert again.area == pytest.approx(mesh.area) and again.volume == pytest.approx(mesh.volume)
    normals = np.concatenate((quad_normals, quad_normals, triangle_normals))
    assert np.allclose(again.face_normals, normals, atol=1e-6)
