"""Recordings: what the pictures show is what the truth says; readers take them; the same seed gives the same bytes.

In:  a recording without faults, made here; the bundled one.   Out: depth, outlines, files.
Not here: the depth camera's faults (test_demonstrate_camera).

The truth is judged by rays that this file casts itself at the object's own shapes, not by what drew the pictures.
"""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from h2s2r_schemas.codec import load
from h2s2r_schemas.demo import DemoTruth, open_demo, truth_path
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.demonstrate import BUNDLED, NO_FAULTS, SMALL, RecordCfg, record_demo, task_from_truth
from h2s2r_sim.task import load_task
from h2s2r_sim.view import NoGraphicsError
from h2s2r_sim.view.offscreen import offscreen_backend

#: Exact depth: a perfect camera, counts of 0.1 mm.
EXACT = RecordCfg(width=320, height=240, rate_hz=1.5, faults=NO_FAULTS, depth_unit=1e-4)
#: Few frames, all faults.
TINY = replace(SMALL, width=160, height=120, rate_hz=2.0)


@pytest.fixture(scope="module")
def drawing():
    pytest.importorskip("PIL")
    try:
        return offscreen_backend()
    except NoGraphicsError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module", params=["snackbox_push", "plate_lift_rack"])
def exact(request, drawing, tmp_path_factory):
    demo = record_demo(request.param, 5, tmp_path_factory.mktemp("exact") / "demo", EXACT)
    return demo, load(truth_path(demo.folder), DemoTruth)


def decoded(data: bytes) -> np.ndarray:
    from PIL import Image

    return np.array(Image.open(io.BytesIO(data)))


def triangles(model) -> np.ndarray:
    """(F, 3, 3) [m] the object's visible surface in its frame: boxes and meshes."""
    found = []
    for shape in model.visual:
        vertices, faces = shape.vertices, shape.faces
        if shape.kind == "box":
            vertices = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * shape.size / 2
            squares = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])
            faces = np.concatenate([squares[:, [0, 1, 2]], squares[:, [0, 2, 3]]])
        found.append(SE3(shape.wxyz_xyz).apply(vertices)[faces])
    return np.concatenate(found)


def cast(rays: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """(N) how far along each ray (N, 3) from the origin the first triangle (F, 3, 3) is; infinity for none.

    Möller and Trumbore, J. Graphics Tools 2(1), 1997.
    """
    nearest = np.full(len(rays), np.inf)
    for a, b, c in corners:
        first, second = b - a, c - a
        across = np.cross(rays, second)
        size = across @ first
        with np.errstate(divide="ignore", invalid="ignore"):
            u = across @ -a / size
            normal = np.cross(-a, first)
            v = rays @ normal / size
            along = second @ normal / size
        hit = (np.abs(size) > 1e-15) & (u >= 0) & (v >= 0) & (u + v <= 1) & (along > 0)
        nearest = np.where(hit, np.minimum(nearest, along), nearest)
    return nearest


def rays_of(camera, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(N, 3) rays through pixels, one long along the axis."""
    return np.stack([(columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy, np.ones(len(rows))], axis=-1)


@pytest.mark.requirement("H06")
def test_depth_of_the_object_is_that_of_its_mesh_at_the_true_pose(exact):
    demo, truth = exact
    camera, T_world_camera = demo.meta.calibration.depth, demo.meta.calibration.T_world_camera
    Ts_camera_object = T_world_camera.inv() @ truth.object_trajectory.Ts_world_object
    compared = 0
    for index in range(0, len(demo), 3):
        depth, mask = decoded(demo[index].depth) * demo.meta.depth_unit, decoded(demo[index].masks["object"]) > 0
        inside = eroded(mask)
        rows, columns = (each[:: max(1, inside.sum() // 300)] for each in np.nonzero(inside))
        expected = cast(rays_of(camera, columns, rows), Ts_camera_object[index].apply(triangles(truth.object)))
        assert np.isfinite(expected).all()
        assert np.abs(depth[rows, columns] - expected).max() < 1e-3
        compared += len(rows)
    assert compared > 600


@pytest.mark.requirement("H05")
def test_masks_are_right_to_a_pixel(exact):
    demo, truth = exact
    camera, T_world_camera = demo.meta.calibration.color, demo.meta.calibration.T_world_camera
    Ts_camera_object = T_world_camera.inv() @ truth.object_trajectory.Ts_world_object
    mask, hand = (decoded(demo[0].masks[name]) > 0 for name in ("object", "hand"))
    low, high = np.argwhere(mask).min(axis=0) - 4, np.argwhere(mask).max(axis=0) + 5
    rows, columns = (each.ravel() for each in np.mgrid[low[0] : high[0], low[1] : high[1]])
    hit = np.isfinite(cast(rays_of(camera, columns, rows), Ts_camera_object[0].apply(triangles(truth.object))))
    silhouette = np.zeros(mask.shape, bool)
    silhouette[rows, columns] = hit
    # All that is seen is within a pixel of the silhouette; all of the silhouette is seen, or hidden by something nearer.
    assert not (mask & ~dilated(silhouette)).any()
    depth = decoded(demo[0].depth) * demo.meta.depth_unit
    behind = cast(rays_of(camera, columns, rows), Ts_camera_object[0].apply(triangles(truth.object)))
    unseen = (eroded(silhouette) & ~mask)[rows, columns]
    assert (depth[rows, columns][unseen] < behind[unseen] - 1e-3).all()
    assert not (mask & hand).any()


@pytest.mark.requirement("H10")
def test_the_hand_is_where_its_keypoints_are(exact):
    demo, truth = exact
    camera, T_world_camera = demo.meta.calibration.color, demo.meta.calibration.T_world_camera
    for index in range(0, len(demo), 3):
        points = T_world_camera.inv().apply(truth.hand_trajectory.p_world_keypoints[index])
        columns, rows = np.round(points[:, :2] / points[:, 2:] * camera.fx + (camera.cx, camera.cy)).astype(int).T
        shown = (columns >= 0) & (columns < camera.width) & (rows >= 0) & (rows < camera.height)
        if not shown.all():
            continue
        depth = (decoded(demo[index].depth) * demo.meta.depth_unit)[rows, columns]
        hand = decoded(demo[index].masks["hand"])[rows, columns] > 0
        # Bones lie inside the flesh: what is seen there is the hand a little nearer, or something in front of it.
        assert (depth < points[:, 2] + 2e-3).all()
        # Of a finger behind another part of the hand, that part is seen: only some keypoints show their own skin.
        over = hand & (points[:, 2] - depth < 0.02)
        assert over.sum() >= 5
        assert (points[over, 2] - depth[over] > 0.002).mean() > 0.9


@pytest.mark.requirement("H09")
def test_contact_and_first_motion_are_where_they_happen(exact):
    _, truth = exact
    path = truth.object_trajectory.Ts_world_object.translation
    turned = truth.object_trajectory.wxyz_xyz_world_object[:, :4]
    before = slice(0, truth.first_motion_frame)
    assert np.abs(path[before] - path[0]).max() < 1e-3
    assert np.abs(turned[before] - turned[0]).max() < 1e-2
    after = truth.first_motion_frame
    assert np.abs(path[after] - path[0]).max() + np.abs(turned[after] - turned[0]).max() > 1e-4
    assert 0 < truth.contact_frame <= truth.first_motion_frame < len(path) - 1


def test_every_reader_of_ours_takes_it(exact):
    demo, truth = exact
    again = open_demo(demo.folder)
    assert len(list(again)) == len(truth.object_trajectory.time)
    np.testing.assert_array_equal(again.meta.time, truth.object_trajectory.time)
    assert again.meta.mask_names == ("object", "hand")
    assert again.meta.notes["task"] == truth.scene.name


@pytest.mark.requirement("H01")
@pytest.mark.parametrize("which", ["made here", "bundled"])
def test_it_is_a_scene_for_the_toolkit_of_the_bop_benchmark(which, request, tmp_path):
    # https://github.com/thodan/bop_toolkit, which is on no package registry: clone it and put it on PYTHONPATH.
    inout = pytest.importorskip("bop_toolkit_lib.inout", reason="BOP's own toolkit is not installed")
    folder = BUNDLED
    if which == "made here":
        request.getfixturevalue("drawing")
        folder = record_demo("plate_push", 5, tmp_path / "a", TINY).folder
    cameras = inout.load_scene_camera(str(folder / "scene_camera.json"))
    truths = inout.load_scene_gt(str(folder / "scene_gt.json"))
    demo, truth = open_demo(folder), load(truth_path(folder), DemoTruth)
    assert sorted(cameras) == sorted(truths) == list(range(len(demo)))
    Ts_camera_object = demo.meta.calibration.T_world_camera.inv() @ truth.object_trajectory.Ts_world_object
    for index in (0, len(demo) // 2, len(demo) - 1):
        (found,) = truths[index]
        matrix = Ts_camera_object[index].as_matrix()
        np.testing.assert_allclose(found["cam_R_m2c"].reshape(3, 3), matrix[:3, :3], atol=1e-9)
        np.testing.assert_allclose(found["cam_t_m2c"].ravel(), 1000.0 * matrix[:3, 3], atol=1e-6)
        np.testing.assert_allclose(cameras[index]["cam_K"], demo.meta.calibration.color.matrix())
        picture = inout.load_im(str(folder / f"rgb/{index:06d}.jpg"))
        depth = inout.load_depth(str(folder / f"depth/{index:06d}.png")) * cameras[index]["depth_scale"]
        mask = inout.load_im(str(folder / f"mask_visib/{index:06d}_000000.png"))
        assert picture.shape == (*depth.shape, 3) == (*mask.shape, 3)
        # BOP is in millimetres: the visible object is measured about where its pose is.
        seen = depth[(mask > 0) & (depth > 0)]
        assert abs(np.median(seen) - found["cam_t_m2c"].ravel()[2]) < 150.0


def test_the_same_seed_gives_the_same_bytes(drawing, tmp_path):
    first, again, other = (
        record_demo("snackbox_push", seed, tmp_path / name, TINY).folder
        for seed, name in ((8, "a"), (8, "b"), (9, "c"))
    )
    assert files(first) == files(again)
    assert files(first) != files(other)


def test_progress_is_told_and_nothing_is_overwritten(drawing, tmp_path):
    told = []
    demo = record_demo("plate_push", 2, tmp_path / "a", replace(TINY, masks=False), lambda *each: told.append(each))
    assert told == [(done, len(demo)) for done in range(1, len(demo) + 1)]
    assert demo.meta.mask_names == ()
    with pytest.raises(SchemaError, match="exists"):
        record_demo("plate_push", 2, tmp_path / "a", TINY)


def test_the_bundled_recording_is_small_and_whole():
    size = sum(path.stat().st_size for path in BUNDLED.rglob("*") if path.is_file())
    assert size <= 3_000_000
    demo, truth = open_demo(BUNDLED), load(truth_path(BUNDLED), DemoTruth)
    assert len(list(demo)) == len(truth.object_trajectory.time) > 60
    assert demo.meta.notes["task"] == truth.scene.name == "snackbox_push"
    assert truth.hand_trajectory.side == "right"
    assert demo.meta.licence == "Apache-2.0"


def test_the_truth_of_the_bundled_recording_is_the_task_it_shows(tmp_path):
    shown, meant = task_from_truth(BUNDLED), load_task("snackbox_push")
    first, last = (shown.reference.Ts_world_object[index] for index in (0, -1))
    for found, wanted in ((first, meant.reference.Ts_world_object[0]), (last, meant.reference.Ts_world_object[-1])):
        distance, turn = found.distance(wanted)
        assert distance < 2e-3
        assert turn < np.deg2rad(0.5)
    # The hand is on its way from where the task wants it to the object, 3.5 cm farther on.
    assert shown.side == meant.side
    assert np.linalg.norm(shown.p_object_keypoints - meant.p_object_keypoints, axis=-1).max() < 0.05
    with pytest.raises(SchemaError, match=r"has no truth\.h2s: only rendered recordings do"):
        task_from_truth(tmp_path)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def dilated(mask: np.ndarray) -> np.ndarray:
    """A mask and every pixel beside it."""
    padded = np.pad(mask, 1)
    return np.logical_or.reduce(
        [
            padded[1 + i : padded.shape[0] - 1 + i, 1 + j : padded.shape[1] - 1 + j]
            for i in (-1, 0, 1)
            for j in (-1, 0, 1)
        ]
    )


def eroded(mask: np.ndarray) -> np.ndarray:
    return ~dilated(~mask)
