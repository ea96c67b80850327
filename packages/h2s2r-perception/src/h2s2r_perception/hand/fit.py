"""Fit an articulated hand to all frames of a recording, and one person's proportions with it.

In:  ``Evidence`` of T frames of a right hand, ``HandCfg``.   Out: ``Fit``.
Not here: which hand it is (side), which frames to believe (doubt).

First each frame on its own, from the network's idea of the hand; then all together: the hand's bones do not change, and its
motion has a bounded acceleration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_perception.hand.anatomy import PALM, SHAPE_SIGMA, USUAL
from h2s2r_perception.hand.chain import solve_chain
from h2s2r_perception.hand.config import HandCfg
from h2s2r_perception.hand.evidence import PALM_OUTLINE, Evidence
from h2s2r_perception.hand.skeleton import POSTURE, Posture, keypoints, posed, rotation_vector
from h2s2r_perception.hand.terms import (
    Normal,
    add_depth,
    add_directions,
    add_free_space,
    add_middle,
    add_pixels,
    add_usual,
)

#: Size of a step (27) that is not held back: 3 cm, 0.35 rad.
_TRUST = np.concatenate((np.full(3, 0.03), np.full(24, 0.35)))


@dataclass
class Fit:
    """A right hand in T frames."""

    posture: Posture
    """Of each frame, in the camera frame."""
    shape: np.ndarray
    """(9) the person's proportions."""
    cost: np.ndarray
    """(T) of each frame: half its weighted sum of squares, without what links frames."""
    off: np.ndarray
    """(T, 21) [m] of each landmark across the line of sight."""
    on_flesh: np.ndarray
    """(T) of the measured points, the share that lies on the hand."""

    def __getitem__(self, chosen: np.ndarray) -> Fit:
        """Of some frames: (T) bool or indices."""
        return Fit(self.posture[chosen], self.shape, self.cost[chosen], self.off[chosen], self.on_flesh[chosen])

    def where(self, chosen: np.ndarray, other: Fit) -> Fit:
        """The same in chosen frames (T) bool, another fit of the same person in the rest."""
        return Fit(
            self.posture.where(chosen, other.posture),
            self.shape,
            np.where(chosen, self.cost, other.cost),
            np.where(chosen[:, None], self.off, other.off),
            np.where(chosen, self.on_flesh, other.on_flesh),
        )

    def points(self) -> np.ndarray:
        """(T, 24, 3) [m] in the camera frame."""
        return keypoints(self.posture, self.shape)


def first_guess(evidence: Evidence) -> Posture:
    """Where the network's own idea of the hand puts the palm, all joints as usual."""
    outline = evidence.p_local[:, PALM_OUTLINE]
    model = PALM[: len(PALM_OUTLINE)]
    seen = outline - outline.mean(axis=1, keepdims=True)
    U, _, Vt = np.linalg.svd(seen.transpose(0, 2, 1) @ (model - model.mean(axis=0)))
    upright = np.broadcast_to(np.eye(3), U.shape).copy()
    upright[:, 2, 2] = np.sign(np.linalg.det(U @ Vt))
    turn = U @ upright @ Vt
    wrist = evidence.middle - turn @ model.mean(axis=0)
    return Posture(wrist, turn, np.broadcast_to(USUAL, (len(evidence), 21)).copy())


def normal_equations(
    evidence: Evidence, posture: Posture, shape: np.ndarray, cfg: HandCfg, gate: float | None
) -> tuple[Normal, np.ndarray, np.ndarray]:
    """All terms of single frames, with the landmarks' distances (T, 21) [m] and the share (T) of points on the hand.

    Args:
        evidence: of T frames.
        posture: of the hand in them.
        shape: (9) of the person.
        cfg: see there.
        gate: [m] of depth; none to leave depth out, but for where the palm is.
    """
    normal, now = Normal.empty(len(evidence)), posed(posture, shape)
    add_usual(normal, posture, cfg)
    off = add_pixels(normal, now, evidence, cfg)
    on_flesh = np.zeros(len(evidence))
    if gate is None:
        add_directions(normal, now, evidence, cfg.first_local_sigma)
        add_middle(normal, now, evidence)
    else:
        add_directions(normal, now, evidence, cfg.local_sigma)
        on_flesh = add_depth(normal, now, evidence, shape, gate, cfg)
        add_free_space(normal, now, evidence, shape, cfg)
    return normal, off, on_flesh


def fit_singly(evidence: Evidence, start: Posture, shape: np.ndarray, cfg: HandCfg, from_scratch: bool) -> Fit:
    """Each frame on its own, proportions given: Levenberg–Marquardt, with a gate on depth that closes.

    Args:
        evidence: of T frames.
        start: first guess.
        shape: (9) proportions.
        cfg: see there.
        from_scratch: whether to begin without depth; else ``start`` is near, and gates are those of ``again_gates``.
    """
    posture = start
    first = [(cfg.first_steps, None)] if from_scratch else []
    gates = cfg.gates if from_scratch else cfg.again_gates
    for steps, gate in [*first, *((cfg.single_steps, gate) for gate in gates)]:
        damping = np.ones(len(evidence))
        normal, _, _ = normal_equations(evidence, posture, shape, cfg, gate)
        for _ in range(steps):
            A = normal.by_posture + damping[:, None, None] * np.diag(_TRUST**-2)
            tried = posture.moved(_held(np.linalg.solve(A, -normal.posture[..., None])[..., 0]))
            other, _, _ = normal_equations(evidence, tried, shape, cfg, gate)
            better = other.cost < normal.cost
            posture, normal = tried.where(better, posture), other.where(better, normal)
            damping = np.clip(np.where(better, damping / 4, damping * 8), 1e-3, 1e6)
    return judged(evidence, posture, shape, cfg)


def judged(evidence: Evidence, posture: Posture, shape: np.ndarray, cfg: HandCfg) -> Fit:
    """How well a posture explains the evidence."""
    normal, off, on_flesh = normal_equations(evidence, posture, shape, cfg, cfg.gates[-1])
    return Fit(posture, shape, normal.cost, off, on_flesh)


def fit_together(evidence: Evidence, time: np.ndarray, start: Fit, cfg: HandCfg) -> Fit:
    """All frames and the person's proportions at once.

    Args:
        evidence: of T frames.
        time: (T) [s] of them.
        start: from ``fit_singly``.
        cfg: see there.
    """
    posture, shape, gate = start.posture, start.shape, cfg.gates[-1]
    weights, damping = _link_weights(time, cfg), 1.0
    normal, _, _ = normal_equations(evidence, posture, shape, cfg, gate)
    cost = _total(normal, posture, shape, weights)
    for _ in range(cfg.joint_steps):
        step, shape_step = _solve(normal, posture, shape, weights, damping)
        tried, other_shape = posture.moved(_held(step)), shape + shape_step
        other, _, _ = normal_equations(evidence, tried, other_shape, cfg, gate)
        other_cost = _total(other, tried, other_shape, weights)
        if other_cost < cost:
            settled = cost - other_cost < 1e-3 * cost
            posture, shape, normal, cost, damping = tried, other_shape, other, other_cost, max(damping / 4, 1e-3)
            if settled:
                break
        else:
            damping *= 8
    return judged(evidence, posture, shape, cfg)


def _total(normal: Normal, posture: Posture, shape: np.ndarray, weights: np.ndarray) -> float:
    """Cost of all frames, of what links them, and of the person's proportions."""
    bend = np.abs(_second_differences(posture)) * np.sqrt(weights)
    linked = float((0.5 * np.minimum(bend, 3.0) ** 2 + 3.0 * np.maximum(bend - 3.0, 0.0)).sum())
    prior = 0.5 * float((shape**2 / SHAPE_SIGMA**2).sum()) * _prior_count(len(posture))
    return float(normal.cost.sum()) + linked + prior


def _prior_count(frames: int) -> float:
    """How often proportions are counted: what errs in one frame errs in its neighbours, so that frames in six are one."""
    return max(1.0, frames / 6)


def _held(step: np.ndarray) -> np.ndarray:
    """A step (T, 27) of bounded size."""
    return np.clip(step, -2 * _TRUST, 2 * _TRUST)


def _link_weights(time: np.ndarray, cfg: HandCfg) -> np.ndarray:
    """(T-2, 27) weights of second differences; 0 where frames between are missing."""
    if len(time) < 3:
        return np.zeros((0, POSTURE))
    step = np.diff(time)
    usual = float(np.median(step))
    whole = (step[1:] < 1.6 * usual) & (step[:-1] < 1.6 * usual)
    sigma = np.repeat([cfg.acceleration, cfg.turn_acceleration, cfg.joint_acceleration], (3, 3, 21)) * usual**2
    return whole[:, None] / sigma**2


def _solve(
    normal: Normal, posture: Posture, shape: np.ndarray, links: np.ndarray, damping: float
) -> tuple[np.ndarray, np.ndarray]:
    """One Gauss–Newton step (T, 27) and (9): a chain of frames, the person's proportions on its border."""
    frames = len(posture)
    blocks, gradient = normal.by_posture + damping * np.diag(_TRUST**-2), normal.posture.copy()
    bend = _second_differences(posture)
    weights = links * _tamed(bend, links)
    first, second = np.zeros((max(frames - 1, 0), POSTURE)), weights
    each = np.arange(POSTURE)
    for k, factor in enumerate((1.0, -2.0, 1.0)):
        rows = slice(k, k + len(weights))
        gradient[rows] += factor * weights * bend
        blocks[rows, each, each] += factor**2 * weights
    first[: len(weights)] -= 2.0 * weights
    first[1 : 1 + len(weights)] -= 2.0 * weights
    solved = solve_chain(blocks, first, second, np.concatenate((gradient[..., None], normal.mixed), axis=-1))
    prior = np.diag(SHAPE_SIGMA**-2) * _prior_count(frames)
    reduced = np.einsum("tis,tik->sk", normal.mixed, solved)
    inner = normal.by_shape.sum(axis=0) + prior - reduced[:, 1:]
    shape_step = -np.linalg.solve(inner, normal.shape.sum(axis=0) + prior @ shape - reduced[:, 0])
    return -solved[..., 0] - solved[..., 1:] @ shape_step, shape_step


def _tamed(bend: np.ndarray, links: np.ndarray) -> np.ndarray:
    """(T-2, 27) factors on the links: what bends by more than three standard deviations pulls less than its square."""
    return np.minimum(1.0, 3.0 / np.maximum(np.abs(bend) * np.sqrt(links), 1e-9))


def _second_differences(posture: Posture) -> np.ndarray:
    """(T-2, 27) how posture bends over time."""
    if len(posture) < 3:
        return np.zeros((0, POSTURE))
    turned = rotation_vector(posture.turn[1:] @ posture.turn[:-1].transpose(0, 2, 1))
    return np.concatenate(
        (np.diff(posture.wrist, n=2, axis=0), np.diff(turned, axis=0), np.diff(posture.joint_pos, n=2, axis=0)), axis=1
    )
