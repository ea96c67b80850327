"""What robot and object did in some episodes, kept in a file to be looked at again.

In:  ``EpisodeStates``.   Out: an .npz file, and back.
Not here: playing episodes (h2s2r-sim), drawing them (view, report).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.view import EpisodeStates

_ARRAYS = ("joint_pos", "wxyz_xyz_world_object", "wxyz_xyz_world_goal")


def save_episodes(episodes: Sequence[EpisodeStates], path: Path) -> None:
    """Write them, to the bit."""
    arrays = {f"{name}_{index}": getattr(each, name) for index, each in enumerate(episodes) for name in _ARRAYS}
    about = [{"dt": each.dt, "title": each.title, "success": each.success} for each in episodes]
    np.savez(path, allow_pickle=False, about=np.array(json.dumps(about)), **arrays)


def load_episodes(path: Path) -> tuple[EpisodeStates, ...]:
    """Read them.

    Raises:
        SchemaError: this is no file of episodes.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            about = json.loads(str(file["about"]))
            return tuple(
                EpisodeStates(*(file[f"{name}_{index}"] for name in _ARRAYS), **each)
                for index, each in enumerate(about)
            )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SchemaError(f"{path} holds no episodes ({error}): have it written again by --from film.") from error
