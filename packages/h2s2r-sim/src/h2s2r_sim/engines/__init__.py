"""Physics engines behind one protocol, made by name.

In:  the name of an engine, ``SceneModel``.   Out: ``Engine``.
Not here: the protocol itself (engine).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from h2s2r_sim.engine import Engine, EngineError

if TYPE_CHECKING:
    from h2s2r_sim.scene.model import SceneModel

#: Names that ``make_engine`` knows.
ENGINES = ("mujoco",)


def make_engine(name: str, scene: SceneModel, num_envs: int, decimation: int, num_threads: int = 2) -> Engine:
    """An engine with ``num_envs`` worlds of a scene.

    Args:
        name: one of ``ENGINES``.
        scene: what is simulated.
        num_envs: how many worlds.
        decimation: substeps in a control period.
        num_threads: CPU threads that share the worlds.

    Raises:
        EngineError: no engine has this name.
    """
    if name == "mujoco":
        from h2s2r_sim.engines.mujoco import MujocoEngine  # noqa: PLC0415 - an engine is loaded when it is asked for

        return MujocoEngine(scene, num_envs, decimation, num_threads)
    raise EngineError(f"There is no engine {name!r}; there are: {', '.join(ENGINES)}.")
