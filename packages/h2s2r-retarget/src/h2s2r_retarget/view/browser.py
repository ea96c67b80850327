"""A scene in the browser, to turn about and to step through.

In:  ``ViewScene``.   Out: a running viser server.
Not here: what there is to see (scene), pictures without a browser (picture).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from h2s2r_retarget.view.picture import AXIS_LENGTH, HUMAN, REACHED, RESIDUAL, WANTED
from h2s2r_retarget.view.scene import ViewScene
from h2s2r_schemas.errors import H2S2RError

_BONE_WIDTH, _LINE_WIDTH, _POINT_SIZE = 0.004, 0.003, 0.008


def show(scene: ViewScene, host: str = "localhost", port: int = 8080) -> Any:
    """Serve the scene; a slider steps through its frames, and the scene tree of the page hides what is not wanted.

    Args:
        scene: what to show.
        host: address to listen on.
        port: port to listen on.

    Returns:
        The ``viser.ViserServer``; it serves until ``stop()``, or until the process ends.

    Raises:
        H2S2RError: viser is not installed.
    """
    try:
        import viser  # noqa: PLC0415 - the extra view
    except ImportError as error:
        message = "A scene in the browser needs viser. Install it with: pip install 'h2s2r-retarget[view]'"
        raise H2S2RError(message) from error
    server = viser.ViserServer(host=host, port=port, verbose=False)
    server.scene.set_up_direction("+z")
    server.scene.add_grid("/floor", width=2.0, height=2.0)
    links = [server.scene.add_frame(f"/robot/{name}", show_axes=False) for name in scene.links]
    for number, solid in enumerate(scene.solids):
        name = f"/robot/{scene.links[solid.link]}/{number}"
        server.scene.add_mesh_simple(name, solid.vertices, solid.faces, color=_bytes(solid.rgb), flat_shading=False)

    def draw(frame: int) -> None:
        with server.atomic():
            for handle, wxyz_xyz in zip(links, scene.Ts_world_link.wxyz_xyz[frame], strict=True):
                handle.wxyz, handle.position = wxyz_xyz[:4], wxyz_xyz[4:]
            _draw_hand(server, scene, frame)

    _controls(server, scene, draw)
    draw(0)
    return server


def _draw_hand(server: Any, scene: ViewScene, frame: int) -> None:
    """What changes shape from frame to frame: it is put in the place of what had its name."""
    lines = (
        ("human", scene.bones(frame), HUMAN, _BONE_WIDTH),
        ("residual", scene.residuals(frame), RESIDUAL, _LINE_WIDTH),
    )
    for name, segments, rgb, width in lines:
        if len(segments):
            server.scene.add_line_segments(f"/{name}", segments, _bytes(rgb), thickness=width)
    _points(server, "/reached/fingertips", scene.p_world_fingertips[frame], REACHED)
    _axes(server, "/reached/palm", scene.Ts_world_palm.wxyz_xyz[frame])
    if scene.p_world_fingertips_wanted is not None and scene.Ts_world_palm_wanted is not None:
        _points(server, "/wanted/fingertips", scene.p_world_fingertips_wanted[frame], WANTED)
        _axes(server, "/wanted/palm", scene.Ts_world_palm_wanted.wxyz_xyz[frame])


def _points(server: Any, name: str, points: np.ndarray, rgb: tuple[float, ...]) -> None:
    colours = np.tile(_bytes(rgb), (len(points), 1)).astype(np.uint8)
    server.scene.add_point_cloud(name, points, colours, point_size=_POINT_SIZE, point_shape="circle")


def _axes(server: Any, name: str, wxyz_xyz: np.ndarray) -> None:
    server.scene.add_frame(
        name, wxyz=wxyz_xyz[:4], position=wxyz_xyz[4:], axes_length=AXIS_LENGTH, axes_radius=0.03 * AXIS_LENGTH
    )


def _controls(server: Any, scene: ViewScene, draw: Any) -> None:
    if len(scene) > 1:
        slider = server.gui.add_slider("frame", min=0, max=len(scene) - 1, step=1, initial_value=0)
        slider.on_update(lambda _: draw(int(slider.value)))


def _bytes(rgb: Any) -> tuple[int, int, int]:
    red, green, blue = (round(255 * float(each)) for each in rgb)
    return red, green, blue
