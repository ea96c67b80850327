"""From true to measured depth, fault by fault.

In:  true depth (H, W) [m], intrinsics, ``DepthFaults``, a generator.   Out: measured depth (H, W) [m], 0 for nothing measured.
Not here: when pictures are taken (shutter).

Faults come in the order in which a camera has them: the geometry of two imagers, matching, rounding, range.
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.artifacts import CameraIntrinsics
from h2s2r_sim.demonstrate.camera.faults import DepthFaults


def measure_depth(
    depth: np.ndarray, camera: CameraIntrinsics, faults: DepthFaults, rng: np.random.Generator
) -> np.ndarray:
    """Measured depth (H, W) float32 [m], 0 where nothing was measured.

    Args:
        depth: (H, W) [m] true, along the optical axis.
        camera: intrinsics of that picture.
        faults: which, and how bad.
        rng: of this recording.
    """
    measured = np.asarray(depth, np.float32)
    if any(faults.offset_px):
        measured = _shifted(measured, faults.offset_px)
    lost = (measured < faults.near) | (measured > faults.far)
    if faults.shadows:
        lost |= shadowed(measured, camera, faults.baseline)
    if faults.grazing_cos:
        lost |= grazing(measured, camera, faults.grazing_cos)
    if faults.hole_share:
        lost |= spots((measured.shape[0], measured.shape[1]), faults.hole_share, faults.hole_width_px, rng)
    if faults.edge_mixing:
        measured = mix_edges(measured, faults.edge_mixing, faults.edge_step, rng)
    if faults.disparity_noise_px or faults.disparity_step_px:
        measured = noisy(measured, faults, rng)
    return np.where(lost, np.float32(0.0), measured)


def noisy(depth: np.ndarray, faults: DepthFaults, rng: np.random.Generator) -> np.ndarray:
    """Depth (H, W) [m] by way of a disparity with noise, in steps."""
    disparity = faults.focal_px * faults.baseline / depth
    if faults.disparity_noise_px:
        disparity += faults.disparity_noise_px * smooth_noise(
            (depth.shape[0], depth.shape[1]), faults.noise_width_px, rng
        )
    if faults.disparity_step_px:
        disparity = np.round(disparity / faults.disparity_step_px) * faults.disparity_step_px
    return faults.focal_px * faults.baseline / np.maximum(disparity, np.float32(1e-3))


def smooth_noise(shape: tuple[int, int], width_px: float, rng: np.random.Generator) -> np.ndarray:
    """Noise (H, W) of mean 0 and standard deviation 1, alike over ``width_px``."""
    reach = int(np.ceil(3 * width_px))
    noise = rng.standard_normal((shape[0] + 2 * reach, shape[1] + 2 * reach), dtype=np.float32)
    if not reach:
        return noise
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width_px) ** 2)
    weights = (weights / np.sqrt((weights**2).sum())).astype(np.float32)
    rows = np.zeros((shape[0], noise.shape[1]), np.float32)
    for index, weight in enumerate(weights):
        rows += weight * noise[index : index + shape[0]]
    smooth = np.zeros(shape, np.float32)
    for index, weight in enumerate(weights):
        smooth += weight * rows[:, index : index + shape[1]]
    return smooth


def shadowed(depth: np.ndarray, camera: CameraIntrinsics, baseline: float) -> np.ndarray:
    """Where (H, W) the right imager sees something nearer in the way: strips to the left of near things."""
    column = np.arange(depth.shape[1], dtype=np.float32) - camera.fx * baseline / depth
    leftmost = np.minimum.accumulate(column[:, ::-1], axis=1)[:, ::-1]
    hidden = np.zeros(depth.shape, bool)
    hidden[:, :-1] = leftmost[:, 1:] <= column[:, :-1]
    return hidden


def grazing(depth: np.ndarray, camera: CameraIntrinsics, least_cos: float) -> np.ndarray:
    """Where (H, W) a surface is seen at a cosine below ``least_cos`` to its normal; a step between two surfaces is none."""
    # How fast the logarithm of depth changes over the picture, times the focal length, is the tangent of that angle. Of the
    # changes to both sides the smaller one counts: at a step, that is the slope of the surface which ends there.
    padded = np.pad(depth, 1, mode="reflect", reflect_type="odd")
    right, down = np.abs(np.diff(padded[1:-1], axis=1)), np.abs(np.diff(padded[:, 1:-1], axis=0))
    slope = np.hypot(camera.fx * np.minimum(right[:, 1:], right[:, :-1]), camera.fy * np.minimum(down[1:], down[:-1]))
    return slope > depth * np.sqrt(1 - least_cos**2) / least_cos


def spots(shape: tuple[int, int], share: float, width_px: float, rng: np.random.Generator) -> np.ndarray:
    """Spots (H, W) about ``width_px`` wide, made of 2 by 2 pixels, that cover ``share`` of the picture."""
    noise = smooth_noise(((shape[0] + 1) // 2, (shape[1] + 1) // 2), width_px / 4, rng)
    count = round(share * noise.size)
    if not count:
        return np.zeros(shape, bool)
    limit = np.partition(noise.ravel(), -count - 1)[-count - 1]
    return (noise > limit).repeat(2, axis=0).repeat(2, axis=1)[: shape[0], : shape[1]]


def mix_edges(depth: np.ndarray, share: float, step: float, rng: np.random.Generator) -> np.ndarray:
    """Depth (H, W) [m] in which a ``share`` of the pixels beside a step lie somewhere between its sides."""
    padded = np.pad(depth, 1, mode="edge")
    beside = [padded[1:-1, :-2], padded[1:-1, 2:], padded[:-2, 1:-1], padded[2:, 1:-1]]
    low, high = np.minimum.reduce([depth, *beside]), np.maximum.reduce([depth, *beside])
    rows, columns = np.nonzero(high - low > step)
    mixed = rng.random(len(rows)) < share
    rows, columns = rows[mixed], columns[mixed]
    part = rng.random(len(rows), dtype=np.float32)
    result = depth.copy()
    result[rows, columns] = low[rows, columns] + part * (high - low)[rows, columns]
    return result


def _shifted(depth: np.ndarray, offset_px: tuple[float, float]) -> np.ndarray:
    """Depth (H, W) [m] moved right and down, each pixel from the one nearest to where it came from."""
    height, width = depth.shape
    columns = np.clip(np.round(np.arange(width) - offset_px[0]), 0, width - 1).astype(int)
    rows = np.clip(np.round(np.arange(height) - offset_px[1]), 0, height - 1).astype(int)
    return depth[rows[:, None], columns]
