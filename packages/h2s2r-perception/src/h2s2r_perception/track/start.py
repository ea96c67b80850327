"""The first pose of an object, from nothing: every orientation is tried on every thing that has about its size.

In:  ``RGBDFrame``, masks of things that may be the object, ``SurfaceModel``.   Out: ``Start`` candidates, best first.
Not here: finding the things (segment), following the object from there (tracker).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from h2s2r_perception.frames import RGBDFrame, deproject, project
from h2s2r_perception.segment import Component, Plane, find_components, find_plane, join_neighbours, joined
from h2s2r_perception.track.align import rotvec_of
from h2s2r_perception.track.background import Background, depth_noise
from h2s2r_perception.track.colour import ColourModel
from h2s2r_perception.track.config import TrackCfg
from h2s2r_perception.track.evidence import Evidence
from h2s2r_perception.track.refine import Fit, refine
from h2s2r_perception.track.rotations import orientations, small_turns
from h2s2r_perception.track.surface import SurfaceModel
from h2s2r_perception.track.visible import silhouette
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

#: Orientations tried, points of the thing used for that, rounds of alignment, how many go on to the next stage and the one after.
_ORIENTATIONS, _POINTS, _ROUNDS, _KEPT, _AGAIN = 360, 120, 7, 14, 4
#: Samples of the surface that are looked up in the picture for each orientation.
_SAMPLES = 250
#: [m] distance that counts as on the surface at that stage, and by which something must be nearer to hide it.
_COARSE, _HIDING = 0.012, 0.04
#: Sizes of things that are tried, relative to the object's, and how many.
_SMALLER, _LARGER, _MOST = 0.3, 1.7, 4
#: [1] relative to its size, how far apart in depth two parts of one thing can be seen.
_JOINED = 0.25
#: [rad] below which two results are one.
_SAME = np.deg2rad(12.0)
#: [px] around a mask that is looked at for the colours of its surroundings.
_RING = 12


@dataclass(frozen=True)
class Start:
    """A first pose and how well it explains what is seen."""

    fit: Fit
    """The pose in the camera frame."""
    score: float
    """0 to 1: agreement with depth and outline × share of the mask's points explained × overlap with the mask."""
    mask: np.ndarray
    """(H, W) bool: the thing it was found on, with what touches it in the picture."""

    @property
    def T_camera_object(self) -> SE3:
        """The pose in the colour camera."""
        return SE3.from_rotation_matrix(self.fit.rotation, self.fit.translation)


def find_start(
    frame: RGBDFrame,
    masks: list[np.ndarray],
    model: SurfaceModel,
    plane: Plane | None = None,
    cfg: TrackCfg | None = None,
    wholes: list[np.ndarray] | None = None,
) -> list[Start]:
    """First poses of the object, best first; poses that differ by less than 12° are one.

    Args:
        frame: the pictures.
        masks: (H, W) bool each, of things that may be the object: whole and alone, as well as can be.
        model: the object.
        plane: the table, if there is one.
        cfg: of the tracker.
        wholes: of each mask, what its poses are scored by: the thing with all that might be part of it. The mask if none.

    Raises:
        SchemaError: none of the masks has enough depth.
    """
    cfg = cfg or TrackCfg()
    table = None if plane is None else plane.depth(frame.camera)
    found: list[Start] = []
    for mask, whole in zip(masks, masks if wholes is None else wholes, strict=True):
        points = _points(frame, mask)
        if len(points) < 40:
            continue
        evidence = _evidence(frame, whole, table, cfg)
        fits = [refine(evidence, model, *placed, cfg) for placed in _coarse(frame, mask, points, model)]
        # From a better pose other parts of the surface are visible: the best go on from there.
        points = _points(frame, whole)
        best = sorted(fits, key=lambda fit: -_score(evidence, model, fit, whole, points))[:_AGAIN]
        for _ in range(2):
            best = [refine(evidence, model, fit.rotation, fit.translation, cfg) for fit in best]
            fits += best
        found += [Start(fit, _score(evidence, model, fit, whole, points), whole) for fit in fits]
    if not found:
        raise SchemaError(
            f"Frame {frame.index}: no thing with enough depth to be {model.name}. Give a mask of the object."
        )
    return _distinct(sorted(found, key=lambda start: -start.score))


def score_pose(frame: RGBDFrame, mask: np.ndarray, model: SurfaceModel, T_camera_object: SE3, cfg: TrackCfg) -> float:
    """What the score of a start would be for a given pose on the thing in ``mask`` (H, W) bool."""
    evidence = _evidence(frame, mask, None, cfg)
    fit = refine(evidence, model, T_camera_object.rotation_matrix(), np.array(T_camera_object.translation), cfg)
    return _score(evidence, model, fit, mask, _points(frame, mask))


def search(
    frame: RGBDFrame, model: SurfaceModel, cfg: TrackCfg | None = None, up: np.ndarray | None = None
) -> list[Start]:
    """First poses of the object on any thing on the table that has about its size, best first.

    Args:
        frame: the pictures.
        model: the object.
        cfg: of the tracker.
        up: (3) unit vector that is up in the camera frame; none if not known.

    Raises:
        SchemaError: no table, or nothing on it of about that size.
    """
    cfg = cfg or TrackCfg()
    plane = find_plane(frame, up, cfg.seed)
    things = find_components(frame, plane, depth_noise(frame.depth))
    size = 2 * model.radius
    pairs = _candidates(things, size)
    if not pairs:
        sizes = ", ".join(f"{thing.extent:.2f}" for thing in things[:5])
        raise SchemaError(
            f"Frame {frame.index}: nothing on the table is about {size:.2f} m large like {model.name}; there are {sizes or 'no'} "
            "(m). Is the mesh in metres, and the object in view? Else give a mask of it."
        )
    masks, wholes = zip(*pairs[:_MOST], strict=True)
    return find_start(frame, list(masks), model, plane, cfg, list(wholes))


def _candidates(things: list[Component], size: float) -> list[tuple[np.ndarray, np.ndarray]]:
    """Masks of things of about ``size`` [m], largest first, each with that of all that touches it if that fits, too."""

    def fits(thing: Component) -> bool:
        return _SMALLER * size < thing.extent < _LARGER * size

    found: list[tuple[Component, Component]] = []
    for parts in join_neighbours([thing for thing in things if not thing.on_border], _JOINED * size):
        whole = joined(parts)
        if fits(whole):
            found.append((whole, whole))
            found += [(part, whole) for part in parts if len(parts) > 1 and fits(part)]
        else:
            found += [(part, part) for part in parts if fits(part)]
    # A thing at the border is cut off, or an arm: it is tried only where there is nothing else.
    found = found or [(thing, thing) for thing in things if fits(thing)]
    found.sort(key=lambda pair: -len(pair[0].points))
    return [(thing.mask, whole.mask) for thing, whole in found]


def _points(frame: RGBDFrame, mask: np.ndarray) -> np.ndarray:
    v, u = np.nonzero(mask & (frame.depth > 0))
    return deproject(frame.camera, u, v, frame.depth[v, u].astype(float))


def _evidence(frame: RGBDFrame, mask: np.ndarray, table: np.ndarray | None, cfg: TrackCfg) -> Evidence:
    background = Background(frame.depth, mask, depth_noise(frame.depth), table)
    colours = ColourModel()
    colours.learn("object", frame.rgb[mask], 1.0)
    v, u = np.nonzero(mask)
    near = np.zeros(mask.shape, bool)
    near[max(v.min() - _RING, 0) : v.max() + _RING + 1, max(u.min() - _RING, 0) : u.max() + _RING + 1] = True
    colours.learn("around", frame.rgb[near & ~mask], 1.0)
    return Evidence(frame, background, colours, cfg)


def _coarse(
    frame: RGBDFrame, mask: np.ndarray, points: np.ndarray, model: SurfaceModel
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The best of all orientations after a few rounds of alignment of the whole surface with the thing's points."""
    points = points[np.linspace(0, len(points) - 1, _POINTS).astype(int)]
    rotations = orientations(_ORIENTATIONS)
    middle = np.median(points, axis=0)
    sight = middle / np.linalg.norm(middle)
    # What faces the camera lies about its own middle, not about the object's.
    some = slice(None, None, max(1, len(model.points) // _SAMPLES))
    samples, normals = model.points[some], model.normals[some]
    facing = (normals @ np.swapaxes(rotations, 1, 2)) @ sight < -0.1
    turned = samples @ np.swapaxes(rotations, 1, 2)
    front = (turned * facing[..., None]).sum(axis=1) / np.maximum(facing.sum(axis=1), 1)[:, None]
    translations = middle - front
    tree, gate = KDTree(model.points), 0.6 * model.radius
    explained = np.zeros(len(rotations))
    for _ in range(_ROUNDS):
        p_object = (points - translations[:, None]) @ rotations
        distance, nearest = tree.query(p_object, distance_upper_bound=gate)
        near = np.isfinite(distance)
        nearest = np.where(near, nearest, 0)
        outward = model.normals[nearest] @ np.swapaxes(rotations, 1, 2)
        # Where the surface found faces away, the point would have to be seen through the object.
        near &= outward @ sight < 0.2
        apart = ((p_object - model.points[nearest]) * model.normals[nearest]).sum(axis=-1)
        weight = near * np.maximum(1 - (np.where(near, distance, 0) / gate) ** 2, 0) ** 2
        explained = (near & (np.abs(apart) < _COARSE)).mean(axis=1)
        moves = _steps(points - translations[:, None], outward, apart, weight)
        rotations = small_turns(moves[:, 3:]) @ rotations
        translations = translations + moves[:, :3]
        gate = max(0.75 * gate, 2 * _COARSE)
    quality = explained * (1.0 - _contradicted(frame, mask, samples, normals, rotations, translations))
    return _best_distinct(rotations, translations, quality)


def _best_distinct(
    rotations: np.ndarray, translations: np.ndarray, quality: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The best few that are not each other's neighbours."""
    kept: list[int] = []
    for k in np.argsort(-quality):
        # The trace of a relative rotation is 1 + 2 cos(angle).
        cosines = [0.5 * (float((rotations[k] * rotations[one]).sum()) - 1.0) for one in kept]
        places = [float(np.linalg.norm(translations[k] - translations[one])) for one in kept]
        if not any(cosine > np.cos(_SAME) and place < 0.02 for cosine, place in zip(cosines, places, strict=True)):
            kept.append(int(k))
        if len(kept) == _KEPT:
            break
    return [(rotations[k], translations[k]) for k in kept]


def _steps(arms: np.ndarray, normals: np.ndarray, apart: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(K, 6) Gauss–Newton steps of K alignments of P points each: shift [m], then turn [rad] about the object's origin."""
    moment = np.cross(arms, normals)
    rows = np.concatenate((normals, moment), axis=-1)
    weighted = rows * weight[..., None]
    damping = np.diag((1e-2,) * 3 + (1e-4,) * 3)
    gradient = (weighted * apart[..., None]).sum(axis=1)
    return np.linalg.solve(np.swapaxes(weighted, 1, 2) @ rows + damping, gradient[..., None])[..., 0]


def _contradicted(
    frame: RGBDFrame,
    mask: np.ndarray,
    samples: np.ndarray,
    normals: np.ndarray,
    rotations: np.ndarray,
    translations: np.ndarray,
) -> np.ndarray:
    """(K) share of the samples that face the camera which are seen through, or where the mask is not."""
    p_camera = samples @ np.swapaxes(rotations, 1, 2) + translations[:, None]
    sight = p_camera / np.linalg.norm(p_camera, axis=-1, keepdims=True)
    facing = ((normals @ np.swapaxes(rotations, 1, 2)) * sight).sum(axis=-1) < -0.2
    pixels = np.rint(project(frame.camera, np.maximum(p_camera, (-np.inf, -np.inf, 0.05)))).astype(int)
    u = np.clip(pixels[..., 0], 0, frame.camera.width - 1)
    v = np.clip(pixels[..., 1], 0, frame.camera.height - 1)
    apart = frame.depth[v, u] - p_camera[..., 2]
    wrong = np.where(mask[v, u], apart > 2 * _COARSE, apart > -_HIDING) & (frame.depth[v, u] > 0)
    return (wrong & facing).sum(axis=1) / np.maximum(facing.sum(axis=1), 1)


def _score(evidence: Evidence, model: SurfaceModel, fit: Fit, mask: np.ndarray, points: np.ndarray) -> float:
    """Agreement with depth and outline × share of the mask's points on the surface × overlap of silhouette and mask."""
    covered = silhouette(model, fit.rotation, fit.translation, evidence.camera).grown(evidence.camera, 0)
    depth, centre = evidence.frame.depth, float((fit.rotation @ model.centre + fit.translation)[2])
    hidden = covered & (depth > 0) & (depth < centre - 1.5 * model.radius)
    overlap = (covered & mask).sum() / max(((covered & ~hidden) | mask).sum(), 1)
    some = points[:: max(1, len(points) // 400)]
    distance, _ = KDTree(model.points).query((some - fit.translation) @ fit.rotation)
    allowed = max(evidence.cfg.agree, 3 * evidence.sigma(centre)) + 0.5 * model.spacing
    # How close they are decides only between poses that explain as many.
    closeness = float(np.maximum(1.0 - (distance / allowed) ** 2, 0.0).mean())
    explained = float((distance < allowed).mean()) * (0.9 + 0.1 * closeness)
    return float(fit.agreement.fit * explained * np.sqrt(overlap) * (0.5 + 0.5 * fit.agreement.edge))


def _distinct(starts: list[Start]) -> list[Start]:
    """Without those that are another's again."""
    kept: list[Start] = []
    for start in starts:
        turns = [np.linalg.norm(rotvec_of(start.fit.rotation @ one.fit.rotation.T)) for one in kept]
        places = [np.linalg.norm(start.fit.translation - one.fit.translation) for one in kept]
        if not any(angle < _SAME and place < 0.02 for angle, place in zip(turns, places, strict=True)):
            kept.append(start)
    return kept
