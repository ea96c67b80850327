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
from h2s2r_schemas.codec.specs import FloatSpec, MappingSpec, TextSpec, TextsSpec, is_exactly, is_mapping, shown
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


def to_json(meta: DemoMeta) -> str:
    """The text of a ``meta.json``; numbers survive exactly."""
    envelope = {"schema": meta.schema, "version": meta.version, "producer": PRODUCER, "fields": _readable(meta)}
    return json.dumps(envelope, indent=1, allow_nan=False) + "\n"


def _readable(value: Any) -> Any:
    if isinstance(value, Message):
        return {name: _readable(getattr(value, name)) for name in value.specs}
    if is_exactly(value, np.ndarray):
        return {"dtype": value.dtype.name, "values": value.tolist()}
    if is_mapping(value):
        return {str(key): _readable(item) for key, item in value.items()}
    return list(value) if is_exactly(value, tuple) else value


def from_json(text: str, where: str) -> DemoMeta:
    """The ``DemoMeta`` in a ``meta.json``.

    Args:
        text: of the file.
        where: its name, for the error.

    Raises:
        SchemaError: not JSON, another schema or version, or a field that is not allowed.
    """
    try:
        envelope = json.loads(text, object_pairs_hook=_packed)
    except (ValueError, RecursionError, TypeError) as error:
        raise SchemaError(f"{where} is not a readable meta.json: {error}.") from error
    if not is_exactly(envelope, dict) or envelope.keys() != {"schema", "version", "producer", "fields"}:
        raise SchemaError(f"{where} is {shown(envelope)}; a mapping of schema, version, producer, fields is needed.")
    if envelope["schema"] != DemoMeta.schema or envelope["version"] != DemoMeta.version:
        raise SchemaError(
            f"{where} has schema {shown(envelope['schema'])} version {shown(envelope['version'])}; this software reads "
            f"{DemoMeta.schema} version {DemoMeta.version}. It was written by {shown(envelope['producer'])}."
        )
    try:
        return DemoMeta.from_fields(envelope["fields"])
    except SchemaError as error:
        raise SchemaError(f"{where}: {error}") from error


def _packed(pairs: list[tuple[str, Any]]) -> Any:
    """A mapping, or, where it stands for an array, the bytes that the field's own check reads."""
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise ValueError("a key stands twice in one mapping")
    if mapping.keys() != {"dtype", "values"}:
        return mapping
    return array_data(np.array(mapping["values"], dtype=np.dtype(str(mapping["dtype"]))))
