"""Settings of the object tracker.

In:  nothing.   Out: ``TrackCfg``.
Not here: what they steer (tracker, evidence, start).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrackCfg:
    """Settings of the object tracker; lengths at the object [m] unless said otherwise."""

    max_points: int = 500
    """Measured points that are matched in a frame."""
    first_gate: float = 0.025
    """[m] distance from the surface beyond which a measured point is ignored, in the first step of a frame, at most."""
    last_gate: float = 0.007
    """[m] the same in the last step; three standard deviations of depth where that is more."""
    shrink: float = 0.65
    """Factor from step to step between the two."""
    steps: int = 9
    """Gauss–Newton steps of a frame."""
    outline_reach: int = 10
    """[px] that the outline is looked for on either side."""
    outline_lines: int = 100
    """Lines across the outline on which it is looked for, at most."""
    outline_every: int = 3
    """Steps between two searches for the outline; 0 for none."""
    depth_strength: float = 80.0
    """How many independent measurements all depth points of a frame count for: neighbours share their errors."""
    outline_strength: float = 100.0
    """The same for the outline."""
    keep_velocity: float = 0.8
    """Share of the last frame's motion that is expected again."""
    still_position: float = 0.003
    """[m] motion between frames that could as well be noise, and is not expected again."""
    still_rotation: float = 0.05
    """[rad] the same for turns."""
    prior_silent: float = 0.002
    """[m] standard deviation of the expected pose along an axis about which the frame says nothing."""
    prior_heard: float = 0.02
    """[m] the same along an axis that the frame holds well."""
    prior_information: float = 4e5
    """[1/m²] information that separates the two: 80 points of 2.8 mm standard deviation, all on one axis, give 1e7."""
    agree: float = 0.007
    """[m] within which a measurement agrees with the surface; three standard deviations of depth where that is more."""
    lost_fit: float = 0.55
    """The object is lost if of what should be seen and is not hidden less than this share agrees."""
    lost_seen: float = 0.10
    """The object is lost if of what faces the camera less than this share is seen."""
    firm: float = 0.002
    """[m] standard deviation of the place, along the direction that a frame holds least, above which confidence falls."""
    slides: float = 0.01
    """[m] the same above which the object is lost: it could slide along its faces unseen."""
    poor_fit: float = 0.75
    """Below this share, other start poses of the frame are tried before it is believed."""
    found_score: float = 0.4
    """Least score of a start pose that is believed after a loss."""
    search_every: int = 10
    """Lost frames between two searches of the whole picture; the first is after half as many."""
    growth: float = 0.08
    """Share by which the outline may be larger or smaller than depth has it before intrinsics or mesh are called wrong; a third
    of it is said. A pixel of blur on either side of a thing 90 pixels wide is 2 %; a measured mesh may be 4 % off."""
    learn_every: int = 3
    """Frames between two in which colours and background are learnt."""
    seed: int = 0
    """Of the search for the table."""
