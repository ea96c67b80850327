"""Rows of records of arrays: some environments of many.

In:  records of arrays whose first dimension is the environment.   Out: the same with some rows.
Not here: what the records mean.

A record is an array, a tuple of records, a dataclass of records, or has a class attribute ``STATE``: the names of its
attributes that are records.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

import numpy as np

R = TypeVar("R")
#: Which environments: a slice, or sorted indices.
Rows = slice | np.ndarray
#: Every one of them.
_ALL = slice(None)


def as_slice(index: np.ndarray) -> Rows:
    """The same indices as a slice where they follow one another: slices are read and written without a copy of the index."""
    if len(index) == 1 or (len(index) and (np.diff(index) == 1).all()):
        return slice(int(index[0]), int(index[-1]) + 1)
    return index


def take(record: R, rows: Rows) -> R:
    """The record with these rows only; views where ``rows`` is a slice, the record itself where it is of all."""
    if isinstance(rows, slice) and rows == _ALL:
        return record
    if isinstance(record, np.ndarray):
        return record[rows]  # type: ignore[return-value]
    if isinstance(record, tuple):
        return tuple([take(each, rows) for each in record])  # type: ignore[return-value]
    return type(record)(*[take(getattr(record, name), rows) for name in _names(type(record))])


def copy_rows(into: Any, env_ids: Rows, source: Any, rows: Rows) -> None:
    """Write the rows ``rows`` of one record over the rows ``env_ids`` of another's arrays, in place; neither is a bare array or
    tuple.
    """
    if isinstance(env_ids, np.ndarray):
        env_ids = as_slice(env_ids)
    for mine, theirs in zip(_leaves(into), _leaves(source), strict=True):
        if isinstance(mine, tuple):
            for array, other in zip(mine, theirs, strict=True):
                array[env_ids] = other[rows]
        else:
            mine[env_ids] = theirs[rows]


def _leaves(record: Any) -> tuple[Any, ...]:
    """All arrays, and tuples of arrays, of a record that is more than one array."""
    getter = _GETTERS.get(type(record))
    if getter is None:
        getter = _GETTERS[type(record)] = attrgetter(*_paths(record))
    return getter(record)


def _paths(record: Any) -> Iterator[str]:
    """Where they are, as ``attrgetter`` wants it: the same for all records of a kind."""
    for name in _names(type(record)):
        value = getattr(record, name)
        if isinstance(value, np.ndarray | tuple):
            yield name
        else:
            yield from (f"{name}.{path}" for path in _paths(value))


#: Of each kind of record: walking through it anew took longer than copying.
_GETTERS: dict[type, attrgetter[Any]] = {}


@cache
def _names(kind: type) -> tuple[str, ...]:
    """Names of what a record holds, in order."""
    if hasattr(kind, "STATE"):
        return kind.STATE
    if not is_dataclass(kind):
        raise TypeError(f"{kind.__name__} is neither an array nor a record of arrays.")
    return tuple(each.name for each in fields(kind))
