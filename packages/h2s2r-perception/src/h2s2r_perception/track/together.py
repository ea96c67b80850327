"""What two passes over a recording say together.

In:  ``Tracked`` per frame, of each pass; first poses.   Out: poses, confidence, flags; which pass is of another thing, or wrong.
Not here: the passes (offline), following frame by frame (tracker).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from h2s2r_perception.track.config import TrackCfg
from h2s2r_perception.track.start import Start
from h2s2r_perception.track.surface import SurfaceModel
from h2s2r_perception.track.tracker import Tracked
from h2s2r_schemas.artifacts import Symmetry
from h2s2r_schemas.artifacts.success import align_symmetry
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

_LOG = logging.getLogger(__name__)
#: Of two things that passes follow, the object is the one that moves: so many times as far as the other.
_MOVED_MORE = 3.0
#: Share of the other pass's average consistency, where they contradict each other, below which a pass began wrong; of how much
#: of the object it shows; and of the scores with which it was found where the pass has it.
_MUCH_WORSE = 0.8
#: Frames in which an outline must be seen well before its size says anything.
_COUNTED = 10
#: [m], [rad] within which two passes mean the same pose.
_SAME_PLACE, _SAME_TURN = 0.008, float(np.deg2rad(8.0))
#: [m] mean distance of the surface within which two passes do not contradict each other, half of what makes a pose false; of how
#: many of its points.
_NEAR, _POINTS = 0.01, 200
#: By how much a pass must be more consistent with the pictures than another to be believed against it. In recordings with truth
#: (``docs/decisions/object-tracking.md``) right poses had 0.93 to 1, wrong ones 0.45 to 0.89 (5th to 95th percentile).
_SURER = 0.1


def follows_another(one: dict[int, Tracked], other: dict[int, Tracked], surface: SurfaceModel) -> str:
    """Which of two passes follows another thing, which does not move: ``first``, ``second``; empty if they follow the same, or
    both move. Two things are what lies farther apart, in most frames, than the surface reaches from its centre.
    """
    paths = _centres(one, surface), _centres(other, surface)
    if not _apart(*paths) >= _reach(surface):
        return ""
    first, second = _travels(paths[0]), _travels(paths[1])
    if max(first, second) < _MOVED_MORE * min(first, second):
        return ""
    return "first" if first < second else "second"


def found_less(
    one: dict[int, Tracked],
    other: dict[int, Tracked],
    surface: SurfaceModel,
    symmetry: Symmetry,
    finds: Sequence[tuple[int, Start]],
) -> str:
    """Which of two passes at two places is much less where the object was found in single frames, while no less speaks against
    it: ``first``, ``second``; empty if neither. Something that stays where it is, while the other pass moves, may be found
    everywhere: that says nothing.

    Args:
        one: a pass.
        other: another one.
        surface: of the object.
        symmetry: of the object.
        finds: frames, and the best first pose in each by itself.
    """
    paths = _centres(one, surface), _centres(other, surface)
    if not _apart(*paths) >= 0.5 * _reach(surface):
        return ""
    first, second = (
        sum(start.score for frame, start in finds if _is_there(start, found[frame], surface)) for found in (one, other)
    )
    if min(first, second) >= _MUCH_WORSE * max(first, second):
        return ""
    less, more = (0, 1) if first < second else (1, 0)
    consistent = _consistent(one, other, surface, symmetry)
    if _MOVED_MORE * _travels(paths[more]) < _travels(paths[less]) or not consistent[less] <= consistent[more]:
        return ""
    return ("first", "second")[less]


def _centres(found: dict[int, Tracked], surface: SurfaceModel) -> np.ndarray:
    """(T, 3) [m] where a pass has the object's centre, NaN where lost."""
    return np.array(
        [
            np.full(3, np.nan) if each.lost else each.T_camera_object.apply(surface.centre)
            for each in (found[index] for index in sorted(found))
        ]
    )


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    """[m] between two paths (T, 3) in the median, NaN where no frame knows both."""
    apart = np.linalg.norm(one - other, axis=-1)
    return float("nan") if np.isnan(apart).all() else float(np.nanmedian(apart))


def _travels(path: np.ndarray) -> float:
    """[m] how far a path (T, 3) goes from where it usually is."""
    return float(np.nanmax(np.linalg.norm(path - np.nanmedian(path, 0), axis=-1)))


def _reach(surface: SurfaceModel) -> float:
    """[m] how far a surface reaches from its centre."""
    return float(np.linalg.norm(surface.points - surface.centre, axis=-1).max())


def _is_there(start: Start, tracked: Tracked, surface: SurfaceModel) -> bool:
    """Whether a first pose has the object's centre where a pass has it."""
    places = [each.T_camera_object.apply(surface.centre) for each in (start, tracked)]
    return not tracked.lost and float(np.linalg.norm(places[0] - places[1])) < 2 * _NEAR


def began_wrong(one: dict[int, Tracked], other: dict[int, Tracked], surface: SurfaceModel, symmetry: Symmetry) -> str:
    """Which of two passes began from a wrong pose: they contradict each other in most frames, and much more speaks against it.
    ``first``, ``second``; empty if neither is known to.
    """
    first, second = _consistent(one, other, surface, symmetry)
    if not min(first, second) < _MUCH_WORSE * max(first, second):
        return ""
    return "first" if first < second else "second"


def shows_less(one: dict[int, Tracked], other: dict[int, Tracked], surface: SurfaceModel, symmetry: Symmetry) -> bool:
    """Whether the second of two passes that contradict each other in most frames shows much less of the object, or loses it much
    more: no proof against it, but enough if it also began from the pose that scored less.
    """
    a, b = _in_order(one), _in_order(other)
    first, second = (float((_quality(found) * ~_lost(found)).mean()) for found in (a, b))
    return second < _MUCH_WORSE * first and bool(_contradict(a, b, surface, symmetry).any())


def _in_order(found: dict[int, Tracked]) -> list[Tracked]:
    return [found[index] for index in sorted(found)]


def _contradict(
    one: Sequence[Tracked], other: Sequence[Tracked], surface: SurfaceModel, symmetry: Symmetry
) -> np.ndarray:
    """(T) where two passes contradict each other; nowhere unless they do in most frames that both know."""
    both = ~(_lost(one) | _lost(other))
    contradict = both & ~_compared(one, other, surface, symmetry)[2]
    return contradict if contradict.sum() > 0.5 * both.sum() else np.zeros(len(both), bool)


def _consistent(
    one: dict[int, Tracked], other: dict[int, Tracked], surface: SurfaceModel, symmetry: Symmetry
) -> tuple[float, float]:
    """How little speaks against each of two passes where they contradict each other; NaN unless they do in most frames."""
    passes = _in_order(one), _in_order(other)
    contradict = _contradict(*passes, surface, symmetry)
    if not contradict.any():
        return float("nan"), float("nan")
    first, second = (float(_consistency(found)[contradict].mean()) for found in passes)
    return first, second


def _lost(found: Sequence[Tracked]) -> np.ndarray:
    """(T) where a pass has lost the object."""
    return np.array([each.lost for each in found])


def _consistency(found: Sequence[Tracked]) -> np.ndarray:
    """(T) how little speaks against each pose, 0 to 1."""
    return np.array([each.fit.consistency for each in found])


def _quality(found: Sequence[Tracked]) -> np.ndarray:
    """(T) how much of the object each pose shows, as far as nothing speaks against it, 0 to 1."""
    return np.array([each.fit.quality for each in found])


def growth_of(tracked: list[Tracked], name: str, cfg: TrackCfg) -> float:
    """Median share by which outlines are seen larger than they should be, over the frames that fit well.

    Raises:
        SchemaError: it is more than errors of pictures explain.
    """
    good = [each.fit.growth for each in tracked if not each.lost and each.fit.agreement.fit > cfg.poor_fit]
    good = [each for each in good if np.isfinite(each)]
    if len(good) < _COUNTED:
        return float("nan")
    growth = float(np.median(good))
    said = (
        f"{name} is seen {abs(growth):.1%} {'larger' if growth > 0 else 'smaller'} in the pictures than its mesh is at the depth "
        f"that was measured; {cfg.growth:.0%} are allowed. Check the focal length (of another resolution or camera: the "
        "calibration's fx and fy), the scale of the mesh, and that of depth."
    )
    if abs(growth) > cfg.growth:
        raise SchemaError(said)
    if abs(growth) > cfg.growth / 3:
        _LOG.warning(said)
    return growth


def agree(
    one: Sequence[Tracked], other: Sequence[Tracked], surface: SurfaceModel, symmetry: Symmetry
) -> tuple[SE3, np.ndarray, np.ndarray]:
    """One pose per frame from two passes: (T) poses (NaN where lost), (T) confidence, (T) lost.

    Where they contradict each other, the one is believed that what is seen speaks against less, or neither. A pass that is not
    believed there is not believed either before and after, as far as it goes on without a break or the other's consent.
    """
    tracked = np.stack([~_lost(one), ~_lost(other)])
    both = tracked[0] & tracked[1]
    Ts_camera_other, same, near = _compared(one, other, surface, symmetry)
    lead = _consistency(one) - _consistency(other)
    against = np.where(both & ~near, lead, np.nan)
    alone = tracked & ~(both & near)
    believed = [tracked[k] & ~_refuted(alone[k], sign * against) for k, sign in ((0, 1.0), (1, -1.0))]
    poses, confidence = np.full((len(one), 7), np.nan), np.zeros(len(one))
    for t, (a, b) in enumerate(zip(one, other, strict=True)):
        if both[t] and same[t]:
            share = np.array(b.fit.quality / max(a.fit.quality + b.fit.quality, 1e-6))
            poses[t] = a.T_camera_object.interpolate(Ts_camera_other[t], share).wxyz_xyz
            confidence[t] = max(a.confidence, b.confidence)
            continue
        if both[t] and near[t]:
            found = a if lead[t] >= 0 else b
        elif believed[0][t] != believed[1][t]:
            found = a if believed[0][t] else b
        else:
            continue
        poses[t] = found.T_camera_object.wxyz_xyz
        confidence[t] = found.confidence * (0.5 if both[t] else 1.0)
    lost = confidence <= 0
    poses[lost] = np.nan
    return SE3(poses), confidence, lost


def _compared(
    one: Sequence[Tracked], other: Sequence[Tracked], surface: SurfaceModel, symmetry: Symmetry
) -> tuple[SE3, np.ndarray, np.ndarray]:
    """(T) poses of the second pass, turned within the symmetry to be near the first's; (T) whether they mean the same, and (T)
    whether they are near each other.
    """
    Ts_camera_one, Ts_camera_other = (
        SE3(np.array([each.T_camera_object.wxyz_xyz for each in found])) for found in (one, other)
    )
    Ts_camera_other = align_symmetry(Ts_camera_other, Ts_camera_one, symmetry)
    place, angle = Ts_camera_other.distance(Ts_camera_one)
    points = surface.points[:: max(1, len(surface.points) // _POINTS)]
    taken = [SE3(each.wxyz_xyz[:, None]).apply(points) for each in (Ts_camera_one, Ts_camera_other)]
    near = np.linalg.norm(taken[0] - taken[1], axis=-1).mean(axis=-1) < _NEAR
    same = (place < _SAME_PLACE) & (angle < _SAME_TURN)
    return Ts_camera_other, same, same | near


def _refuted(alone: np.ndarray, lead: np.ndarray) -> np.ndarray:
    """(T) where a pass is not to be believed, of frames (T) in which it is ``alone``; ``lead`` (T) is by how much it is more
    consistent than the other pass, NaN where that one says nothing else.
    """
    refuted = np.zeros(len(alone), bool)
    runs = np.flatnonzero(np.diff(np.concatenate(([False], alone, [False])).astype(int))).reshape(-1, 2)
    for first, after in runs:
        against = lead[first:after]
        if not np.isnan(against).all():
            refuted[first:after] = np.nanmean(against) < _SURER
    return refuted
