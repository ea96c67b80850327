"""Plots as SVG that takes its colours from the page, light or dark.

In:  arrays over time.   Out: ``Plot``: SVG text, and where its time axis lies in it.
Not here: which arrays (figures), the page (page).
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

#: Stands for the page's colour of text in what matplotlib writes, and is replaced there.
_INK = "#010203"
#: Colours that are seen on white and on black.
BLUE, ORANGE, GREEN, RED, VIOLET = "#3b82d6", "#e07b28", "#2ca25f", "#d6455d", "#8a63d2"
AXES = (RED, GREEN, BLUE)
#: [in] small, so that letters can be read on a phone.
_SIZE = (4.6, 2.5)


@dataclass(frozen=True)
class Plot:
    """A plot for the page."""

    svg: str
    """The picture."""
    title: str
    """What it shows, in a few words."""
    left: float
    """Where its axis begins and ends, in units of the picture."""
    right: float
    bottom: float
    """Where it is low and high, in the same."""
    top: float
    first: float
    """[s] at ``left``, or whatever the axis shows."""
    last: float
    """[s] at ``right``."""
    shift: float | None
    """[s] to add to the time of the films for a time on this axis; none if it shows no time."""


class Drawing:
    """One plot being drawn; ``axes`` is matplotlib's.

    Args:
        title: what it shows.
        across: what is along x.
        up: what is along y.
        shift: see ``Plot``.
    """

    def __init__(self, title: str, across: str, up: str, shift: float | None = None) -> None:
        self.title, self.shift = title, shift
        with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "h2s2r", "font.size": 9.5}):
            self._figure = Figure(figsize=_SIZE, layout="constrained")
            FigureCanvasSVG(self._figure)
            self.axes: Any = self._figure.add_subplot()
        self.axes.set_xlabel(across, color=_INK)
        self.axes.set_ylabel(up, color=_INK)
        self.axes.tick_params(colors=_INK, length=2)
        self.axes.spines[["top", "right"]].set_visible(False)
        self.axes.spines[["left", "bottom"]].set_color(_INK)
        self.axes.grid(color=_INK, alpha=0.12)
        self.axes.patch.set_visible(False)
        self._figure.patch.set_visible(False)

    def lines(self, time: np.ndarray, values: np.ndarray, names: Sequence[str], colours: Sequence[str]) -> None:
        """Columns of values (T, K) over time (T)."""
        for column, (name, colour) in enumerate(zip(names, colours, strict=True)):
            self.axes.plot(time, values[:, column], color=colour, label=name, linewidth=1.5)

    def instant(self, time: float, name: str) -> None:
        """Mark a moment."""
        self.axes.axvline(time, color=GREEN, linestyle="--", linewidth=1.1, label=name)

    def finish(self) -> Plot:
        """The plot."""
        if self.axes.get_legend_handles_labels()[0]:
            self.axes.legend(
                fontsize=8.5,
                frameon=False,
                labelcolor=_INK,
                ncols=4,
                loc="lower left",
                bbox_to_anchor=(0.0, 0.98),
                borderpad=0.0,
                handlelength=1.4,
                columnspacing=1.2,
            )
        text = io.StringIO()
        with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "h2s2r", "font.family": "sans-serif"}):
            self._figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
        width, height = 72 * np.array(_SIZE)
        place = self.axes.get_position()
        first, last = self.axes.get_xlim()
        return Plot(
            svg=_for_page(text.getvalue(), self.title),
            title=self.title,
            left=float(place.x0 * width),
            right=float(place.x1 * width),
            bottom=float((1 - place.y0) * height),
            top=float((1 - place.y1) * height),
            first=float(first),
            last=float(last),
            shift=self.shift,
        )


def _for_page(svg: str, title: str) -> str:
    """Only the element, as wide as the page wants, in the page's colour and letters."""
    svg = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    svg = re.sub(r"font: (.*?px) [^;\"]*", r"font-size: \1", svg)
    opening = svg[: svg.index(">")]
    kept = re.sub(r' (width|height)="[^"]*"', "", opening)
    return svg.replace(opening, f'{kept} role="img" aria-label="{title}"', 1)
