"""How sure a measured share is.

In:  successes, trials.   Out: Wilson's score interval.
Not here: what counts as a success (schemas).
"""

from __future__ import annotations

import math

from h2s2r_schemas.errors import SchemaError

#: Of the standard normal distribution: 95 % of it lies within.
_Z95 = 1.959963984540054


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (Wilson 1927; Brown, Cai, DasGupta 2001).

    Raises:
        SchemaError: no trial at all, or more successes than trials.
    """
    if not 0 <= successes <= trials or trials < 1:
        raise SchemaError(
            f"{successes} successes in {trials} trials: there must be at least one trial, and no more successes."
        )
    share, squared = successes / trials, _Z95**2
    middle = (share + squared / (2 * trials)) / (1 + squared / trials)
    half = _Z95 * math.sqrt(share * (1 - share) / trials + squared / (4 * trials**2)) / (1 + squared / trials)
    return max(middle - half, 0.0), min(middle + half, 1.0)
