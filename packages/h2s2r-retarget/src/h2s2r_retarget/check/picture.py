"""Draw a robot from three sides: capsules, joint axes, palm axes, fingertips. Needs no display.

In:  ``Embodiment``, joint positions.   Out: a PNG file.
Not here: a view that one can turn (view).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_retarget.collision import CollisionModel
from h2s2r_retarget.embodiment import Embodiment
from h2s2r_schemas.errors import H2S2RError

#: Views: title, horizontal and vertical axis (0 x, 1 y, 2 z).
_VIEWS = (("from the right", 0, 2), ("from the front", 1, 2), ("from above", 0, 1))
_COLOURS = ("tab:red", "tab:green", "tab:blue")


def draw_embodiment(embodiment: Embodiment, path: str | Path, joint_pos: np.ndarray | None = None) -> None:
    """Write a PNG: the robot on the left three views, its hand in the palm frame on the lower three.

    Args:
        embodiment: the robot.
        path: file to write.
        joint_pos: (J) [rad or m]; home if None.

    Raises:
        H2S2RError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise H2S2RError(
            "A picture of a robot needs matplotlib, which is not installed: pip install 'h2s2r-retarget[view]'."
        ) from error
    joint_pos = embodiment.home if joint_pos is None else np.asarray(joint_pos, dtype=np.float64)
    figure = Figure(figsize=(15, 10), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(
        f"{embodiment.name}, {embodiment.side}: axes x red, y green, z blue; fingertips black; joint axes orange"
    )
    axes: Any = figure.subplots(2, 3)
    model = CollisionModel(embodiment)
    hand = _in_hand(embodiment, model.capsules.links)
    T_world_palm = embodiment.chain.forward(joint_pos, embodiment.palm_frame)
    to_palm = T_world_palm.inv().as_matrix()
    for column, (title, across, up) in enumerate(_VIEWS):
        _draw(axes[0, column], embodiment, model, joint_pos, (across, up), np.eye(4), np.ones(len(hand), bool))
        axes[0, column].set_title(f"{title}, world frame")
        _draw(axes[1, column], embodiment, model, joint_pos, (across, up), to_palm, hand)
        axes[1, column].set_title(f"palm frame, {'xyz'[across]} to the right, {'xyz'[up]} up")
    figure.savefig(path, dpi=80, format="png")


def _draw(
    axes: Any,
    embodiment: Embodiment,
    model: CollisionModel,
    joint_pos: np.ndarray,
    plane: tuple[int, int],
    matrix: np.ndarray,
    shown: np.ndarray,
) -> None:
    """One view, of the capsules that are shown, in the frame that ``matrix`` (4, 4) takes world coordinates to."""
    start, end = (_apply(matrix, points[0])[:, plane] for points in model.place(joint_pos[None]))
    palette = {link: f"C{number % 10}" for number, link in enumerate(dict.fromkeys(model.capsules.links))}
    for index in np.flatnonzero(shown):
        outline = _outline(start[index], end[index], model.capsules.radius[index])
        axes.fill(*outline.T, facecolor=palette[model.capsules.links[index]], edgecolor="k", alpha=0.35, linewidth=0.5)
    low, high = axes.get_xlim(), axes.get_ylim()
    scale = 0.15 * max(high[1] - high[0], low[1] - low[0])
    frames = _apply_frames(matrix, embodiment.chain.matrices(joint_pos))
    for number, colour in enumerate(_COLOURS):
        tip = frames[0, :3, 3] + scale * frames[0, :3, number]
        axes.plot(*np.stack([frames[0, :3, 3], tip])[:, plane].T, color=colour, linewidth=2.5)
    axes.plot(*frames[1:, :3, 3][:, plane].T, "ko", markersize=5)
    carriers = _apply_frames(matrix, _joint_frames(embodiment, joint_pos))
    visible = {model.capsules.links[index] for index in np.flatnonzero(shown)}
    for frame, joint in zip(carriers, _moving(embodiment), strict=True):
        if joint.child in visible:
            ends = frame[:3, 3] + np.outer([-0.2, 0.2], frame[:3, :3] @ joint.axis) * scale
            axes.plot(*ends[:, plane].T, color="tab:orange", linewidth=1.5)
    axes.set_aspect("equal")
    axes.grid(alpha=0.3)


def _moving(embodiment: Embodiment) -> list[Any]:
    return [joint for joint in embodiment.model.joints if joint.movable]


def _joint_frames(embodiment: Embodiment, joint_pos: np.ndarray) -> np.ndarray:
    """(M, 4, 4) frames of the links that moving joints carry; their axis is the same before and after the turn."""
    return embodiment.chain_of([joint.child for joint in _moving(embodiment)]).matrices(joint_pos)


def _in_hand(embodiment: Embodiment, links: tuple[str, ...]) -> np.ndarray:
    """(C) whether each capsule belongs to the hand: it hangs from the last link of the arm."""
    last = embodiment.hand_root
    paths = {link: embodiment.model.path(link) for link in set(links)}
    on_hand = {
        link: any(joint.parent == last for joint in path) or last == embodiment.model.root
        for link, path in paths.items()
    }
    return np.array([on_hand[link] for link in links])


def _outline(start: np.ndarray, end: np.ndarray, radius: float) -> np.ndarray:
    """Outline (K, 2) of a capsule seen from one side."""
    along = end - start
    angle = np.arctan2(along[1], along[0])
    half = np.linspace(np.pi / 2, 3 * np.pi / 2, 12) + angle
    back = start + radius * np.stack([np.cos(half), np.sin(half)], axis=-1)
    return np.concatenate([back, end + radius * np.stack([np.cos(half + np.pi), np.sin(half + np.pi)], axis=-1)])


def _apply(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def _apply_frames(matrix: np.ndarray, frames: np.ndarray) -> np.ndarray:
    return matrix @ frames
