"""Tasks as files: the bundled ones by name, anyone's by folder.

In:  the name of a bundled task, a folder with a ``task.toml``, or a file that holds a ``TaskSpec``.   Out: ``TaskSpec``.
Not here: making a task from a recording (make), what a part may say (parts).

A ``task.toml`` names its object and fixtures; ``NAME.toml`` beside it is taken before the bundled one of that name:

- ``name``, ``says`` (one sentence), ``object``;
- ``[[fixture]]``: ``body``, ``position`` [m] and ``rpy_deg`` in the world; one of them is ``table``;
- ``[[waypoint]]``: ``time`` [s], ``position``, ``rpy_deg`` of the object in the world; the first two rest;
- ``[hand]``: the human hand just before contact, in the frame of the object at its start: ``side``, ``fingers_toward``,
  ``palm_toward``, ``middle_tip`` [m], ``curl_deg`` per finger, ``thumb_opposition_deg``, ``thumb_bend_deg``, ``spread``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_schemas.artifacts import KEYPOINT_NAMES, HandPose, ObjectModel, Scene, SceneBody, Symmetry, TaskSpec
from h2s2r_schemas.codec import load
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.task.human_hand import HandShape, place_hand
from h2s2r_sim.task.make import make_task
from h2s2r_sim.task.mass import mass_properties
from h2s2r_sim.task.parts import pose_from_rpy, read_parts
from h2s2r_sim.task.waypoints import path_through

_ASSETS = Path(__file__).parent.parent / "assets"


def task_names() -> tuple[str, ...]:
    """Names of the bundled tasks."""
    return tuple(sorted(path.stem for path in (_ASSETS / "tasks").glob("*.toml")))


def load_task(task: str | Path) -> TaskSpec:
    """A task by the name of a bundled one, by a folder with ``task.toml``, or by a file that ``save`` wrote.

    Raises:
        SchemaError: no such task or file; or what is wrong in it, as ``make_task``.
    """
    bundled = _ASSETS / "tasks" / f"{task}.toml"
    path = Path(task)
    if isinstance(task, str) and task in task_names():
        return _from_toml(bundled, (_ASSETS / "objects", _ASSETS / "bodies"))
    if path.is_dir():
        return _from_toml(path / "task.toml", (path, _ASSETS / "objects", _ASSETS / "bodies"))
    if path.is_file():
        return load(path, TaskSpec)
    raise SchemaError(
        f"There is no task {str(task)!r}. Give one of {', '.join(task_names())}; a folder with a task.toml; or a saved TaskSpec."
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SchemaError(f"{path} cannot be read as TOML: {error}") from error


def _find(name: str, folders: tuple[Path, ...]) -> Path:
    for folder in folders:
        if (folder / f"{name}.toml").is_file():
            return folder / f"{name}.toml"
    known = sorted({path.stem for folder in folders for path in folder.glob("*.toml")} - {"task"})
    raise SchemaError(f"There is no {name}.toml beside the task or among the bundled ones: {', '.join(known)}.")


def _need(table: Mapping[str, Any], key: str, where: Path) -> Any:
    if key not in table:
        raise SchemaError(f"{where}: {key!r} is missing; it has {', '.join(table) or 'nothing'}.")
    return table[key]


def _from_toml(path: Path, folders: tuple[Path, ...]) -> TaskSpec:
    table = _read(path)
    model = read_object(_find(_need(table, "object", path), folders))
    fixtures = _need(table, "fixture", path)
    bodies = tuple(_read_fixture(each, folders, path) for each in fixtures)
    if "table" not in [body.name for body in bodies]:
        raise SchemaError(f"{path}: one [[fixture]] must be the table; these are {[body.name for body in bodies]}.")
    name = _need(table, "name", path)
    T_world_table = next(body.T_world_body for body in bodies if body.name == "table")
    scene = Scene(name=name, wxyz_xyz_world_table=T_world_table.wxyz_xyz, bodies=bodies)
    waypoints = _need(table, "waypoint", path)
    time = np.array([_need(each, "time", path) for each in waypoints])
    Ts_world_object = SE3(np.stack([_place(each, path).wxyz_xyz for each in waypoints]))
    trajectory = path_through(model.name, time, Ts_world_object)
    hand = _read_hand(_need(table, "hand", path), Ts_world_object[0], path)
    return make_task(trajectory, hand, scene, model, name=name)


def _place(table: Mapping[str, Any], path: Path) -> SE3:
    return pose_from_rpy(_need(table, "position", path), table.get("rpy_deg", (0.0, 0.0, 0.0)))


def read_object(path: Path) -> ObjectModel:
    """The object that a TOML file describes.

    Raises:
        SchemaError: a missing key, or a part that makes no sense.
    """
    table = _read(path)
    parts = read_parts(_need(table, "part", path), path.name)
    mass, center_of_mass, inertia = mass_properties(parts, path.name)
    symmetry = table.get("symmetry", {})
    turns = [pose_from_rpy((0.0, 0.0, 0.0), rpy).wxyz for rpy in symmetry.get("turns_rpy_deg", [])]
    return ObjectModel(
        name=_need(table, "name", path),
        visual=tuple(part.shape for part in parts if part.visual),
        collision=tuple(part.shape for part in parts if part.collision),
        mass=mass,
        center_of_mass=center_of_mass,
        inertia=inertia,
        friction=float(_need(table, "friction", path)),
        symmetry=Symmetry(
            axis=np.array(symmetry.get("axis", (0.0, 0.0, 0.0)), float),
            rotations_wxyz=np.array([(1.0, 0.0, 0.0, 0.0), *turns]),
        ),
    )


def _read_fixture(table: Mapping[str, Any], folders: tuple[Path, ...], path: Path) -> SceneBody:
    file = _find(_need(table, "body", path), folders)
    body = _read(file)
    parts = read_parts(_need(body, "part", file), file.name)
    return SceneBody(
        name=_need(body, "name", file),
        shapes=tuple(part.shape for part in parts),
        wxyz_xyz_world_body=_place(table, path).wxyz_xyz,
        friction=float(_need(body, "friction", file)),
    )


def _read_hand(table: Mapping[str, Any], T_world_object: SE3, path: Path) -> HandPose:
    curl = _need(table, "curl_deg", path)
    shape = HandShape(
        curl={finger: (float(bends[0]), float(bends[1])) for finger, bends in curl.items()},
        thumb_opposition=float(table.get("thumb_opposition_deg", HandShape.thumb_opposition)),
        thumb_bend=tuple(table.get("thumb_bend_deg", HandShape.thumb_bend)),
        spread=float(table.get("spread", HandShape.spread)),
    )
    directions = [np.asarray(_need(table, key, path), float) for key in ("fingers_toward", "palm_toward", "middle_tip")]
    side = _need(table, "side", path)
    return HandPose(
        side=side,
        p_world_keypoints=T_world_object.apply(place_hand(shape, side, *directions)),
        confidence=np.ones(len(KEYPOINT_NAMES)),
    )
