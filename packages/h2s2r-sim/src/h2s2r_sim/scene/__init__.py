"""The digital twin as a MuJoCo model.

In:  ``TaskSpec``, embodiment, ``SceneOptions``.   Out: ``SceneModel``; how deep a path goes into things.
Not here: stepping the model (engine).
"""

from h2s2r_sim.scene.clearance import penetration
from h2s2r_sim.scene.model import SceneModel, build_model
from h2s2r_sim.scene.options import SceneOptions
from h2s2r_sim.scene.world import world_spec

__all__ = ["SceneModel", "SceneOptions", "build_model", "penetration", "world_spec"]
