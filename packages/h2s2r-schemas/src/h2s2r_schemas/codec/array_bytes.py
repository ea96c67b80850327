"""Arrays as bytes: one msgpack extension type.

In:  NumPy arrays.   Out: dtype code, number of dimensions, sizes, then the values, little-endian, C order.
Not here: what a field allows (array_spec).

Layout: dtype code u8, ndim u8, two zero bytes, each size u32, zero bytes up to a multiple of eight, the values. So the
values of a decoded array start aligned, and the array is a read-only view of the message's own bytes.
"""

from __future__ import annotations

import math
import struct
import sys
from functools import lru_cache
from typing import Any

import numpy as np

from h2s2r_schemas.errors import SchemaError

#: The msgpack extension code of an array.
EXT_CODE = 1
MAX_DIMENSIONS = 8

#: Codes never change; a new dtype gets the next number.
DTYPES = {
    code: np.dtype(name)
    for code, name in enumerate(
        ("<f8", "<f4", "<i8", "<i4", "<i2", "|i1", "<u8", "<u4", "<u2", "|u1", "|b1"),
        start=1,
    )
}
_CODES = {dtype: code for code, dtype in DTYPES.items()}
_BOOL = np.dtype(bool)


#: Where the values start, by the byte that holds the number of dimensions.
_STARTS = tuple((4 + 4 * ndim + 7) // 8 * 8 for ndim in range(256))


@lru_cache(maxsize=4096)
def _head(dtype: Any, shape: tuple[int, ...]) -> bytes:
    """The bytes in front of the values."""
    code = _CODES.get(dtype)
    if code is None or len(shape) > MAX_DIMENSIONS or any(size >= 2**32 for size in shape):
        names = ", ".join(str(d) for d in _CODES)
        raise SchemaError(
            f"An array of {dtype} and shape {shape} cannot be stored; "
            f"allowed: at most {MAX_DIMENSIONS} dimensions, each below 2^32, of {names}."
        )
    return struct.pack(f"<BBxx{len(shape)}I", code, len(shape), *shape).ljust(_STARTS[len(shape)], b"\0")


@lru_cache(maxsize=4096)
def array_front(dtype: Any, shape: tuple[int, ...]) -> bytes:
    """What msgpack puts in front of the values of such an array: its own extension header, then ours.

    Raises:
        SchemaError: a dtype, shape or size that has no form on the wire.
    """
    head = _head(dtype, shape)
    length = len(head) + dtype.itemsize * math.prod(shape)
    for limit, layout in ((2**8, b"\xc7>BB"), (2**16, b"\xc8>HB"), (2**32, b"\xc9>IB")):
        if length < limit:
            return layout[:1] + struct.pack(layout[1:].decode(), length, EXT_CODE) + head
    raise SchemaError(
        f"An array of {length} bytes is too large for one message; split it (a log is appended in parts)."
    )


def array_data(array: np.ndarray) -> bytes:
    """What the extension value of an array holds.

    Raises:
        SchemaError: a dtype or shape that has no form on the wire.
    """
    if sys.byteorder != "little" or not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("<"))
    return _head(array.dtype, array.shape) + array.tobytes()


@lru_cache(maxsize=4096)
def _parsed(head: bytes) -> tuple[Any, tuple[int, ...], int, int]:
    """(dtype, shape, number of values, number of bytes with the head) of the bytes in front of the values."""
    dtype = DTYPES.get(head[0])
    if dtype is None or head[1] > MAX_DIMENSIONS or len(head) != _STARTS[head[1]]:
        raise SchemaError(f"The head of an array, {head[:16].hex()}, is cut short, damaged or from another format.")
    shape = struct.unpack_from(f"<{head[1]}I", head, 4)
    if head != _head(dtype, shape):
        raise SchemaError(f"The head of an array, {head[:16].hex()}, is damaged or from another format.")
    size = math.prod(shape)
    return dtype, shape, size, len(head) + size * dtype.itemsize


def unpack_array(data: bytes) -> np.ndarray:
    """The array in an extension value: a read-only view of ``data``.

    Raises:
        SchemaError: damaged head, unknown dtype, or a length that does not fit the shape.
    """
    if len(data) < 8:
        raise SchemaError(f"An array of {len(data)} bytes is cut short: its head alone has 8.")
    start = _STARTS[data[1]]
    dtype, shape, size, length = _parsed(data[:start])
    if len(data) != length:
        raise SchemaError(f"An array of shape {shape} and {dtype} has {length} bytes; these are {len(data)}.")
    if not size:
        return _empty(shape, dtype)
    array = np.frombuffer(data, dtype, size, start)
    if dtype is _BOOL and array.view(np.uint8).max() > 1:
        raise SchemaError("An array of booleans holds a byte that is neither 0 nor 1.")
    return array if len(shape) == 1 else array.reshape(shape)


def _empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    try:
        empty = np.empty(shape, dtype)
    except ValueError as error:
        raise SchemaError(f"An array of shape {shape} is not one NumPy can have: {error}.") from error
    empty.setflags(write=False)
    return empty
