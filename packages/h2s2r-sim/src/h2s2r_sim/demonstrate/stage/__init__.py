"""What a demonstration looks like: table, light, colours, bystanders, camera; and pictures of it.

In:  ``TaskSpec``, ``Look``, ``View``.   Out: ``Stage``, which takes pictures.
Not here: what happens (script), what a real camera makes of it (camera).
"""

from h2s2r_sim.demonstrate.stage.look import Look, draw_look
from h2s2r_sim.demonstrate.stage.stage import Picture, Stage
from h2s2r_sim.demonstrate.stage.view import choose_view, color_camera

__all__ = ["Look", "Picture", "Stage", "choose_view", "color_camera", "draw_look"]
