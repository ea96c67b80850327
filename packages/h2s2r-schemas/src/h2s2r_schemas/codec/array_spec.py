"""What an array field may hold: dtype, shape, range, finiteness, unit quaternions.

In:  an array from a caller (``coerce``), or the bytes of one from a message (``check``).   Out: a read-only array.
Not here: how the bytes of an array are laid out (array_bytes).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from h2s2r_schemas.codec.array_bytes import unpack_array
from h2s2r_schemas.codec.specs import Dims, Spec, refuse
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

#: How far the length of a stored quaternion may be from 1: float32 input keeps 1e-7, an unnormalised one does not pass.
QUATERNION_TOLERANCE = 1e-6


def all_finite(array: np.ndarray) -> bool:
    """Whether no value is NaN or infinite. A small array is summed in Python: three times faster, and never a warning."""
    if array.ndim == 1 and array.size <= 64 and math.isfinite(sum(array.tolist())):
        return True
    return bool(np.isfinite(array).all())


class ArraySpec(Spec):
    """Rules for one array.

    Args:
        shape: sizes or names of the dimensions; equal names within one message have equal sizes.
        dtype: NumPy dtype name at rest and on the wire.
        unit: SI unit, for documentation and ``inspect``.
        finite: refuse NaN and infinity.
        minimum, maximum: smallest and largest value allowed.
        increasing: values along the first dimension must grow strictly (time stamps).
    """

    def __init__(
        self,
        shape: Sequence[int | str],
        dtype: str = "float64",
        unit: str = "",
        finite: bool = True,
        minimum: float = -math.inf,
        maximum: float = math.inf,
        increasing: bool = False,
    ) -> None:
        self.shape, self.dtype, self.unit = tuple(shape), np.dtype(dtype), unit
        self.only_dim = self.shape[0] if len(self.shape) == 1 and isinstance(self.shape[0], str) else ""
        self.minimum, self.maximum, self.increasing = minimum, maximum, increasing
        self.finite = finite and self.dtype.kind == "f"
        self.special = increasing or minimum > -math.inf or maximum < math.inf
        names = ", ".join(str(size) for size in self.shape)
        self.allowed = f"a {self.dtype} array of shape ({names})" + (f" [{unit}]" if unit else "")

    def coerce(self, value: Any, name: str, dims: Dims) -> np.ndarray:
        try:
            array = np.asarray(value)
        except ValueError as error:
            raise refuse(name, value, self.allowed) from error
        if array.dtype != self.dtype:
            array = self._converted(array, name)
        if array.flags.writeable or not array.flags.c_contiguous:
            array = array.copy(order="C")
            array.setflags(write=False)
        return self.check_array(array, name, dims)

    def _converted(self, array: np.ndarray, name: str) -> np.ndarray:
        """``array`` in this field's dtype, unless that would lose more than digits."""
        to_float = self.dtype.kind == "f" and array.dtype.kind in "fiu"
        to_whole = self.dtype.kind in "iu" and array.dtype.kind in "iu"
        converted = array.astype(self.dtype) if to_float or to_whole or array.size == 0 else None
        if converted is None or (to_whole and not np.array_equal(converted, array)):
            raise SchemaError(f"{name} is an array of {array.dtype}; allowed: {self.allowed}.")
        return converted

    def check(self, value: Any, name: str, dims: Dims) -> np.ndarray:
        if type(value) is not bytes:
            raise refuse(name, value, self.allowed)
        return self.check_array(unpack_array(value), name, dims)

    def check_array(self, value: np.ndarray, name: str, dims: Dims) -> np.ndarray:
        """``value`` itself, if this field may hold it.

        Raises:
            SchemaError: wrong dtype, shape, range or finiteness.
        """
        # Runs for every array of every message: the usual case, one named dimension, goes first and straight through.
        if value.dtype != self.dtype:
            raise refuse(name, value, self.allowed)
        shape = value.shape
        if self.only_dim and len(shape) == 1:
            fits = dims.setdefault(self.only_dim, shape[0]) == shape[0]
        else:
            fits = len(shape) == len(self.shape) and all(
                size == (dims.setdefault(wanted, size) if isinstance(wanted, str) else wanted)
                for size, wanted in zip(shape, self.shape)
            )
        if not fits:
            raise SchemaError(f"{name} has shape {shape}; allowed: {self.allowed}, where in this message {dims}.")
        if self.finite and not all_finite(value):
            flat = value.reshape(-1)
            at = int(np.argmin(np.isfinite(flat)))
            raise SchemaError(f"{name} holds {flat[at]} at flat index {at}; allowed: finite values.")
        if self.special:
            self._check_values(value, name)
        return value

    def _check_values(self, value: np.ndarray, name: str) -> None:
        if value.size and not (value.min() >= self.minimum and value.max() <= self.maximum):
            raise SchemaError(
                f"{name} spans [{value.min()}, {value.max()}]; allowed: [{self.minimum}, {self.maximum}] {self.unit}."
            )
        if self.increasing and len(value) > 1 and not (value[1:] > value[:-1]).all():
            at = int(np.argmin(value[1:] > value[:-1])) + 1
            raise SchemaError(f"{name} does not grow at index {at} ({value[at - 1]} → {value[at]}); it must.")


class PoseSpec(ArraySpec):
    """Poses ``wxyz_xyz`` (…, 7): unit quaternion with w ≥ 0, translation [m]. Takes an ``SE3`` from a caller."""

    def __init__(self, batch: Sequence[int | str] = (), finite: bool = True) -> None:
        super().__init__((*batch, 7), unit="wxyz, m", finite=finite)

    def coerce(self, value: Any, name: str, dims: Dims) -> np.ndarray:
        if isinstance(value, SE3):
            value = value.wxyz_xyz
        return super().coerce(value, name, dims)

    def check_array(self, value: np.ndarray, name: str, dims: Dims) -> np.ndarray:
        value = super().check_array(value, name, dims)
        wxyz = value[..., :4].reshape(-1, 4)
        if not len(wxyz):
            return value
        squares = np.einsum("ij,ij->i", wxyz, wxyz)
        low, high = 1.0 - 2.0 * QUATERNION_TOLERANCE, 1.0 + 2.0 * QUATERNION_TOLERANCE
        # Extremes are the fast answer; with NaN (a lost frame, where the field allows it) they are NaN: then look at each.
        if squares.min() >= low and squares.max() <= high and wxyz[:, 0].min() >= 0:
            return value
        if ((squares < low) | (squares > high) | (wxyz[:, 0] < 0)).any():
            raise SchemaError(
                f"{name} holds a quaternion (first four of the seven, wxyz) that is not of length 1 with w ≥ 0. "
                "Build poses with h2s2r_schemas.se3.SE3, which normalises; it also converts from xyzw and 4×4."
            )
        return value
