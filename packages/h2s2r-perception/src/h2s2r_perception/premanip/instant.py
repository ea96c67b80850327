"""The pre-manipulation instant: the hand just before it moves the object.

In:  ``ObjectTrajectory``, ``ObjectModel``, ``HandTrajectory``.   Out: ``Premanip`` with the ``HandPose``.
Not here: seeing object and hand (track, hand), what a robot makes of the hand (retarget).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_perception.premanip.approach import Approach, measure_approach
from h2s2r_perception.premanip.clips import Clip, suggest_clips
from h2s2r_perception.premanip.config import PremanipCfg
from h2s2r_perception.premanip.motion import Motion, motion_of
from h2s2r_perception.premanip.onset import Onset, find_onset
from h2s2r_schemas.artifacts import HandPose, HandTrajectory, ObjectModel, ObjectTrajectory
from h2s2r_schemas.errors import SchemaError


@dataclass(frozen=True)
class Premanip:
    """The instant, and why it is that one. Frames are those of the recording."""

    frame: int
    """Of the hand."""
    hand: HandPose
    """The hand then."""
    onset: Onset
    """When the object began to move."""
    approach: Approach
    """How far the hand was."""
    reason: str
    """In words."""


def find_premanip(
    path: ObjectTrajectory,
    model: ObjectModel,
    hand: HandTrajectory,
    cfg: PremanipCfg | None = None,
    first: int = 0,
) -> Premanip:
    """The hand just before it moves the object.

    Args:
        path: the object's path.
        model: the object.
        hand: the hand's path, by the same clock.
        cfg: settings.
        first: frame of the recording that the object's path begins with.

    Raises:
        SchemaError: the object never moves or is not seen to stand before; or the hand is on it from the start, is not
            found, or is never near. The message suggests clips, where there are any.
    """
    cfg = cfg or PremanipCfg()
    motion, approach = motion_of(path, model, first), measure_approach(path, model, hand, first)
    try:
        onset = find_onset(motion, cfg)
        _check_hand(onset, approach, cfg)
    except SchemaError as error:
        raise SchemaError(f"{error}{_hint(motion, approach, cfg)}") from error
    frame = _hand_frame(onset, approach, cfg)
    index = int(approach.hand_index[frame - first])
    taken = HandPose(
        side=hand.side,
        p_world_keypoints=hand.p_world_keypoints[index],
        confidence=hand.confidence[index],
        time=float(hand.time[index]),
    )
    distance = approach.distance[frame - first]
    near = "where the object was not found" if np.isnan(distance) else f"{1e3 * distance:.0f} mm from it"
    reason = (
        f"The object first moves at {path.time[onset.frame - first]:.2f} s (frame {onset.frame}) and has left its place "
        f"at {path.time[onset.left_frame - first]:.2f} s (frame {onset.left_frame}). The hand is taken at {taken.time:.2f} s "
        f"(frame {frame}), {near}."
    )
    return Premanip(frame, taken, onset, approach, reason)


def find_clips(
    path: ObjectTrajectory,
    model: ObjectModel,
    hand: HandTrajectory | None = None,
    cfg: PremanipCfg | None = None,
    first: int = 0,
) -> list[Clip]:
    """The demonstrations in a recording, with one motion each: ``premanip.clips``; arguments as for ``find_premanip``."""
    approach = None if hand is None else measure_approach(path, model, hand, first)
    return suggest_clips(motion_of(path, model, first), approach, cfg)


def _check_hand(onset: Onset, approach: Approach, cfg: PremanipCfg) -> None:
    """There is a hand, it comes, and it is near when the object moves.

    Raises:
        SchemaError: which of these is not so.
    """
    found = approach.hand_index >= 0
    until = approach.frames <= onset.frame
    late = until & (approach.time >= onset.change_time - cfg.lead - cfg.search_hand)
    if not (found & late).any():
        seen = f"it is in {int(found.sum())} of {len(found)} frames" if found.any() else "it is in none of them"
        raise SchemaError(
            f"No hand is found in the {cfg.lead + cfg.search_hand:.1f} s before the object first moves (frame {onset.frame}); "
            f"{seen}. Find the hand in these frames, or give its keypoints by hand."
        )
    distance = approach.distance[late]
    if not (distance <= cfg.near_object).any():
        nearest = f"{1e3 * np.nanmin(distance):.0f} mm away" if np.isfinite(distance).any() else "not measured"
        raise SchemaError(
            f"The hand is never near before the object first moves (frame {onset.frame}): {nearest}, at most "
            f"{1e3 * cfg.near_object:.0f} mm make sense. Check that hand and object are found right, and the camera's intrinsics."
        )
    first = int(np.flatnonzero(found)[0])
    from_start = approach.time[first] <= approach.time[0] + cfg.still_before
    if from_start and not approach.comes(int(approach.frames[0]), onset.frame - 1, cfg):
        raise SchemaError(
            f"The hand is on the object from the start until it moves (frame {onset.frame}): nothing shows how it comes. "
            "Begin the recording with the hand away, or use a part of it (--frames) that does."
        )


def _hand_frame(onset: Onset, approach: Approach, cfg: PremanipCfg) -> int:
    """The frame whose hand is taken: the last one before contact, by its distance; where none is that far, the last one found
    before ``lead``; where there is none, the first one found after.
    """
    found = (approach.hand_index >= 0) & (approach.frames <= onset.frame)
    wanted = onset.change_time - cfg.lead
    early = found & (approach.time <= wanted) & (approach.time >= wanted - cfg.search_hand)
    for fit in (early & (approach.distance >= cfg.gap), early):
        if fit.any():
            return int(approach.frames[fit][-1])
    return int(approach.frames[found & (approach.time > wanted)][0])


def _hint(motion: Motion, approach: Approach, cfg: PremanipCfg) -> str:
    clips = suggest_clips(motion, approach, cfg) if len(motion.frames) > 1 else []
    good = [str(clip) for clip in clips if clip.hand_away]
    return f" Parts of it that show one motion each: {', '.join(good)}." if good else ""
