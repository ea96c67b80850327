"""The demonstrations in a long recording: where an object rests, is moved, and rests again elsewhere.

In:  ``Motion``, the hand path if there is one.   Out: ``Clip`` per demonstration, to be used one by one (``--frames``).
Not here: the exact frame of first motion (onset).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_perception.premanip.approach import Approach
from h2s2r_perception.premanip.config import PremanipCfg
from h2s2r_perception.premanip.motion import Motion
from h2s2r_schemas.se3 import SE3


@dataclass(frozen=True)
class Clip:
    """A part of a recording that shows one motion, both frames included."""

    first: int
    last: int
    moves: int
    """About where the motion begins."""
    hand_away: bool
    """Whether the hand is seen away from the object before, or not seen; true where nothing is known of the hand."""

    def __str__(self) -> str:
        return f"{self.first}:{self.last}" + ("" if self.hand_away else " (hand on the object from its start)")


def suggest_clips(motion: Motion, approach: Approach | None = None, cfg: PremanipCfg | None = None) -> list[Clip]:
    """Parts of a recording with one motion each, in order; none if the object never rests before it moves.

    Args:
        motion: of the object.
        approach: how far the hand was, where that is known.
        cfg: settings.
    """
    cfg = cfg or PremanipCfg()
    rests = _rests(motion, cfg)
    clips = []
    for number, (first, last) in enumerate(rests):
        after = rests[number + 1] if number + 1 < len(rests) else None
        end = len(motion.frames) - 1 if after is None else after[1]
        if not _moved(motion, (first, last), after or (last + 1, end), cfg):
            continue
        if after is not None:
            end = int(np.flatnonzero(motion.time <= motion.time[after[0]] + cfg.longest_rest)[-1])
            end = min(end, after[1])
        frames = motion.frames
        away = approach is None or approach.comes(int(frames[first]), int(frames[last]), cfg)
        clips.append(Clip(int(frames[first]), int(frames[end]), int(frames[min(last + 1, end)]), away))
    return clips


def _rests(motion: Motion, cfg: PremanipCfg) -> list[tuple[int, int]]:
    """First and last index of each stretch of rest, long enough to begin a clip with."""
    calm = np.zeros(len(motion.frames), bool)
    for index, time in enumerate(motion.time):
        near = np.flatnonzero(np.abs(motion.time - time) <= cfg.resting_time / 2)
        around = np.zeros(len(calm), bool)
        around[near] = True
        apart = np.linalg.norm(motion.away(motion.still_pose(around))[near], axis=-1)
        calm[index] = np.median(apart) <= cfg.resting and apart[np.argmin(np.abs(near - index))] <= 2 * cfg.resting
    edges = np.flatnonzero(np.diff(np.concatenate(([0], calm.astype(np.int8), [0]))))
    stretches = [(int(a), int(b) - 1) for a, b in edges.reshape(-1, 2)]
    merged: list[tuple[int, int]] = []
    for stretch in stretches:
        same = bool(merged) and not _moved(motion, merged[-1], stretch, cfg)
        merged.append((merged.pop()[0], stretch[1]) if same else stretch)
    kept = [_inner(motion.time, a, b, cfg.resting_time / 3) for a, b in merged]
    return [(a, b) for a, b in kept if motion.time[b] - motion.time[a] >= cfg.still_before - cfg.resting_time / 2]


def _inner(time: np.ndarray, first: int, last: int, margin: float) -> tuple[int, int]:
    """A stretch without its ends [s], where the object may be moving slowly."""
    inner = np.flatnonzero((time >= time[first] + margin) & (time <= time[last] - margin))
    # At the ends of the recording nothing is cut off.
    start = first if first == 0 else int(inner[0]) if inner.size else last
    end = last if last == len(time) - 1 else int(inner[-1]) if inner.size else start
    return start, max(start, end)


def _moved(motion: Motion, one: tuple[int, int], other: tuple[int, int], cfg: PremanipCfg) -> bool:
    """Whether the object is elsewhere in some frame of ``other`` than in ``one``."""
    index = np.arange(len(motion.frames))
    T_world_still: SE3 = motion.still_pose((index >= one[0]) & (index <= one[1]))
    elsewhere = (index >= other[0]) & (index <= other[1])
    if not elsewhere.any():
        return False
    return bool((np.linalg.norm(motion.away(T_world_still)[elsewhere], axis=-1) > cfg.left).mean() > 0.5)
