"""What a file holds, in plain data.

In:  a path.   Out: nested mappings of names, shapes, units and ranges; a long log is read stretch by stretch.
Not here: printing it (cli), recordings (demo.inspection).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_schemas.codec.array_spec import ArraySpec
from h2s2r_schemas.codec.files import iter_load, read_hash
from h2s2r_schemas.codec.message import Message, MessagesSpec
from h2s2r_schemas.codec.specs import OptionalSpec, Spec, is_exactly, shown


def inspect_file(path: Path) -> dict[str, Any]:
    """What a file is.

    Returns:
        ``schema``, ``version``, ``producer``, ``bytes``, ``sha256``, ``stretches`` and ``fields``.

    Raises:
        SchemaError: it is not a valid h2s2r file.
        OSError: it cannot be read.
    """
    found: dict[str, Any] = {}
    stretches = 0
    for message in iter_load(path):
        stretches += 1
        if not found:
            found = {"what": type(message).__name__, "schema": message.schema, "version": message.version}
            found["fields"] = describe(message)
        else:
            _join(found["fields"], describe(message))
    size = path.stat().st_size
    fields = found.pop("fields", {})
    return {**found, "bytes": size, "sha256": read_hash(path), "stretches": stretches, "fields": fields}


def describe(message: Message) -> dict[str, Any]:
    """Every field of a message: arrays as type, shape, unit and range; the rest as it is."""
    return {name: _described(message.__dict__[name], spec) for name, spec in message.specs.items()}


def _described(value: Any, spec: Spec) -> Any:
    if isinstance(spec, OptionalSpec):
        spec = spec.inner
    if isinstance(value, Message):
        return describe(value)
    if isinstance(spec, ArraySpec) and value is not None:
        return _array(value, spec)
    if isinstance(spec, MessagesSpec):
        items: Any = value
        return {str(i): describe(item) for i, item in enumerate(items[:20])}
    return value if type(value) in (str, int, float, bool, type(None)) else shown(spec.plain(value))


def _array(array: np.ndarray, spec: ArraySpec) -> dict[str, Any]:
    described: dict[str, Any] = {"type": f"{array.dtype} {array.shape}", "unit": spec.unit}
    finite = array[np.isfinite(array)]
    if finite.size:
        described.update(min=finite.min().item(), max=finite.max().item())
    if finite.size < array.size:
        described["not_finite"] = int(array.size - finite.size)
    return described


def _join(whole: dict[str, Any], part: dict[str, Any]) -> None:
    """Widen the ranges of the first stretch by those of another."""
    for name, described in part.items():
        known = whole[name]
        if is_exactly(known, dict) and is_exactly(described, dict) and "min" in known and "min" in described:
            known["min"], known["max"] = min(known["min"], described["min"]), max(known["max"], described["max"])
