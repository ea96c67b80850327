"""Rows of records of arrays: some environments of many.

In:  dataclasses, and tuples, of arrays whose first dimension is the environment.   Out: the same with some rows.
Not here: what the records mean.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any, TypeVar

import numpy as np

R = TypeVar("R")
#: Which environments: a slice, or sorted indices.
Rows = slice | np.ndarray


def take(record: R, rows: Rows) -> R:
    """The record with these rows only; views where ``rows`` is a slice."""
    if isinstance(record, np.ndarray):
        return record[rows]  # type: ignore[return-value]
    if isinstance(record, tuple):
        return tuple(take(each, rows) for each in record)  # type: ignore[return-value]
    return type(record)(**{each.name: take(getattr(record, each.name), rows) for each in _fields(record)})


def put(record: Any, rows: Rows, values: Any) -> None:
    """Write rows of another record into this one's arrays, in place."""
    if isinstance(record, np.ndarray):
        record[rows] = values
    elif isinstance(record, tuple):
        for mine, theirs in zip(record, values, strict=True):
            put(mine, rows, theirs)
    else:
        for each in _fields(record):
            put(getattr(record, each.name), rows, getattr(values, each.name))


def _fields(record: Any) -> Any:
    if not is_dataclass(record):
        raise TypeError(f"{type(record).__name__} is neither an array nor a record of arrays.")
    return fields(record)
