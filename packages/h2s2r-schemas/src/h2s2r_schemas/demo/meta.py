"""``meta.json``: what a recording says about itself.

In:  a ``DemoMeta``, or the text of a ``meta.json``.   Out: the other one.
Not here: the frames (folder, writer).
"""

from __future__ import annotations

import json
from typing import Any, Mapping

import numpy as np

from h2s2r_schemas.artifacts.calibration import Calibration
from h2s2r_schemas.codec.array_bytes import array_data
from h2s2r_schemas.codec.array_spec import ArraySpec
from h2s2r_schemas.codec.encoding import PRODUCER
from h2s2r_schemas.codec.message import Message, MessageSpec, field, message
from h2s2r_schemas.codec.specs import (
    BoolSpec,
    FloatSpec,
    MappingSpec,
    OptionalSpec,
    Spec,
    TextSpec,
    TextsSpec,
    is_exactly,
    is_mapping,
    shown,
)
from h2s2r_schemas.demo.layout import META
from h2s2r_schemas.errors import SchemaError


@message("h2s2r.DemoMeta", version=1)
class DemoMeta(Message):
    """Everything about a recording that is not a picture."""

    name: str = field(TextSpec(empty=False, max_length=128))
    """Short name."""
    calibration: Calibration = field(MessageSpec(Calibration))
    """Both cameras' intrinsics, and where the camera stands."""
    depth_unit: float = field(FloatSpec(1e-6, 1.0, "m"))
    """[m] that one count of a depth picture stands for: 0.001 for millimetres. A count of 0 is no measurement."""
    licence: str = field(TextSpec(empty=False))
    """Licence of the pictures, in words; ``"not stated"`` where nobody stated one."""
    time: np.ndarray = field(ArraySpec(("T",), unit="s", increasing=True), default_factory=lambda: np.zeros(0))
    """(T) [s] when each frame was taken, since the start of the recording, strictly growing."""
    mask_names: tuple[str, ...] = field(TextsSpec("M"), default_factory=tuple)
    """(M) what each mask shows, e.g. ``("object", "hand")``; the position is the object id in BOP file names."""
    source: str = field(TextSpec(), default="")
    """Camera, or the data set and revision it was converted from."""
    notes: Mapping[str, str] = field(MappingSpec(TextSpec()), default_factory=dict)
    """Anything else, e.g. the seed of a rendered recording."""
    time_measured: bool = field(BoolSpec(), default=True)
    """Whether ``time`` came with the frames; false where it was made up from a nominal rate."""


def to_json(meta: DemoMeta) -> str:
    """The text of a ``meta.json``; numbers survive exactly."""
    envelope = {"schema": meta.schema, "version": meta.version, "producer": PRODUCER, "fields": _readable(meta)}
    return json.dumps(envelope, indent=1, allow_nan=False) + "\n"


def _readable(value: Any) -> Any:
    if isinstance(value, Message):
        return {name: _readable(getattr(value, name)) for name in value.specs}
    if is_exactly(value, np.ndarray):
        return value.tolist()
    if is_mapping(value):
        return {str(key): _readable(item) for key, item in value.items()}
    return list(value) if is_exactly(value, tuple) else value


def from_json(data: bytes | str, where: str) -> DemoMeta:
    """The ``DemoMeta`` in a ``meta.json``.

    Args:
        data: content of the file.
        where: its name, for the error.

    Raises:
        SchemaError: not JSON, another schema or version, or a field that is not allowed.
    """
    try:
        text = data.decode("utf-8") if isinstance(data, bytes) else data
        envelope = json.loads(text, object_pairs_hook=_unrepeated)
    except (ValueError, RecursionError) as error:
        raise SchemaError(f"{where} is not a readable {META}: {error}.") from error
    if not is_exactly(envelope, dict) or envelope.keys() != {"schema", "version", "producer", "fields"}:
        raise SchemaError(f"{where} is {shown(envelope)}; a mapping of schema, version, producer, fields is needed.")
    if envelope["schema"] != DemoMeta.schema or envelope["version"] != DemoMeta.version:
        raise SchemaError(
            f"{where} has schema {shown(envelope['schema'])} version {shown(envelope['version'])}; this software reads "
            f"{DemoMeta.schema} version {DemoMeta.version}. It was written by {shown(envelope['producer'])}: install that, "
            "or a newer one."
        )
    try:
        return DemoMeta.from_fields(_packed(envelope["fields"], DemoMeta))
    except SchemaError as error:
        raise SchemaError(f"{where}: {error}") from error


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise ValueError("a key stands twice in one mapping")
    return mapping


def _packed(fields: Any, cls: type[Message]) -> Any:
    """Fields as they are on the wire: lists of numbers become the bytes of the array that the field's spec wants."""
    if not is_exactly(fields, dict):
        return fields
    return {name: _packed_value(value, cls.specs.get(name), name) for name, value in fields.items()}


def _packed_value(value: Any, spec: Spec | None, name: str) -> Any:
    if isinstance(spec, OptionalSpec):
        return None if value is None else _packed_value(value, spec.inner, name)
    if isinstance(spec, MessageSpec):
        return _packed(value, spec.cls)
    if isinstance(spec, ArraySpec):
        return array_data(spec.coerce(value, name, {}))
    if isinstance(spec, FloatSpec) and is_exactly(value, int) and abs(value) < 2**53:
        return float(value)  # JSON knows one kind of number
    return value
