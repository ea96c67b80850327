"""Physics engines behind one protocol, made by name.

In:  the name of an engine, ``SceneModel``.   Out: ``Engine``.
Not here: the protocol itself (engine).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from h2s2r_sim.engine import Engine, EngineError

if TYPE_CHECKING:
    from h2s2r_sim.scene.model import SceneModel

#: Names that ``make_engine`` knows; ``warp`` may be followed by a device: ``warp:cuda:1``, ``warp:cpu``.
ENGINES = ("mujoco", "warp")


def make_engine(name: str, scene: SceneModel, num_envs: int, decimation: int, num_threads: int = 2) -> Engine:
    """An engine with ``num_envs`` worlds of a scene.

    Args:
        name: one of ``ENGINES``: ``mujoco`` computes on the CPU, ``warp`` (extra of that name) on a GPU.
        scene: what is simulated.
        num_envs: how many worlds.
        decimation: substeps in a control period.
        num_threads: CPU threads that share the worlds.

    Raises:
        EngineError: no engine has this name, its library is not installed, or there is no such device here.
    """
    kind, _, device = name.partition(":")
    if name == "mujoco":
        from h2s2r_sim.engines.mujoco import MujocoEngine  # noqa: PLC0415 - an engine is loaded when it is asked for

        return MujocoEngine(scene, num_envs, decimation, num_threads)
    if kind == "warp":
        try:
            from h2s2r_sim.engines.warp import WarpEngine  # noqa: PLC0415
        except ImportError as error:
            raise EngineError(
                f"Engine 'warp' needs {error.name}, which is not installed: pip install 'h2s2r-sim[warp]'. "
                "Engine 'mujoco' needs nothing more."
            ) from error
        return WarpEngine(scene, num_envs, decimation, num_threads, device or "cuda")
    raise EngineError(
        f"There is no engine {name!r}; there are: {', '.join(ENGINES)} (on the first GPU; 'warp:cuda:1' is the second, "
        "'warp:cpu' the slow way to compare results)."
    )
