"""What a person sees is where things are.

In:  shapes and robots.   Out: surfaces, scenes, a PNG, a browser page.
Not here: whether it looks good.
"""

from __future__ import annotations

import socket
import sys
import urllib.request

import numpy as np
import pytest
from hands_for_tests import human_hand

from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_retarget.view import save_png, show, view_scene
from h2s2r_retarget.view.picture import HUMAN, RESIDUAL
from h2s2r_retarget.view.scene import BONES
from h2s2r_retarget.view.solids import triangles
from h2s2r_schemas.artifacts import KEYPOINT_NAMES, Shape
from h2s2r_schemas.errors import H2S2RError, SchemaError
from h2s2r_schemas.se3 import SE3

T_WORLD_WRIST = SE3.from_rotation_matrix(
    np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]]), np.array([0.5, 0.0, 0.4])
)


@pytest.fixture(scope="module")
def robot():
    return load_embodiment("iiwa14_allegro")


@pytest.mark.parametrize(
    ("kind", "size", "volume"),
    [
        ("box", (0.1, 0.2, 0.3), 0.006),
        ("sphere", (0.1, 0, 0), 4 / 3 * np.pi * 1e-3),
        ("cylinder", (0.1, 0.3, 0), np.pi * 0.003),
        ("capsule", (0.1, 0.3, 0), np.pi * 0.003 + 4 / 3 * np.pi * 1e-3),
    ],
)
def test_surfaces_are_closed_face_outwards_and_have_the_size_of_the_shape(kind, size, volume):
    pose = SE3.exp(np.array([0.3, -0.2, 0.1, 0.4, 0.5, -0.6]))
    vertices, faces = triangles(Shape(kind=kind, size=np.array(size), wxyz_xyz=pose.wxyz_xyz))
    edges = {(a, b) for face in faces for a, b in zip(face, np.roll(face, -1), strict=True)}
    assert len(edges) == 3 * len(faces)
    assert all((b, a) in edges for a, b in edges)
    corners = pose.inv().apply(vertices)[faces]
    enclosed = np.einsum("fi,fi->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6.0
    assert 0.9 * volume < enclosed < volume * (1 + 1e-9)


def test_every_keypoint_hangs_from_the_wrist():
    seen = {0}
    for _ in range(5):
        seen |= {b for a, b in BONES if a in seen}
    assert seen == set(range(len(KEYPOINT_NAMES)))
    assert (KEYPOINT_NAMES.index("thumb_ip"), KEYPOINT_NAMES.index("thumb_tip")) in BONES


def test_a_scene_has_the_links_where_the_chain_says_and_residuals_as_long_as_the_errors(robot):
    keypoints = np.stack([human_hand(0.3, T_world_wrist=T_WORLD_WRIST), human_hand(0.6, T_world_wrist=T_WORLD_WRIST)])
    positions = np.stack([robot.home, robot.home + 0.1])
    scene = view_scene(robot, positions, keypoints)
    assert len(scene) == 2
    place = scene.links.index("iiwa14_link_6")
    expected = robot.chain_of(["iiwa14_link_6"]).forward(positions[1])
    assert np.allclose(scene.Ts_world_link.wxyz_xyz[1, place], expected.wxyz_xyz[0])
    residuals = scene.residuals(1)
    tips = robot.chain.forward(positions[1]).translation[1:]
    wanted = robot.fingertip_targets(keypoints[1])
    lengths = np.linalg.norm(residuals[:, 1] - residuals[:, 0], axis=-1)
    assert np.allclose(lengths[:-1], np.linalg.norm(wanted - tips, axis=-1))
    assert np.allclose(residuals[-1, 0], robot.chain.forward(positions[1], robot.palm_frame).translation)
    assert scene.bones(0).shape == (len(BONES), 2, 3)


def test_shapes_that_do_not_fit_are_refused(robot):
    with pytest.raises(SchemaError, match="needs \\(J\\) or \\(T, J\\) with J = 23"):
        view_scene(robot, np.zeros(7))
    with pytest.raises(SchemaError, match="for 1 configurations"):
        view_scene(robot, robot.home, np.zeros((2, 21, 3)))


@pytest.mark.parametrize("name", ["iiwa14_allegro", "iiwa14_leap", "iiwa14_umi"])
def test_a_png_shows_robot_human_and_residuals_without_a_display(name, tmp_path):
    image = pytest.importorskip("matplotlib.image")
    embodiment = load_embodiment(name)
    alone = image.imread(save_png(view_scene(embodiment, embodiment.home), tmp_path / "alone.png"))
    scene = view_scene(embodiment, embodiment.home, human_hand(0.5, T_world_wrist=T_WORLD_WRIST))
    both = image.imread(save_png(scene, tmp_path / "both.png"))
    assert both.shape == alone.shape
    assert both.shape[0] >= 500
    for colour in (HUMAN, RESIDUAL):
        counts = [int((np.abs(pixels[..., :3] - colour).max(-1) < 0.02).sum()) for pixels in (alone, both)]
        assert counts[0] < counts[1]
        assert counts[1] > 50


def test_a_missing_library_is_named_with_its_extra(robot, tmp_path, monkeypatch):
    scene = view_scene(robot, robot.home)
    for module in ("matplotlib.figure", "viser"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(H2S2RError, match=r"matplotlib.*h2s2r-retarget\[view\]"):
        save_png(scene, tmp_path / "x.png")
    with pytest.raises(H2S2RError, match=r"viser.*h2s2r-retarget\[view\]"):
        show(scene)


def test_the_browser_gets_every_shape_and_steps_through_the_frames(robot):
    pytest.importorskip("viser")
    positions = np.stack([robot.home, robot.home + 0.1])
    hands = np.stack([human_hand(0.5, T_world_wrist=T_WORLD_WRIST)] * 2)
    scene = view_scene(robot, positions, hands)
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    server = show(scene, port=port)
    try:
        with urllib.request.urlopen(f"http://localhost:{server.get_port()}", timeout=10) as page:
            assert page.status == 200
        handles = server.scene._handle_from_node_name
        meshes = [name for name in handles if name.startswith("/robot/") and name.count("/") == 3]
        assert len(meshes) == len(scene.solids)
        link = f"/robot/{scene.links[-1]}"
        assert np.allclose(handles[link].position, scene.Ts_world_link.translation[0, -1])
        (slider,) = server.gui._gui_input_handle_from_uuid.values()
        slider.value = 1
        assert np.allclose(handles[link].position, scene.Ts_world_link.translation[1, -1])
        assert {"/human", "/residual", "/wanted/palm", "/reached/fingertips"} <= set(handles)
    finally:
        server.stop()
