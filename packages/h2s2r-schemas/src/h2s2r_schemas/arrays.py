"""The closed list of array functions that serve NumPy arrays and torch tensors alike.

In:  arrays of one kind (NumPy or torch).   Out: arrays of the same kind, dtype and device.
Not here: any import of torch: a tensor brings its own library with it.

Code that must run on both (SE(3), kinematics, observations, actions, rewards) calls these functions, array methods
that both kinds share (``reshape``, ``sum``, arithmetic, indexing), and nothing else. To add a function, add it here
and to ``tests/test_arrays.py``, where every one is tested on both kinds.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

#: A NumPy array or a torch tensor. Functions return the kind they were given.
Array = Any


def is_torch(x: Array) -> bool:
    """Whether ``x`` is a torch tensor. Never imports torch."""
    if isinstance(x, np.ndarray):
        return False
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(x, torch.Tensor)


def namespace(x: Array) -> Any:
    """The library ``x`` belongs to: ``torch`` for a tensor, else ``numpy``."""
    return sys.modules["torch"] if is_torch(x) else np


def asfloat(x: Array) -> Array:
    """``x`` as a floating array of its own kind: float32 and float64 stay, all else becomes float64."""
    if is_torch(x):
        return x if x.is_floating_point() else x.to(sys.modules["torch"].float64)
    x = np.asarray(x)
    return x if x.dtype.kind == "f" else x.astype(np.float64)


def like(x: Any, reference: Array) -> Array:
    """``x`` (numbers, list or array) with the kind, dtype and device of ``reference``."""
    if is_torch(reference):
        # A tensor must not share the memory of a read-only array: torch would let it be written.
        x = x if is_torch(x) else np.array(x)
        return sys.modules["torch"].as_tensor(x, dtype=reference.dtype, device=reference.device)
    return np.asarray(x, dtype=reference.dtype)


def to_numpy(x: Array) -> np.ndarray:
    """``x`` as a NumPy array, from whatever device it is on."""
    return x.detach().cpu().numpy() if is_torch(x) else np.asarray(x)


def zeros(shape: Sequence[int], reference: Array) -> Array:
    """Zeros of ``shape`` with the kind, dtype and device of ``reference``."""
    if is_torch(reference):
        return reference.new_zeros(tuple(shape))
    return np.zeros(tuple(shape), dtype=reference.dtype)


def eye(n: int, reference: Array) -> Array:
    """The n×n identity with the kind, dtype and device of ``reference``."""
    return like(np.eye(n), reference)


def sin(x: Array) -> Array:
    return namespace(x).sin(x)


def cos(x: Array) -> Array:
    return namespace(x).cos(x)


def sqrt(x: Array) -> Array:
    return namespace(x).sqrt(x)


def exp(x: Array) -> Array:
    return namespace(x).exp(x)


def absolute(x: Array) -> Array:
    return namespace(x).abs(x)


def arctan2(y: Array, x: Array) -> Array:
    return namespace(y).arctan2(y, x)


def isfinite(x: Array) -> Array:
    return namespace(x).isfinite(x)


def where(condition: Array, x: Array, y: Array) -> Array:
    return namespace(condition).where(condition, x, y)


def clip(x: Array, lower: Any, upper: Any) -> Array:
    """``x`` held between ``lower`` and ``upper`` (numbers or arrays)."""
    if is_torch(x):
        return x.clamp(like(lower, x), like(upper, x))
    # Four times faster than np.clip on small arrays, which control loops hold.
    return np.minimum(np.maximum(x, lower), upper)


def minimum(x: Array, y: Array) -> Array:
    return namespace(x).minimum(x, like(y, x))


def maximum(x: Array, y: Array) -> Array:
    return namespace(x).maximum(x, like(y, x))


def stack(arrays: Sequence[Array], axis: int = 0) -> Array:
    if axis == -1 and not is_torch(arrays[0]):
        # Three times faster than np.stack on small arrays.
        return np.concatenate([np.asarray(x)[..., None] for x in arrays], -1)
    return namespace(arrays[0]).stack(tuple(arrays), axis)


def concatenate(arrays: Sequence[Array], axis: int = 0) -> Array:
    if is_torch(arrays[0]):
        return sys.modules["torch"].cat(tuple(arrays), axis)
    return np.concatenate(tuple(arrays), axis)


def broadcast_to(x: Array, shape: Sequence[int]) -> Array:
    return namespace(x).broadcast_to(x, tuple(shape))


def swapaxes(x: Array, axis1: int, axis2: int) -> Array:
    return x.swapaxes(axis1, axis2)


def take(x: Array, index: Any, axis: int) -> Array:
    """The entries ``index`` (a list of ints or an int array) of ``x`` along ``axis``."""
    if is_torch(x):
        torch = sys.modules["torch"]
        return torch.index_select(x, axis, torch.as_tensor(index, dtype=torch.long, device=x.device))
    return np.take(x, index, axis)


def norm(x: Array, axis: int = -1, keepdims: bool = False) -> Array:
    """Euclidean length along ``axis``."""
    return sqrt(add_reduce(x * x, axis, keepdims))


def add_reduce(x: Array, axis: int = -1, keepdims: bool = False) -> Array:
    """Sum along ``axis``."""
    if is_torch(x):
        return x.sum(axis, keepdim=keepdims)
    return np.add.reduce(x, axis, keepdims=keepdims)


def amax(x: Array, axis: int = -1, keepdims: bool = False) -> Array:
    """Largest entry along ``axis``."""
    if is_torch(x):
        return x.amax(axis, keepdim=keepdims)
    return np.maximum.reduce(x, axis, keepdims=keepdims)


def nonzero(condition: Array) -> Array:
    """Places (int) where a one-dimensional ``condition`` holds."""
    return condition.nonzero()[:, 0] if is_torch(condition) else condition.nonzero()[0]


def argmin(x: Array, axis: int = -1) -> Array:
    """Index of the smallest entry along ``axis``."""
    return x.argmin(axis)


def cross(x: Array, y: Array) -> Array:
    """Vector product along the last axis (…, 3), with broadcasting."""
    x0, x1, x2 = x[..., 0], x[..., 1], x[..., 2]
    y0, y1, y2 = y[..., 0], y[..., 1], y[..., 2]
    return stack((x1 * y2 - x2 * y1, x2 * y0 - x0 * y2, x0 * y1 - x1 * y0), -1)


def einsum(subscripts: str, *operands: Array) -> Array:
    return namespace(operands[0]).einsum(subscripts, *operands)


def solve(a: Array, b: Array) -> Array:
    """Solution x (…, n) of ``a @ x = b`` for ``a`` (…, n, n) and ``b`` (…, n)."""
    return namespace(a).linalg.solve(a, b[..., None])[..., 0]
