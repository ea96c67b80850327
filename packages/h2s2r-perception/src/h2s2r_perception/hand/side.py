"""Which hand it is: what the landmarks say, and which hand explains depth better.

In:  ``Evidence`` of T frames, ``HandCfg``.   Out: ``Sided``: the side, both fits, the frames that contradict it.
Not here: the fit (fit).

The network's word is wrong for whole stretches of a recording; the wrong hand costs two to five times as much in most frames.
Together, over a whole recording, they decide; alone, neither does in a single frame. Where all frames do not tell, the quarter
does that one of the two hands explains best, if it says so more clearly: where neither fits, which of them fits less badly says
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_perception.hand.anatomy import SHAPE_NAMES
from h2s2r_perception.hand.config import HandCfg
from h2s2r_perception.hand.evidence import Evidence
from h2s2r_perception.hand.fit import Fit, first_guess, fit_singly
from h2s2r_schemas.errors import SchemaError

#: Mean of both votes that is needed to name a side, of this share of the frames: those that one of the two fits best.
_DECIDED = ((1.0, 0.3), (0.25, 0.7))
#: Share of those frames that may contradict it.
_CONTRADICT = 0.4


@dataclass
class Sided:
    """Frames of one hand whose side is known."""

    side: str
    """``left`` or ``right``."""
    evidence: Evidence
    """Of T frames, as of a right hand: mirrored if it is a left one."""
    fit: Fit
    """Each frame on its own."""
    contradicts: np.ndarray
    """(T) bool: the frame taken alone speaks for the other side."""

    def only(self, chosen: np.ndarray) -> Sided:
        """The same with some of its frames: (T) bool."""
        return Sided(self.side, self.evidence[chosen], self.fit[chosen], self.contradicts[chosen])


def decide_side(evidence: Evidence, cfg: HandCfg, side: str | None = None, as_left: Evidence | None = None) -> Sided:
    """Fit both hands and choose.

    Args:
        evidence: of T frames, as seen; by the look that speaks for a right hand where there are two.
        cfg: settings.
        side: ``left`` or ``right``, if it is known.
        as_left: of the same frames by the look that speaks for a left hand; the same evidence if none.

    Raises:
        SchemaError: the recording speaks for neither.
    """
    shape, as_left = np.zeros(len(SHAPE_NAMES)), evidence if as_left is None else as_left
    seen = {"right": evidence, "left": as_left.mirrored()}
    fits = {name: fit_singly(each, first_guess(each), shape, cfg, from_scratch=True) for name, each in seen.items()}
    for_right = np.log(fits["left"].cost / fits["right"].cost).clip(-2, 2)
    for_right = for_right + (evidence.right + as_left.right - 1)
    side = side or _voted(for_right, np.minimum(fits["left"].cost, fits["right"].cost))
    for_side = for_right if side == "right" else -for_right
    return Sided(side, seen[side], fits[side], for_side < 0)


def _voted(for_right: np.ndarray, cost: np.ndarray) -> str:
    """The side that frames with these votes (T) speak for, where the hand that fits better costs so much (T).

    Raises:
        SchemaError: for neither.
    """
    said = []
    for share, needed in _DECIDED:
        votes = for_right[cost <= np.quantile(cost, share)]
        vote = float(votes.mean())
        against = float((votes * vote < 0).mean())
        if abs(vote) >= needed and against <= _CONTRADICT:
            return "right" if vote > 0 else "left"
        said.append(
            f"vote {vote:+.2f}, {needed} either way is needed; {against:.0%} of them against it, {_CONTRADICT:.0%} may be"
        )
    raise SchemaError(
        f"{len(for_right)} frames with a hand do not tell a left hand from a right one ({said[0]}), nor does the quarter of them "
        f"that one of the two fits best ({said[1]}). Say which it is (side; --side)."
    )
