"""Follow one object from frame to frame.

In:  ``RGBDFrame`` one after the other, a ``SurfaceModel``, a first pose.   Out: ``Tracked`` per frame.
Not here: the first pose (start), both directions of time (offline).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_perception.frames import RGBDFrame, project
from h2s2r_perception.track.align import rotvec_of, turn
from h2s2r_perception.track.background import Background, depth_noise
from h2s2r_perception.track.colour import ColourModel
from h2s2r_perception.track.config import TrackCfg
from h2s2r_perception.track.evidence import Evidence
from h2s2r_perception.track.refine import Fit, refine
from h2s2r_perception.track.start import find_start, search
from h2s2r_perception.track.surface import SurfaceModel
from h2s2r_perception.track.visible import Silhouette, silhouette, visible_samples
from h2s2r_schemas.errors import H2S2RError, SchemaError
from h2s2r_schemas.se3 import SE3

#: [rad] turns that are tried where the object was lost: none, and a sixth of a half turn about each axis, both ways.
_TRIED = np.concatenate((np.zeros((1, 3)), np.eye(3), -np.eye(3))) * (np.pi / 6)
#: [px] around the silhouette that is neither learnt as background nor as surroundings.
_MARGIN = 4


@dataclass(frozen=True)
class Tracked:
    """Where the object is in one frame."""

    T_camera_object: SE3
    """Pose in the colour camera; where ``lost``, the last guess, not to be used."""
    confidence: float
    """0 to 1; 0 when lost."""
    lost: bool
    """Whether the object was not found."""
    fit: Fit
    """How the pose fits the frame."""


class Tracker:
    """Follows one object, given its pose in a first frame.

    Args:
        model: the object.
        cfg: settings.
    """

    def __init__(self, model: SurfaceModel, cfg: TrackCfg | None = None) -> None:
        self.model, self.cfg = model, cfg or TrackCfg()
        self._colours = ColourModel()
        self._background: Background | None = None
        self._rotation, self._translation = np.eye(3), np.zeros(3)
        self._turn, self._shift = np.zeros(3), np.zeros(3)
        self._frames, self._lost_for = 0, 0

    def register(self, frame: RGBDFrame, mask: np.ndarray) -> Tracked:
        """Find the object in a frame, given a mask (H, W) of it, and start from there.

        Raises:
            SchemaError: the mask has too little depth.
        """
        return self.begin(frame, find_start(frame, [mask], self.model, None, self.cfg)[0].T_camera_object)

    def begin(self, frame: RGBDFrame, T_camera_object: SE3) -> Tracked:
        """Start from a pose in a frame: it is refined, and colours and background are learnt around it."""
        self._rotation, self._translation = T_camera_object.rotation_matrix(), np.array(T_camera_object.translation)
        self._turn, self._shift, self._lost_for = np.zeros(3), np.zeros(3), 0
        if self._background is None:
            covered = silhouette(self.model, self._rotation, self._translation, frame.camera)
            excluded = covered.grown(frame.camera, 3 * _MARGIN)
            self._background = Background(frame.depth, excluded, depth_noise(frame.depth))
        self._learn(frame, 1.0)
        evidence = Evidence(frame, self._background, self._colours, self.cfg)
        fit = refine(evidence, self.model, self._rotation, self._translation, self.cfg)
        return self._take(frame, fit)

    def track(self, frame: RGBDFrame) -> Tracked:
        """The object in the next frame.

        Raises:
            H2S2RError: neither ``begin`` nor ``register`` was called before.
        """
        if self._background is None:
            raise H2S2RError("This tracker knows no first pose: call begin() or register() with the first frame.")
        evidence = Evidence(frame, self._background, self._colours, self.cfg)
        if self._lost_for:
            return self._take(frame, self._search(evidence))
        centre = self._rotation @ self.model.centre + self._translation
        change = turn(_expected(self._turn, self.cfg.keep_velocity, self.cfg.still_rotation))
        rotation = change @ self._rotation
        shift = _expected(self._shift, self.cfg.keep_velocity, self.cfg.still_position)
        translation = change @ (self._translation - centre) + centre + shift
        fit = refine(evidence, self.model, rotation, translation, self.cfg)
        if fit.agreement.fit < self.cfg.poor_fit:
            other = refine(evidence, self.model, self._rotation, self._translation, self.cfg)
            fit = max(fit, other, key=lambda one: one.quality)
        return self._take(frame, fit)

    def _search(self, evidence: Evidence) -> Fit:
        """A lost object: where it was last, as it was and turned, another way each frame; now and then, anywhere on the table.

        Two tries a frame take no longer than two frames of an object that is there; the search takes seconds.
        """
        centre = self._rotation @ self.model.centre + self._translation
        fits = []
        for axis in _TRIED[[0, 1 + self._lost_for % (len(_TRIED) - 1)]]:
            change = turn(axis)
            start = change @ (self._translation - centre) + centre
            fits.append(refine(evidence, self.model, change @ self._rotation, start, self.cfg))
        best = max(fits, key=lambda one: one.quality)
        due = self._lost_for % self.cfg.search_every == self.cfg.search_every // 2
        return self._search_everywhere(evidence, best) if due and best.agreement.fit < self.cfg.poor_fit else best

    def _search_everywhere(self, evidence: Evidence, best: Fit) -> Fit:
        frame = evidence.frame
        try:
            starts = search(frame, self.model, self.cfg)
        except SchemaError:
            return best
        if starts[0].score < self.cfg.found_score:
            return best
        fit = refine(evidence, self.model, starts[0].fit.rotation, starts[0].fit.translation, self.cfg)
        return max(best, fit, key=lambda one: one.quality)

    def _take(self, frame: RGBDFrame, fit: Fit) -> Tracked:
        """Believe a fit, or call the object lost; learn from it if it is good."""
        cfg, found = self.cfg, fit.agreement
        # What was lost must fit well to be believed again.
        lost = found.fit < (cfg.poor_fit if self._lost_for else cfg.lost_fit) or found.seen < cfg.lost_seen
        lost = lost or fit.slack > cfg.slides
        before = self._rotation @ self.model.centre + self._translation
        if not lost:
            again = self._lost_for > 0
            self._turn = np.zeros(3) if again else rotvec_of(fit.rotation @ self._rotation.T)
            self._shift = np.zeros(3) if again else fit.rotation @ self.model.centre + fit.translation - before
            self._rotation, self._translation = fit.rotation, fit.translation
            if found.fit > cfg.poor_fit and self._frames % cfg.learn_every == 0:
                self._learn(frame, 0.2, fit.covered)
        else:
            self._turn, self._shift = np.zeros(3), np.zeros(3)
        self._lost_for = self._lost_for + 1 if lost else 0
        self._frames += 1
        sure = found.fit * min(1.0, found.seen / 0.5) * min(1.0, cfg.firm / fit.slack)
        confidence = 0.0 if lost else float(np.clip(sure, 0.0, 1.0))
        T_camera_object = SE3.from_rotation_matrix(fit.rotation, fit.translation)
        return Tracked(T_camera_object, confidence, lost, fit)

    def _learn(self, frame: RGBDFrame, rate: float, covered: Silhouette | None = None) -> None:
        """Take in the colours of object and surroundings, and the background, at the present pose."""
        assert self._background is not None
        model, camera = self.model, frame.camera
        covered = covered or silhouette(model, self._rotation, self._translation, camera)
        near = covered.grown(camera, _MARGIN)
        index = visible_samples(model, self._rotation, self._translation, camera)
        p_camera = model.points[index] @ self._rotation.T + self._translation
        u, v = np.clip(np.rint(project(camera, p_camera)).astype(int), 0, (camera.width - 1, camera.height - 1)).T
        on = np.abs(frame.depth[v, u] - p_camera[:, 2]) < 2 * self.cfg.agree
        self._colours.learn("object", frame.rgb[v[on], u[on]], rate)
        ring = (covered.grown(camera, 6 * _MARGIN) & ~near)[::2, ::2]
        self._colours.learn("around", frame.rgb[::2, ::2][ring], rate)
        hand = self._background.clearly_in_front(frame.depth) & ~near[::2, ::2]
        self._colours.learn("hand", frame.rgb[::2, ::2][hand], rate)
        self._background.learn(frame.depth, covered.grown(camera, 3 * _MARGIN))


def _expected(motion: np.ndarray, keep: float, still: float) -> np.ndarray:
    """(3) motion to expect after a motion (3): a share ``keep`` of it, but hardly any of one that could be noise (``still``)."""
    squared = float(motion @ motion)
    return keep * motion * (squared / (squared + still**2))
