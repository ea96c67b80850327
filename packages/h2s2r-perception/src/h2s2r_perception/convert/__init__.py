"""Other formats into ``Demo``: TUM, FoundationPose's folders, colour video with depth pictures, numbered pictures.

In:  a folder or video of another tool.   Out: a ``Demo`` folder, checked.
Not here: recording from a camera (record), using the pictures (frames).
"""

from h2s2r_perception.convert.convert import FORMS, ConvertCfg, convert, detect_form

__all__ = ["FORMS", "ConvertCfg", "convert", "detect_form"]
