"""An object to move, from a scan of it or from the recording itself.

In:  a mesh file; a ``Demo``.   Out: ``ObjectModel``.
Not here: where it goes (track), what never moves (scene.find).
"""

from h2s2r_perception.scene.object.from_recording import PrimitiveCfg, object_from_recording
from h2s2r_perception.scene.object.from_scan import ScanCfg, object_from_scan

__all__ = ["PrimitiveCfg", "ScanCfg", "object_from_recording", "object_from_scan"]
