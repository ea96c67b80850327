"""When an object began to move: the change-point between standing still and a motion that grows from nothing.

In:  ``Motion``.   Out: ``Onset``.
Not here: which hand pose belongs to it (instant), where several motions are in one recording (clips).

A threshold on the distance is late (a motion begins slowly) or early (a hand that comes hides a part of the object and pulls
its track by millimetres, which then stay what they are). So the whole beginning is explained at once: one place before the
change, a pull by the hand before it that comes and stays, and from the change on a shift that grows with the square of
time. Of all moments of change and pull, those that explain it best are taken, and a pull has to explain more than its own
numbers could by chance (the Bayesian information criterion). A freer growth (cubes as well) took the pull for
motion: 8 to 15 frames early. Frames far off what explains the others count for less, so that no jump of the track decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_perception.premanip.config import PremanipCfg
from h2s2r_perception.premanip.motion import Motion
from h2s2r_schemas.errors import SchemaError

#: Residuals in standard deviations beyond which a frame counts less and less.
_HUBER = 2.0
#: Frames in a row that must be away, or there, or the track has only jumped.
_SUSTAINED = 3
#: Moments of change tried per frame.
_FINE = 2
#: Standard deviations of the track's noise, all six numbers together, that are certainly no noise.
_CERTAIN = 4.0


@dataclass(frozen=True)
class Onset:
    """When the object began to move, and what was seen of it. Frames are those of the recording."""

    frame: int
    """First frame in which the object has moved, by ``PremanipCfg.moved`` in what explains the path best."""
    change_time: float
    """[s] when the motion began."""
    left_frame: int
    """Frame in which it had certainly left its place."""
    frames: np.ndarray
    """(M) frames that were looked at."""
    time: np.ndarray
    """(M) [s] of them."""
    away: np.ndarray
    """(M, 6) [m] from where it stood, as tracked."""
    explained: np.ndarray
    """(M, 6) [m] the same in what explains it best."""
    noise: np.ndarray
    """(6) [m] standard deviation while it stood."""


def find_onset(motion: Motion, cfg: PremanipCfg | None = None) -> Onset:
    """When the object first moved, from a track that begins with the object standing still.

    Raises:
        SchemaError: fewer than ten frames with the object, it never moves, it moves from the start, or it is not seen for a
            while around when it begins to.
    """
    cfg = cfg or PremanipCfg()
    if len(motion.frames) < 10:
        raise SchemaError(
            f"The object was found in {len(motion.frames)} frames; 10 are needed to see it stand and move."
        )
    motion = _settled(motion, cfg)
    shaken = _shaken(motion)
    still = motion.time <= motion.time[0] + cfg.still_before
    for _ in range(2):
        left = _left(motion, motion.away(motion.still_pose(still)), max(cfg.left, _CERTAIN * shaken))
        still = _still(motion, left, cfg)
    away = motion.away(motion.still_pose(still))
    left = _left(motion, away, max(cfg.left, _CERTAIN * shaken))
    used = np.arange(np.flatnonzero(still)[0], _end(motion, away, left, max(cfg.far, 2 * _CERTAIN * shaken), cfg) + 1)
    time, away = motion.time[used], away[used]
    noise = _noise(motion.away(motion.still_pose(still))[still], cfg)
    best = _explain(time, away / noise, motion.time[left], cfg)
    if best.change_time - motion.time[0] < cfg.still_before:
        raise SchemaError(_TOO_SOON.format(best.change_time - motion.time[0], cfg.still_before))
    _check_gaps(motion, best.change_time, left, cfg)
    first = int(np.argmax(np.linalg.norm(best.grown * noise, axis=-1) > cfg.moved))
    frames = motion.frames[used]
    return Onset(
        frame=int(frames[first]),
        change_time=best.change_time,
        left_frame=int(motion.frames[left]),
        frames=frames,
        time=time,
        away=away,
        explained=best.explained * noise,
        noise=noise,
    )


@dataclass(frozen=True)
class _Explanation:
    """One place, a pull of the hand that comes, and a motion; distances in standard deviations."""

    cost: float
    change_time: float
    explained: np.ndarray
    """(M, 6) by all three."""
    grown: np.ndarray
    """(M, 6) by the motion."""


_TOO_SOON = (
    "The object moves {:.2f} s after the first frame that shows it; it must stand still for {} s before. Begin the recording "
    "earlier, with the hand away, or use a part of it (--frames) that does."
)


def _settled(motion: Motion, cfg: PremanipCfg) -> Motion:
    """Without a few first frames in which the track is not yet where the object stands right after."""
    since = motion.time - motion.time[0]
    early = since <= cfg.settling
    rest = ~early & (since <= cfg.settling + cfg.still_before)
    if rest.sum() < _SUSTAINED:
        return motion
    away = np.linalg.norm(motion.away(motion.still_pose(rest)), axis=-1) > cfg.left
    if away[rest].any() or not away[early].any():
        return motion
    return motion.since(int(np.flatnonzero(away & early)[-1]) + 1)


def _shaken(motion: Motion) -> float:
    """[m] standard deviation of the noise of a track, all six numbers together, from how it changes between frames."""
    change = np.diff(motion.away(motion.Ts_world_object[len(motion.frames) // 2]), n=2, axis=0)
    return float(np.median(np.linalg.norm(change, axis=-1)) / np.sqrt(6))


def _left(motion: Motion, away: np.ndarray, enough: float) -> int:
    """The first of several frames in a row in which the object is not where it stood: ``enough`` [m] away."""
    distance = np.linalg.norm(away, axis=-1)
    gone = np.convolve(distance > enough, np.ones(_SUSTAINED), "valid") == _SUSTAINED
    if not gone.any():
        raise SchemaError(
            f"The object never moves: it stays within {1e3 * np.quantile(distance, 0.95):.1f} mm of its place, and "
            f"{1e3 * enough:.0f} mm count as moved. Check that the tracker follows what is moved, and the frames used."
        )
    return int(np.argmax(gone))


def _still(motion: Motion, left: int, cfg: PremanipCfg) -> np.ndarray:
    """(M) frames that show where the object stood: those before it left, not too long ago."""
    before = np.arange(len(motion.time)) < left
    recent = motion.time >= motion.time[left] - cfg.look_back
    if not (before & recent).any():
        raise SchemaError(_TOO_SOON.format(0.0, cfg.still_before))
    return before & recent


def _end(motion: Motion, away: np.ndarray, left: int, enough: float, cfg: PremanipCfg) -> int:
    """The last frame of the beginning of the motion: until the object is ``enough`` [m] away."""
    far = np.flatnonzero(np.convolve(np.linalg.norm(away[left:], axis=-1) > enough, np.ones(2), "valid") == 2)
    late = np.flatnonzero(motion.time <= motion.time[left] + cfg.longest_start)[-1]
    return min(left + int(far[0]) if far.size else len(motion.time) - 1, int(late))


def _check_gaps(motion: Motion, change_time: float, left: int, cfg: PremanipCfg) -> None:
    """The object is seen throughout the beginning of its motion; one that is seen to stand after a gap has not moved in it.

    Raises:
        SchemaError: it is not, for longer than allowed.
    """
    step, time = np.diff(motion.time), motion.time
    standing = np.searchsorted(time, change_time) - np.arange(1, len(time))  # frames between each gap and the motion
    around = (standing < _SUSTAINED) & (time[:-1] <= time[left])
    at = int(np.argmax(step * around))
    if step[at] * around[at] > cfg.longest_gap:
        raise SchemaError(
            f"Around the beginning of the motion {step[at]:.2f} s pass between frames {motion.frames[at]} and "
            f"{motion.frames[at + 1]} without one that shows the object; at most {cfg.longest_gap} s may. It was lost, frames "
            "were dropped, or the clock jumped: track it again, or record it anew."
        )


def _noise(away: np.ndarray, cfg: PremanipCfg) -> np.ndarray:
    """(6) [m] standard deviation of each number while the object stands, by its median deviation."""
    return np.maximum(1.4826 * np.median(np.abs(away), axis=0), cfg.least_noise)


def _explain(time: np.ndarray, away: np.ndarray, left: float, cfg: PremanipCfg) -> _Explanation:
    """What explains distances (M, 6), in standard deviations, best."""
    steps = np.interp(np.arange(0, len(time) - 1, 1 / _FINE), np.arange(len(time)), time)
    pulls = [time[-1], *np.arange(left - cfg.longest_pull, left, cfg.pull_time)]
    best = _Explanation(np.inf, 0.0, away, away)
    for change in steps[(steps < left) & (steps >= left - cfg.longest_start)]:
        growth = np.maximum(time - change, 0.0) ** 2
        for pull in pulls:
            pulled = np.clip((time - pull) / cfg.pull_time, 0.0, 1.0)
            design = np.stack((np.ones(len(time)), growth, pulled), axis=-1)[
                :, : 3 if pull + cfg.pull_time <= change else 2
            ]
            factors, cost = _fit(design, away)
            cost += 0.5 * design.shape[1] * away.shape[1] * np.log(len(time))
            if cost < best.cost:
                best = _Explanation(cost, float(change), design @ factors, growth[:, None] * factors[1])
    return best


def _fit(design: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, float]:
    """Factors (D, 6) of a linear model (M, D) of values (M, 6), by Huber's loss over all six at once, and that loss."""
    factors = np.linalg.lstsq(design, values, rcond=None)[0]
    size = np.linalg.norm(values - design @ factors, axis=-1)
    for _ in range(3):
        weighted = design * np.minimum(1.0, _HUBER / np.maximum(size, 1e-9))[:, None]
        factors = np.linalg.lstsq(weighted.T @ design, weighted.T @ values, rcond=None)[0]
        size = np.linalg.norm(values - design @ factors, axis=-1)
    return factors, float(np.where(size < _HUBER, 0.5 * size**2, _HUBER * (size - 0.5 * _HUBER)).sum())
