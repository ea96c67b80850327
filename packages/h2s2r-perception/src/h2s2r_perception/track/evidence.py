"""What one frame says about where the object is: measured points, its outline, and how well a pose explains both.

In:  ``RGBDFrame``, the learnt background and colours, a pose in the camera frame.   Out: ``Pull`` rows, ``Agreement``.
Not here: solving (align), learning (background, colour), time (tracker).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from h2s2r_perception.frames import RGBDFrame, deproject, project
from h2s2r_perception.track.align import Pull, pixel_rows, tukey
from h2s2r_perception.track.background import Background
from h2s2r_perception.track.colour import ColourModel
from h2s2r_perception.track.config import TrackCfg
from h2s2r_perception.track.surface import SurfaceModel
from h2s2r_perception.track.visible import Silhouette, outline, visible_samples

#: [m] in depth that separates the object from what is behind and from what hides it, beside its outline.
_BEHIND, _HIDING = 0.025, 0.02
#: Log odds that depth adds to colour, beside the outline: on the surface, on the background, behind both.
_ON, _FLAT, _BEYOND = 1.0, -1.5, -2.0
#: Log odds against the hand below which a pixel is the hand's.
_HAND = -1.0
#: [px] from the outline within which a change of colour and depth agrees with it.
_BORDER = 2.0
#: Neighbouring pixels are not independent: their log odds count for this much.
_INDEPENDENT = 0.35


@dataclass(frozen=True)
class Agreement:
    """How a pose fits a frame: shares of the samples that face the camera."""

    fit: float
    """Of those that nothing hides, the share whose measured depth agrees."""
    seen: float
    """Of all with a measurement, the share that agrees."""
    measured: float
    """Of all, the share with a measurement."""
    edge: float
    """Of the outline that nothing hides, the share where colour and depth change within two pixels of it; 1 if none is clear."""


class Evidence:
    """One frame, ready to be asked about poses.

    Args:
        frame: the pictures.
        background: of the scene.
        colours: of object and surroundings.
        cfg: settings.
    """

    def __init__(self, frame: RGBDFrame, background: Background, colours: ColourModel, cfg: TrackCfg) -> None:
        self.frame, self.background, self.colours, self.cfg = frame, background, colours, cfg
        self.camera = frame.camera

    def sigma(self, distance: float) -> float:
        """[m] standard deviation of depth at a distance [m]."""
        return self.background.noise * distance * distance

    def points(self, centre: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
        """Measured points (N, 3) [m] in the camera frame that may be the object's, and their weights (N).

        Args:
            centre: (3) [m] about which they are looked for.
            reach: [m] how far from it.
        """
        camera, (middle, size) = self.camera, (project(self.camera, centre), reach * self.camera.fx / centre[2])
        low = np.clip(np.floor(middle - size), 0, (camera.width, camera.height)).astype(int)
        high = np.clip(np.ceil(middle + size) + 1, 0, (camera.width, camera.height)).astype(int)
        area = max(int((high - low).prod()), 1)
        stride = max(1, int(np.sqrt(area / (4.0 * self.cfg.max_points))))
        v, u = np.mgrid[low[1] : high[1] : stride, low[0] : high[0] : stride].reshape(2, -1)
        depth = self.frame.depth[v, u].astype(float)
        keep = (depth > 0) & (np.abs(depth - centre[2]) < reach)
        u, v, depth = u[keep], v[keep], depth[keep]
        keep = self.background.in_front(u, v, depth)
        u, v, depth = u[keep], v[keep], depth[keep]
        if len(u) > self.cfg.max_points:
            every = np.linspace(0, len(u) - 1, self.cfg.max_points).astype(int)
            u, v, depth = u[every], v[every], depth[every]
        odds = self.colours.log_odds(self.frame.rgb[v, u], "hand")
        return deproject(camera, u, v, depth), 1.0 / (1.0 + np.exp(-4.0 * (odds + 0.5)))

    def outline_pull(
        self, model: SurfaceModel, rotation: np.ndarray, translation: np.ndarray, covered: Silhouette
    ) -> Pull | None:
        """Rows that move the outline to where colour and depth change from object to surroundings; none if it cannot be seen.

        ``covered`` is the silhouette at that pose, or at one within a pixel or two.
        """
        camera, reach = self.camera, self.cfg.outline_reach
        found = outline(model, rotation, translation, camera, covered)
        if len(found.points) < 8:
            return None
        found = found.thinned(self.cfg.outline_lines)
        p_camera = found.points @ rotation.T + translation
        across = np.arange(-reach, reach + 1)
        pixels = project(camera, p_camera)[:, None] + across[None, :, None] * found.normals[:, None]
        u, v = np.rint(pixels[..., 0]).astype(int), np.rint(pixels[..., 1]).astype(int)
        inside = ((u >= 0) & (u < camera.width) & (v >= 0) & (v < camera.height)).all(axis=1)
        u, v, p_camera, normals = u[inside], v[inside], p_camera[inside], found.normals[inside]
        if len(u) < 8:
            return None
        odds, hidden = self._line_odds(u, v, p_camera[:, 2])
        # Log likelihood of the border lying behind the k-th pixel of each line, up to a constant.
        likely = 2 * np.cumsum(odds, axis=1) - odds.sum(axis=1, keepdims=True)
        share = np.exp(_INDEPENDENT * (likely - likely.max(axis=1, keepdims=True)))
        share /= share.sum(axis=1, keepdims=True)
        border = across + 0.5
        offset = share @ border
        spread = share @ border**2 - offset**2
        open_line = hidden[:, : reach + 4].mean(axis=1) < 0.25
        weight = open_line * tukey(offset, reach + 1.0) / (1.0 + spread)
        rows = np.einsum(
            "nk,nkj->nj", normals, pixel_rows(p_camera, self._centre(model, rotation, translation), camera)
        )
        return Pull(rows, offset, weight * self.cfg.outline_strength / len(offset))

    def _line_odds(self, u: np.ndarray, v: np.ndarray, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log odds (M, K) that pixels are the object's, and whether (M, K) something in front hides them."""
        depth = self.frame.depth[v, u]
        apart, measured = depth - distance[:, None], depth > 0
        front = self.background.in_front(u, v, depth)
        rgb = self.frame.rgb[v, u]
        # A finger on the surface hides it too, though it is hardly in front of it: its colour tells.
        hand = self.colours.log_odds(rgb, "hand") < _HAND
        hidden = measured & front & ((apart < -_HIDING) | (hand & (apart < _BEHIND)))
        odds = self.colours.log_odds(rgb, "around")
        odds = odds + np.where(measured & (apart > _BEHIND), _BEYOND, 0.0)
        odds += np.where(measured & ~front, _FLAT, 0.0)
        odds += np.where(measured & front & (np.abs(apart) < 0.5 * _BEHIND), _ON, 0.0)
        return np.where(hidden, 0.0, odds), hidden

    @staticmethod
    def _centre(model: SurfaceModel, rotation: np.ndarray, translation: np.ndarray) -> np.ndarray:
        return rotation @ model.centre + translation

    def agreement(
        self, model: SurfaceModel, rotation: np.ndarray, translation: np.ndarray, edge: Pull | None = None
    ) -> Agreement:
        """How well a pose explains the measured depth, and the outline where its rows at that pose are given."""
        index = visible_samples(model, rotation, translation, self.camera)
        p_camera = model.points[index] @ rotation.T + translation
        pixels = np.rint(project(self.camera, p_camera)).astype(int)
        inside = ((pixels >= 0) & (pixels < (self.camera.width, self.camera.height))).all(axis=1)
        if not inside.any():
            return Agreement(0.0, 0.0, 0.0, 0.0)
        p_camera, (u, v) = p_camera[inside], pixels[inside].T
        depth = self.frame.depth[v, u]
        got = depth > 0
        line = p_camera / np.linalg.norm(p_camera, axis=1)[:, None]
        slant = np.abs((line * (model.normals[index[inside]] @ rotation.T)).sum(axis=1))
        apart = (depth - p_camera[:, 2]) * np.maximum(slant, 0.35)
        allowed = max(self.cfg.agree, 3 * self.sigma(float(np.median(p_camera[:, 2]))))
        hand = self.colours.log_odds(self.frame.rgb[v, u], "hand") < _HAND
        agrees = got & (np.abs(apart) <= allowed) & ~hand
        # What the empty scene hides lies inside the table or a wall: as wrong as a surface that is seen through.
        hidden = got & ((apart < -allowed) | (hand & (apart < allowed))) & self.background.in_front(u, v, depth)
        contradicted = got & ~agrees & ~hidden
        judged = agrees.sum() + contradicted.sum()
        fit = agrees.sum() / judged if judged else 0.0
        border = 1.0
        if edge is not None and edge.weight.sum() > 0:
            border = float(edge.weight[np.abs(edge.residual) < _BORDER].sum() / edge.weight.sum())
        return Agreement(float(fit), float(agrees.sum() / max(got.sum(), 1)), float(got.sum() / len(index)), border)
