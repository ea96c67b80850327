"""What stands around the object, and the object itself: tables, walls and boxes from a recording, meshes from a scan.

In:  ``Demo``; a ``scene.toml``; a scanned mesh.   Out: ``Scene``, ``ObjectModel``.
Not here: where the object goes (track), simulating any of it (sim).
"""

from h2s2r_perception.scene.find import FoundScene, SceneCfg, find_scene
from h2s2r_perception.scene.toml_file import read_scene

__all__ = ["FoundScene", "SceneCfg", "find_scene", "read_scene"]
