"""What is where in a picture, from depth alone: the table, the things on it, which of them move.

In:  ``RGBDFrame``.   Out: ``Plane``, ``Component``, the share of one that moves.
Not here: which of the things is the object (track.start), networks (networks).
"""

from h2s2r_perception.segment.components import Component, find_components, join_neighbours, joined
from h2s2r_perception.segment.motion import share_moved
from h2s2r_perception.segment.plane import Plane, find_plane

__all__ = ["Component", "Plane", "find_components", "find_plane", "join_neighbours", "joined", "share_moved"]
