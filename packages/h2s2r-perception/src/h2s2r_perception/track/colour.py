"""Which colours are the object's, which its surroundings', which the hand's: learnt while tracking.

In:  colours of pixels whose owner is known.   Out: log odds that a pixel is the object's.
Not here: who owns a pixel (evidence), the outline search (evidence).
"""

from __future__ import annotations

import numpy as np

#: Levels per channel of the histograms.
_LEVELS = 16
#: Weight of one unseen pixel: a colour seen never or once says nothing.
_UNSEEN = 3e-4
#: Log odds are cut here: colour alone never decides.
STRONGEST = 2.5


class ColourModel:
    """Histograms of the object, of what is around it, and of what hides it (hand, sleeve)."""

    def __init__(self) -> None:
        self._shares = {name: np.zeros(_LEVELS**3) for name in ("object", "around", "hand")}
        self._tables: dict[str, np.ndarray] = {}

    def learn(self, name: str, rgb: np.ndarray, rate: float) -> None:
        """Take in pixels (N, 3) uint8 of ``object``, ``around`` or ``hand``, with the weight ``rate`` (0 to 1) against before."""
        if len(rgb) < 20:
            return
        counts = np.bincount(_bins(rgb), minlength=_LEVELS**3) / len(rgb)
        share = self._shares[name]
        rate = rate if share.any() else 1.0
        share += rate * (counts - share)
        self._tables.clear()

    def known(self, name: str) -> bool:
        """Whether any such pixel was seen."""
        return bool(self._shares[name].any())

    def log_odds(self, rgb: np.ndarray, against: str) -> np.ndarray:
        """(…) log odds, within ``STRONGEST``, that pixels (…, 3) uint8 are the object's and not of ``against``; 0 if unknown."""
        if against not in self._tables:
            mine, other = _smooth(self._shares["object"]), _smooth(self._shares[against])
            odds = np.log((mine + _UNSEEN) / (other + _UNSEEN))
            known = self.known("object") and self.known(against)
            self._tables[against] = np.clip(odds, -STRONGEST, STRONGEST) * known
        return self._tables[against][_bins(rgb)]


def _bins(rgb: np.ndarray) -> np.ndarray:
    level = (rgb // (256 // _LEVELS)).astype(np.intp)
    return (level[..., 0] * _LEVELS + level[..., 1]) * _LEVELS + level[..., 2]


def _smooth(share: np.ndarray) -> np.ndarray:
    """Spread each bin over its neighbours (1 2 1 along each channel): exposure drifts by less than that between frames."""
    cube = share.reshape(_LEVELS, _LEVELS, _LEVELS)
    for axis in range(3):
        padded = np.concatenate((np.take(cube, [0], axis), cube, np.take(cube, [_LEVELS - 1], axis)), axis=axis)
        low, high = np.take(padded, range(_LEVELS), axis), np.take(padded, range(2, _LEVELS + 2), axis)
        cube = 0.25 * low + 0.5 * cube + 0.25 * high
    return cube.reshape(-1)
