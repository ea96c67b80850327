"""What retargeting did, to look at: a scene in the browser, or a PNG without one (extra ``view``).

In:  an ``Embodiment``, joint positions and the keypoints they imitate.   Out: a viser server, or a PNG file.
Not here: recordings and tasks (the packages that make them show them).
"""

from h2s2r_retarget.view.browser import show
from h2s2r_retarget.view.picture import save_png
from h2s2r_retarget.view.scene import ViewScene, view_scene

__all__ = ["ViewScene", "save_png", "show", "view_scene"]
