"""The emulated camera shows the twin as it is, when it should, with the faults asked for."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

pytest.importorskip("mujoco", reason="the camera needs the extra `emulator`")
pytest.importorskip("h2s2r_sim", reason="the camera needs the extra `emulator`")

from h2s2r_hw.emulators.camera import CameraCfg, CameraFrame, TwinCamera
from h2s2r_hw.emulators.cast import cast_twin
from h2s2r_hw.emulators.twin import Twin
from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.demonstrate.camera import NO_FAULTS
from h2s2r_sim.demonstrate.stage import color_camera
from h2s2r_sim.view.extra import NoGraphicsError
from h2s2r_sim.view.offscreen import offscreen_backend

try:
    offscreen_backend()
except NoGraphicsError as error:
    pytest.skip(str(error), allow_module_level=True)

INTRINSICS = color_camera(160, 120)
CLEAN = CameraCfg(faults=NO_FAULTS, duration=0.2)
#: [m] of the camera over the object: below the hand, which waits above.
HEIGHT = 0.42


def cell(seed: int = 0) -> Twin:
    return cast_twin("snackbox_push", "iiwa14_allegro", "right", "default", "none", seed)[0]


def above(twin: Twin) -> SE3:
    """A camera that looks straight down on the object, its x along the world's y."""
    rotation = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
    return SE3.from_rotation_matrix(rotation, twin.T_world_object.translation + (0.0, 0.0, HEIGHT))


def frames(twin: Twin, cfg: CameraCfg, seed: int = 0) -> list[CameraFrame]:
    """All that arrive; time passes from event to event."""
    camera = TwinCamera(twin, load_embodiment("iiwa14_allegro"), above(twin), INTRINSICS, cfg, seed)
    got = []
    try:
        while camera.next_event_ns() < 10**12:
            now_ns = camera.next_event_ns()
            twin.advance(now_ns)
            got += camera.act(now_ns)
    finally:
        camera.close()
    return got


def test_depth_is_that_of_the_object_and_of_the_table() -> None:
    twin = cell()
    shown = frames(twin, CLEAN)
    assert [frame.time for frame in shown] == pytest.approx([index / 30 for index in range(7)])
    top = max(vertex[2] for vertex in twin.T_world_object.apply(box_corners(twin)))
    expected = twin.T_world_object.translation[2] + HEIGHT - top
    assert shown[-1].depth[60, 80] == pytest.approx(expected, abs=1e-3)
    table = float(twin.task.scene.wxyz_xyz_world_table[6])
    assert np.isclose(shown[-1].depth, twin.T_world_object.translation[2] + HEIGHT - table, atol=2e-3).mean() > 0.3
    assert shown[-1].rgb.std() > 5.0  # a picture, not a colour


def box_corners(twin: Twin) -> np.ndarray:
    size = twin.task.object.collision[0].size
    return np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * size / 2


def test_the_object_is_seen_where_it_has_moved() -> None:
    twin = cell()
    camera = TwinCamera(twin, load_embodiment("iiwa14_allegro"), above(twin), INTRINSICS, CLEAN)
    before = camera.act(0)[0].depth
    twin.data.qpos[twin.scene.object_qpos[4]] += 0.05  # along the world's x: down in the picture
    after = camera.act(camera.next_event_ns())
    while not after:
        after = camera.act(camera.next_event_ns())
    camera.close()
    nearest = before.min()
    rows = [np.flatnonzero((depth < nearest + 0.01).any(1)).mean() for depth in (before, after[0].depth)]
    assert rows[1] - rows[0] == pytest.approx(0.05 * INTRINSICS.fy / nearest, abs=1.5)


def test_the_same_seed_gives_the_same_bytes_and_faults_are_those_asked_for() -> None:
    faulty = CameraCfg(duration=0.4, faults=replace(CameraCfg().faults, dropped=0.3, repeated=0.3))
    first, again = frames(cell(), faulty, 3), frames(cell(), faulty, 3)
    assert [(each.time, each.rgb.tobytes(), each.depth.tobytes()) for each in first] == [
        (each.time, each.rgb.tobytes(), each.depth.tobytes()) for each in again
    ]
    clean = frames(cell(), CLEAN)
    assert len(first) < 13  # some were dropped
    assert any(np.array_equal(a.rgb, b.rgb) and np.array_equal(a.depth, b.depth) for a, b in pairwise(first))
    assert (first[0].depth == 0.0).mean() > (clean[0].depth == 0.0).mean()


@pytest.mark.parametrize(
    ("cfg", "camera", "says"),
    [
        (CameraCfg(faults=replace(NO_FAULTS, delay=0.1)), INTRINSICS, "0.1 s after colour"),
        (CLEAN, INTRINSICS.replace(cx=3.0), "principal point at"),
        (CLEAN, INTRINSICS.replace(distortion=np.array([0.1, 0.0, 0.0, 0.0, 0.0])), "no distortion"),
    ],
)
def test_what_it_cannot_be_is_refused(cfg, camera, says) -> None:
    twin = cell()
    with pytest.raises(SchemaError, match=says):
        TwinCamera(twin, load_embodiment("iiwa14_allegro"), above(twin), camera, cfg)
