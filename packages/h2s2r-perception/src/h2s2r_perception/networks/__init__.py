"""Doors to other people's networks: ``sam2`` in this process, ``foundationpose`` and ``hamer`` in theirs.

In:  pictures, weights that the user has.   Out: masks, object poses, hand keypoints.
Not here: the networks and their weights: those come under their own licences (doctor says which). Torch is imported here alone,
and only when a network is asked for.
"""
