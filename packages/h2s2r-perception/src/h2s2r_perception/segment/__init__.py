"""What is where in a picture, from depth and colour alone: the table, and the things on it.

In:  ``RGBDFrame``.   Out: ``Plane``, ``Component``.
Not here: which of the things is the object (track.start), networks (networks).
"""

from h2s2r_perception.segment.components import Component, find_components
from h2s2r_perception.segment.plane import Plane, find_plane

__all__ = ["Component", "Plane", "find_components", "find_plane"]
