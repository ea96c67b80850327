"""MuJoCo's own batched CPU stepping as an engine.

In:  ``SceneModel``.   Out: ``MujocoEngine``.
Not here: other engines.
"""

from h2s2r_sim.engines.mujoco.worlds import MujocoEngine

__all__ = ["MujocoEngine"]
