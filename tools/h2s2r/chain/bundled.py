"""The demo: the chain on the recording that comes with the software.

In:  what a user may choose.   Out: ``RunCfg``.
Not here: the stages.
"""

from __future__ import annotations

from h2s2r.chain.config import RunCfg
from h2s2r_sim.demonstrate import BUNDLED

#: What is moved in the bundled recording.
BUNDLED_OBJECT = BUNDLED.parents[1] / "objects" / "snackbox.toml"
#: Policy steps in which what the bundled recording shows, a push, is learned; others may need more.
BUNDLED_STEPS = 400_000


def demo_cfg(task: str | None, robot: str, seed: int, steps: int | None) -> RunCfg:
    """What the demo does: the bundled recording, or the task that is named instead.

    Raises:
        SchemaError: a seed or steps that cannot be.
    """
    usual = BUNDLED_STEPS if task is None else RunCfg.steps
    return RunCfg(
        recording=BUNDLED if task is None else None,
        object=BUNDLED_OBJECT if task is None else None,
        task=task,
        robot=robot,
        seed=seed,
        steps=usual if steps is None else steps,
    )
