"""Plots over time: the paths that were found, and why the pre-manipulation instant is where it is (extra ``view``).

In:  ``Finding``.   Out: PNG files.
Not here: pictures of the recording (overlay), turning it about (browser).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_perception.premanip import Premanip
from h2s2r_perception.view.finding import Finding
from h2s2r_schemas.artifacts import ObjectTrajectory
from h2s2r_schemas.errors import H2S2RError, SchemaError

_AXES = (("x", "#c33"), ("y", "#393"), ("z", "#35c"))
_FLAGGED = "#f3b0b0"


def save_paths(finding: Finding, file: Path) -> Path:
    """Place and turn of the object, place of the hand, and how sure both are, over time; flagged frames are red.

    Raises:
        SchemaError: there is neither a path of the object nor one of the hand.
        H2S2RError: matplotlib is not installed.
    """
    path, hand = finding.path, finding.hand
    if path is None and hand is None:
        raise SchemaError("Neither a path of the object nor one of the hand: there is nothing to plot.")
    figure = _figure(10, 9)
    place, turn, wrist, sure = figure.subplots(4, 1, sharex=True)
    if path is not None:
        _plot_object(place, turn, path)
        sure.plot(path.time, path.confidence, color="#444", label="object")
        _mark(place, path.time, path.lost)
        _mark(turn, path.time, path.lost)
    if hand is not None:
        for axis, (name, colour) in enumerate(_AXES):
            wrist.plot(hand.time, hand.p_world_keypoints[:, 0, axis], color=colour, label=name, linewidth=1)
        sure.plot(hand.time, hand.confidence.mean(axis=-1), color="#08a", label=f"{hand.side} hand")
        _mark(wrist, hand.time, hand.lost)
    labels = ("object [m]", "turn since start [deg]", "wrist [m]", "confidence")
    for axes, label in zip((place, turn, wrist, sure), labels, strict=True):
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="upper left", fontsize="small", ncols=3)
        if finding.premanip is not None:
            _instants(axes, finding.premanip)
    sure.set_xlabel("time since the start of the recording [s]")
    figure.suptitle(finding.demo.meta.name)
    return _save(figure, file)


def save_premanip(premanip: Premanip, file: Path) -> Path:
    """How far the object was from its place and the hand from the object, and where the motion begins.

    Raises:
        H2S2RError: matplotlib is not installed.
    """
    onset = premanip.onset
    figure = _figure(9, 7)
    whole, near, hand = figure.subplots(3, 1)
    away = 1e3 * np.linalg.norm(onset.away, axis=-1)
    explained = 1e3 * np.linalg.norm(onset.explained, axis=-1)
    for axes in (whole, near):
        axes.plot(onset.time, away, "o", markersize=3, color="#444", label="as tracked")
        axes.plot(onset.time, explained, color="#d60", label="explained by a pull and a motion that begins")
        axes.set_ylabel("object away [mm]")
        _instants(axes, premanip)
        axes.grid(alpha=0.3)
    near.set_xlim(onset.change_time - 0.5, onset.time[-1])
    near.set_ylim(-0.2, 8.0)
    whole.legend(loc="upper left", fontsize="small")
    approach = premanip.approach
    hand.plot(approach.time, 1e3 * approach.distance, color="#08a")
    hand.set_xlim(onset.time[0], onset.time[-1])
    hand.set_ylabel("hand from object [mm]")
    hand.set_xlabel("time since the start of the recording [s]")
    hand.grid(alpha=0.3)
    _instants(hand, premanip)
    figure.suptitle(premanip.reason, fontsize="small", wrap=True)
    return _save(figure, file)


def _plot_object(place: Any, turn: Any, path: ObjectTrajectory) -> None:
    kept = np.flatnonzero(~path.lost)
    for axis, (name, colour) in enumerate(_AXES):
        place.plot(path.time, path.wxyz_xyz_world_object[:, 4 + axis], color=colour, label=name, linewidth=1)
    if not kept.size:
        return
    Ts_world_object = path.Ts_world_object[kept]
    T_object_world = Ts_world_object[0].inv()
    turned = np.full((len(path.time), 3), np.nan)
    turned[kept] = np.rad2deg((T_object_world @ Ts_world_object).log()[:, 3:])
    for axis, (name, colour) in enumerate(_AXES):
        turn.plot(path.time, turned[:, axis], color=colour, label=f"about {name}", linewidth=1)


def _mark(axes: Any, time: np.ndarray, lost: np.ndarray) -> None:
    """Frames that are flagged, as bands."""
    step = float(np.median(np.diff(time))) if len(time) > 1 else 0.03
    for at in time[lost]:
        axes.axvspan(at - step / 2, at + step / 2, color=_FLAGGED, linewidth=0)


def _instants(axes: Any, premanip: Premanip) -> None:
    axes.axvline(premanip.hand.time, color="#0a0", linestyle="--", linewidth=1)
    axes.axvline(premanip.onset.change_time, color="#d60", linewidth=1)


def _figure(width: float, height: float) -> Any:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - the extra view
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        message = "Plots need matplotlib, which is not installed: pip install 'h2s2r-perception[view]'."
        raise H2S2RError(message) from error
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Any, file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110)
    return file
