"""What the first bytes of a picture say: format, size, bits.

In:  an encoded PNG or JPEG.   Out: ``PictureKind``.
Not here: decoding (the caller's image library).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from h2s2r_schemas.errors import SchemaError

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_PNG_CHANNELS = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}


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
    if data[:8] == _PNG and len(data) >= 33 and data[12:16] == b"IHDR":
        width, height, bits, colour = struct.unpack(">IIBB", data[16:26])
        return PictureKind("png", width, height, bits, _PNG_CHANNELS.get(colour, 0))
    if data[:3] == _JPEG:
        at = 2
        while at + 9 < len(data) and data[at] == 0xFF:
            marker = data[at + 1]
            (length,) = struct.unpack(">H", data[at + 2 : at + 4])
            # Start-of-frame markers; C4, C8 and CC in the same range are tables.
            if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
                bits, height, width, channels = struct.unpack(">BHHB", data[at + 4 : at + 10])
                return PictureKind("jpg", width, height, bits, channels)
            at += 2 + length
    raise SchemaError(f"{where} starts with {data[:8].hex()}: neither a PNG nor a JPEG, or cut short. Encode it anew.")


def check_depth(data: bytes, where: str) -> PictureKind:
    """A depth picture is a 16-bit grey PNG.

    Raises:
        SchemaError: it is anything else.
    """
    kind = picture_kind(data, where)
    if (kind.suffix, kind.bits, kind.channels) != ("png", 16, 1):
        raise SchemaError(
            f"{where} is a {kind.suffix} of {kind.bits} bits and {kind.channels} channels; depth is a 16-bit grey PNG "
            "of whole counts. Convert metres to counts with depth_unit."
        )
    return kind
