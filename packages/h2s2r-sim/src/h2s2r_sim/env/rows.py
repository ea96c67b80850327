"""Rows of records of arrays: some environments of many.

In:  dataclasses, and tuples, of arrays whose first dimension is the environment.   Out: the same with some rows.
Not here: what the records mean.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
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
        return tuple([take(each, rows) for each in record])  # type: ignore[return-value]
    return type(record)(*[take(getattr(record, name), rows) for name in _names(type(record))])


def put(record: Any, rows: Rows, values: Any) -> None:
    """Write rows of another record into this one's arrays, in place."""
    if isinstance(record, np.ndarray):
        record[rows] = values
    elif isinstance(record, tuple):
        for mine, theirs in zip(record, values, strict=True):
            put(mine, rows, theirs)
    else:
        for name in _names(type(record)):
            put(getattr(record, name), rows, getattr(values, name))


@cache
def _names(kind: type) -> tuple[str, ...]:
    """Names of a record's fields, in order; looking them up anew took longer than copying what they hold."""
    if not is_dataclass(kind):
        raise TypeError(f"{kind.__name__} is neither an array nor a record of arrays.")
    return tuple(each.name for each in fields(kind))
