"""Solve equations of frames that are each tied to the two before.

In:  blocks on the diagonal, diagonal ties.   Out: the solution.
Not here: where the equations come from (fit).

A Cholesky factorisation block by block: for small blocks much faster than LAPACK's for band matrices.
"""

from __future__ import annotations

import numpy as np


def solve_chain(blocks: np.ndarray, first: np.ndarray, second: np.ndarray, right: np.ndarray) -> np.ndarray:
    """(T, n, m) solution of a symmetric positive definite system.

    Args:
        blocks: (T, n, n) on the diagonal.
        first: (T-1, n) what ties number i of a frame to number i of the frame before.
        second: (T-2, n) the same to the frame before that.
        right: (T, n, m) right-hand sides.

    Raises:
        numpy.linalg.LinAlgError: not positive definite.
    """
    frames = len(blocks)
    inverse, near, far = np.zeros_like(blocks), np.zeros_like(blocks), np.zeros_like(blocks)
    y = np.zeros_like(right)
    for t in range(frames):
        block, rest = blocks[t], right[t]
        if t > 1:
            far[t] = second[t - 2][:, None] * inverse[t - 2].T
            block, rest = block - far[t] @ far[t].T, rest - far[t] @ y[t - 2]
        if t > 0:
            tie = np.diag(first[t - 1])
            if t > 1:
                tie = tie - far[t] @ near[t - 1].T
            near[t] = tie @ inverse[t - 1].T
            block, rest = block - near[t] @ near[t].T, rest - near[t] @ y[t - 1]
        inverse[t] = np.linalg.inv(np.linalg.cholesky(block))
        y[t] = inverse[t] @ rest
    x = np.zeros_like(y)
    for t in reversed(range(frames)):
        rest = y[t]
        if t + 1 < frames:
            rest = rest - near[t + 1].T @ x[t + 1]
        if t + 2 < frames:
            rest = rest - far[t + 2].T @ x[t + 2]
        x[t] = inverse[t].T @ rest
    return x
