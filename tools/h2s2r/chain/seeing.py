"""The stages that look at the recording.

In:  ``RunCfg``.   Out: stages ``recording``, ``object``, ``track``, ``hand``, ``scene``, ``premanip``, ``seen``,
     and ``mirror`` where that is asked for.
Not here: how it is done (h2s2r-perception).
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from h2s2r.chain.config import Progress, RunCfg
from h2s2r.chain.files import HAND, HAND_POSE, MIRROR, OBJECT, PATH, PREMANIP, SCENE
from h2s2r.chain.stage import Stage, Work, file_hash
from h2s2r_perception.calibrate import level_camera
from h2s2r_perception.convert import ConvertCfg, convert
from h2s2r_perception.hand.mediapipe_hands import open_landmarker
from h2s2r_perception.hand.path import track_hand
from h2s2r_perception.mirror import find_mirror, mirrored_model
from h2s2r_perception.premanip import find_premanip
from h2s2r_perception.scene import find_scene, read_scene
from h2s2r_perception.scene.object.from_scan import ScanCfg, object_from_scan
from h2s2r_perception.track.offline import track_object
from h2s2r_perception.view import Finding
from h2s2r_perception.view.overlay import save_overlay
from h2s2r_perception.view.plots import save_paths, save_premanip
from h2s2r_schemas.artifacts import HandPose, HandTrajectory, ObjectModel, ObjectTrajectory, Scene
from h2s2r_schemas.codec import load, save
from h2s2r_schemas.demo import Demo, DemoWriter, open_demo
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.task import read_object

_META = "meta.json"
#: Files that say what an object weighs.
_DESCRIBED = (".toml", ".h2s")


def seeing(cfg: RunCfg, progress: Progress) -> list[Stage]:
    """The stages, in their order.

    Raises:
        SchemaError: there is no such recording, or a mesh without its mass.
    """
    assert cfg.recording is not None and cfg.object is not None
    see = _Seeing(cfg, cfg.recording, cfg.object, progress)
    frames = {"frames": list(cfg.frames) if cfg.frames else None}
    recording = {"files": _hashes(cfg.recording), "fps": cfg.fps}
    if cfg.object.suffix not in _DESCRIBED and cfg.mass is None:
        raise SchemaError(
            f"{cfg.object.name} says no mass, as no mesh does: weigh the object and give --mass KILOGRAMS."
        )
    described = {"file": file_hash(cfg.object) if cfg.object.is_file() else str(cfg.object), "mass": cfg.mass}
    scene = {**frames, "file": file_hash(cfg.scene) if cfg.scene is not None and cfg.scene.is_file() else None}
    found, known = ("object", "track", "hand"), cfg.corrections
    instant = {**frames, "frame": known.frame}
    mirrored = Stage("mirror", "mirrors what was seen", see.mirror, (*found, "scene", "premanip"))
    return [
        Stage("recording", "opens the recording", see.recording, (), recording),
        Stage("object", "reads the object", see.object, (), described),
        Stage("track", "follows the object", see.track, ("recording", "object"), {**frames, "mask": known.mask}),
        Stage("hand", "follows the hand", see.hand, ("recording",), {**frames, "side": known.side}),
        Stage("scene", "finds what stands around", see.scene, ("recording", "object", "track"), scene),
        Stage("premanip", "finds the instant before the object moves", see.premanip, found, instant),
        Stage("seen", "draws what was seen", see.seen, ("recording", *found, "premanip"), instant),
        *([mirrored] if cfg.mirror else []),
    ]


class _Seeing:
    """The work of the stages.

    Args:
        cfg: what is asked for.
        recording: of it.
        model: where the object is described.
        progress: told of every frame.
    """

    def __init__(self, cfg: RunCfg, recording: Path, model: Path, progress: Progress) -> None:
        self._cfg, self._recording, self._object, self._progress = cfg, recording, model, progress

    def recording(self, work: Work) -> None:
        """Leave where the recording is. One of another tool is converted; one whose camera has no place gets one, level."""
        source, copy = self._recording, work.folder / "demo"
        converted = not (source / _META).is_file()
        if converted:
            form = ConvertCfg(rate_hz=self._cfg.fps, overwrite=True)
            convert(source, copy, form, lambda done, total: self._progress("converting", done, total, ""))
        demo = open_demo(copy if converted else source)
        if not converted and self._cfg.fps is not None and demo.meta.time_measured:
            raise SchemaError(f"{source} has times that were measured; leave the frame rate ({self._cfg.fps}/s) out.")
        if demo.meta.calibration.wxyz_xyz_world_camera is None:
            _levelled(demo, work.folder)
        elif not converted:
            (work.folder / "where.json").write_text(json.dumps({"folder": str(source.resolve())}) + "\n")

    def object(self, work: Work) -> None:
        """An ``ObjectModel`` from whatever describes it."""
        file = self._object
        if file.suffix == ".toml":
            model = read_object(file)
        elif file.suffix == ".h2s":
            model = load(file, ObjectModel)
        else:
            model = object_from_scan(file, ScanCfg(unit="m", mass=self._cfg.mass)).model
        save(model, work.folder / OBJECT)

    def track(self, work: Work) -> None:
        """Where the object is, frame by frame."""
        path = track_object(
            self._demo(work),
            load(work.of("object") / OBJECT, ObjectModel),
            None,
            self._cfg.frames,
            self._cfg.corrections.mask,
            progress=lambda done, total: self._progress("following the object", done, total, f"frame {done}"),
        )
        save(path, work.folder / PATH)

    def hand(self, work: Work) -> None:
        """Where the hand is, frame by frame."""
        landmarker = open_landmarker()
        try:
            path = track_hand(
                self._demo(work),
                landmarker,
                None,
                self._cfg.frames,
                self._cfg.corrections.side,
                progress=lambda done, total: self._progress("following the hand", done, total, f"frame {done}"),
            )
        finally:
            landmarker.close()
        save(path, work.folder / HAND)

    def scene(self, work: Work) -> None:
        """Table and fixtures, seen or described."""
        if self._cfg.scene is not None:
            save(read_scene(self._cfg.scene), work.folder / SCENE)
            return
        model, path = self._model(work), load(work.of("track") / PATH, ObjectTrajectory)
        found = find_scene(self._demo(work), None, self._cfg.frames, tracked=(model, path))
        save(found.scene, work.folder / SCENE)
        (work.folder / "left_out.json").write_text(json.dumps(list(found.left_out), indent=1) + "\n")

    def premanip(self, work: Work) -> None:
        """The hand just before the object moves, and why then; or in the frame that a person chose."""
        chosen, first = self._cfg.corrections.frame, self._first
        hand, path = self._paths(work)
        if chosen is None:
            found = find_premanip(path, self._model(work), hand, None, first)
            taken, record = found.hand, {"frame": found.frame, "reason": found.reason}
        else:
            taken = hand_in_frame(hand, chosen, first)
            reason = f"A person chose the hand of frame {chosen}, at {taken.time:.2f} s."
            record = {"frame": chosen, "chosen": True, "reason": reason}
        save(taken, work.folder / HAND_POSE)
        (work.folder / PREMANIP).write_text(json.dumps(record, indent=1) + "\n")

    def seen(self, work: Work) -> None:
        """Pictures of what was seen, for people."""
        hand, path = self._paths(work)
        model = self._model(work)
        chosen = self._cfg.corrections.frame is not None
        premanip = None if chosen else find_premanip(path, model, hand, None, self._first)
        finding = Finding(self._demo(work), model, path, hand, premanip)
        save_paths(finding, work.folder / "paths.png")
        if premanip is not None:
            save_premanip(premanip, work.folder / "premanip.png")
        save_overlay(
            finding,
            work.folder / "seen.mp4",
            self._cfg.frames,
            lambda done, total: self._progress("drawing what was seen", done, total, f"frame {done}"),
        )

    @property
    def _first(self) -> int:
        """The first frame that is used."""
        return 0 if self._cfg.frames is None else self._cfg.frames[0]

    def mirror(self, work: Work) -> None:
        """Everything a task is made of, as a mirror shows it, under the names of the stages' own files."""
        hand, path = self._paths(work)
        scene = load(work.of("scene") / SCENE, Scene)
        mirror = find_mirror(path, scene)
        save(mirrored_model(self._model(work)), work.folder / OBJECT)
        save(mirror.path(path), work.folder / PATH)
        save(mirror.hand(hand), work.folder / HAND)
        save(mirror.scene(scene), work.folder / SCENE)
        save(mirror.hand_pose(load(work.of("premanip") / HAND_POSE, HandPose)), work.folder / HAND_POSE)
        record = {"wxyz_xyz_world_mirror": mirror.T_world_mirror.wxyz_xyz.tolist()}
        (work.folder / MIRROR).write_text(json.dumps(record) + "\n")

    def _model(self, work: Work) -> ObjectModel:
        return load(work.of("object") / OBJECT, ObjectModel)

    def _paths(self, work: Work) -> tuple[HandTrajectory, ObjectTrajectory]:
        return load(work.of("hand") / HAND, HandTrajectory), load(work.of("track") / PATH, ObjectTrajectory)

    def _demo(self, work: Work) -> Demo:
        return open_recording(work)


def _levelled(demo: Demo, folder: Path) -> None:
    """A copy of the recording in a world that is level on the table: where its camera stood, nobody measured."""
    meta = demo.meta.replace(calibration=level_camera(demo))
    with DemoWriter(folder / "levelled", meta, overwrite=True) as writer:
        for frame in demo:
            writer.append(frame.time, frame.rgb, frame.depth, frame.masks)
    shutil.rmtree(folder / "demo", ignore_errors=True)
    (folder / "levelled").rename(folder / "demo")


def hand_in_frame(hand: HandTrajectory, frame: int, first: int) -> HandPose:
    """The hand of one frame of the recording.

    Args:
        hand: its path.
        frame: which.
        first: frame of the path's first entry.

    Raises:
        SchemaError: it is not seen there.
    """
    entry = frame - first
    if not 0 <= entry < len(hand.time) or hand.lost[entry]:
        seen = np.flatnonzero(~hand.lost) + first
        raise SchemaError(
            f"The hand is not seen in frame {frame}; it is in {len(seen)} of frames {first} to {first + len(hand.time) - 1}"
            f"{f', first in {seen[0]}, last in {seen[-1]}' if len(seen) else ''}. Choose one of those."
        )
    return HandPose(hand.side, hand.p_world_keypoints[entry], hand.confidence[entry], float(hand.time[entry]))


def open_recording(work: Work) -> Demo:
    """The recording, wherever it is."""
    folder = work.of("recording")
    where = folder / "where.json"
    return open_demo(Path(json.loads(where.read_text())["folder"]) if where.is_file() else folder / "demo")


def _hashes(recording: Path) -> dict[str, str]:
    """Of every file of the recording, by its path in it; truths beside the pictures do not count.

    Raises:
        SchemaError: there is nothing.
    """
    if recording.is_file():
        return {recording.name: file_hash(recording)}
    files = sorted(each for each in recording.rglob("*") if each.is_file() and each.name != "truth.h2s")
    if not files:
        raise SchemaError(f"There is no recording at {recording}: give a folder with a recording, or a video.")
    return {each.relative_to(recording).as_posix(): file_hash(each) for each in files}
