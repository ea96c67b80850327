"""Settings of the hand's fit.

In:  nothing.   Out: ``HandCfg``.
Not here: what they steer (terms, fit, doubt).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HandCfg:
    """Settings of the hand's fit; lengths at the hand [m]."""

    pixel_sigma: float = 0.005
    """[m] standard deviation of a landmark across the line of sight: 4 pixels at 0.75 m."""
    pixel_huber: float = 0.0125
    """[m] beyond which a landmark counts for less and less."""
    wrist_trust: float = 1.0
    """Factor on the weight of the wrist's landmark, which is the least well defined."""
    local_sigma: float = 1.0
    """Standard deviation of the direction of a bone in the network's own idea of the hand: a weak hint."""
    first_local_sigma: float = 0.5
    """The same before depth is used."""
    depth_sigma: float = 0.005
    """[m] standard deviation of a measured point from the surface."""
    depth_count: float = 80.0
    """How many independent measurements all depth points of a frame count for."""
    gates: tuple[float, ...] = (0.04, 0.025, 0.016, 0.012)
    """[m] distances from the surface beyond which a measured point is ignored, one after the other."""
    free_sigma: float = 0.0025
    """[m] standard deviation of flesh in front of what was measured behind it."""
    free_gate: float = 0.04
    """[m] in front of what was measured beyond which that is taken to be the background instead."""
    free_depth: float = 0.9
    """Share of its radius that flesh is deep over a keypoint, seen from anywhere."""
    end_of_middle: float = 0.55
    """The last joint of a finger bends by this share of the one before."""
    end_sigma: float = 0.16
    """[rad] standard deviation of that."""
    neighbour_sigma: float = 0.38
    """[rad] standard deviation between the bends of neighbouring fingers."""
    limit_sigma: float = 0.05
    """[rad] standard deviation of an angle beyond its range."""
    usual: float = 1.4
    """Factor on the standard deviations of usual angles."""
    acceleration: float = 4.0
    """[m/s²] standard deviation of the wrist's acceleration."""
    turn_acceleration: float = 80.0
    """[rad/s²] standard deviation of the hand's."""
    joint_acceleration: float = 120.0
    """[rad/s²] standard deviation of a joint's."""
    first_steps: int = 8
    """Steps without depth, each frame on its own."""
    single_steps: int = 4
    """With depth, each frame on its own, for each of ``gates``."""
    joint_steps: int = 10
    """With depth, all frames and the person's proportions together."""
    again_gates: tuple[float, ...] = (0.025, 0.012)
    """[m] the same as ``gates`` where a frame is fitted again, from the hand in a neighbouring frame."""
    neighbour_time: float = 1.0
    """[s] within which a frame is a neighbour."""
    neighbour_factor: float = 0.7
    """Of a frame's cost, what a neighbour costs at most from which it is fitted again."""
    fastest: float = 3.0
    """[m/s] a hand moves at most. Wrists of 65 rendered recordings reach 0.4 in the median, 0.7 at most; people may be faster."""
    fits_well: float = 35.0
    """Cost up to which a frame fits well: how much less it is says nothing (right hands cost 15 to 60)."""
    word_weight: float = 0.5
    """How much the network's word for a side (-1 to 1) counts in a frame of a recording whose side is known, where a logarithm
    of costs counts 1. Before any frame was read again, of those of seven recordings of lifted plates 29 % were flagged with 1,
    28 with 0.5, 25 with 0; but with 0 22 turned-over frames of one of them were not."""
    drop_factor: float = 6.0
    """A frame that costs this many times the recording's median, taken alone, is not fitted together with the others."""
    doubt_factor: float = 4.0
    """A frame that costs this many times the median, fitted with the others, is flagged."""
    doubt_cost: float = 110.0
    """But none that costs less than this: right hands cost 15 to 60."""
    least_on_flesh: float = 0.5
    """Of the measured points, the share that must be on the hand."""
    leap_time: float = 0.25
    """[s] around a frame in which its palm is compared with that of others."""
    leap: float = 0.9
    """[rad] from most of those, beyond which the frame is flagged."""
    doubt_time: float = 0.33
    """[s] around a frame in which more flagged frames than others flag it too."""
