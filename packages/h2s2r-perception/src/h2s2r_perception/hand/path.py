"""The whole path of the hand through a recording.

In:  ``Demo``.   Out: ``HandTrajectory``, lost frames NaN.
Not here: the single steps (search, evidence, side, fit, doubt).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from h2s2r_perception.frames import decode
from h2s2r_perception.hand.config import HandCfg
from h2s2r_perception.hand.doubt import confidence, doubtful, outvoted
from h2s2r_perception.hand.evidence import Evidence, collect
from h2s2r_perception.hand.fit import Fit, fit_together
from h2s2r_perception.hand.landmarks import Landmarker, Landmarks
from h2s2r_perception.hand.looks import Looks, stacked
from h2s2r_perception.hand.search import Progress, find_all, find_elsewhere
from h2s2r_perception.hand.side import Sided, decide_side
from h2s2r_schemas.artifacts import KEYPOINT_NAMES, HandTrajectory
from h2s2r_schemas.demo import Demo
from h2s2r_schemas.errors import SchemaError

#: Frames with a hand, without which nothing is said about it; frames given by hand may be fewer.
_FEWEST = 3


def track_hand(
    demo: Demo,
    landmarker: Landmarker,
    cfg: HandCfg | None = None,
    frames: tuple[int, int] | None = None,
    side: str | None = None,
    progress: Progress | None = None,
) -> HandTrajectory:
    """The hand's path through a recording, in the world.

    Args:
        demo: the recording; its calibration says where the camera stands.
        landmarker: finds hands in a picture; ``mediapipe_hands.open_landmarker`` opens one.
        cfg: settings.
        frames: first and last frame to use; all if none.
        side: ``left`` or ``right``, if it is known; found out if none.
        progress: called with frames done and frames in all.

    Raises:
        SchemaError: the camera's place is not known, there are no such frames, there is no hand in them, or they do not tell
            which one.
    """
    first, last = frames or (0, len(demo) - 1)
    seen = find_all(demo, landmarker, first, last, progress)
    # A network can be wrong about a whole clip; which hand it is does not change within a recording.
    elsewhere = find_elsewhere(demo, landmarker, first, last) if side is None and len(seen) >= _FEWEST else {}
    return fit_path(demo, seen, cfg, (first, last), side, elsewhere=elsewhere)


def from_landmarks(demo: Demo, given: Mapping[int, Landmarks]) -> dict[int, Looks]:
    """What frames tell whose landmarks are known already, by their numbers.

    Raises:
        SchemaError: no depth under them in one of the frames.
    """
    found = {}
    for index, landmarks in sorted(given.items()):
        evidence = collect(decode(demo[index], demo.meta.calibration, demo.meta.depth_unit), landmarks)
        if evidence is None:
            raise SchemaError(f"Frame {index} has hardly any depth under its keypoints: choose another frame.")
        found[index] = Looks(evidence, evidence)
    return found


def fit_path(
    demo: Demo,
    found: Mapping[int, Looks],
    cfg: HandCfg | None = None,
    frames: tuple[int, int] | None = None,
    side: str | None = None,
    fewest: int = _FEWEST,
    elsewhere: Mapping[int, Looks] | None = None,
) -> HandTrajectory:
    """The path of what was found; arguments and errors as for ``track_hand``.

    Args:
        demo: see there.
        found: evidence by number of frame.
        cfg: see there.
        frames: see there.
        side: see there.
        fewest: frames with a hand that are needed.
        elsewhere: evidence of other frames of the recording, which counts for the side alone.
    """
    cfg, (first, last) = cfg or HandCfg(), frames or (0, len(demo) - 1)
    T_world_camera = demo.meta.calibration.T_world_camera
    if len(found) < fewest:
        raise SchemaError(
            f"A hand is seen in {len(found)} of frames {first} to {last}; {fewest} are needed. Show it to the camera with "
            "fingers apart, in good light; or give its keypoints (--keypoints)."
        )
    sided = _sided(found, elsewhere or {}, np.asarray(demo.meta.time), cfg, side)
    if side is None and (~sided.contradicts).sum() < fewest:
        raise SchemaError(
            f"In {int(sided.contradicts.sum())} of the {len(found)} frames with a hand from {first} to {last} it looks like "
            f"another one than in the rest of the recording, a {sided.side} hand. Use other frames, or say which it is (side; "
            "--side)."
        )
    evidence, fit, lost = _together(sided, np.asarray(demo.meta.time), cfg)
    count = last - first + 1
    p_world = np.full((count, len(KEYPOINT_NAMES), 3), np.nan)
    sure = np.zeros((count, len(KEYPOINT_NAMES)))
    at = evidence.index[~lost] - first
    p_camera = fit.points()[~lost, : len(KEYPOINT_NAMES)] * ((-1.0, 1.0, 1.0) if sided.side == "left" else 1.0)
    p_world[at] = T_world_camera.apply(p_camera)
    sure[at] = confidence(fit, evidence, cfg)[~lost]
    return HandTrajectory(
        side=sided.side,
        time=np.asarray(demo.meta.time)[first : last + 1],
        p_world_keypoints=p_world,
        confidence=sure,
        lost=np.isnan(p_world[:, 0, 0]),
    )


def _sided(
    found: Mapping[int, Looks], elsewhere: Mapping[int, Looks], time: np.ndarray, cfg: HandCfg, side: str | None
) -> Sided:
    """The frames in ``found``, of the hand that these and those ``elsewhere`` speak for."""
    every = {**elsewhere, **found}
    looks = stacked(every[index] for index in sorted(every))
    sided = decide_side(looks.as_right, time[looks.as_right.index], cfg, side, looks.as_left)
    return sided.only(np.isin(sided.evidence.index, list(found)))


def _together(sided: Sided, time: np.ndarray, cfg: HandCfg) -> tuple[Evidence, Fit, np.ndarray]:
    """The frames worth fitting together, their fit, and which of them are still not to be believed."""
    single = sided.fit
    keep = ~sided.contradicts & (single.cost < max(cfg.drop_factor * float(np.median(single.cost)), cfg.doubt_cost))
    if not keep.any():
        keep = ~sided.contradicts if (~sided.contradicts).any() else np.ones(len(keep), bool)
    evidence = sided.evidence[keep]
    fit = fit_together(evidence, time[evidence.index], single[keep], cfg)
    doubted = ~keep
    doubted[keep] = doubtful(fit, time[evidence.index], cfg)
    return evidence, fit, outvoted(doubted, time[sided.evidence.index], cfg)[keep]
