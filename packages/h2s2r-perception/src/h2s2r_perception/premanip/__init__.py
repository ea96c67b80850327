"""The pre-manipulation instant: the last moment before the hand moves the object.

In:  object path, hand path.   Out: ``Premanip`` with the ``HandPose``, clips of a long recording, a plot.
Not here: seeing object and hand (track, hand).
"""

from h2s2r_perception.premanip.clips import Clip
from h2s2r_perception.premanip.config import PremanipCfg
from h2s2r_perception.premanip.instant import Premanip, find_clips, find_premanip
from h2s2r_perception.premanip.onset import Onset

__all__ = ["Clip", "Onset", "Premanip", "PremanipCfg", "find_clips", "find_premanip"]
