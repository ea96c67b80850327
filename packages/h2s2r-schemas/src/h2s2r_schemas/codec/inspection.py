"""What a file holds, in plain data.

In:  a path.   Out: nested mappings of names, shapes, units and ranges; a long log is read stretch by stretch.
Not here: printing it (cli), recordings (demo.inspection).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgpack
import numpy as np

from h2s2r_schemas.codec.array_spec import ArraySpec
from h2s2r_schemas.codec.files import iter_blocks, iter_load, read_hash
from h2s2r_schemas.codec.message import Message, MessageSpec, MessagesSpec
from h2s2r_schemas.codec.specs import FloatSpec, OptionalSpec, Spec, is_exactly
from h2s2r_schemas.errors import SchemaError

#: Of a list of nested messages, the first ones are described; of the others, how many they are.
MAX_DESCRIBED = 20
#: Values of an array of fixed length that are given besides their range: a pose has seven.
MAX_VALUES = 7
#: Stands for a value that is not the same in all stretches of a log.
DIFFERS = "differs between stretches"


def inspect_file(path: Path) -> dict[str, Any]:
    """What a file is. All of it is read and checked, one stretch at a time.

    Returns:
        ``what`` (class), ``schema``, ``version`` and ``producer`` as written, ``bytes``, ``sha256`` (content hash),
        ``stretches`` and ``fields`` (by name, see ``describe``; of a log, over all stretches).

    Raises:
        SchemaError: it is not a valid h2s2r file, or an empty one.
        OSError: it cannot be read.
    """
    fields: dict[str, Any] = {}
    what, stretches = "", 0
    for message in iter_load(path):
        if stretches == 0:
            what, fields = type(message).__name__, describe(message)
        else:
            _join(fields, describe(message), message.stream_dim)
        stretches += 1
    if stretches == 0:
        raise SchemaError(f"{path} is whole, but holds no message.")
    head: Any = msgpack.unpackb(next(iter_blocks(path)), ext_hook=lambda _code, _data: None)
    written = {name: head[name] for name in ("schema", "version", "producer")}
    whole = {"bytes": path.stat().st_size, "sha256": read_hash(path), "stretches": stretches}
    return {"what": what, **written, **whole, "fields": fields}


def describe(message: Message) -> dict[str, Any]:
    """Every field of a message by name.

    Returns:
        The value itself; of a number with a unit ``value`` and ``unit``; of a nested message its fields; of an array
        ``dtype``, ``shape``, ``dims`` (sizes, or their names), ``unit``, and as far as it has any ``min`` and ``max`` of
        the finite values, counts of ``true``, ``nan`` and ``infinite``, and all ``values`` of one that is small.
    """
    return {name: _described(message.__dict__[name], spec) for name, spec in message.specs.items()}


def _described(value: Any, spec: Spec) -> Any:
    if isinstance(spec, OptionalSpec):
        spec = spec.inner
    if value is None:
        return None
    if isinstance(spec, MessageSpec):
        return describe(value)
    if isinstance(spec, MessagesSpec):
        items: dict[str, Any] = {str(i): describe(item) for i, item in enumerate(value[:MAX_DESCRIBED])}
        return {**items, "more": len(value) - MAX_DESCRIBED} if len(value) > MAX_DESCRIBED else items
    if isinstance(spec, ArraySpec):
        return _array(value, spec)
    if isinstance(spec, FloatSpec) and spec.unit:
        return {"value": value, "unit": spec.unit}
    return spec.plain(value)


def _array(array: np.ndarray, spec: ArraySpec) -> dict[str, Any]:
    described: dict[str, Any] = {
        "dtype": str(array.dtype),
        "shape": list(array.shape),
        "dims": list(spec.shape),
        "unit": spec.unit,
    }
    if array.dtype.kind == "b":
        return {**described, "true": int(array.sum())}
    finite = array[np.isfinite(array)]
    if finite.size:
        described.update(min=finite.min().item(), max=finite.max().item())
    if finite.size < array.size:
        nan = int(np.isnan(array).sum())
        described.update(nan=nan, infinite=array.size - finite.size - nan)
    elif array.ndim == 1 and array.size <= MAX_VALUES and not isinstance(spec.shape[0], str):
        described["values"] = array.tolist()
    return described


def _join(whole: dict[str, Any], part: dict[str, Any], stream_dim: str) -> None:
    """Add what is known of another stretch to what is known of those before it."""
    for name, found in part.items():
        known: Any = whole.get(name)
        if is_exactly(known, dict) and is_exactly(found, dict) and "dtype" in known and "dtype" in found:
            _join_array(known, found, stream_dim)
        elif is_exactly(known, dict) and is_exactly(found, dict) and known.keys() == found.keys():
            _join(known, found, stream_dim)
        elif known != found:
            whole[name] = DIFFERS


def _join_array(whole: dict[str, Any], part: dict[str, Any], stream_dim: str) -> None:
    if stream_dim and whole["dims"][:1] == [stream_dim] and whole["shape"][1:] == part["shape"][1:]:
        whole["shape"][0] += part["shape"][0]
    elif whole["shape"] != part["shape"]:
        whole["shape"] = DIFFERS
    if whole.get("values") != part.get("values"):
        whole.pop("values", None)
    for name, over in (("min", min), ("max", max), ("true", sum), ("nan", sum), ("infinite", sum)):
        numbers: list[Any] = [each[name] for each in (whole, part) if name in each]
        if numbers:
            whole[name] = over(numbers)
