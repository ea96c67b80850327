"""An object from the recording itself, where it is about a box, a cylinder or a mug.

In:  ``Demo`` that begins with the object standing still, or a mask of it.   Out: ``FoundObject``.
Not here: other shapes (from_scan).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from h2s2r_perception.frames import RGBDFrame, decode_all, deproject
from h2s2r_perception.scene.object.from_scan import mass_of
from h2s2r_perception.scene.object.primitive import box_shapes, round_shapes
from h2s2r_perception.scene.object.round import Round, fit_round
from h2s2r_perception.scene.upright_box import UprightBox, fit_upright_box
from h2s2r_perception.segment import Component, Plane, find_components, find_plane
from h2s2r_perception.track.background import depth_noise
from h2s2r_perception.track.surface import shape_mesh
from h2s2r_schemas.artifacts import ObjectModel, Shape, Symmetry
from h2s2r_schemas.demo import Demo
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

KINDS = ("auto", "box", "cylinder", "mug")
#: A cylinder is preferred to a box that fits at most this many times better: a box has one number more.
_SIMPLER = 1.1
_FEWEST_POINTS = 100
#: Things nearer to each other than this share of their mean extent are one: the inside of a cup is torn from its outside.
_OVERLAP = 0.75


@dataclass(frozen=True)
class PrimitiveCfg:
    """How an object is fitted."""

    name: str = "object"
    """Of the object."""
    kind: str = "auto"
    """One of ``KINDS``; a mug is a cylinder with a handle."""
    frames: tuple[int, int] = (0, 4)
    """First and last frame to use: the object stands still there and no hand touches it."""
    mask: str = ""
    """Name of masks in the recording that show the object; without one it is the only thing on the table."""
    pixel: tuple[int, int] | None = None
    """(u, v) [px] on the object, where several things stand on the table."""
    mass: float | None = None
    """[kg] by scale. Either this or ``density``."""
    density: float | None = None
    """[kg/m³] of the shape that was fitted."""
    friction: float = 0.6
    """Coefficient of sliding friction."""
    residual: float = 0.006
    """[m] mean distance of its points from the shape beyond which it is none of these."""
    seed: int = 0
    """Of the search for the table."""


@dataclass(frozen=True)
class FoundObject:
    """An object, and where it stands in the frames it was taken from."""

    model: ObjectModel
    """Origin in the middle of its body, z up as it stands."""
    kind: str
    """``box``, ``cylinder`` or ``mug``."""
    T_camera_object: SE3
    """Where it stands."""
    residual: float
    """[m] mean distance of its points from the shape."""


def object_from_recording(demo: Demo, cfg: PrimitiveCfg | None = None) -> FoundObject:
    """An ``ObjectModel`` of a box, a cylinder or a mug that stands on the table.

    What the camera does not see is taken from symmetry: the back of a cylinder, the far sides of a box as far as its top
    reaches. An edge or radius is good to a few millimetres; where a ruler is at hand, a scan or a TOML file is better.

    Raises:
        SchemaError: no such frames or masks; no table; no thing, or several and nobody says which; no kind fits; neither
            mass nor density.
    """
    cfg = cfg or PrimitiveCfg()
    if cfg.kind not in KINDS:
        raise SchemaError(f"kind is {cfg.kind!r}; there are {', '.join(KINDS)}.")
    frame = _steady(demo, cfg)
    plane = find_plane(_around_mask(frame, cfg.mask), None, cfg.seed)
    T_camera_table = _on_table(plane)
    T_table_camera = T_camera_table.inv()
    p_table = T_table_camera.apply(_points(frame, plane, cfg))
    box = fit_upright_box(p_table, np.array(T_table_camera.translation))
    cylinder = fit_round(p_table)
    kind, residual = _choose(box, cylinder, cfg)
    rgba = _colour(frame, T_camera_table.apply(p_table))
    if kind == "box":
        seen = collides = box_shapes(box, rgba)
        T_table_object = SE3(box.T_table_box.wxyz_xyz)
    else:
        cylinder = cylinder if kind == "mug" else replace(cylinder, handle=None)
        seen, collides = round_shapes(cylinder, rgba)
        T_table_object = SE3.from_parts(np.array([1.0, 0, 0, 0]), np.array([*cylinder.centre, cylinder.height / 2]))
    model = _model(cfg, kind, seen, collides)
    return FoundObject(model, kind, T_camera_table @ T_table_object, residual)


def _steady(demo: Demo, cfg: PrimitiveCfg) -> RGBDFrame:
    """The first of the frames with the median depth of all of them, which must not differ."""
    first, last = cfg.frames
    if not 0 <= first <= last < len(demo):
        raise SchemaError(f"Frames {first} to {last} of a recording of 0 to {len(demo) - 1}: choose a range within it.")
    frames = list(decode_all(demo, first, last))
    depth = np.stack([frame.depth for frame in frames])
    depth = np.where(depth > 0, depth, np.nan)
    with np.errstate(all="ignore"):
        known = np.isfinite(depth).sum(axis=0) >= (len(frames) + 1) // 2
        median = np.where(known, np.nanmedian(np.where(known, depth, 0.0), axis=0), 0.0)
    return replace(frames[0], depth=np.nan_to_num(median).astype(np.float32))


def _around_mask(frame: RGBDFrame, name: str) -> RGBDFrame:
    """The frame with depth only around a mask, twice as wide as it: what the object stands on, not the floor beside."""
    if not name:
        return frame
    if name not in frame.masks:
        raise SchemaError(f"Frame {frame.index} has no mask {name!r}; it has {sorted(frame.masks) or 'none'}.")
    rows, columns = np.nonzero(frame.masks[name])
    near = np.zeros(frame.depth.shape, bool)
    if len(rows):
        high, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
        top, left = max(rows.min() - high // 2, 0), max(columns.min() - wide // 2, 0)
        near[top : rows.max() + high // 2, left : columns.max() + wide // 2] = True
    return replace(frame, depth=np.where(near, frame.depth, np.float32(0)))


def _on_table(plane: Plane) -> SE3:
    """``T_camera_table`` of a table frame under the camera: z up out of it, x as near the picture's as can be."""
    x = np.array([1.0, 0.0, 0.0]) - plane.normal[0] * plane.normal
    x /= np.linalg.norm(x)
    axes = np.stack((x, np.cross(plane.normal, x), plane.normal), axis=1)
    return SE3.from_rotation_matrix(axes, -plane.offset * plane.normal)


def _points(frame: RGBDFrame, plane: Plane, cfg: PrimitiveCfg) -> np.ndarray:
    """(N, 3) [m] measured points of the object in the camera frame."""
    noise = depth_noise(frame.depth)
    if cfg.mask:
        v, u = np.nonzero(frame.masks[cfg.mask] & (frame.depth > 0))
        points = deproject(frame.camera, u, v, frame.depth[v, u].astype(float))
        points = points[plane.height(points) > 0.004]
    else:
        points = _only_thing(frame, find_components(frame, plane, noise), cfg).points
    if len(points) < _FEWEST_POINTS:
        raise SchemaError(
            f"The object has {len(points)} measured points in frame {frame.index}, {_FEWEST_POINTS} are needed: bring it nearer."
        )
    return points


def _only_thing(frame: RGBDFrame, things: list[Component], cfg: PrimitiveCfg) -> Component:
    if cfg.pixel is not None:
        u, v = cfg.pixel
        high, wide = frame.depth.shape
        hit = [thing for thing in things if 0 <= u < wide and 0 <= v < high and thing.mask[v, u]]
        if not hit:
            raise SchemaError(f"Nothing stands on the table at pixel ({u}, {v}) of frame {frame.index}.")
        return hit[0]
    whole = _joined([thing for thing in things if not thing.on_border and len(thing.points) >= _FEWEST_POINTS // 2])
    whole = [thing for thing in whole if len(thing.points) >= _FEWEST_POINTS]
    if len(whole) != 1:
        places = []
        for thing in whole:
            v, u = (np.median(axis).astype(int) for axis in np.nonzero(thing.mask))
            places.append(f"({u}, {v})")
        raise SchemaError(
            f"{len(whole)} things stand whole and alone on the table in frame {frame.index}, at pixels "
            f"{', '.join(places) or '-'}. Say which by a pixel on it, or give a mask; or choose frames in which the hand is away."
        )
    return whole[0]


def _joined(things: list[Component]) -> list[Component]:
    """Things that reach into each other made one."""
    joined: list[Component] = []
    for thing in things:
        middle = np.median(thing.points, axis=0)
        for index, other in enumerate(joined):
            apart = np.linalg.norm(middle - np.median(other.points, axis=0))
            if apart < _OVERLAP * (thing.extent + other.extent) / 2:
                points = np.concatenate((other.points, thing.points))
                joined[index] = Component(other.mask | thing.mask, points, False)
                break
        else:
            joined.append(thing)
    return joined


def _choose(box: UprightBox, cylinder: Round, cfg: PrimitiveCfg) -> tuple[str, float]:
    """Kind and residual [m]."""
    kind = cfg.kind
    if kind == "auto":
        is_round = cylinder.residual < _SIMPLER * box.residual
        kind = ("mug" if cylinder.handle is not None else "cylinder") if is_round else "box"
    if kind == "mug" and cylinder.handle is None:
        raise SchemaError("No handle was seen on this mug: turn it so that the camera sees it, or fit a cylinder.")
    residual, height = (box.residual, box.size[2]) if kind == "box" else (cylinder.residual, cylinder.height)
    allowed = min(cfg.residual, height / 4)  # what is flat, like a plate, is near any flat box
    if residual > allowed:
        raise SchemaError(
            f"The object is no {kind}: its points lie {1000 * residual:.1f} mm off the best one on average ({1000 * allowed:.1f} "
            f"are allowed; box {1000 * box.residual:.1f}, cylinder {1000 * cylinder.residual:.1f}). Scan it: `object from-scan`."
        )
    return kind, residual


def _colour(frame: RGBDFrame, p_camera: np.ndarray) -> np.ndarray:
    """(4) the median colour at points (N, 3) [m]."""
    camera = frame.camera
    u = np.rint(camera.fx * p_camera[:, 0] / p_camera[:, 2] + camera.cx).astype(int)
    v = np.rint(camera.fy * p_camera[:, 1] / p_camera[:, 2] + camera.cy).astype(int)
    inside = (u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height)
    return np.append(np.median(frame.rgb[v[inside], u[inside]], axis=0) / 255.0, 1.0)


def _model(cfg: PrimitiveCfg, kind: str, seen: tuple[Shape, ...], collides: tuple[Shape, ...]) -> ObjectModel:
    meshes = [shape_mesh(shape) for shape in seen]
    whole = meshes[0] if len(meshes) == 1 else sum(meshes[1:], meshes[0])
    mass, center_of_mass, inertia = mass_of(whole, cfg.mass, cfg.density)
    return ObjectModel(
        name=cfg.name,
        visual=seen,
        collision=collides,
        mass=mass,
        center_of_mass=center_of_mass,
        inertia=inertia,
        friction=cfg.friction,
        symmetry=Symmetry(axis=np.array([0.0, 0.0, 1.0])) if kind == "cylinder" else Symmetry(),
    )
