"""How far the demo is, on the terminal: a line for each stage, a bar with the time left for what takes long.

In:  what ``demo`` tells.   Out: lines and bars on standard error.
Not here: the demo (demo).
"""

from __future__ import annotations

import math
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from h2s2r import demo
from h2s2r_rl import train


class Terminal:
    """A listener for ``run_demo``, as a context that ends the bars."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=console, refresh_per_second=4)
        self._bar: TaskID | None = None
        self._what = ""

    @property
    def listener(self) -> demo.Listener:
        """To be given to ``run_demo``."""
        return demo.Listener(stage=self.stage, seeing=self.seeing, training=self.training, filming=self.filming)

    def stage(self, text: str) -> None:
        """A stage begins."""
        if self._bar is not None:
            self._progress.stop_task(self._bar)
            self._bar = None
        self._progress.console.print(f"• {text}")

    def seeing(self, what: str, done: int, total: int) -> None:
        """A frame of the recording is looked at."""
        if what != self._what and self._bar is not None:
            self._progress.stop_task(self._bar)
            self._bar = None
        self._what = what
        self._advance(what, done, total, f"frame {done} of {total}")

    def training(self, progress: train.Progress) -> None:
        """An iteration of training is done."""
        success = "  –" if math.isnan(progress.success) else f"{100 * progress.success:3.0f} %"
        note = f"success while exploring {success}, reward {progress.reward:.2f}, {progress.steps_per_s:,.0f} steps/s"
        self._advance("learning", progress.iteration, progress.iterations, note)

    def filming(self, done: int, total: int) -> None:
        """A picture of the film is done."""
        self._advance("drawing", done, total, f"picture {done} of {total}")

    def _advance(self, name: str, done: int, total: int, note: str) -> None:
        if self._bar is None:
            self._bar = self._progress.add_task(name, total=total, note=note)
        self._progress.update(self._bar, completed=done, note=note)

    def __enter__(self) -> Terminal:
        """Show."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Leave the bars as they are."""
        self._progress.stop()
