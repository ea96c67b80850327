"""All that is settled before the first picture of a recording is taken.

In:  a task, a seed, the size of the pictures.   Out: ``Direction``: script, look, view.
Not here: taking the pictures (record).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from h2s2r_schemas.artifacts import CameraIntrinsics, TaskSpec
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.demonstrate.hand.anatomy import unit
from h2s2r_sim.demonstrate.hand.pose import Hand
from h2s2r_sim.demonstrate.script import Script, draw_manner, load_grip, write_script
from h2s2r_sim.demonstrate.stage.look import Look, draw_bystanders, draw_look
from h2s2r_sim.demonstrate.stage.view import choose_view, color_camera
from h2s2r_sim.task.files import load_task

#: Instants that the camera is placed by, until the object rests; when the hand leaves, it may leave the picture.
_LOOKS = 40


@dataclass(frozen=True)
class Direction:
    """One demonstration, ready to be filmed."""

    task: TaskSpec
    """What is done."""
    script: Script
    """What happens when."""
    look: Look
    """What it looks like."""
    camera: CameraIntrinsics
    """Of the colour camera."""
    T_world_camera: SE3
    """Where it stands."""
    rng: np.random.Generator
    """For the faults of the camera."""


def direct(task: str | Path, seed: int, width: int = 640, height: int = 480) -> Direction:
    """Everything about one recording that a seed decides.

    Args:
        task: as for ``load_task``; a task that is not bundled needs ``demonstration.toml`` in its folder.
        seed: another one gives another person, room and camera.
        width: [px] of the pictures.
        height: [px]

    Raises:
        SchemaError: no such task, or nothing says how a person does it.
    """
    spec = load_task(task)
    sequence = np.random.SeedSequence([seed, zlib.crc32(spec.name.encode())])
    manner_rng, look_rng, view_rng, fault_rng = (np.random.default_rng(each) for each in sequence.spawn(4))
    script = write_script(spec, load_grip(task), draw_manner(manner_rng))
    instants = np.linspace(0.0, script.motion_end, _LOOKS)
    hands = np.stack([script.hand(at).keypoints() for at in instants])
    objects = [script.T_world_object(at).apply(spec.anchor_points) for at in instants]
    taken = np.concatenate([*hands, *objects])
    camera = color_camera(width, height)
    T_world_camera = choose_view(view_rng, taken, hands[:, [0, 9]], _facing(script), camera)
    look = draw_look(look_rng, draw_bystanders(look_rng, *_table_room(spec, taken)))
    return Direction(spec, script, look, camera, T_world_camera, fault_rng)


def _facing(script: Script) -> np.ndarray:
    """(3) level direction to where the back of the hand looks while it is at work."""
    hand: Hand = script.hand(script.motion_start)
    return unit(-hand.T_world_palm.rotate(np.array([1.0, 0.0, 0.0])) * (1.0, 1.0, 0.0) + (1e-6, 0.0, 0.0))


def _table_room(spec: TaskSpec, p_world_taken: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, 2) [m] of the table that is taken, fixtures too, and (2, 2) the part of it that things may stand on."""
    T_table_world = spec.scene.T_world_table.inv()
    taken = T_table_world.apply(p_world_taken)[:, :2]
    fixtures = [
        (T_table_world @ body.T_world_body @ SE3(shape.wxyz_xyz)).apply(corner * shape.size / 2)[None, :2]
        for body in spec.scene.bodies
        if body.name != "table"
        for shape in body.shapes
        for corner in np.stack(np.meshgrid(*[np.linspace(-1, 1, 5)] * 3), axis=-1).reshape(-1, 3)
    ]
    middle = taken.mean(axis=0)
    return np.concatenate([taken, *fixtures]), np.array([middle - 0.35, middle + 0.35])
