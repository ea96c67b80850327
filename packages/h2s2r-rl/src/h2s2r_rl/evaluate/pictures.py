"""What an evaluation found, as pictures (matplotlib, from the extra [train]).

In:  ``ContactPicture``, conditions, cells.   Out: image files.
Not here: finding it (contacts, conditions), learning curves (experiment).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from h2s2r_rl.evaluate.conditions import Cell, Condition
from h2s2r_rl.evaluate.contacts import ContactPicture
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_sim.task.anchors import surface_points

mpl.rcParams["svg.hashsalt"] = "h2s2r"
_MM = 1e3
_DIGITS = ("thumb", "index", "middle", "ring", "little")


def draw_contacts(picture: ContactPicture, task: TaskSpec, path: str | Path) -> None:
    """Contacts of the robot and fingertips of the human on the object, from its three sides [mm]."""
    figure = Figure(figsize=(12, 4.4), layout="constrained")
    outline = np.concatenate([surface_points(shape) for shape in task.object.collision])
    digits = np.array([digit_of(link) for link in picture.links], dtype=str)
    for axes, (across, up) in zip(figure.subplots(1, 3), ((0, 1), (0, 2), (1, 2)), strict=True):
        axes.scatter(_MM * outline[:, across], _MM * outline[:, up], s=2, color="0.8")
        for digit in sorted(set(digits.tolist())):
            points = _MM * picture.p_object_contact[digits == digit]
            axes.scatter(points[:, across], points[:, up], s=6, alpha=0.3, label=digit)
        human = _MM * picture.p_object_human
        axes.scatter(human[:, across], human[:, up], marker="x", s=70, color="black", label="human fingertips")
        axes.set_aspect("equal")
        axes.set_xlabel(f"{'xyz'[across]} of the object [mm]")
        axes.set_ylabel(f"{'xyz'[up]} of the object [mm]")
    figure.axes[0].legend(fontsize=7)
    figure.suptitle(f"{task.name}: contacts of {picture.episodes} successes, and the human before contact")
    _save(figure, path)


def digit_of(link: str) -> str:
    """The digit that a link belongs to, or the link itself."""
    return next((digit for digit in _DIGITS if digit in link), link)


def draw_conditions(curves: Mapping[str, Sequence[Condition]], path: str | Path) -> None:
    """Success over multiples of noise or pushes, with 95 % intervals; curves by name."""
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for name, conditions in curves.items():
        factors = [each.factor for each in conditions]
        shares = [each.found.success for each in conditions]
        low, high = zip(*(each.found.interval for each in conditions), strict=True)
        axes.plot(factors, shares, marker="o", label=name)
        axes.fill_between(factors, low, high, alpha=0.2)
    axes.set(xlabel="multiple of the level", ylabel="success", ylim=(0.0, 1.0))
    axes.legend()
    _save(figure, path)


def draw_placements(cells: Sequence[Cell], path: str | Path) -> None:
    """Success by where the object stood at the start."""
    figure = Figure(figsize=(5, 4.4), layout="constrained")
    axes = figure.subplots()
    xs, ys = sorted({cell.x for cell in cells}), sorted({cell.y for cell in cells})
    share = np.full((len(ys), len(xs)), np.nan)
    for cell in cells:
        if cell.episodes:
            share[ys.index(cell.y), xs.index(cell.x)] = cell.successes / cell.episodes
    image = axes.pcolormesh(_MM * np.array(xs), _MM * np.array(ys), share, vmin=0.0, vmax=1.0, shading="nearest")
    for cell in cells:
        axes.text(_MM * cell.x, _MM * cell.y, f"{cell.successes}/{cell.episodes}", ha="center", va="center", fontsize=7)
    axes.set(xlabel="x from the reference's start [mm]", ylabel="y from the reference's start [mm]", aspect="equal")
    figure.colorbar(image, label="success")
    _save(figure, path)


def _save(figure: Figure, path: str | Path) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None} if Path(path).suffix == ".svg" else None)
