"""The scene of a recording: the table, and the walls and boxes that never move.

In:  ``Demo``.   Out: ``FoundScene``: a ``Scene``, and what was seen but is no box.
Not here: what moves (track), a scene written by hand (toml_file).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from h2s2r_perception.frames import RGBDFrame, deproject, project
from h2s2r_perception.scene.still import KnownPath, sampled, still_frame, without_moved
from h2s2r_perception.scene.swept import Swept, swept_by
from h2s2r_perception.scene.table import Table, find_table
from h2s2r_perception.scene.upright_box import UprightBox, fit_upright_box
from h2s2r_perception.segment import Component, find_components, find_plane
from h2s2r_perception.track.background import depth_noise
from h2s2r_perception.track.surface import object_mesh, surface_of
from h2s2r_schemas.artifacts import ObjectModel, ObjectTrajectory, Scene, SceneBody, Shape
from h2s2r_schemas.demo import Demo
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

#: [m] measured depth beyond the box's surface that means it is seen through; noise adds to it.
_THROUGH = 0.03
#: A thing that is longer than this many times its thickness, and higher than it is thick, is called a wall.
_WALL = 4.0
#: [px] around a thing whose rim may be torn from it; [m] cells in which what is left is gathered, and its greatest height.
_RIM, _CELL, _HIGHEST = 15, 0.02, 0.6


@dataclass(frozen=True)
class SceneCfg:
    """Settings of ``find_scene``."""

    fewest_points: int = 150
    """Measured points (of every second pixel) that a thing needs to be fitted."""
    lowest: float = 0.015
    """[m] height below which a thing is left out: cloths, cables, noise."""
    beyond: float = 0.10
    """[m] that a thing may stand beyond what was seen of the table."""
    residual: float = 0.008
    """[m] mean distance of a thing's points from the box beyond which it is no box."""
    seen_through: float = 0.2
    """Share of a box's visible surface that may be seen through before it is no box."""
    thinnest: float = 0.02
    """[m] thickness given to a thing of which only one face was seen."""
    friction: float = 0.8
    """Coefficient of sliding friction of everything: a picture does not tell it."""
    seed: int = 0
    """Of the search for the table."""


@dataclass(frozen=True)
class FoundScene:
    """A scene, and what could not be put into it."""

    scene: Scene
    """The table first."""
    left_out: tuple[str, ...]
    """One sentence per thing that was seen but is no box: describe those in a ``scene.toml``."""


def find_scene(
    demo: Demo,
    cfg: SceneCfg | None = None,
    frames: tuple[int, int] | None = None,
    mask: str = "",
    tracked: tuple[ObjectModel, ObjectTrajectory] | None = None,
) -> FoundScene:
    """The table and the boxes and walls on it that never move.

    Args:
        demo: the recording; its calibration says where the camera stands.
        cfg: settings.
        frames: first and last frame to use; all if none.
        mask: name of masks in the recording that show the object.
        tracked: the object and its path in this recording: it is taken out, nothing that it passes through is a box, and a
            table that it would stand in by millimetres is lowered. Without it or masks, what moves is told by that it moves,
            and where hand and object together cover a place throughout, what is there is left out or called no box.

    Raises:
        SchemaError: the camera's place is not known, no such frames or masks, no table, a tilted one, or the path is of
            another recording or lost everywhere.
    """
    cfg = cfg or SceneCfg()
    T_world_camera = demo.meta.calibration.T_world_camera
    first, last = (0, len(demo) - 1) if frames is None else frames
    if not 0 <= first <= last < len(demo):
        raise SchemaError(f"Frames {first} to {last} of a recording of 0 to {len(demo) - 1}: choose a range within it.")
    if mask and not demo.frames_with_mask(mask):
        raise SchemaError(f"No frame of this recording has a mask {mask!r}.")
    some = sampled(demo, (first, last), mask, None if tracked is None else _path(*tracked, T_world_camera))
    if not some:
        raise SchemaError("The object's path says nothing about any frame that was looked at: is it of this recording?")
    still = still_frame(some)
    up = T_world_camera.inv().rotate(np.array([0.0, 0.0, 1.0]))
    still = without_moved(still, some[0], find_plane(still, up, cfg.seed))
    table, swept = find_table(still, T_world_camera, cfg.seed), None
    if tracked is not None:
        model, path = tracked
        surface = surface_of(object_mesh(model), model.name)
        # A cloth, a path or a mesh that is off by a millimetre: what stood on the table was not inside it.
        table = table.lowered(swept_by(surface, table.T_world_table.inv() @ path.Ts_world_object).sunk())
        swept = swept_by(surface, table.T_world_table.inv() @ path.Ts_world_object)
    bodies, left_out = _fixtures(still, T_world_camera, table, swept, cfg)
    scene = Scene(
        name=demo.meta.name,
        wxyz_xyz_world_table=table.T_world_table.wxyz_xyz,
        bodies=(table.body(), *bodies),
        calibrated=demo.meta.calibration.calibrated,
    )
    return FoundScene(scene, tuple(left_out))


def _path(model: ObjectModel, path: ObjectTrajectory, T_world_camera: SE3) -> KnownPath:
    T_camera_world, Ts_world_object = T_world_camera.inv(), path.Ts_world_object
    return KnownPath(surface_of(object_mesh(model), model.name), path.time, T_camera_world @ Ts_world_object)


def _fixtures(
    still: RGBDFrame, T_world_camera: SE3, table: Table, swept: Swept | None, cfg: SceneCfg
) -> tuple[list[SceneBody], list[str]]:
    T_table_camera = table.T_world_table.inv() @ T_world_camera
    bodies: list[SceneBody] = []
    left_out: list[str] = []
    taken = np.zeros(still.depth.shape, bool)
    for thing in find_components(still, table.plane, depth_noise(still.depth)):
        p_table = T_table_camera.apply(thing.points)
        near = (np.abs(p_table[:, :2]) < table.size / 2 + cfg.beyond).all(axis=1)
        p_table = p_table[near]
        if len(p_table) < cfg.fewest_points or np.percentile(p_table[:, 2], 95) < cfg.lowest:
            continue
        taken |= thing.mask
        box = fit_upright_box(p_table, np.array(T_table_camera.translation))
        if box.size[2] < cfg.lowest:
            continue
        trouble = _no_box(still, box, T_table_camera, thing, cfg)
        if not trouble and swept is not None and swept.passes_through(box):
            trouble = "the object passes through the box around it"
        if trouble:
            x, y, z = table.T_world_table.apply(np.median(p_table, axis=0))
            left_out.append(f"a thing at ({x:.2f}, {y:.2f}, {z:.2f}) m: {trouble}")
        else:
            bodies.append(_body(box, table.T_world_table, bodies, cfg))
    for place in _thin_things(still, taken, T_table_camera, table, cfg):
        x, y, z = table.T_world_table.apply(place)
        left_out.append(f"something thin or torn at ({x:.2f}, {y:.2f}, {z:.2f}) m: wires, or too few points for a box")
    return bodies, left_out


def _thin_things(
    still: RGBDFrame, taken: np.ndarray, T_table_camera: SE3, table: Table, cfg: SceneCfg
) -> list[np.ndarray]:
    """(3) [m] middles in the table frame of gatherings of points above the table that belong to no thing in ``taken``."""
    near_taken = cv2.dilate(taken.astype(np.uint8), np.ones((_RIM, _RIM), np.uint8)) > 0
    v, u = np.nonzero((still.depth > 0) & ~near_taken)
    depth = still.depth[v, u].astype(float)
    p_table = T_table_camera.apply(deproject(still.camera, u, v, depth))
    high = p_table[:, 2] > cfg.lowest + 3 * depth_noise(still.depth) * depth**2
    p_table = p_table[high & (p_table[:, 2] < _HIGHEST) & (np.abs(p_table[:, :2]) < table.size / 2).all(axis=1)]
    cells = np.floor((p_table[:, :2] + table.size / 2) / _CELL).astype(int)
    grid = np.zeros(np.ceil(table.size / _CELL).astype(int) + 1, np.uint16)
    np.add.at(grid, (cells[:, 0], cells[:, 1]), 1)
    count, labels = cv2.connectedComponents((grid >= 3).astype(np.uint8))
    of_point = labels[cells[:, 0], cells[:, 1]]
    groups = [p_table[of_point == label] for label in range(1, count)]
    return [np.median(group, axis=0) for group in groups if len(group) >= 2 * cfg.fewest_points]


def _no_box(still: RGBDFrame, box: UprightBox, T_table_camera: SE3, thing: Component, cfg: SceneCfg) -> str:
    """Why a thing is no box, in words; empty where it is one."""
    if box.residual > cfg.residual:
        return f"its points lie {1000 * box.residual:.0f} mm off a box on average"
    through = _seen_through(still, box, T_table_camera)
    if through > cfg.seen_through:
        return f"{through:.0%} of the box around it is seen through"
    if thing.on_border:
        return "it reaches the border of the picture, so how large it is was not seen"
    return ""


def _seen_through(still: RGBDFrame, box: UprightBox, T_table_camera: SE3) -> float:
    """Share of the box's sides that face the camera behind which something farther was measured."""
    grid = np.linspace(-0.45, 0.45, 10)
    a, b = (axis.ravel() for axis in np.meshgrid(grid, grid))
    T_camera_box = T_table_camera.inv() @ box.T_table_box
    camera = T_camera_box.inv().translation
    points = []
    for axis in range(3):
        side = np.sign(camera[axis]) * 0.5
        if abs(camera[axis]) > box.size[axis] / 2:
            face = np.insert(np.stack((a, b), axis=1), axis, side, axis=1) * box.size
            points.append(face)
    if not points:
        return 1.0
    p_camera = T_camera_box.apply(np.concatenate(points))
    pixels = np.rint(project(still.camera, p_camera)).astype(int)
    high, wide = still.depth.shape
    inside = ((pixels >= 0) & (pixels < (wide, high))).all(axis=1) & (p_camera[:, 2] > 0)
    measured = still.depth[pixels[inside, 1], pixels[inside, 0]]
    beyond = p_camera[inside, 2] + _THROUGH + 3 * depth_noise(still.depth) * p_camera[inside, 2] ** 2
    known = measured > 0
    return float((known & (measured > beyond)).sum() / max(known.sum(), 1))


def _body(box: UprightBox, T_world_table: SE3, before: list[SceneBody], cfg: SceneCfg) -> SceneBody:
    size, T_table_body = box.size, SE3(box.T_table_box.wxyz_xyz)
    thin = size[1] < cfg.thinnest
    if thin:
        # Only its front was seen: what is behind that face is taken as the thinnest thing allowed.
        size = np.array([size[0], cfg.thinnest, size[2]])
    kind = "wall" if size[0] > _WALL * size[1] and size[2] > size[1] else "box"
    number = 1 + sum(body.name.startswith(kind) for body in before)
    T_world_body = T_world_table @ T_table_body
    return SceneBody(
        name=kind if number == 1 else f"{kind}_{number}",
        shapes=(Shape(kind="box", size=size),),
        wxyz_xyz_world_body=T_world_body.wxyz_xyz,
        friction=cfg.friction,
    )
