"""Pictures as files hold them.

In:  arrays.   Out: encoded JPEG and PNG.
Not here: which pictures (record).
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image


def encode_colour(rgb: np.ndarray, quality: int) -> bytes:
    """(H, W, 3) uint8 as a JPEG of a quality from 1 to 95."""
    return _encoded(Image.fromarray(rgb), format="JPEG", quality=quality, subsampling=0)


def encode_depth(depth: np.ndarray, unit: float, compression: int = 3) -> bytes:
    """(H, W) [m] as a 16-bit grey PNG of counts of ``unit`` [m]; what does not fit counts as not measured, 0."""
    counts = np.round(depth / unit)
    counts = np.where(counts < 2**16, counts, 0).astype(np.uint16)
    return _encoded(Image.fromarray(counts), format="PNG", compress_level=compression)


def encode_mask(mask: np.ndarray) -> bytes:
    """(H, W) bool as an 8-bit grey PNG, 255 inside."""
    return _encoded(Image.fromarray(mask.astype(np.uint8) * 255), format="PNG", compress_level=3)


def _encoded(image: Image.Image, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, **options)
    return stream.getvalue()
