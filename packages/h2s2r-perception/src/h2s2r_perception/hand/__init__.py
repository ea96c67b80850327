"""Where the hand is: landmarks in the picture, an articulated hand fitted to them and to depth, the whole path.

In:  ``Demo``.   Out: ``HandTrajectory``.
Not here: the object (track), hand networks (networks).
"""
