"""All that a recording of a demonstration tells, in one go: object path, hand path, the instant before contact, the scene.

In:  ``Demo``, ``ObjectModel``.   Out: ``Seen``.
Not here: the steps (track, hand, premanip, scene), a task made of it (sim).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from h2s2r_perception.hand.config import HandCfg
from h2s2r_perception.hand.landmarks import Landmarker
from h2s2r_perception.hand.mediapipe_hands import open_landmarker
from h2s2r_perception.hand.path import track_hand
from h2s2r_perception.premanip import Premanip, PremanipCfg, find_premanip
from h2s2r_perception.scene import SceneCfg, find_scene
from h2s2r_perception.track.config import TrackCfg
from h2s2r_perception.track.offline import track_object
from h2s2r_schemas.artifacts import HandTrajectory, ObjectModel, ObjectTrajectory, Scene
from h2s2r_schemas.demo import Demo


@dataclass(frozen=True)
class SeeCfg:
    """Settings of every step."""

    track: TrackCfg = field(default_factory=TrackCfg)
    """Of the object's path."""
    hand: HandCfg = field(default_factory=HandCfg)
    """Of the hand's path."""
    premanip: PremanipCfg = field(default_factory=PremanipCfg)
    """Of the instant before contact."""
    scene: SceneCfg = field(default_factory=SceneCfg)
    """Of what never moves."""


@dataclass(frozen=True)
class Seen:
    """What a recording tells, in the world."""

    path: ObjectTrajectory
    """Of the object."""
    hand: HandTrajectory
    """Of the hand."""
    premanip: Premanip
    """The instant before the object moves, and the hand then."""
    scene: Scene
    """Table, walls and boxes."""
    left_out: tuple[str, ...]
    """What stands there but is no box, a sentence each: describe those in a ``scene.toml``."""


def see(
    demo: Demo,
    model: ObjectModel,
    cfg: SeeCfg | None = None,
    frames: tuple[int, int] | None = None,
    landmarker: Landmarker | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Seen:
    """Look at a recording, without help.

    Args:
        demo: the recording; its calibration says where the camera stands.
        model: the object that is moved.
        cfg: settings.
        frames: first and last frame to use; all if none.
        landmarker: finds hands in a picture; MediaPipe's if none.
        progress: called with what is being done, frames done and frames in all; from two threads.

    Raises:
        SchemaError: as the steps: object or hand not found, nothing moves, the hand is on it from the start, no table.
        H2S2RError: no landmarker was given and MediaPipe is not installed.
    """
    cfg = cfg or SeeCfg()

    def told(what: str) -> Callable[[int, int], None]:
        return lambda done, total: progress(what, done, total) if progress else None

    opened = open_landmarker() if landmarker is None else landmarker
    try:
        # Neither needs the other, and the hand's network leaves the interpreter to the object: two cores are used.
        with ThreadPoolExecutor(1) as beside:
            following = beside.submit(track_hand, demo, opened, cfg.hand, frames, progress=told("following the hand"))
            path = track_object(demo, model, cfg.track, frames, progress=told("following the object"))
            hand = following.result()
    finally:
        if landmarker is None:
            opened.close()
    premanip = find_premanip(path, model, hand, cfg.premanip, 0 if frames is None else frames[0])
    found = find_scene(demo, cfg.scene, frames, tracked=(model, path))
    return Seen(path, hand, premanip, found.scene, found.left_out)
