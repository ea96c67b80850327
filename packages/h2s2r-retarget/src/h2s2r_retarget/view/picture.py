"""One frame of a scene as a PNG, without a browser or a display.

In:  ``ViewScene``.   Out: a PNG file: the whole robot, and its hand from the palm and from the index side.
Not here: what there is to see (scene), turning it about (browser).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_retarget.view.scene import ViewScene
from h2s2r_schemas.errors import H2S2RError
from h2s2r_schemas.se3 import SE3

#: Colours of both views: the human, what was wanted, what was reached, and the way between them.
HUMAN, WANTED, REACHED, RESIDUAL = (0.16, 0.42, 0.78), (0.12, 0.55, 0.25), (0.1, 0.1, 0.1), (0.85, 0.1, 0.1)
#: Colours of the axes x, y and z, and their length [m].
AXES, AXIS_LENGTH = ((0.85, 0.2, 0.2), (0.2, 0.65, 0.2), (0.2, 0.3, 0.85)), 0.05
#: [m] what a view of the hand shows: half its width, and its centre in the palm frame.
_HAND_REACH, _HAND_CENTRE = 0.13, np.array([0.03, 0.0, 0.02])
#: How pale the hand is in its views, so that what lies inside shows on it.
_PALE = 0.6
#: Where the light comes from, in the world.
_LIGHT = np.array([0.35, -0.5, 0.8]) / np.linalg.norm([0.35, -0.5, 0.8])


@dataclass(frozen=True)
class _View:
    """What one of the drawings shows, and from where."""

    title: str
    T_view_world: SE3
    """World coordinates to those of the drawing."""
    centre: np.ndarray
    """(3) [m]"""
    reach: float
    """[m] shown to either side of the centre."""
    elevation: float
    """[deg] of the eye above the drawing's x-y plane."""
    azimuth: float
    """[deg] of the eye about z, from x."""

    def apply(self, axes: Any) -> None:
        axes.set_title(self.title)
        for name, middle in zip("xyz", self.centre, strict=True):
            getattr(axes, f"set_{name}lim")(middle - self.reach, middle + self.reach)
            getattr(axes, f"set_{name}label")(f"{name} [m]")
        axes.view_init(elev=self.elevation, azim=self.azimuth)
        axes.set_box_aspect((1, 1, 1), zoom=1.05)
        if self.elevation == 0:
            # Looking along x or y, its ticks would all fall on one spot.
            getattr(axes, "set_xticks" if self.azimuth == 0 else "set_yticks")([])
            getattr(axes, "set_xlabel" if self.azimuth == 0 else "set_ylabel")("")
        axes.tick_params(labelsize=6)


def save_png(scene: ViewScene, path: str | Path, frame: int = 0) -> Path:
    """Draw one frame.

    Args:
        scene: what to draw.
        path: file to write; its folder must exist.
        frame: which frame; negative counts from the end.

    Raises:
        H2S2RError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - the extra view
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        message = "A picture needs matplotlib. Install it with: pip install 'h2s2r-retarget[view]'"
        raise H2S2RError(message) from error
    figure = Figure(figsize=(15, 6), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(_heading(scene, frame))
    vertices, colours = _shaded(scene, frame)
    T_palm_world = scene.Ts_world_palm[frame].inv()
    near = (np.abs(T_palm_world.apply(vertices) - _HAND_CENTRE) <= _HAND_REACH).all(axis=(1, 2))
    low, high = vertices.reshape(-1, 3).min(0), vertices.reshape(-1, 3).max(0)
    whole = _View("robot, in the world", SE3.identity(), 0.5 * (low + high), 0.5 * float((high - low).max()), 25, -42)
    hand = _View("hand, in its palm frame", T_palm_world, _HAND_CENTRE, _HAND_REACH, 0, 0)
    side = replace(hand, title="hand, from its index side", azimuth=90)
    for column, (view, shown) in enumerate(((whole, ...), (hand, near), (side, near)), start=1):
        axes: Any = figure.add_subplot(1, 3, column, projection="3d", computed_zorder=False, proj_type="ortho")
        view.apply(axes)
        _solids(
            axes,
            view.T_view_world.apply(vertices[shown]),
            colours[shown] if view is whole else _PALE + (1.0 - _PALE) * colours[shown],
        )
        _human(axes, scene, frame, view.T_view_world)
    path = Path(path)
    figure.savefig(path, dpi=110)
    return path


def _heading(scene: ViewScene, frame: int) -> str:
    number = f", frame {frame % len(scene)} of {len(scene)}" if len(scene) > 1 else ""
    residuals = scene.residuals(frame)
    if not len(residuals):
        return scene.title + number
    *tips, palm = np.linalg.norm(residuals[:, 1] - residuals[:, 0], axis=-1) * 1000
    left = ", ".join(f"{each:.1f}" for each in tips)
    return f"{scene.title}{number}: palm {palm:.1f} mm, fingertips {left} mm from where they should be (red)"


def _shaded(scene: ViewScene, frame: int) -> tuple[np.ndarray, np.ndarray]:
    """All triangles (K, 3, 3) [m] in the world, and their colours (K, 3), darker where they turn from the light."""
    corners, colours = [], []
    for solid in scene.solids:
        T_world_link = scene.Ts_world_link[frame, solid.link]
        triangle = T_world_link.apply(solid.vertices)[solid.faces]
        normal = np.cross(triangle[:, 1] - triangle[:, 0], triangle[:, 2] - triangle[:, 0])
        normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-12)
        light = 0.6 + 0.4 * np.clip(normal @ _LIGHT, -0.5, 1.0)
        corners.append(triangle)
        colours.append(np.clip(light[:, None] * solid.rgb, 0.0, 1.0))
    return np.concatenate(corners), np.concatenate(colours)


def _solids(axes: Any, vertices: np.ndarray, colours: np.ndarray) -> None:
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection  # noqa: PLC0415

    axes.add_collection3d(
        Poly3DCollection(vertices, facecolors=colours, edgecolors="none", antialiased=False, zorder=1)
    )


def _human(axes: Any, scene: ViewScene, frame: int, T_view_world: SE3) -> None:
    """Bones, targets and the lines to them, in front of the solids."""
    _frame_axes(axes, T_view_world @ scene.Ts_world_palm[frame], 1.5)
    axes.scatter(*T_view_world.apply(scene.p_world_fingertips[frame]).T, color=REACHED, s=14, zorder=4)
    for bone in T_view_world.apply(scene.bones(frame)):
        axes.plot(*bone.T, color=HUMAN, linewidth=1.6, zorder=3)
    if scene.p_world_fingertips_wanted is not None and scene.Ts_world_palm_wanted is not None:
        _frame_axes(axes, T_view_world @ scene.Ts_world_palm_wanted[frame], 0.8)
        wanted = T_view_world.apply(scene.p_world_fingertips_wanted[frame])
        axes.scatter(*wanted.T, color=WANTED, s=40, marker="x", zorder=5)
    for line in T_view_world.apply(scene.residuals(frame)):
        axes.plot(*line.T, color=RESIDUAL, linewidth=1.8, zorder=6)


def _frame_axes(axes: Any, T_view_frame: SE3, width: float) -> None:
    start, directions = T_view_frame.translation, T_view_frame.rotation_matrix().T
    for direction, colour in zip(directions, AXES, strict=True):
        ends = np.stack([start, start + AXIS_LENGTH * direction])
        axes.plot(*ends.T, color=colour, linewidth=width, zorder=3)
