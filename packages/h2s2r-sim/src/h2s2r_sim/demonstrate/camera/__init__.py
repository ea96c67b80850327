"""What a stereo depth camera makes of the world: noise, steps, torn edges, holes, delays, lost frames.

In:  true depth [m], ``DepthFaults``.   Out: measured depth [m], 0 where nothing was measured.
Not here: drawing (stage), files (record).
"""

from h2s2r_sim.demonstrate.camera.faults import D435, NO_FAULTS, DepthFaults
from h2s2r_sim.demonstrate.camera.measure import measure_depth
from h2s2r_sim.demonstrate.camera.shutter import Exposure, expose

__all__ = ["D435", "NO_FAULTS", "DepthFaults", "Exposure", "expose", "measure_depth"]
