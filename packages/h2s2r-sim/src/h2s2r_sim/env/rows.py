"""Rows of records of arrays: some environments of many.

In:  records of arrays whose first dimension is the environment.   Out: the same with some rows.
Not here: what the records mean.

A record is an array, a tuple of records, a dataclass of records, or has a class attribute ``STATE``: the names of its
attributes that are records.
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


def copy_rows(into: Any, env_ids: Rows, source: Any, rows: Rows) -> None:
    """Write the rows ``rows`` of one record over the rows ``env_ids`` of another's arrays, in place."""
    if isinstance(into, np.ndarray):
        into[env_ids] = source[rows]
    elif isinstance(into, tuple):
        for mine, theirs in zip(into, source, strict=True):
            copy_rows(mine, env_ids, theirs, rows)
    else:
        for name in _names(type(into)):
            copy_rows(getattr(into, name), env_ids, getattr(source, name), rows)


@cache
def _names(kind: type) -> tuple[str, ...]:
    """Names of what a record holds, in order; looking them up anew took longer than copying it."""
    if hasattr(kind, "STATE"):
        return kind.STATE
    if not is_dataclass(kind):
        raise TypeError(f"{kind.__name__} is neither an array nor a record of arrays.")
    return tuple(each.name for each in fields(kind))
