"""What each kind of evidence says about a posture, linearised: sums of squares, frame by frame.

In:  ``Pose``, ``Evidence``, ``HandCfg``.   Out: ``Normal``, the normal equations of every frame.
Not here: solving them, what links frames (fit).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_perception.hand.anatomy import CAPSULES, LIMITS, POINT_RADII, RADII, SHAPE_NAMES, USUAL, USUAL_SIGMA
from h2s2r_perception.hand.config import HandCfg
from h2s2r_perception.hand.evidence import LINES, PALM_OUTLINE, PATCH, Evidence
from h2s2r_perception.hand.skeleton import POSTURE, SHAPE, Pose, Posture

_THICKNESS = SHAPE_NAMES.index("thickness")
_BONES = np.concatenate((LINES, [(0, 5), (0, 9), (0, 13), (0, 17)]))
#: Joints (of 21): first, middle and end bends of the four fingers.
_KNUCKLE, _MIDDLE, _END = (np.array([first, first + 4, first + 8, first + 12]) for first in (6, 7, 8))


@dataclass
class Normal:
    """Normal equations of T frames; a frame's cost is half its weighted sum of squares."""

    by_posture: np.ndarray
    """(T, 27, 27)"""
    mixed: np.ndarray
    """(T, 27, 9)"""
    by_shape: np.ndarray
    """(T, 9, 9)"""
    posture: np.ndarray
    """(T, 27) gradients."""
    shape: np.ndarray
    """(T, 9)"""
    cost: np.ndarray
    """(T)"""

    @classmethod
    def empty(cls, frames: int) -> Normal:
        """Of no evidence."""
        sizes = ((POSTURE, POSTURE), (POSTURE, SHAPE), (SHAPE, SHAPE), (POSTURE,), (SHAPE,), ())
        return cls(*(np.zeros((frames, *size)) for size in sizes))

    def add(
        self,
        r: np.ndarray,
        weight: np.ndarray,
        J: np.ndarray,
        J_shape: np.ndarray | None = None,
        loss: np.ndarray | None = None,
    ) -> None:
        """Residuals (T, M) with weights (T, M) and derivatives (T, M, 27), (T, M, 9); ``loss`` (T, M) if it is no square."""
        weighted = (J * weight[..., None]).transpose(0, 2, 1)
        self.by_posture += weighted @ J
        self.posture += (weighted @ r[..., None])[..., 0]
        self.cost += (0.5 * weight * r * r if loss is None else loss).sum(axis=1)
        if J_shape is not None:
            self.mixed += weighted @ J_shape
            weighted = (J_shape * weight[..., None]).transpose(0, 2, 1)
            self.by_shape += weighted @ J_shape
            self.shape += (weighted @ r[..., None])[..., 0]

    def where(self, chosen: np.ndarray, other: Normal) -> Normal:
        """In each frame these equations or others."""
        picked = [
            np.where(chosen.reshape(-1, *[1] * (mine.ndim - 1)), mine, theirs)
            for mine, theirs in zip(vars(self).values(), vars(other).values(), strict=True)
        ]
        return Normal(*picked)


def add_pixels(normal: Normal, hand: Pose, evidence: Evidence, cfg: HandCfg) -> np.ndarray:
    """Landmarks across the line of sight; returns how far off each is, (T, 21) [m]."""
    p, far = hand.points[:, :21], evidence.middle[:, 2][:, None, None]
    ray = p[..., :2] / p[..., 2:]
    r = (ray - evidence.rays) * far
    off = np.linalg.norm(r, axis=-1)
    trust = _trust(evidence, cfg)
    weight = trust * np.minimum(1.0, cfg.pixel_huber / np.maximum(off, 1e-9)) / cfg.pixel_sigma**2
    scale = (far / p[..., 2:])[..., None]

    def across(J: np.ndarray) -> np.ndarray:
        J = J[:, :21]
        return ((J[..., :2, :] - ray[..., None] * J[..., 2:, :]) * scale).reshape(len(p), 42, -1)

    beyond = np.maximum(off - cfg.pixel_huber, 0.0)
    loss = trust * (0.5 * np.minimum(off, cfg.pixel_huber) ** 2 + cfg.pixel_huber * beyond) / cfg.pixel_sigma**2
    normal.add(
        r.reshape(len(p), 42), np.repeat(weight, 2, axis=1), across(hand.by_posture), across(hand.by_shape), loss
    )
    return off


def _trust(evidence: Evidence, cfg: HandCfg) -> np.ndarray:
    """(T, 21) factors on the landmarks' weights."""
    trust = np.ones(evidence.rays.shape[:2])
    trust[:, 0] = cfg.wrist_trust
    return trust


def add_directions(normal: Normal, hand: Pose, evidence: Evidence, sigma: float) -> None:
    """Directions of bones as the network imagines them."""
    along = hand.points[:, _BONES[:, 1]] - hand.points[:, _BONES[:, 0]]
    length = np.linalg.norm(along, axis=-1, keepdims=True)
    unit = along / length
    seen = evidence.p_local[:, _BONES[:, 1]] - evidence.p_local[:, _BONES[:, 0]]
    seen = seen / np.maximum(np.linalg.norm(seen, axis=-1, keepdims=True), 1e-9)
    J = hand.by_posture[:, _BONES[:, 1]] - hand.by_posture[:, _BONES[:, 0]]
    J = (J - unit[..., None] * (unit[..., None] * J).sum(axis=2, keepdims=True)) / length[..., None]
    frames, rows = len(along), 3 * len(_BONES)
    normal.add(
        (unit - seen).reshape(frames, rows), np.full((frames, rows), sigma**-2), J.reshape(frames, rows, POSTURE)
    )


def add_middle(normal: Normal, hand: Pose, evidence: Evidence) -> None:
    """The palm is about where depth was measured under the landmarks: 20 mm."""
    r = hand.points[:, PALM_OUTLINE].mean(axis=1) - evidence.middle
    J = hand.by_posture[:, PALM_OUTLINE].mean(axis=1)
    normal.add(r, np.full(r.shape, 0.02**-2), J, hand.by_shape[:, PALM_OUTLINE].mean(axis=1))


def add_depth(
    normal: Normal, hand: Pose, evidence: Evidence, shape: np.ndarray, gate: float, cfg: HandCfg
) -> np.ndarray:
    """Measured points lie on the flesh; returns the share (T) of the points within the gate."""
    X, radii = evidence.p_camera, POINT_RADII * np.exp(shape[0] + shape[_THICKNESS])
    start, along = hand.points[:, CAPSULES[:, 0]], hand.points[:, CAPSULES[:, 1]] - hand.points[:, CAPSULES[:, 0]]
    # Of every point (N) to every capsule (C): products are enough, and much smaller than vectors.
    XX, Xa, Xs = (X * X).sum(axis=-1)[..., None], X @ along.transpose(0, 2, 1), X @ start.transpose(0, 2, 1)
    aa, sa, ss = (along * along).sum(axis=-1), (start * along).sum(axis=-1), (start * start).sum(axis=-1)
    s = np.clip((Xa - sa[:, None]) / aa[:, None], 0.0, 1.0)
    radius = radii[CAPSULES[:, 0]] + s * (radii[CAPSULES[:, 1]] - radii[CAPSULES[:, 0]])
    Xq, qq = Xs + s * Xa, ss[:, None] + 2 * s * sa[:, None] + s * s * aa[:, None]
    distance = np.sqrt(np.maximum(XX - 2 * Xq + qq, 1e-12))
    # Only what faces the camera, at the origin: (X - q) · X < 0.
    off = np.where(XX - Xq < 0.0, np.abs(distance - radius), np.inf)
    best = off.argmin(axis=-1)
    pick = (np.arange(len(X))[:, None], np.arange(X.shape[1]), best)
    s, distance, radius, off = s[pick], distance[pick], radius[pick], off[pick]
    use = evidence.is_point & (off < gate)
    weight = np.where(use, (1 - np.minimum(off / gate, 1.0) ** 2) ** 2, 0.0)
    count = np.maximum(evidence.is_point.sum(axis=1), 1)[:, None]
    each = cfg.depth_count / count / cfg.depth_sigma**2
    loss = np.where(evidence.is_point, gate**2 / 6 * (1 - (1 - np.minimum(off / gate, 1.0) ** 2) ** 3), 0.0) * each
    weight *= each
    frame = np.arange(len(X))[:, None]
    i, j = CAPSULES[best, 0], CAPSULES[best, 1]
    q = (1 - s)[..., None] * hand.points[frame, i] + s[..., None] * hand.points[frame, j]
    normals = (X - q) / distance[..., None]
    rows = _spread(normals, s, i, j)
    J = -rows @ hand.by_posture.reshape(len(X), -1, POSTURE)
    J_shape = -rows @ hand.by_shape.reshape(len(X), -1, SHAPE)
    J_shape[..., 0] -= radius
    J_shape[..., _THICKNESS] -= radius
    normal.add(np.where(use, distance - radius, 0.0), weight, J, J_shape, loss)
    return use.sum(axis=1) / count[:, 0]


def _spread(normals: np.ndarray, s: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """(T, N, 72) rows that take derivatives of all points to those of places ``s`` between points ``i`` and ``j``."""
    frames, count = s.shape
    rows = np.zeros((frames, count, 24, 3))
    at = (np.arange(frames)[:, None], np.arange(count))
    rows[(*at, i)] += normals * (1 - s)[..., None]
    rows[(*at, j)] += normals * s[..., None]
    return rows.reshape(frames, count, 72)


def measured_at(hand: Pose, evidence: Evidence) -> np.ndarray:
    """(T, 21) [m] nearest depth around where each keypoint is seen; infinity where nothing was measured."""
    p = hand.points[:, :21]
    place = (p[..., :2] / p[..., 2:] - evidence.patch_from[:, None]) / evidence.patch_step[:, None, None]
    place = np.rint(np.nan_to_num(place, nan=-1.0)).astype(int)
    inside = ((place >= 0) & (place < PATCH)).all(axis=-1)
    place = np.clip(place, 0, PATCH - 1)
    return np.where(inside, evidence.patch[np.arange(len(p))[:, None], place[..., 1], place[..., 0]], np.inf)


def add_free_space(normal: Normal, hand: Pose, evidence: Evidence, shape: np.ndarray, cfg: HandCfg) -> None:
    """The flesh over a keypoint is not in front of what was measured there."""
    flesh = cfg.free_depth * RADII * np.exp(shape[0] + shape[_THICKNESS])
    least = measured_at(hand, evidence) + flesh
    r = np.where(np.isfinite(least), np.minimum(hand.points[:, :21, 2] - least, 0.0), 0.0)
    # Far behind is the background, seen past a finger that is a few pixels beside where it is thought to be.
    inside = 1.0 - np.minimum(-r / cfg.free_gate, 1.0) ** 2
    weight = np.where(r < 0, (inside / cfg.free_sigma) ** 2, 0.0)
    loss = cfg.free_gate**2 / 6 * (1 - inside**3) / cfg.free_sigma**2
    normal.add(r, weight, hand.by_posture[:, :21, 2], hand.by_shape[:, :21, 2], loss)


def add_usual(normal: Normal, posture: Posture, cfg: HandCfg) -> None:
    """Angles as hands have them: usual values, ranges, fingers that go together."""
    angle = posture.joint_pos
    frames = len(angle)
    low, high = LIMITS.T
    beyond = np.where(angle < low, angle - low, np.where(angle > high, angle - high, 0.0))
    rows = [np.eye(21), np.eye(21)]
    r = [angle - USUAL, beyond]
    weight = [
        np.broadcast_to((cfg.usual * USUAL_SIGMA) ** -2.0, angle.shape),
        np.where(beyond != 0, cfg.limit_sigma**-2, 0.0),
    ]
    pairs = [(_END, _MIDDLE, cfg.end_of_middle, cfg.end_sigma)]
    pairs += [(bend[1:], bend[:-1], 1.0, cfg.neighbour_sigma) for bend in (_KNUCKLE, _MIDDLE)]
    for one, other, share, sigma in pairs:
        row = np.zeros((len(one), 21))
        row[np.arange(len(one)), one], row[np.arange(len(one)), other] = 1.0, -share
        rows.append(row)
        r.append(angle[:, one] - share * angle[:, other])
        weight.append(np.full((frames, len(one)), sigma**-2))
    J = np.zeros((sum(map(len, rows)), POSTURE))
    J[:, 6:] = np.concatenate(rows)
    normal.add(np.concatenate(r, axis=1), np.concatenate(weight, axis=1), np.broadcast_to(J, (frames, *J.shape)))
