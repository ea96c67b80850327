"""The demo: the chain on the recording that comes with the software.

In:  what a user may choose.   Out: ``RunCfg``.
Not here: the stages.
"""

from __future__ import annotations

from typing import Any

from h2s2r.chain.config import RunCfg
from h2s2r_sim.demonstrate import BUNDLED

#: What is moved in the bundled recording.
BUNDLED_OBJECT = BUNDLED.parents[1] / "objects" / "snackbox.toml"
#: Policy steps in which what the bundled recording shows, a push, is learned; others may need more.
BUNDLED_STEPS = 400_000


def demo_cfg(task: str | None = None, preset: str = "fast", steps: int | None = None, **given: Any) -> RunCfg:
    """What the demo does: the bundled recording, or the task that is named instead.

    Args:
        task: instead of the recording.
        preset: of the training.
        steps: of the training; if none ``BUNDLED_STEPS`` for the recording with ``fast``, and otherwise the preset's.
        **given: anything else of ``RunCfg``.

    Raises:
        SchemaError: something that cannot be.
    """
    if steps is None and task is None and preset == "fast":
        steps = BUNDLED_STEPS
    return RunCfg(
        recording=BUNDLED if task is None else None,
        object=BUNDLED_OBJECT if task is None else None,
        task=task,
        preset=preset,
        steps=steps,
        **given,
    )
