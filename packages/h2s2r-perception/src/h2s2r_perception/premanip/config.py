"""Settings of the search for the pre-manipulation instant.

In:  nothing.   Out: ``PremanipCfg``.
Not here: what they steer (motion, onset, clips, instant).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PremanipCfg:
    """Settings; a distance of the object is that of its surface: how far it is shifted and turned away."""

    moved: float = 0.001
    """[m] away from its place, the object counts as moved: the least that pictures show."""
    left: float = 0.010
    """[m] away, it has certainly left its place: more than any hand that comes pulls the track away. As much as a task needs."""
    far: float = 0.025
    """[m] away, the beginning of a motion is over."""
    longest_start: float = 0.8
    """[s] such a beginning lasts at most, from where the object has certainly left."""
    still_before: float = 0.3
    """[s] the object must stand still before it is moved."""
    settling: float = 0.2
    """[s] at the beginning in which the track may be away from where the object then stands: a hand that leaves it hides it."""
    look_back: float = 2.0
    """[s] of standing still before the motion that are looked at; longer ago is another story."""
    pull_time: float = 0.2
    """[s] in which a hand that comes pulls the track away, by some millimetres, before the object moves."""
    longest_pull: float = 1.0
    """[s] before the object has certainly left that this begins at most."""
    longest_gap: float = 0.3
    """[s] without a frame that shows the object, around the beginning of the motion: it could have been moved then."""
    least_noise: float = 0.0005
    """[m] standard deviation of a still object's track, at least."""
    lead: float = 0.1
    """[s] before first motion at which the hand is taken at the latest: then it has come, and has not yet bent to the load."""
    gap: float = 0.010
    """[m] from the surface that the nearest keypoint of the hand taken is at least, where it was that far shortly before:
    keypoints lie about 8 mm deep in the flesh, and a robot's fingers, thicker than these, need room to start in."""
    search_hand: float = 0.6
    """[s] earlier than that at most."""
    on_object: float = 0.015
    """[m] from the surface, a keypoint of a hand is on it: keypoints lie in the flesh, and are not exact."""
    near_object: float = 0.06
    """[m] from the surface, the nearest keypoint of the hand must be just before the object moves."""
    resting: float = 0.003
    """[m] between two poses of the object within ``resting_time``, it rests: for the suggestion of clips."""
    resting_time: float = 0.25
    """[s]"""
    longest_rest: float = 1.0
    """[s] of rest at most that a clip has at its end."""
