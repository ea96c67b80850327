"""Say what is missing or implausible about a robot, and show it.

In:  the name or folder of a robot.   Out: ``Finding`` s; a picture.
Not here: refusing a robot that cannot be used (embodiment does that when it loads one).
"""

from h2s2r_retarget.check.picture import draw_embodiment
from h2s2r_retarget.check.run import check_embodiment
from h2s2r_retarget.embodiment import Finding

__all__ = ["Finding", "check_embodiment", "draw_embodiment"]
