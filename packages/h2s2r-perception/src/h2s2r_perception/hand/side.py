"""Which hand it is, and what each frame looks like as that one.

In:  ``Evidence`` of T frames, their time, ``HandCfg``.   Out: ``Sided``: the side, evidence and fit, frames that contradict it.
Not here: the fit (fit, neighbours), which frames of a fit to believe (doubt).

The network's word is wrong for whole stretches of a recording; the wrong hand costs two to five times as much in most frames.
Together, over a whole recording, they decide; alone, neither does in a single frame. Where they do not, the recording is read
as of either hand, and the one decides that explains more of it.

To read it as of a hand: a network that takes a hand for the other one, as when it is seen along its palm, has its fingers in the
right places, but counts them from the other end: the index finger is where it says that the little finger is. Frames that speak
for the other hand are read so, from the hand in their neighbours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from h2s2r_perception.hand.anatomy import SHAPE_NAMES
from h2s2r_perception.hand.config import HandCfg
from h2s2r_perception.hand.doubt import outvoted
from h2s2r_perception.hand.evidence import Evidence
from h2s2r_perception.hand.fit import Fit, first_guess, fit_singly
from h2s2r_perception.hand.neighbours import fit_from_neighbours
from h2s2r_schemas.errors import SchemaError

#: Mean of both votes that names a side at once, and the share of the frames that may speak against it: in 25 of 30 recordings of
#: lifted plates the mean was 1.0 to 2.7 for the true hand, in the others 0.3 for it to 0.2 against it.
_DECIDED, _AGAINST = 0.8, 0.3
#: Of what a recording costs, read as of one hand, what it costs at most read as of the other, which then it is. The true hand
#: cost 0.24 to 0.78 of the other in twelve recordings of lifted plates, 0.69 to 0.78 in the five with the least clear votes.
_CHEAPER = 0.9
#: [m] between the places of one hand in two frames, because they are measured at other parts of it.
_INEXACT = 0.03
_OTHER = {"left": "right", "right": "left"}


@dataclass
class Sided:
    """Frames of one hand whose side is known."""

    side: str
    """``left`` or ``right``."""
    evidence: Evidence
    """Of T frames, as of a right hand: mirrored if it is a left one."""
    fit: Fit
    """Each frame on its own, or from its neighbours."""
    contradicts: np.ndarray
    """(T) bool: the frame cannot be read as of this hand."""

    def only(self, chosen: np.ndarray) -> Sided:
        """The same with some of its frames: (T) bool."""
        return Sided(self.side, self.evidence[chosen], self.fit[chosen], self.contradicts[chosen])


def decide_side(
    evidence: Evidence, time: np.ndarray, cfg: HandCfg, side: str | None = None, as_left: Evidence | None = None
) -> Sided:
    """Fit both hands and choose.

    Args:
        evidence: of T frames, as seen; by the look that speaks for a right hand where there are two.
        time: (T) [s] of them, ascending.
        cfg: settings.
        side: ``left`` or ``right``, if it is known.
        as_left: of the same frames by the look that speaks for a left hand; the same evidence if none.

    Raises:
        SchemaError: the recording speaks for neither.
    """
    shape, as_left = np.zeros(len(SHAPE_NAMES)), evidence if as_left is None else as_left
    seen = {"right": evidence, "left": as_left.mirrored()}
    fits = {name: fit_singly(each, first_guess(each), shape, cfg, from_scratch=True) for name, each in seen.items()}
    word = evidence.right + as_left.right - 1
    votes = np.log(fits["left"].cost / fits["right"].cost).clip(-2, 2) + word
    side = side or _voted(votes)
    if side is not None:
        return _read_as(side, seen, fits, word, time, cfg)
    either = [_read_as(each, seen, fits, word, time, cfg) for each in _OTHER]
    found, other = sorted(either, key=lambda each: _cost(each, cfg))
    if _cost(found, cfg) > _CHEAPER * _cost(other, cfg):
        raise SchemaError(
            f"{len(votes)} frames with a hand do not tell a left hand from a right one: their votes for a right one are "
            f"{votes.mean():+.2f} in the mean ({_DECIDED} either way is needed), {(votes > 0).mean():.0%} of them for it; read "
            f"as of a {found.side} hand the recording costs {_cost(found, cfg):.0f}, as of a {other.side} one "
            f"{_cost(other, cfg):.0f} (a tenth less is needed). Say which it is (side; --side)."
        )
    return found


def _voted(votes: np.ndarray) -> str | None:
    """The side that votes (T) for a right hand name; none where they do not."""
    vote = float(votes.mean())
    if abs(vote) < _DECIDED or (votes * vote < 0).mean() > _AGAINST:
        return None
    return "right" if vote > 0 else "left"


def _read_as(
    side: str,
    seen: Mapping[str, Evidence],
    fits: Mapping[str, Fit],
    word: np.ndarray,
    time: np.ndarray,
    cfg: HandCfg,
) -> Sided:
    """The recording as of one hand; frames that look like the other one, or like none, from their neighbours.

    Args:
        side: of that hand.
        seen: evidence by side, each as of a right hand.
        fits: of it, each frame on its own.
        word: (T) of the network, 1 for a right hand, -1 for a left one.
        time: (T) [s].
        cfg: settings.
    """
    evidence, fit, other = seen[side], fits[side], _OTHER[side]
    fit = fit_from_neighbours(evidence, fit, time, fit.cost > cfg.fits_well, cfg)
    less = np.log(np.maximum(fits[other].cost, cfg.fits_well) / np.maximum(fit.cost, cfg.fits_well)).clip(-2, 2)
    word = word if side == "right" else -word
    speaks_against = (less + cfg.word_weight * word < 0) | ((word < 0) & (fit.cost > cfg.fits_well))
    # A frame among such frames may fit by chance, turned over as they are.
    again = outvoted(speaks_against, time, cfg) | (fit.cost > cfg.doubt_cost)
    counted = seen[other].mirrored().from_other_end()
    unknown = replace(fit, cost=np.where(again, np.inf, fit.cost))
    as_seen = fit_from_neighbours(evidence, unknown, time, again, cfg)
    recounted = fit_from_neighbours(counted.where(again, evidence), unknown, time, again, cfg)
    turned = again & (recounted.cost < as_seen.cost)
    reread = recounted.where(turned, as_seen)
    taken = again & (reread.cost < cfg.doubt_cost) & _hangs_together(evidence, time, ~again, cfg)
    return Sided(side, counted.where(taken & turned, evidence), reread.where(taken, fit), again & ~taken)


def _hangs_together(evidence: Evidence, time: np.ndarray, sure: np.ndarray, cfg: HandCfg) -> np.ndarray:
    """(T) bool: no jump between the frame and one of the sure ones (T); what jumps is the person's other hand."""
    far = np.linalg.norm(np.diff(evidence.middle, axis=0), axis=-1)
    part = np.concatenate(([0], np.cumsum(far > cfg.fastest * np.diff(time) + _INEXACT)))
    return np.isin(part, part[sure])


def _cost(sided: Sided, cfg: HandCfg) -> float:
    """Mean cost of a frame, at most that beyond which it is doubted; as much for those that contradict."""
    return float(np.where(sided.contradicts, cfg.doubt_cost, np.minimum(sided.fit.cost, cfg.doubt_cost)).mean())
