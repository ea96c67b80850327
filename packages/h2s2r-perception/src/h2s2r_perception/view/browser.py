"""Cloud, mesh, hand and path over time, in the browser, to turn about and to step through (extra ``view``).

In:  ``Finding``.   Out: a running viser server.
Not here: pictures and plots (overlay, plots).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from h2s2r_perception.frames import decode, deproject
from h2s2r_perception.track.surface import object_mesh
from h2s2r_perception.view.finding import BONES, Finding
from h2s2r_schemas.errors import H2S2RError

#: Every so many pixels of depth are shown, and nothing farther than this [m].
_EVERY, _FAR = 2, 2.0
_OBJECT, _HAND, _PATH, _INSTANT = (255, 190, 20), (20, 160, 220), (230, 90, 20), (40, 180, 60)


def show(finding: Finding, host: str = "localhost", port: int = 8080) -> Any:
    """Serve the recording with what was found in it; a slider steps through its frames.

    Args:
        finding: what to show.
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
        message = "A scene in the browser needs viser, which is not installed: pip install 'h2s2r-perception[view]'."
        raise H2S2RError(message) from error
    server = viser.ViserServer(host=host, port=port, verbose=False)
    server.scene.set_up_direction("+z")
    _draw_still(server, finding)
    draw = _Drawing(server, finding)
    slider = server.gui.add_slider("frame", min=0, max=len(finding.demo) - 1, step=1, initial_value=0)
    slider.on_update(lambda _: draw.frame(int(slider.value)))
    premanip = finding.premanip
    if premanip is not None:
        server.gui.add_markdown(premanip.reason)
        button = server.gui.add_button("pre-manipulation instant")
        button.on_click(lambda _: setattr(slider, "value", premanip.frame))
    draw.frame(0)
    return server


class _Drawing:
    """What changes from frame to frame: it takes the place of what had its name."""

    def __init__(self, server: Any, finding: Finding) -> None:
        self.server, self.finding = server, finding
        self.note = server.gui.add_markdown("")
        self.mesh = None
        if finding.model is not None and finding.path is not None:
            mesh = object_mesh(finding.model)
            self.mesh = server.scene.add_mesh_simple(
                "/object", np.asarray(mesh.vertices), np.asarray(mesh.faces), color=_OBJECT, opacity=0.6
            )

    def frame(self, index: int) -> None:
        """Show one frame of the recording."""
        finding = self.finding
        points, colours, time = cloud(finding, index)
        with self.server.atomic():
            self.server.scene.add_point_cloud("/cloud", points, colours, point_size=0.002)
            notes = [f"**{time:.2f} s**", self._object(time), self._hand(time)]
            self.note.content = "\n\n".join(note for note in notes if note)

    def _object(self, time: float) -> str:
        entry, path = self.finding.object_entry(time), self.finding.path
        if self.mesh is None or path is None or entry is None:
            return ""
        self.mesh.visible = not path.lost[entry]
        if path.lost[entry]:
            return "object **lost**"
        wxyz_xyz = path.wxyz_xyz_world_object[entry]
        self.mesh.wxyz, self.mesh.position = wxyz_xyz[:4], wxyz_xyz[4:]
        return f"object, confidence {path.confidence[entry]:.2f}"

    def _hand(self, time: float) -> str:
        entry, hand = self.finding.hand_entry(time), self.finding.hand
        if hand is None or entry is None:
            return ""
        if hand.lost[entry]:
            self.server.scene.add_line_segments("/hand", np.zeros((1, 2, 3)), _HAND, thickness=0.004)
            return f"{hand.side} hand **lost**"
        segments = hand.p_world_keypoints[entry][np.array(BONES)]
        self.server.scene.add_line_segments("/hand", segments, _HAND, thickness=0.004)
        return f"{hand.side} hand, confidence {hand.confidence[entry].mean():.2f}"


def cloud(finding: Finding, index: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Measured points (N, 3) [m] of a frame in the world, their colours (N, 3) uint8, and its time [s]."""
    calibration = finding.demo.meta.calibration
    frame = decode(finding.demo[index], calibration, finding.demo.meta.depth_unit)
    depth = frame.depth[::_EVERY, ::_EVERY]
    v, u = np.nonzero((depth > 0) & (depth < _FAR))
    p_camera = deproject(frame.camera, u * _EVERY, v * _EVERY, depth[v, u].astype(np.float64))
    return calibration.T_world_camera.apply(p_camera), frame.rgb[v * _EVERY, u * _EVERY], frame.time


def _draw_still(server: Any, finding: Finding) -> None:
    """What does not change: where the object goes, and the hand of the instant."""
    path, premanip = finding.path, finding.premanip
    if path is not None:
        places = path.wxyz_xyz_world_object[~path.lost, 4:]
        if len(places) > 1:
            server.scene.add_line_segments("/path", np.stack((places[:-1], places[1:]), axis=1), _PATH, thickness=0.003)
    if premanip is not None:
        segments = premanip.hand.p_world_keypoints[np.array(BONES)]
        server.scene.add_line_segments("/premanip", segments, _INSTANT, thickness=0.004)
