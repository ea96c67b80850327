"""Where the object is: its surface, its first pose, frame after frame, and the whole path.

In:  ``RGBDFrame`` or ``Demo``, ``ObjectModel``.   Out: ``Tracked`` per frame, ``ObjectTrajectory``.
Not here: hands (hand), networks (networks).
"""
