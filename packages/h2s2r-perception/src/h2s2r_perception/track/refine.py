"""One frame's pose from a pose nearby.

In:  ``Evidence`` of a frame, ``SurfaceModel``, a pose in the camera frame.   Out: ``Fit``.
Not here: where that pose comes from (tracker, start).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from h2s2r_perception.track.align import Prior, Pull, plane_rows, rotvec_of, solve, tukey, turn
from h2s2r_perception.track.config import TrackCfg
from h2s2r_perception.track.evidence import Agreement, Evidence
from h2s2r_perception.track.surface import SurfaceModel
from h2s2r_perception.track.visible import Silhouette, silhouette, visible_samples

#: [m] by which the surface may move before its silhouette is drawn anew.
_REDRAW = 0.003
#: Steps for which measured points keep the sample of the surface that they are matched to: it stands for its plane.
_REMATCH = 2
#: The first gate, as a multiple of the typical distance from the surface.
_WIDER = 6.0
#: [1/m²] and [1/rad²] that are taken for known of an axis about which a frame says nothing: 1 m, half a radian.
_LEAST_HELD = np.array([1.0, 1.0, 1.0, 4.0, 4.0, 4.0])
#: [m], [rad] of a step after which no further one is made.
_STILL = (3e-4, 3e-3)


@dataclass(frozen=True)
class Fit:
    """A pose of the object in the camera frame, and how well it fits."""

    rotation: np.ndarray
    """(3, 3)"""
    translation: np.ndarray
    """(3) [m]"""
    agreement: Agreement
    """With the measured depth."""
    covered: Silhouette | None
    """What it covers of the picture, to within 3 mm; none if the outline is not used."""
    information: np.ndarray
    """(6, 6) how firmly the frame holds each axis of the step of ``align``, without any prior."""

    growth: float = float("nan")
    """By what share of its size the outline is seen larger than the pose has it, depth being right; NaN where it is not seen."""

    @property
    def slack(self) -> float:
        """[m] standard deviation of the place along the direction that the frame holds least: large where it could slide."""
        held = self.information + np.diag(_LEAST_HELD)
        return float(np.sqrt(np.linalg.eigvalsh(np.linalg.inv(held)[:3, :3])[-1]))

    @property
    def consistency(self) -> float:
        """How little of what is seen of it speaks against it, however little that is: 0 to 1."""
        return self.agreement.fit * (0.5 + 0.5 * self.agreement.edge)

    @property
    def quality(self) -> float:
        """How good this is beside other fits of the same frame, 0 to 1."""
        return self.consistency * self.agreement.seen


def refine(
    evidence: Evidence,
    model: SurfaceModel,
    rotation: np.ndarray,
    translation: np.ndarray,
    cfg: TrackCfg,
    expected: tuple[np.ndarray, np.ndarray] | None = None,
) -> Fit:
    """The pose near (rotation (3, 3), translation (3) [m]) that fits a frame best.

    Args:
        evidence: of the frame.
        model: the object.
        rotation: (3, 3) to start from.
        translation: (3) [m] to start from.
        cfg: settings.
        expected: pose that motion so far lets one expect, if not that start.
    """
    rotation_expected, translation_expected = (rotation, translation) if expected is None else expected
    centre_expected = rotation_expected @ model.centre + translation_expected
    prior = Prior(0.7 * model.radius, cfg.prior_silent, cfg.prior_heard, cfg.prior_information)
    surface = _Surface(evidence, model, rotation, translation, cfg)
    edges = _Edges(evidence, model, cfg)
    gate, information = surface.first_gate(rotation, translation), np.zeros((6, 6))
    for step in range(cfg.steps):
        centre = rotation @ model.centre + translation
        pulls = [*surface.pull(rotation, translation, centre, gate), *edges.pull(step, rotation, translation)]
        offset = np.concatenate((centre_expected - centre, rotvec_of(rotation_expected @ rotation.T)))
        move, information = solve(pulls, prior, offset)
        change = turn(move[3:])
        translation = change @ (translation - centre) + centre + move[:3]
        rotation = change @ rotation
        edges.moved(move)
        still = np.abs(move[:3]).max() < _STILL[0] and np.abs(move[3:]).max() < _STILL[1]
        if still and gate <= surface.last_gate and edges.asked:
            break
        gate = max(gate * cfg.shrink, surface.last_gate)
    edge = edges.last(rotation, translation)
    agreement = evidence.agreement(model, rotation, translation, edge)
    growth = float("nan") if edge is None else _growth(edge, rotation @ model.centre + translation)
    return Fit(rotation, translation, agreement, edges.covered, information, growth)


def _growth(edge: Pull, centre: np.ndarray) -> float:
    """Share by which the outline would have to grow about the object's ``centre`` (3) [m] to lie where it is seen."""
    # Rows times the centre are how the outline moves where the object comes nearer without getting larger in depth.
    outward = -edge.jacobian[:, :3] @ centre
    held = float((edge.weight * outward**2).sum())
    return float((edge.weight * outward * edge.residual).sum() / held) if held > 0 else float("nan")


class _Surface:
    """Measured points and the part of the surface that they can lie on."""

    def __init__(
        self, evidence: Evidence, model: SurfaceModel, rotation: np.ndarray, translation: np.ndarray, cfg: TrackCfg
    ) -> None:
        centre = rotation @ model.centre + translation
        self.points, self.trust = evidence.points(centre, model.radius + cfg.first_gate + 0.02)
        visible = visible_samples(model, rotation, translation, evidence.camera)
        self.samples, self.normals = model.points[visible], model.normals[visible]
        self.tree = KDTree(self.samples, compact_nodes=False, balanced_tree=False)
        self.matched, self.age, self.typical = (np.zeros(0, int), np.zeros(0, int)), 0, cfg.first_gate
        self.sigma = max(evidence.sigma(centre[2]), 0.001)
        self.last_gate = max(cfg.last_gate, 3 * self.sigma)
        self.widest, self.strength = max(cfg.first_gate, self.last_gate), cfg.depth_strength

    def first_gate(self, rotation: np.ndarray, translation: np.ndarray) -> float:
        """[m] within which points are matched at first: less than the widest where half of them are near already."""
        self._match((self.points - translation) @ rotation, self.widest)
        return float(np.clip(_WIDER * self.typical, self.last_gate, self.widest))

    def pull(self, rotation: np.ndarray, translation: np.ndarray, centre: np.ndarray, gate: float) -> list[Pull]:
        """Rows that move the surface onto the points within ``gate`` [m] of it."""
        if len(self.points) < 10 or len(self.samples) < 10:
            return []
        p_object = (self.points - translation) @ rotation
        if self.age == _REMATCH:
            self._match(p_object, gate)
        self.age += 1
        near, matched = self.matched
        normals = self.normals[matched]
        apart = ((p_object[near] - self.samples[matched]) * normals).sum(axis=1)
        rows = plane_rows(self.points[near], normals @ rotation.T, centre)
        independent = min(1.0, self.strength / max(float(len(apart)), 1.0))
        return [Pull(rows, apart, tukey(apart, gate) * self.trust[near] * (independent / self.sigma**2))]

    def _match(self, p_object: np.ndarray, gate: float) -> None:
        if len(self.samples) < 10 or not len(p_object):
            return
        distance, nearest = self.tree.query(p_object, distance_upper_bound=1.5 * gate)
        near = np.flatnonzero(np.isfinite(distance))
        self.matched, self.age = (near, np.asarray(nearest)[near]), 0
        if len(near):
            along = (p_object[near] - self.samples[self.matched[1]]) * self.normals[self.matched[1]]
            self.typical = float(np.median(np.abs(along.sum(axis=1))))


class _Edges:
    """The outline, looked for anew every few steps and carried along in between."""

    def __init__(self, evidence: Evidence, model: SurfaceModel, cfg: TrackCfg) -> None:
        self.evidence, self.model, self.every = evidence, model, cfg.outline_every
        self.covered: Silhouette | None = None
        self.drift, self.found = 0.0, None

    @property
    def asked(self) -> bool:
        """Whether the outline has had its say; it has none if it is not used."""
        return self.covered is not None or not self.every

    def pull(self, step: int, rotation: np.ndarray, translation: np.ndarray) -> list[Pull]:
        """Rows of the outline."""
        if self.every and step % self.every == min(1, self.every - 1):
            if self.covered is None or self.drift > _REDRAW:
                self.covered, self.drift = silhouette(self.model, rotation, translation, self.evidence.camera), 0.0
            self.found = self.evidence.outline_pull(self.model, rotation, translation, self.covered)
        return [] if self.found is None else [self.found]

    def last(self, rotation: np.ndarray, translation: np.ndarray) -> Pull | None:
        """Rows of the outline at the final pose; none if it is not used."""
        if self.covered is None:
            return None
        return self.evidence.outline_pull(self.model, rotation, translation, self.covered)

    def moved(self, step: np.ndarray) -> None:
        """Tell that the object was moved by a step (6)."""
        self.drift += float(np.linalg.norm(step[:3]) + self.model.radius * np.linalg.norm(step[3:]))
        if self.found is not None:
            residual = self.found.residual - self.found.jacobian @ step
            self.found = Pull(self.found.jacobian, residual, self.found.weight)
