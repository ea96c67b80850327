"""Pictures of surfaces, computed: wood, stone, cloth, checks, plain paint, and the palette of a hand.

In:  a kind, colours, a seed.   Out: (H, W, 3) uint8.
Not here: which one a recording has (look).
"""

from __future__ import annotations

import numpy as np

from h2s2r_schemas.errors import SchemaError

KINDS = ("wood", "stone", "cloth", "checks", "plain")
_SIZE = 512


def table_texture(kind: str, colour: np.ndarray, seed: int) -> np.ndarray:
    """A table top.

    Args:
        kind: one of ``KINDS``.
        colour: (3) mean colour, each in [0, 1].
        seed: of its pattern.

    Raises:
        SchemaError: no such kind.
    """
    if kind not in KINDS:
        raise SchemaError(f"There is no table texture {kind!r}; there are {', '.join(KINDS)}.")
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:_SIZE, 0:_SIZE] / _SIZE
    if kind == "wood":
        warp = 0.35 * _clouds(rng, 3) + 0.05 * _clouds(rng, 40)
        grain = np.sin(2 * np.pi * (9 * y + 2.0 * warp)) + 0.5 * np.sin(2 * np.pi * (47 * y + 5.0 * warp))
        value = 1.0 + 0.09 * grain + 0.05 * _clouds(rng, (8, 120))
    elif kind == "stone":
        value = 1.0 + 0.10 * _clouds(rng, 12) + 0.08 * _clouds(rng, 90)
    elif kind == "cloth":
        value = 1.0 + 0.10 * np.sin(2 * np.pi * 80 * x) * np.sin(2 * np.pi * 80 * y) + 0.05 * _clouds(rng, 60)
    elif kind == "checks":
        value = np.where((np.floor(12 * x) + np.floor(12 * y)) % 2 > 0, 1.15, 0.75) + 0.03 * _clouds(rng, 50)
    else:
        value = 1.0 + 0.02 * _clouds(rng, 30)
    return _as_bytes(value[..., None] * colour)


def _clouds(rng: np.random.Generator, cells: int | tuple[int, int]) -> np.ndarray:
    """Smooth noise (H, W) of about unit size, with ``cells`` bumps along each side; it repeats without a seam."""
    rows, columns = (cells, cells) if isinstance(cells, int) else cells
    grid = rng.normal(size=(rows, columns))
    for axis, count in ((0, rows), (1, columns)):
        at = np.arange(_SIZE) * count / _SIZE
        left = np.floor(at).astype(int)
        share = at - left
        share = share * share * (3 - 2 * share)
        share = share[:, None] if axis == 0 else share[None, :]
        grid = grid.take(left % count, axis) * (1 - share) + grid.take((left + 1) % count, axis) * share
    return grid


def hand_palette(skin: np.ndarray, sleeve: np.ndarray, size: int = 64) -> np.ndarray:
    """Colours of a hand: columns from pale to red; rows from skin (below 0.3) over nail (0.4 to 0.6) to sleeve (from 0.7)."""
    red, part = np.meshgrid(np.linspace(0, 1, size), np.linspace(0, 1, size))
    tint = np.array([1.0, 0.80, 0.78])
    colour = skin * (1 - red[..., None] * (1 - tint))
    nail = np.minimum(skin * np.array([1.08, 1.02, 1.04]) + np.array([0.05, 0.02, 0.03]), 1.0)
    share = np.clip((part - 0.3) / 0.1, 0.0, 1.0)[..., None]
    colour = colour * (1 - share) + nail * share
    return _as_bytes(np.where(part[..., None] > 0.65, sleeve, colour))


def _as_bytes(colour: np.ndarray) -> np.ndarray:
    return (255 * np.clip(colour, 0.0, 1.0) + 0.5).astype(np.uint8)
