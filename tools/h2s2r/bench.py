"""Benchmarks of all packages, by name.

In:  the name of a benchmark.   Out: a flat mapping from keys to figures.
Not here: any measurement (each package has its own).

A package adds one by an entry point in the group ``h2s2r.benchmarks``: ``name = "module:run"``, where ``run(slow: bool)``
returns the mapping. Where they mean something to it, it takes two more: ``seeds: tuple[int, ...]`` of what is measured, and
``rerun: str``, the name of a part to be made anew instead of read from committed results, with ``seed: int``. A ``SHOWS`` in
that module maps those of its keys that show a requirement to its ids.
"""

from __future__ import annotations

import contextlib
import inspect
import math
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points

from h2s2r_schemas.errors import H2S2RError

GROUP = "h2s2r.benchmarks"
Figure = float | int | str | bool


def benchmarks() -> dict[str, EntryPoint]:
    """All installed benchmarks by name."""
    return {point.name: point for point in sorted(entry_points(group=GROUP), key=lambda point: point.name)}


def _find(name: str) -> EntryPoint:
    found = benchmarks()
    if name not in found:
        raise H2S2RError(f"No benchmark is called {name!r}; there are: {', '.join(found) or 'none installed'}.")
    return found[name]


def run(
    name: str, slow: bool = False, seeds: Sequence[int] = (), rerun: str = "", seed: int | None = None
) -> dict[str, Figure]:
    """Run one benchmark.

    Args:
        name: as listed by ``benchmarks()``.
        slow: the long version, where it has one.
        seeds: of what is measured, where the benchmark lets them be chosen; its own if none.
        rerun: a part to be made anew, where the benchmark reads committed results.
        seed: of that.

    What a benchmark or a library below it prints goes to stderr: stdout holds the figures alone.

    Raises:
        H2S2RError: no benchmark has this name or it does not take what is given, or a value is not a finite number, a text
            or a boolean.
    """
    measure = _find(name).load()
    takes = inspect.signature(measure).parameters
    if seeds and "seeds" not in takes:
        raise H2S2RError(f"Benchmark {name} has seeds of its own: leave out --seeds.")
    if (rerun or seed is not None) and "rerun" not in takes:
        raise H2S2RError(f"Benchmark {name} measures everything anew: leave out --rerun and --seed.")
    if seed is not None and not rerun:
        raise H2S2RError("A seed belongs to a part that is made anew: give --rerun too.")
    given = {"seeds": tuple(seeds)} if seeds else {}
    if rerun:
        given |= {"rerun": rerun, "seed": seed or 0}
    with contextlib.redirect_stdout(sys.stderr):
        figures = dict(measure(slow=slow, **given))
    for key, value in figures.items():
        if not isinstance(value, (int, float, str)) or (isinstance(value, float) and not math.isfinite(value)):
            raise H2S2RError(
                f"Benchmark {name} gives {key} = {value!r}; a figure is a finite number, a text or a boolean. "
                "A figure that could not be measured is left out."
            )
    return figures


def shows(name: str) -> Mapping[str, list[str]]:
    """Which requirements each key of a benchmark shows."""
    point = _find(name)
    point.load()
    return getattr(sys.modules[point.module], "SHOWS", {})


def table(figures: Mapping[str, Figure]) -> str:
    """Figures as aligned lines for a person."""
    width = max((len(key) for key in figures), default=0)
    lines = []
    for key, value in figures.items():
        lines.append(f"{key:<{width}}  {value:.4g}" if isinstance(value, float) else f"{key:<{width}}  {value}")
    return "\n".join(lines)
