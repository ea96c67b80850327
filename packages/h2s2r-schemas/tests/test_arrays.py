"""Every function of the closed list, on NumPy and on torch: same values, same kind, same dtype.

In:  random arrays.   Out: agreement between the two libraries.
Not here: what is built from them (test_se3 and the other packages).
"""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from h2s2r_schemas import arrays

A = np.random.default_rng(0).normal(size=(4, 3))
B = np.random.default_rng(1).normal(size=(4, 3))
SQUARE = np.random.default_rng(2).normal(size=(4, 3, 3)) + 3 * np.eye(3)
POSITIVE = np.abs(A) + 0.1

#: How each function of ``arrays`` is called in the test, with ``x`` turning a NumPy array into the kind under test.
CALLS = {
    "asfloat": lambda x: arrays.asfloat(x(np.arange(3))),
    "like": lambda x: arrays.like([1, 2, 3], x(A)),
    "to_numpy": lambda x: arrays.to_numpy(x(A)),
    "zeros": lambda x: arrays.zeros((2, 3), x(A)),
    "eye": lambda x: arrays.eye(3, x(A)),
    "sin": lambda x: arrays.sin(x(A)),
    "cos": lambda x: arrays.cos(x(A)),
    "sqrt": lambda x: arrays.sqrt(x(POSITIVE)),
    "exp": lambda x: arrays.exp(x(A)),
    "absolute": lambda x: arrays.absolute(x(A)),
    "arctan2": lambda x: arrays.arctan2(x(A), x(B)),
    "isfinite": lambda x: arrays.isfinite(x(np.array([1.0, np.nan, np.inf]))),
    "where": lambda x: arrays.where(x(A) > 0, x(A), x(B)),
    "clip": lambda x: arrays.clip(x(A), -0.5, x(POSITIVE)),
    "minimum": lambda x: arrays.minimum(x(A), 0.2),
    "maximum": lambda x: arrays.maximum(x(A), x(B)),
    "stack": lambda x: arrays.stack((x(A), x(B)), -1),
    "concatenate": lambda x: arrays.concatenate((x(A), x(B)), -1),
    "broadcast_to": lambda x: arrays.broadcast_to(x(A), (2, 4, 3)),
    "swapaxes": lambda x: arrays.swapaxes(x(SQUARE), -1, -2),
    "take": lambda x: arrays.take(x(A), [2, 0], 1),
    "norm": lambda x: arrays.norm(x(A), -1, True),
    "add_reduce": lambda x: arrays.add_reduce(x(A), 0),
    "amax": lambda x: arrays.amax(x(A), -1, True),
    "nonzero": lambda x: arrays.nonzero(x(np.array([False, True, True]))),
    "argmin": lambda x: arrays.argmin(x(A), 1),
    "cross": lambda x: arrays.cross(x(A), x(B)[:1]),
    "einsum": lambda x: arrays.einsum("nij,nj->ni", x(SQUARE), x(A)),
    "solve": lambda x: arrays.solve(x(SQUARE), x(A)),
}
#: About the kind itself, so tested on their own.
KIND = {"is_torch", "namespace"}


def test_the_list_is_closed():
    """A function added to ``arrays`` without a test here fails this."""
    public = {name for name, f in inspect.getmembers(arrays, inspect.isfunction) if f.__module__ == arrays.__name__}
    assert public == set(CALLS) | KIND


@pytest.mark.parametrize("name", sorted(CALLS))
def test_same_values_on_both_kinds(name):
    torch = pytest.importorskip("torch")
    from_numpy, from_torch = CALLS[name](np.asarray), CALLS[name](torch.tensor)
    assert isinstance(from_numpy, (np.ndarray, np.generic))
    assert torch.is_tensor(from_torch) or name == "to_numpy"
    np.testing.assert_allclose(np.asarray(from_torch), from_numpy, atol=1e-12)


@pytest.mark.parametrize("name", sorted(set(CALLS) - {"isfinite", "argmin", "asfloat", "nonzero"}))
def test_float32_stays_float32(name):
    def narrow(values):
        return np.asarray(values, dtype=np.float32)

    assert CALLS[name](narrow).dtype == np.float32


def test_solve_and_cross_agree_with_numpy():
    np.testing.assert_allclose(np.einsum("nij,nj->ni", SQUARE, arrays.solve(SQUARE, A)), A, atol=1e-12)
    np.testing.assert_allclose(arrays.cross(A, B), np.cross(A, B), atol=1e-12)


def test_kind_is_told_without_importing_torch():
    assert not arrays.is_torch(A) and arrays.namespace(A) is np
    torch = pytest.importorskip("torch")
    assert arrays.is_torch(torch.zeros(2)) and arrays.namespace(torch.zeros(2)) is torch
