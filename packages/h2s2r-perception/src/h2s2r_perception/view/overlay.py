"""A video of the recording with what was found drawn into it: the object's outline and axes, the hand, what is flagged.

In:  ``Finding``.   Out: an MP4 file, or single pictures (H, W, 3).
Not here: plots over time (plots), turning it about (browser).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from h2s2r_perception.frames import RGBDFrame, decode, project
from h2s2r_perception.track.surface import SurfaceModel, object_mesh, surface_of
from h2s2r_perception.track.visible import silhouette
from h2s2r_perception.view.finding import BONES, Finding
from h2s2r_schemas.artifacts import CameraIntrinsics
from h2s2r_schemas.errors import H2S2RError, SchemaError
from h2s2r_schemas.se3 import SE3

#: Red, green, blue: the object's outline, the hand where it is sure and where not, what is flagged, the instant.
_OBJECT, _SURE, _UNSURE, _FLAGGED, _INSTANT = (255, 200, 0), (0, 230, 255), (120, 90, 255), (255, 40, 40), (60, 255, 90)
_AXES = ((255, 60, 60), (60, 220, 60), (80, 120, 255))
#: Longer side of the video [px], at least: small recordings are enlarged.
_WIDTH = 640
_FONT = cv2.FONT_HERSHEY_SIMPLEX
#: Frames that the video rests on the instant.
_REST = 15


class Overlay:
    """Draws what was found into frames.

    Args:
        finding: what to draw.
    """

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        model = finding.model
        self._surface = None if model is None else surface_of(object_mesh(model), model.name)
        self._T_camera_world = finding.demo.meta.calibration.T_world_camera.inv()

    def picture(self, index: int) -> np.ndarray:
        """(H, W, 3) uint8: one frame of the recording, red first, with all that was found in it."""
        demo = self.finding.demo
        frame = decode(demo[index], demo.meta.calibration, demo.meta.depth_unit)
        zoom = max(1, -(-_WIDTH // frame.camera.width))
        drawn = cv2.resize(frame.rgb, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_LINEAR)
        camera = _zoomed(frame.camera, zoom)
        notes = [
            f"frame {index}   {frame.time:.2f} s",
            *self._object(drawn, frame, camera),
            *self._hand(drawn, frame, camera),
        ]
        flagged = any("LOST" in note for note in notes)
        premanip = self.finding.premanip
        if premanip is not None:
            if index == premanip.frame:
                notes.append("PREMANIP: the hand is taken here")
                _frame(drawn, _INSTANT)
            elif index >= premanip.onset.frame:
                notes.append(f"moving since frame {premanip.onset.frame}")
        if flagged:
            _frame(drawn, _FLAGGED)
        _write(drawn, notes)
        return drawn

    def _object(self, drawn: np.ndarray, frame: RGBDFrame, camera: CameraIntrinsics) -> list[str]:
        entry, path = self.finding.object_entry(frame.time), self.finding.path
        if entry is None or path is None or self._surface is None:
            return []
        if path.lost[entry]:
            return ["object LOST"]
        T_camera_object = self._T_camera_world @ path.Ts_world_object[entry]
        _draw_object(drawn, self._surface, T_camera_object, camera)
        return [f"object {path.confidence[entry]:.2f}"]

    def _hand(self, drawn: np.ndarray, frame: RGBDFrame, camera: CameraIntrinsics) -> list[str]:
        entry, hand = self.finding.hand_entry(frame.time), self.finding.hand
        if entry is None or hand is None:
            return []
        if hand.lost[entry]:
            return [f"{hand.side} hand LOST"]
        p_camera_keypoints = self._T_camera_world.apply(hand.p_world_keypoints[entry])
        _draw_hand(drawn, p_camera_keypoints, hand.confidence[entry], camera)
        return [f"{hand.side} hand {hand.confidence[entry].mean():.2f}"]


def save_overlay(
    finding: Finding,
    file: Path,
    frames: tuple[int, int] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write the video; it rests for a moment on the pre-manipulation instant.

    Args:
        finding: what to draw.
        file: the MP4 to write; its folder is made.
        frames: first and last frame; all if none.
        progress: called with frames done and frames in all.

    Raises:
        SchemaError: there are no such frames.
        H2S2RError: the video cannot be written.
    """
    demo = finding.demo
    first, last = (0, len(demo) - 1) if frames is None else frames
    if not 0 <= first <= last < len(demo):
        raise SchemaError(f"Frames {first} to {last} of a recording of 0 to {len(demo) - 1}: choose a range within it.")
    overlay = Overlay(finding)
    time = demo.meta.time
    rate_hz = 1.0 / float(np.median(np.diff(time))) if len(time) > 1 else 30.0
    file.parent.mkdir(parents=True, exist_ok=True)
    writer = None
    try:
        for index in range(first, last + 1):
            picture = overlay.picture(index)[..., ::-1]
            if writer is None:
                size = (picture.shape[1], picture.shape[0])
                writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"mp4v"), rate_hz, size)
                if not writer.isOpened():
                    raise H2S2RError(f"{file} cannot be written as a video: is its name one of an .mp4 file?")
            at_instant = finding.premanip is not None and index == finding.premanip.frame
            for _ in range(_REST if at_instant else 1):
                writer.write(np.ascontiguousarray(picture))
            if progress is not None:
                progress(index - first + 1, last - first + 1)
    finally:
        if writer is not None:
            writer.release()
    return file


def _draw_object(drawn: np.ndarray, surface: SurfaceModel, T_camera_object: SE3, camera: CameraIntrinsics) -> None:
    rotation, translation = T_camera_object.rotation_matrix(), np.asarray(T_camera_object.translation)
    covered = silhouette(surface, rotation, translation, camera).grown(camera, 0).astype(np.uint8)
    outline, _ = cv2.findContours(covered, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(drawn, outline, -1, _OBJECT, 2, cv2.LINE_AA)
    middle = T_camera_object.apply(surface.centre)
    ends = T_camera_object.apply(surface.centre + 0.7 * surface.radius * np.eye(3))
    if middle[2] > 0 and (ends[:, 2] > 0).all():
        start = _pixel(project(camera, middle))
        for end, colour in zip(project(camera, ends), _AXES, strict=True):
            cv2.line(drawn, start, _pixel(end), colour, 2, cv2.LINE_AA)


def _draw_hand(drawn: np.ndarray, p_camera: np.ndarray, confidence: np.ndarray, camera: CameraIntrinsics) -> None:
    if (p_camera[:, 2] <= 0).any():
        return
    pixels = [_pixel(each) for each in project(camera, p_camera)]
    for one, other in BONES:
        sure = min(confidence[one], confidence[other]) > 0.5
        cv2.line(drawn, pixels[one], pixels[other], _SURE if sure else _UNSURE, 2, cv2.LINE_AA)
    for pixel, sure in zip(pixels, confidence > 0.5, strict=True):
        cv2.circle(drawn, pixel, 3, _SURE if sure else _UNSURE, -1, cv2.LINE_AA)


def _zoomed(camera: CameraIntrinsics, zoom: int) -> CameraIntrinsics:
    # The centre of pixel (0, 0) is at (0, 0).
    shift = 0.5 * (zoom - 1)
    return camera.replace(
        width=camera.width * zoom,
        height=camera.height * zoom,
        fx=camera.fx * zoom,
        fy=camera.fy * zoom,
        cx=camera.cx * zoom + shift,
        cy=camera.cy * zoom + shift,
    )


def _pixel(point: np.ndarray) -> tuple[int, int]:
    column, row = np.clip(np.rint(point), -10_000, 10_000).astype(int)
    return int(column), int(row)


def _frame(drawn: np.ndarray, colour: tuple[int, int, int]) -> None:
    height, width = drawn.shape[:2]
    cv2.rectangle(drawn, (2, 2), (width - 3, height - 3), colour, 5)


def _write(drawn: np.ndarray, notes: list[str]) -> None:
    for line, note in enumerate(notes):
        column, row = 10, 22 + 20 * line
        for right, down in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            cv2.putText(drawn, note, (column + right, row + down), _FONT, 0.52, (0, 0, 0), 1, cv2.LINE_AA)
        cv2.putText(drawn, note, (column, row), _FONT, 0.52, (255, 255, 255), 1, cv2.LINE_AA)
