"""How far a run is, on the terminal: a line for each stage, a bar with the time left for what takes long.

In:  what the chain tells.   Out: lines and bars on standard error.
Not here: the chain.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from h2s2r.chain.stage import Told

if TYPE_CHECKING:
    from h2s2r.chain.asking import Ask, Question

_SAYS = {
    "kept": "kept from before",
    "changed": "kept from before, with what was changed by hand",
    "goes on": "goes on where it was stopped",
}


class Terminal:
    """Shows a run of the chain; a context that ends the bars."""

    def __init__(self) -> None:
        columns = (
            TextColumn("  {task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=Console(stderr=True), refresh_per_second=4)
        self._bar: TaskID | None = None
        self._what = ""

    def tell(self, told: Told) -> None:
        """A stage begins, ends, or is kept."""
        self._end_bar()
        if told.event == "done":
            self._progress.console.print(f"  {told.stage.name} took {told.seconds:.0f} s")
            return
        note = f" ({_SAYS[told.event]})" if told.event in _SAYS else ""
        self._progress.console.print(f"• {told.stage.name}: {told.stage.does}{note}")

    def advance(self, what: str, done: int, total: int, note: str) -> None:
        """Something that takes long has come on."""
        if what != self._what:
            self._end_bar()
        if self._bar is None:
            self._bar, self._what = self._progress.add_task(what, total=total, note=note), what
        self._progress.update(self._bar, completed=done, note=note)

    def paused(self, ask: Ask) -> Ask:
        """Asks while nothing is drawn."""

        def asked(question: Question) -> str:
            self._end_bar()
            self._progress.stop()
            try:
                return ask(question)
            finally:
                self._progress.start()

        return asked

    def _end_bar(self) -> None:
        if self._bar is not None:
            self._progress.stop_task(self._bar)
            self._bar = None

    def __enter__(self) -> Terminal:
        """Show."""
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """Leave the bars as they are."""
        self._progress.stop()
