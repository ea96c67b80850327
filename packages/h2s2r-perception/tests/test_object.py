"""Objects from scans and from recordings: the right size, mass and shape, or one clear error.

In:  meshes made by trimesh, pictures of boxes and cylinders on a table.   Out: ``ObjectModel``.
Not here: the scene around them (test_scene).
"""

import cv2
import numpy as np
import pytest
import trimesh
from scenes_for_tests import CAMERA, Box, faces_rgb, look_at, render

from h2s2r_perception.frames import RGBDFrame, project
from h2s2r_perception.scene.object import PrimitiveCfg, ScanCfg, object_from_recording, object_from_scan
from h2s2r_perception.scene.object.preview import draw_object
from h2s2r_perception.scene.object.round import fit_round
from h2s2r_schemas.artifacts import Calibration
from h2s2r_schemas.codec import load, save
from h2s2r_schemas.demo import DemoMeta, DemoWriter, open_demo
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

WOOD = 600.0


def scan_file(folder, mesh, scale=1.0, name="thing.ply"):
    made = mesh.copy()
    made.apply_scale(scale)
    made.export(folder / name)
    return folder / name


def bracket():
    """An L of two boxes that share a face, closed."""
    outline = [[0, 0], [0.12, 0], [0.12, 0.03], [0.03, 0.03], [0.03, 0.09], [0, 0.09]]
    vertices = np.array([[x, y, z] for z in (0.0, 0.05) for x, y in outline])
    top = [[0, 1, 2], [0, 2, 3], [0, 3, 4], [0, 4, 5]]
    faces = [[c, b, a] for a, b, c in top] + [[a + 6, b + 6, c + 6] for a, b, c in top]
    for i in range(6):
        j = (i + 1) % 6
        faces += [[i, j, j + 6], [i, j + 6, i + 6]]
    return trimesh.Trimesh(vertices, faces)


@pytest.mark.requirement("H14")
def test_a_scan_in_millimetres_becomes_an_object_in_metres(tmp_path):
    size = np.array([0.16, 0.05, 0.20])
    box = trimesh.creation.box(size)
    box.apply_translation([0.3, -0.1, 0.7])
    scan = object_from_scan(scan_file(tmp_path, box, 1000.0), ScanCfg(name="carton", unit="mm", density=WOOD))
    model = scan.model
    vertices = model.visual[0].vertices
    assert np.ptp(vertices, axis=0) == pytest.approx(size) and vertices.max(axis=0) == pytest.approx(size / 2)
    assert model.mass == pytest.approx(WOOD * size.prod()) and model.center_of_mass == pytest.approx(
        np.zeros(3), abs=1e-9
    )
    square = size**2
    assert np.diag(model.inertia) == pytest.approx(model.mass / 12 * (square.sum() - square))
    assert len(model.collision) == 1
    save(model, tmp_path / "carton.h2s")
    assert load(tmp_path / "carton.h2s").name == "carton"


def test_one_measured_edge_sets_the_scale(tmp_path):
    path = scan_file(tmp_path, trimesh.creation.box((0.16, 0.05, 0.20)), 3.1)
    model = object_from_scan(path, ScanCfg(measured=0.16, along="x", mass=0.3)).model
    assert np.ptp(model.visual[0].vertices, axis=0) == pytest.approx((0.16, 0.05, 0.20))
    assert model.mass == pytest.approx(0.3)


def test_an_axis_of_the_file_becomes_up(tmp_path):
    path = scan_file(tmp_path, trimesh.creation.box((0.02, 0.30, 0.05)), name="tall.glb")
    model = object_from_scan(path, ScanCfg(mass=0.2)).model  # glTF: metres, y up
    assert np.ptp(model.visual[0].vertices, axis=0)[2] == pytest.approx(0.30)
    flat = object_from_scan(path, ScanCfg(mass=0.2, up="-x")).model
    assert np.ptp(flat.visual[0].vertices, axis=0)[2] == pytest.approx(0.02)


def test_the_hole_under_a_scan_is_closed_and_crumbs_are_dropped(tmp_path):
    whole = trimesh.creation.cylinder(0.04, 0.1, sections=24)
    open_below = trimesh.Trimesh(whole.vertices, whole.faces[whole.face_normals[:, 2] > -0.9])
    crumb = trimesh.creation.icosphere(1, 0.003).apply_translation([0.2, 0, 0])
    path = scan_file(tmp_path, trimesh.util.concatenate([open_below, crumb]))
    scan = object_from_scan(path, ScanCfg(unit="m", density=WOOD, turns_about="z"))
    assert scan.model.mass == pytest.approx(WOOD * whole.volume) and scan.model.symmetry.axis.tolist() == [0, 0, 1]
    assert any("crumb" in line for line in scan.said) and any("closed a hole 1" in line for line in scan.said)


def test_faces_that_contradict_each_other_are_turned(tmp_path):
    made = bracket()
    faces = made.faces.copy()
    faces[::3] = faces[::3, ::-1]
    mixed = trimesh.Trimesh(made.vertices, faces, process=False)
    assert abs(mixed.volume - made.volume) > 0.1 * made.volume
    path = scan_file(tmp_path, mixed)
    model = object_from_scan(path, ScanCfg(unit="m", density=WOOD, convex="hull")).model
    assert model.mass == pytest.approx(WOOD * made.volume)


def test_parts_by_coacd_fill_the_object_and_not_its_notch(tmp_path):
    pytest.importorskip("coacd")
    made = bracket()
    scan = object_from_scan(scan_file(tmp_path, made), ScanCfg(unit="m", density=WOOD))
    parts = [trimesh.Trimesh(shape.vertices, shape.faces) for shape in scan.model.collision]
    assert len(parts) >= 2 and all(part.is_convex for part in parts)
    assert sum(part.volume for part in parts) == pytest.approx(made.volume, rel=0.05)
    hull = object_from_scan(tmp_path / "thing.ply", ScanCfg(unit="m", density=WOOD, convex="hull")).model
    assert len(hull.collision) == 1
    picture = draw_object(scan.model)
    assert picture.shape == (640, 960, 3) and len(np.unique(picture.reshape(-1, 3), axis=0)) > 20


def test_many_triangles_become_fewer(tmp_path):
    pytest.importorskip("fast_simplification")
    fine = trimesh.creation.icosphere(5, 0.05)
    scan = object_from_scan(scan_file(tmp_path, fine), ScanCfg(unit="m", density=WOOD, faces=2000, convex="hull"))
    mesh = trimesh.Trimesh(scan.model.visual[0].vertices, scan.model.visual[0].faces)
    assert len(fine.faces) == 20480 and len(mesh.faces) <= 2000 and mesh.is_watertight
    assert mesh.volume == pytest.approx(fine.volume, rel=0.02)


@pytest.mark.parametrize(
    ("cfg", "says"),
    [
        (ScanCfg(mass=0.1), "does not say its unit.*mm: 0.2 m"),
        (ScanCfg(unit="m", mass=0.1), "would be 200 m long"),
        (ScanCfg(unit="ft", mass=0.1), "no unit of length"),
        (ScanCfg(unit="mm"), "either the mass"),
        (ScanCfg(unit="mm", mass=0.1, density=600.0), "either the mass"),
        (ScanCfg(unit="mm", mass=300.0), "kg/m³; solids have"),
        (ScanCfg(unit="mm", measured=0.85, mass=0.1), "0.85 m were measured"),
        (ScanCfg(measured=-1.0, mass=0.1), "more than 0"),
        (ScanCfg(unit="mm", mass=0.1, up="w"), "up is 'w'"),
        (ScanCfg(unit="mm", mass=0.1, along="deep"), "axes are x, y, z"),
        (ScanCfg(unit="mm", mass=0.1, convex="perhaps"), "coacd and hull"),
        (ScanCfg(unit="mm", mass=0.1, solid="perhaps"), "close and hull"),
        (ScanCfg(unit="mm", mass=0.1, concavity=3.0), "0.01 to 1"),
    ],
)
def test_a_scan_with_a_mistake(tmp_path, cfg, says):
    path = scan_file(tmp_path, trimesh.creation.box((0.16, 0.05, 0.20)), 1000.0)
    with pytest.raises(SchemaError, match=says):
        object_from_scan(path, cfg)


def test_a_file_that_is_no_mesh(tmp_path):
    (tmp_path / "thing.stl").write_bytes(b"not a mesh at all")
    with pytest.raises(SchemaError, match="Export"):
        object_from_scan(tmp_path / "thing.stl", ScanCfg(unit="m", mass=0.1))
    with pytest.raises(SchemaError, match="cannot be read"):
        object_from_scan(tmp_path / "absent.obj", ScanCfg(unit="m", mass=0.1))
    sheet = np.array([[0, 0, 0], [0.1, 0, 0], [0, 0.1, 0], [0, 0, 0.1]])
    fin = trimesh.Trimesh(np.concatenate((sheet, [[0.1, 0.1, 0.1]])), [[0, 1, 2], [0, 1, 3], [0, 1, 4]], process=False)
    with pytest.raises(SchemaError, match="more than two triangles"):
        object_from_scan(scan_file(tmp_path, fin, name="fin.ply"), ScanCfg(unit="m", mass=0.1))


# ── from the recording ───────────────────────────────────────────────────────────────────────────────────────────────

T_WORLD_CAMERA = look_at(np.array([0.2, -0.6, 0.5]), (0.0, 0.0, 0.05))


def on_table(x, y, height, yaw_deg=0.0):
    half = np.deg2rad(yaw_deg) / 2
    return SE3.from_parts(np.array([np.cos(half), 0, 0, np.sin(half)]), np.array([x, y, height / 2]))


def add_vessel(frame, radius, height, handle):
    """Draw points of a standing cylinder at the origin, with a bar along z beside it as handle; open at the top."""
    mesh = trimesh.creation.annulus(radius - 0.004, radius, height, sections=64)
    mesh.apply_translation([0, 0, height / 2])
    floor = trimesh.creation.cylinder(radius - 0.002, 0.004).apply_translation([0, 0, 0.002])
    mesh = trimesh.util.concatenate([mesh, floor])
    if handle:
        bar = trimesh.creation.box((handle - radius, 0.016, 0.6 * height))
        bar.apply_translation([(radius + handle) / 2, 0, height / 2])
        mesh = trimesh.util.concatenate([mesh, bar])
    drawn, _ = trimesh.sample.sample_surface(mesh, 300_000, seed=0)
    p_camera = T_WORLD_CAMERA.inv().apply(np.asarray(drawn))
    u, v = np.rint(project(CAMERA, p_camera)).astype(int).T
    depth = np.where(frame.depth > 0, frame.depth, np.inf)
    np.minimum.at(depth, (v, u), p_camera[:, 2])
    depth = np.where(np.isfinite(depth), depth, 0.0)
    return RGBDFrame(0, 0.0, frame.rgb, depth.astype(np.float32), CAMERA)


def recorded(folder, frame, masks=None):
    calibration = Calibration(color=CAMERA, depth=CAMERA)
    names = tuple(masks or ())
    meta = DemoMeta(name="made", calibration=calibration, depth_unit=0.001, licence="CC0-1.0", mask_names=names)
    with DemoWriter(folder, meta) as writer:
        for index in range(5):
            noise = np.random.default_rng(index).normal(0, 0.0008, frame.depth.shape)
            counts = np.round((frame.depth + noise * (frame.depth > 0)) * 1000).astype(np.uint16)
            shown = {n: cv2.imencode(".png", m.astype(np.uint8) * 255)[1].tobytes() for n, m in (masks or {}).items()}
            encoded = [cv2.imencode(".png", picture)[1].tobytes() for picture in (frame.rgb[..., ::-1], counts)]
            writer.append(0.1 * index, *encoded, shown)
    return open_demo(folder)


@pytest.mark.requirement("H14")
def test_a_box_on_the_table(tmp_path):
    size = (0.15, 0.08, 0.10)
    box = Box(size, on_table(0.02, 0.03, size[2], 30.0), faces_rgb(2))
    frame, _ = render([box], T_WORLD_CAMERA)
    found = object_from_recording(recorded(tmp_path / "demo", frame), PrimitiveCfg(density=200.0))
    assert found.kind == "box" and found.residual < 0.002
    edges = found.model.visual[0].size
    assert edges == pytest.approx(size, abs=0.004) and found.model.mass == pytest.approx(200 * np.prod(edges))
    T_world_object = T_WORLD_CAMERA @ found.T_camera_object
    assert T_world_object.translation == pytest.approx(box.T_world_box.translation, abs=0.004)


@pytest.mark.requirement("H14")
@pytest.mark.parametrize(("handle", "kind"), [(0.0, "cylinder"), (0.085, "mug")])
def test_a_cylinder_and_a_mug_on_the_table(tmp_path, handle, kind):
    radius, height = 0.042, 0.10
    bare, _ = render([], T_WORLD_CAMERA)
    demo = recorded(tmp_path / "demo", add_vessel(bare, radius, height, handle))
    found = object_from_recording(demo, PrimitiveCfg(mass=0.35))
    assert found.kind == kind and found.model.mass == pytest.approx(0.35)
    assert bool(found.model.symmetry.axis.any()) == (kind == "cylinder")
    T_world_object = T_WORLD_CAMERA @ found.T_camera_object
    assert T_world_object.translation == pytest.approx((0.0, 0.0, height / 2), abs=0.004)
    reach = max(
        np.linalg.norm(shape.vertices[:, :2], axis=1).max() for shape in found.model.visual if shape.kind == "mesh"
    )
    assert reach == pytest.approx(radius, abs=0.003)
    if kind == "mug":
        grip = found.model.visual[2]
        T_object_grip = SE3(grip.wxyz_xyz)
        outwards = T_world_object.rotate(np.array([*T_object_grip.translation[:2], 0.0]))
        assert np.linalg.norm(outwards) + 0.005 == pytest.approx(handle, abs=0.006)
        assert np.rad2deg(np.arctan2(outwards[1], outwards[0])) == pytest.approx(0.0, abs=6.0)


def test_the_same_points_twice_as_far_from_the_axis_are_no_handle():
    angle = np.linspace(0, 2 * np.pi, 400)
    ring = np.stack((0.04 * np.cos(angle), 0.04 * np.sin(angle), np.linspace(0.01, 0.09, 400)), 1)
    brim = np.stack((0.07 * np.cos(angle), 0.07 * np.sin(angle), np.full(400, 0.01)), 1)
    assert fit_round(np.concatenate((ring, ring, ring, brim))).handle is None


def test_what_an_object_in_a_recording_may_not_be(tmp_path):
    one = Box((0.14, 0.05, 0.10), on_table(-0.12, 0.0, 0.10), faces_rgb(1))
    two = Box((0.08, 0.08, 0.10), on_table(0.12, 0.05, 0.10), faces_rgb(1), "other")
    frame, masks = render([one, two], T_WORLD_CAMERA)
    demo = recorded(tmp_path / "two", frame, {"object": masks["object"]})
    with pytest.raises(SchemaError, match="2 things stand whole and alone"):
        object_from_recording(demo, PrimitiveCfg(mass=0.2))
    masked = object_from_recording(demo, PrimitiveCfg(mass=0.2, mask="object"))
    v, u = (int(np.median(axis)) for axis in np.nonzero(masks["object"]))
    pointed = object_from_recording(demo, PrimitiveCfg(mass=0.2, pixel=(u, v)))
    apart, _ = masked.T_camera_object.distance(pointed.T_camera_object)
    assert apart < 0.003
    for cfg, says in [
        (PrimitiveCfg(mass=0.2, mask="hand"), "no mask 'hand'"),
        (PrimitiveCfg(mass=0.2, pixel=(0, 0)), "Nothing stands"),
        (PrimitiveCfg(mass=0.2, kind="cone"), "there are auto"),
        (PrimitiveCfg(mass=0.2, frames=(3, 9)), "0 to 4"),
        (PrimitiveCfg(mask="object"), "either the mass"),
        (PrimitiveCfg(mass=0.2, mask="object", kind="mug"), "No handle"),
        (PrimitiveCfg(mass=0.2, mask="object", kind="cylinder", residual=0.004), "no cylinder"),
    ]:
        with pytest.raises(SchemaError, match=says):
            object_from_recording(demo, cfg)
    bare, _ = render([], T_WORLD_CAMERA)
    with pytest.raises(SchemaError, match="0 things"):
        object_from_recording(recorded(tmp_path / "bare", bare), PrimitiveCfg(mass=0.2))
