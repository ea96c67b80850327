"""MuJoCo Warp as an engine: worlds on a GPU (extra ``warp``).

In:  ``SceneModel``.   Out: ``WarpEngine``.
Not here: other engines.
"""

from h2s2r_sim.engines.warp.device import find_device
from h2s2r_sim.engines.warp.worlds import WarpEngine

__all__ = ["WarpEngine", "find_device"]
