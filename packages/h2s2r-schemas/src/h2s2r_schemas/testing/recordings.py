"""A tiny recording, for tests and golden files: flat pictures, written by hand.

In:  where, and how many frames.   Out: a ``Demo`` of 8×6 px.
Not here: rendered recordings with truth (sim).
"""

from __future__ import annotations

import struct
import zlib

from h2s2r_schemas.artifacts import Calibration, CameraIntrinsics
from h2s2r_schemas.codec.whole import PathLike
from h2s2r_schemas.demo import Demo, DemoMeta, DemoWriter, open_demo

WIDTH, HEIGHT = 8, 6


def flat_png(bits: int = 8, channels: int = 1, value: int = 255, width: int = WIDTH, height: int = HEIGHT) -> bytes:
    """A PNG in which every value is the same: grey (1 channel) or colour (3), of 8 or 16 bits."""
    row = b"\0" + value.to_bytes(bits // 8, "big") * (channels * width)
    header = struct.pack(">IIBBBBB", width, height, bits, 2 if channels == 3 else 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(row * height)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def tiny_meta() -> DemoMeta:
    """What such a recording says about itself."""
    camera = CameraIntrinsics(width=WIDTH, height=HEIGHT, fx=10.0, fy=10.0, cx=3.5, cy=2.5)
    return DemoMeta(
        name="tiny",
        calibration=Calibration(color=camera, depth=camera),
        depth_unit=0.001,
        licence="CC0-1.0",
        mask_names=("object", "hand"),
        source="made by hand",
        notes={"seed": "3"},
    )


def record_tiny(folder: PathLike, frames: int = 3, meta: DemoMeta | None = None, overwrite: bool = False) -> Demo:
    """Write such a recording at 10 Hz; frame i is i mm deeper than half a metre, and the hand comes in at frame 1."""
    with DemoWriter(folder, meta or tiny_meta(), overwrite) as writer:
        for index in range(frames):
            masks = {"object": flat_png(), "hand": flat_png()} if index else {"object": flat_png()}
            colour, depth = flat_png(channels=3, value=90), flat_png(bits=16, value=500 + index)
            writer.append(0.1 * index, colour, depth, masks)
    return open_demo(folder)
