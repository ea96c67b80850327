"""Where the files of a recording are: the names that BOP tools expect.

In:  a frame number.   Out: paths within the folder of the recording.
Not here: what is in them (pictures, meta).
"""

from __future__ import annotations

META = "meta.json"
CAMERAS = "scene_camera.json"
#: The truth about the recording, where somebody knows it.
TRUTH = "truth.h2s"
#: BOP keeps masks of what can be seen of each thing apart from masks of whole silhouettes (``mask``).
RGB, DEPTH, MASK = "rgb", "depth", "mask_visib"
#: How a recording that is being replaced is called for a moment, ``.NAME.….old``.
OLD_SUFFIX = ".old"


def rgb_path(index: int, suffix: str) -> str:
    """The colour picture of a frame."""
    return f"{RGB}/{index:06d}.{suffix}"


def depth_path(index: int) -> str:
    """The depth picture of a frame."""
    return f"{DEPTH}/{index:06d}.png"


def mask_path(index: int, number: int) -> str:
    """The mask of the thing at position ``number`` of ``DemoMeta.mask_names``."""
    return f"{MASK}/{index:06d}_{number:06d}.png"
