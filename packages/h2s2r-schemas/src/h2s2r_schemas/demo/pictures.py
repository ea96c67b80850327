"""What an encoded picture is, from its first and last bytes: format, size, bits.

In:  an encoded PNG or JPEG.   Out: ``PictureKind``, or a ``SchemaError`` where a recording cannot hold it.
Not here: decoding (the caller's image library).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from h2s2r_schemas.artifacts.calibration import CameraIntrinsics
from h2s2r_schemas.errors import SchemaError

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND\xaeB`\x82"
_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}
_JPEG = b"\xff\xd8\xff"
_JPEG_END = b"\xff\xd9"
#: Some cameras pad a JPEG behind its end mark.
_JPEG_PADDING = 4096


@dataclass(frozen=True)
class PictureKind:
    """Format and size of an encoded picture."""

    suffix: str
    """``png`` or ``jpg``."""
    width: int
    """[px]"""
    height: int
    """[px]"""
    bits: int
    """Per channel."""
    channels: int
    """1 for grey, 3 for colour, one more with transparency."""


def picture_kind(data: bytes, where: str) -> PictureKind:
    """Format and size of a PNG or JPEG.

    Args:
        data: the encoded picture.
        where: its name, for the error.

    Raises:
        SchemaError: neither PNG nor JPEG, or cut short.
    """
    kind = None
    if data[:8] == _PNG and data[12:16] == b"IHDR" and data.endswith(_PNG_END):
        width, height, bits, colour = struct.unpack(">IIBB", data[16:26])
        kind = PictureKind("png", width, height, bits, _PNG_CHANNELS.get(colour, 0))
    elif data[:3] == _JPEG and data.rfind(_JPEG_END, max(0, len(data) - _JPEG_PADDING)) > 0:
        kind = _jpeg_kind(data)
    if kind is None:
        raise SchemaError(
            f"{where}: {len(data)} bytes that start with {data[:8].hex()} are neither a PNG nor a JPEG, or are cut short. "
            "Encode or copy the picture anew."
        )
    return kind


def _jpeg_kind(data: bytes) -> PictureKind | None:
    at = 2
    while at + 9 < len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # any number of these may stand before a marker
            at += 1
            continue
        # Start-of-frame markers; C4, C8 and CC in the same range are tables.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            bits, height, width, channels = struct.unpack(">BHHB", data[at + 4 : at + 10])
            return PictureKind("jpg", width, height, bits, channels)
        (length,) = struct.unpack(">H", data[at + 2 : at + 4])
        at += 2 + length
    return None


def check_colour(data: bytes, camera: CameraIntrinsics, where: str) -> PictureKind:
    """A colour picture is a PNG or JPEG of three channels of 8 bits, of the size that the intrinsics are for.

    Raises:
        SchemaError: it is anything else.
    """
    kind = _sized(picture_kind(data, where), camera, where)
    if (kind.bits, kind.channels) != (8, 3):
        raise _other(kind, where, "a colour picture has 3 channels of 8 bits. Convert it.")
    return kind


def check_depth(data: bytes, camera: CameraIntrinsics, where: str) -> PictureKind:
    """A depth picture is a 16-bit grey PNG of the size that the intrinsics are for.

    Raises:
        SchemaError: it is anything else.
    """
    kind = _sized(picture_kind(data, where), camera, where)
    if (kind.suffix, kind.bits, kind.channels) != ("png", 16, 1):
        raise _other(
            kind, where, "depth is a 16-bit grey PNG of whole counts. Convert metres to counts with depth_unit."
        )
    return kind


def check_mask(data: bytes, camera: CameraIntrinsics, where: str) -> PictureKind:
    """A mask is a grey PNG of 8 bits (or 1), of the size that the colour intrinsics are for.

    Raises:
        SchemaError: it is anything else.
    """
    kind = _sized(picture_kind(data, where), camera, where)
    if kind.suffix != "png" or kind.bits not in (1, 8) or kind.channels != 1:
        raise _other(kind, where, "a mask is a grey PNG of 8 bits: 0 outside, 255 inside. Convert it.")
    return kind


def _sized(kind: PictureKind, camera: CameraIntrinsics, where: str) -> PictureKind:
    if (kind.width, kind.height) != (camera.width, camera.height):
        raise SchemaError(
            f"{where} has {kind.width}×{kind.height} px; its intrinsics are for {camera.width}×{camera.height} px. "
            "Use the intrinsics of this resolution."
        )
    return kind


def _other(kind: PictureKind, where: str, allowed: str) -> SchemaError:
    return SchemaError(f"{where} is a {kind.suffix} of {kind.bits} bits and {kind.channels} channels; {allowed}")
