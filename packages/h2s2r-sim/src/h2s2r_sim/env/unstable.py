"""Worlds that exploded: counted, and the moment before each as a file that can be played again.

In:  an engine and its inputs.   Out: ``EngineState``; ``.npz`` files without pickle.
Not here: noticing it (engines), ending the episode (environment).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from h2s2r_schemas.codec import whole_file
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.engine import Engine, EngineState, PhysicalParameters

_LOG = logging.getLogger(__name__)
#: Dumps written by one environment at most: an environment that explodes all the time must not fill the disk.
MAX_DUMPS = 20


@dataclass(frozen=True)
class Dump:
    """One control period of one world, everything that decides it."""

    row: np.ndarray
    """(B) of ``Engine.save`` before the period."""
    joint_pos_target: np.ndarray
    """(S, J) [rad; m]."""
    wrench_world_object: np.ndarray
    """(6) [N, N·m]."""
    parameters: PhysicalParameters
    """Of this world alone (K = 1)."""


def save_dump(path: Path, dump: Dump) -> None:
    """Write one dump: the whole file or none."""
    out = {"row": dump.row, "joint_pos_target": dump.joint_pos_target, "wrench_world_object": dump.wrench_world_object}
    out.update({f"parameters.{each.name}": getattr(dump.parameters, each.name) for each in fields(PhysicalParameters)})
    with whole_file(path) as file:
        np.savez(file, allow_pickle=False, **out)


def load_dump(path: Path) -> Dump:
    """Read one dump.

    Raises:
        SchemaError: the file is not one.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            parameters = PhysicalParameters(
                **{each.name: file[f"parameters.{each.name}"] for each in fields(PhysicalParameters)}
            )
            return Dump(file["row"], file["joint_pos_target"], file["wrench_world_object"], parameters)
    except (OSError, KeyError, ValueError) as error:
        raise SchemaError(f"{path} is no dump of an unstable world: {error}.") from error


def replay_dump(dump: Dump, engine: Engine) -> EngineState:
    """That control period again, in an engine with one world of the same scene.

    Raises:
        SchemaError: the engine has more worlds, or another scene.
    """
    only = np.zeros(1, dtype=np.int64)
    if engine.num_envs != 1 or engine.save(only).shape[1:] != dump.row.shape:
        raise SchemaError("A dump is replayed in an engine with one world, made for the same task and robot.")
    engine.set_parameters(only, engine.prepare(dump.parameters))
    engine.restore(only, dump.row[None])
    return engine.step(dump.joint_pos_target[None], dump.wrench_world_object[None])


class Recorder:
    """Counts explosions and dumps the first of them.

    Args:
        folder: where dumps are written; none to only count.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self.count = 0
        """How many control periods ended in an unstable world."""

    def step(
        self, engine: Engine, joint_pos_target: np.ndarray, wrench: np.ndarray, parameters: PhysicalParameters
    ) -> EngineState:
        """``engine.step`` with a look at what comes out."""
        before = None if self._folder is None else engine.save(np.arange(engine.num_envs))
        state = engine.step(joint_pos_target, wrench)
        if state.unstable.any():
            for env in np.flatnonzero(state.unstable):
                self.count += 1
                if before is not None and self._folder is not None and self.count <= MAX_DUMPS:
                    dump = Dump(before[env], joint_pos_target[env], wrench[env], parameters.take(np.array([env])))
                    path = self._folder / f"unstable-{self.count:03d}.npz"
                    self._folder.mkdir(parents=True, exist_ok=True)
                    save_dump(path, dump)
                    _LOG.warning("World %d became unstable; the moment before is in %s.", env, path)
        return state
