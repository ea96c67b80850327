"""Small pictures with truth: boxes and balls on a table, ray by ray, with the noise of a stereo camera.

In:  boxes with poses.   Out: ``RGBDFrame`` and what each pixel shows.
Not here: rendered hands and objects (sim).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import trimesh

from h2s2r_perception.frames import RGBDFrame
from h2s2r_schemas.artifacts import CameraIntrinsics
from h2s2r_schemas.se3 import SE3

CAMERA = CameraIntrinsics(width=320, height=240, fx=290.0, fy=290.0, cx=159.5, cy=119.5)


def look_at(eye, target=(0.0, 0.0, 0.0)):
    """``T_world_camera`` of a camera at ``eye`` (3) [m] that looks at ``target``; world z is up in the picture."""
    forward = np.asarray(target, float) - eye
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    return SE3.from_rotation_matrix(
        np.stack((right, np.cross(forward, right), forward), axis=1), np.asarray(eye, float)
    )


@dataclass(frozen=True)
class Box:
    """A box [m] with a colour per face (6, 3)."""

    size: tuple[float, float, float]
    T_world_box: SE3
    rgb: np.ndarray
    name: str = "object"


@dataclass(frozen=True)
class Ball:
    """A ball [m] of one colour."""

    radius: float
    p_world_centre: np.ndarray
    rgb: tuple[int, int, int]
    name: str = "hand"


def box_mesh(size, T_object_part=None):
    """The mesh of such a box, with the object frame in its middle unless ``T_object_part`` says otherwise."""
    T_object_part = SE3.identity() if T_object_part is None else T_object_part
    return trimesh.creation.box(size, transform=T_object_part.as_matrix())


def _hit_box(box, origin, rays):
    T_box_world = box.T_world_box.inv()
    start, ray = T_box_world.apply(origin), T_box_world.rotate(rays)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = (-np.array(box.size) / 2 - start) / ray, (np.array(box.size) / 2 - start) / ray
    near, far = np.minimum(low, high), np.maximum(low, high)
    enter = np.nanmax(near, axis=-1)
    hit = (enter < np.nanmin(far, axis=-1)) & (enter > 0)
    axis = np.nanargmax(near, axis=-1)
    face = axis * 2 + (np.take_along_axis(ray, axis[..., None], -1)[..., 0] > 0)
    return np.where(hit, enter, np.inf), box.rgb[face]


def _hit_ball(ball, origin, rays):
    offset = origin - ball.p_world_centre
    b, c = (rays * offset).sum(-1), offset @ offset - ball.radius**2
    a = (rays * rays).sum(-1)
    inside = b * b - a * c
    distance = np.where(inside > 0, (-b - np.sqrt(np.maximum(inside, 0))) / a, np.inf)
    return np.where(distance > 0, distance, np.inf), np.broadcast_to(np.array(ball.rgb), (*rays.shape[:-1], 3))


def render(things, T_world_camera, index=0, time=0.0, camera=CAMERA, noise_px=0.0, seed=0):
    """A frame of things on a table at z = 0, and the mask of each name; noise is in disparity, as in a stereo camera."""
    v, u = np.mgrid[: camera.height, : camera.width]
    rays_camera = np.stack(((u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(u.shape)), -1)
    origin, rays = T_world_camera.translation, T_world_camera.rotate(rays_camera)
    with np.errstate(divide="ignore"):
        depth = np.where(rays[..., 2] < 0, -origin[2] / rays[..., 2], np.inf)
    on_table = origin + rays * np.where(np.isfinite(depth), depth, 0)[..., None]
    depth[np.abs(on_table).max(-1) > 0.6] = np.inf
    checks = ((np.floor(on_table[..., 0] / 0.08) + np.floor(on_table[..., 1] / 0.08)) % 2)[..., None]
    rgb, shown = np.where(checks > 0, (120, 130, 120), (150, 155, 150)).astype(float), np.full(u.shape, -1)
    for number, thing in enumerate(things):
        distance, colour = (_hit_box if isinstance(thing, Box) else _hit_ball)(thing, origin, rays)
        nearer = distance < depth
        depth, rgb, shown = (
            np.where(nearer, distance, depth),
            np.where(nearer[..., None], colour, rgb),
            np.where(nearer, number, shown),
        )
    depth = np.where(np.isfinite(depth), depth, 0.0)
    if noise_px:
        rng = np.random.default_rng((seed, index))
        rough = cv2.GaussianBlur(rng.normal(size=depth.shape), (0, 0), 1.0) * 2 * np.sqrt(np.pi)
        depth = depth + noise_px * rough * depth**2 / (camera.fx * 0.05)
        rgb = rgb + rng.normal(0, 3, rgb.shape)
        edges = cv2.dilate((np.abs(cv2.Laplacian(depth, cv2.CV_64F)) > 0.05).astype(np.uint8), np.ones((3, 3)))
        depth[(edges > 0) & (rng.random(depth.shape) < 0.5)] = 0.0
        depth = np.round(depth, 3)
    names = {thing.name for thing in things}
    masks = {name: np.isin(shown, [i for i, thing in enumerate(things) if thing.name == name]) for name in names}
    picture = RGBDFrame(index, time, np.clip(rgb, 0, 255).astype(np.uint8), depth.astype(np.float32), camera)
    return picture, masks


def faces_rgb(seed=0):
    """(6, 3) colours of a box's faces."""
    return np.random.default_rng(seed).integers(30, 225, (6, 3)).astype(float)
