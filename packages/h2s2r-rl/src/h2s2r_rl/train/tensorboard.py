"""Curves of a training in TensorBoard.

In:  ``Progress``.   Out: event files.
Not here: what is in it (progress).
"""

from __future__ import annotations

import math
from pathlib import Path
from types import TracebackType

from torch.utils.tensorboard import SummaryWriter

from h2s2r_rl.train.progress import Progress


class TensorBoard:
    """Writes curves for TensorBoard; a context, to be called after each iteration.

    Args:
        folder: of the curves; those of an earlier training there are shown beside.
    """

    def __init__(self, folder: str | Path) -> None:
        self._writer = SummaryWriter(str(folder))

    def __call__(self, progress: Progress) -> None:
        """Add a point to each curve, over policy steps."""
        for name in ("success", "reward", "steps_per_s", "cpu_seconds", "action_std"):
            value = getattr(progress, name)
            if not math.isnan(value):
                self._writer.add_scalar(f"train/{name}", value, progress.steps)

    def __enter__(self) -> TensorBoard:
        """Write."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """All points are on disk."""
        self._writer.close()
