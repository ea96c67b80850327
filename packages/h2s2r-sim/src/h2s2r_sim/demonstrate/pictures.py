"""Pictures as files hold them.

In:  arrays.   Out: encoded JPEG and PNG.
Not here: which pictures (record).
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from h2s2r_sim.view.extra import NoGraphicsError


def encode_colour(rgb: np.ndarray, quality: int) -> bytes:
    """(H, W, 3) uint8 as a JPEG of a quality from 1 to 95."""
    return _encoded(rgb, format="JPEG", quality=quality, subsampling=0)


def encode_depth(depth: np.ndarray, unit: float, compression: int) -> bytes:
    """(H, W) [m] as a 16-bit grey PNG of counts of ``unit`` [m]; what does not fit counts as not measured, 0."""
    counts = np.round(depth / unit)
    counts = np.where(counts < 2**16, counts, 0).astype(np.uint16)
    return _encoded(counts, format="PNG", compress_level=compression)


def encode_mask(mask: np.ndarray, compression: int) -> bytes:
    """(H, W) bool as an 8-bit grey PNG, 255 inside."""
    return _encoded(mask.astype(np.uint8) * 255, format="PNG", compress_level=compression)


def _encoded(pixels: np.ndarray, **options: Any) -> bytes:
    try:
        from PIL import Image  # noqa: PLC0415 - of the extra, so only where pictures are written
    except ImportError as error:
        raise NoGraphicsError(
            "Recordings need Pillow, which is not installed: pip install 'h2s2r-sim[demonstrate]'."
        ) from error
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, **options)
    return stream.getvalue()
