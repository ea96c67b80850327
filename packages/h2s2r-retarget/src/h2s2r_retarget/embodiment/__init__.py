"""Robots as data: a folder with a URDF and a robot.toml.

In:  names or folders.   Out: ``Embodiment``.
Not here: kinematics of any URDF (kinematics), what is implausible about a robot (check).
"""

from h2s2r_retarget.embodiment.finding import Finding
from h2s2r_retarget.embodiment.links import LinkBody, read_links
from h2s2r_retarget.embodiment.load import embodiment_folder, embodiment_names, load_embodiment
from h2s2r_retarget.embodiment.model import Embodiment

__all__ = [
    "Embodiment",
    "Finding",
    "LinkBody",
    "embodiment_folder",
    "embodiment_names",
    "load_embodiment",
    "read_links",
]
