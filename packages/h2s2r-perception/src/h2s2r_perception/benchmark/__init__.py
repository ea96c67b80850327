"""How right and how fast all of this is: recordings with truth, and a real one with labels.

In:  folders of recordings.   Out: a flat mapping of figures.
Not here: making recordings (sim; ``h2s2r bench perception`` does both), what the figures must be (the issue says).
"""

from h2s2r_perception.benchmark.many import measure_all
from h2s2r_perception.benchmark.real import measure_real

__all__ = ["measure_all", "measure_real"]
