"""What the hand and the object do in a demonstration, as functions of time.

In:  ``TaskSpec``, how its object is gripped, a seed.   Out: ``Script``: object pose and hand at any time.
Not here: what it looks like (look), the camera (record).
"""

from h2s2r_sim.demonstrate.script.grip import Grip, load_grip
from h2s2r_sim.demonstrate.script.manner import Manner, draw_manner
from h2s2r_sim.demonstrate.script.script import Script, write_script

__all__ = ["Grip", "Manner", "Script", "draw_manner", "load_grip", "write_script"]
