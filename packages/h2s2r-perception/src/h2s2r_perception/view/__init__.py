"""What was found in a recording, to look at: a video with it drawn in, plots over time, a scene in the browser.

In:  a ``Demo`` and the paths found in it.   Out: MP4, PNG, a viser server.
Not here: finding (track, hand, premanip), judging against truth (benchmark).
"""

from h2s2r_perception.view.finding import Finding

__all__ = ["Finding"]
