"""Messages as bytes and back.

In:  a ``Message``, or bytes from anywhere.   Out: bytes, or a checked ``Message``; for bad bytes a ``SchemaError``.
Not here: files (files), what fields allow (specs, array_spec).

A message is one msgpack map: ``schema``, ``version``, ``producer``, ``fields``. The producer starts with the version of
h2s2r-schemas that wrote it, which is the version to install when a reader is too old.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib import import_module
from typing import Any, Callable, Dict, TypeVar, overload

import msgpack
import numpy as np

from h2s2r_schemas import __version__
from h2s2r_schemas.codec.array_bytes import (
    EXT_CODE,
    array_data,
    array_front,
)
from h2s2r_schemas.codec.array_spec import ArraySpec
from h2s2r_schemas.codec.message import REGISTRY, Message
from h2s2r_schemas.codec.specs import MAX_ITEMS, MAX_TEXT, Spec, is_exactly, shown
from h2s2r_schemas.errors import SchemaError

M = TypeVar("M", bound=Message)
Upgrade = Callable[[Dict[str, Any]], Dict[str, Any]]

PRODUCER = f"h2s2r-schemas {__version__}"
#: Largest message ``decode`` takes unless told otherwise. With the limits below, hostile bytes of this size take at most
#: 64 MiB more than themselves. Files may hold larger ones (files.MAX_BLOCK).
MAX_BYTES = 4 * 2**20
#: Most list and mapping entries, and most arrays, in one message, whatever its nesting.
MAX_ENTRIES = 65_536
MAX_ARRAYS = 16_384
#: Bytes that cannot hold enough entries to matter: they are not counted, which is faster.
_UNCOUNTED = 65_536

_LITTLE = sys.byteorder == "little"
_UPGRADES: dict[tuple[str, int], Upgrade] = {}


def upgrade(schema: str, from_version: int) -> Callable[[Upgrade], Upgrade]:
    """Register the function that turns the fields of ``from_version`` into those of the next version."""

    def register(function: Upgrade) -> Upgrade:
        _UPGRADES[(schema, from_version)] = function
        return function

    return register


class _Plan:
    """How to pack one message class: what never changes is packed once."""

    def __init__(self, cls: type[Message]) -> None:
        entries = ("schema", cls.schema, "version", cls.version, "producer", PRODUCER, "fields")
        self.front = b"\x84" + b"".join(map(_pack, entries))
        self.fields_header = msgpack.Packer().pack_map_header(len(cls.specs))
        self.arrays = [(name, _pack(name)) for name, spec in cls.specs.items() if isinstance(spec, ArraySpec)]
        others = {name: spec for name, spec in cls.specs.items() if not isinstance(spec, ArraySpec)}
        self.others = list(others)
        self.rewritten = [(name, spec) for name, spec in others.items() if type(spec).plain is not Spec.plain]
        # The other fields are packed as one map, whose own header is then cut off.
        self.others_header = len(msgpack.Packer().pack_map_header(len(others)))


_plan = lru_cache(maxsize=None)(_Plan)


def _pack(value: Any) -> bytes:
    packed: bytes = msgpack.packb(value, default=_default)
    return packed


def _default(value: Any) -> Any:
    if is_exactly(value, np.ndarray):
        return msgpack.ExtType(EXT_CODE, array_data(value))
    raise SchemaError(f"{shown(value)} has no form on the wire.")


def encode(message: Message) -> bytes:
    """The bytes of a message. It was checked when it was made, and cannot have changed since."""
    plan = _plan(type(message))
    values = message.__dict__
    parts: list[Any] = [plan.front, plan.fields_header]
    for name, key in plan.arrays:
        array = values[name]
        # Arrays inside a message are little-endian where the machine is; elsewhere array_data turns them.
        parts += (key, array_front(array.dtype, array.shape), array.data) if _LITTLE else (key, _pack(array))
    others = {name: values[name] for name in plan.others}
    for name, spec in plan.rewritten:
        others[name] = spec.plain(others[name])
    parts.append(_pack(others)[plan.others_header :])
    return b"".join(parts)


@overload
def decode(data: bytes, expect: type[M], max_bytes: int = ...) -> M: ...
@overload
def decode(data: bytes, expect: None = None, max_bytes: int = ...) -> Message: ...
def decode(data: bytes, expect: type[Message] | None = None, max_bytes: int = MAX_BYTES) -> Message:
    """The message in ``data``. Its arrays are read-only views, not copies.

    Args:
        data: bytes of one message, from anywhere.
        expect: the class it must have; any known one if not given.
        max_bytes: refuse more than this unread.

    Raises:
        SchemaError: anything that is not exactly one valid message.
    """
    if len(data) > max_bytes:
        raise SchemaError(f"A message of {len(data)} bytes; at most {max_bytes} are allowed here.")
    if expect is not None and data.startswith(_plan(expect).front):
        # The usual case, a message of this very version: the head need not be unpacked to be known.
        return expect.from_fields(_unpack(memoryview(data)[len(_plan(expect).front) :]))
    envelope = _unpack(data)
    if not is_exactly(envelope, dict) or envelope.keys() != {
        "schema",
        "version",
        "producer",
        "fields",
    }:
        raise SchemaError(f"Not an h2s2r message: {shown(envelope)}; a map of schema, version, producer, fields is.")
    cls = _class_of(envelope["schema"])
    if cls is None:
        raise SchemaError(f"Unknown schema {shown(envelope['schema'])}; known: {', '.join(sorted(REGISTRY))}.")
    if expect is not None and cls is not expect:
        raise SchemaError(f"This is a {cls.__name__}; a {expect.__name__} is wanted here.")
    if type(envelope["producer"]) is not str:
        raise SchemaError(f"The producer is {shown(envelope['producer'])}; allowed: text.")
    fields = envelope["fields"]
    if type(envelope["version"]) is not int or envelope["version"] != cls.version:
        fields = _upgraded(cls, envelope["version"], envelope["producer"], fields)
    return cls.from_fields(fields)


def _class_of(schema: Any) -> type[Message] | None:
    if schema.__class__ is not str:
        return None
    if schema not in REGISTRY:
        # Classes are known once their module was imported, which a program that just reads files need not have done.
        for module in ("artifacts", "wire", "demo"):
            import_module(f"h2s2r_schemas.{module}")
    return REGISTRY.get(schema)


def _upgraded(cls: type[Message], version: Any, producer: str, fields: Any) -> Any:
    if type(version) is not int or version < 1:
        raise SchemaError(f"The version of this {cls.__name__} is {shown(version)}; allowed: a whole number from 1.")
    if version > cls.version:
        raise SchemaError(
            f"This {cls.__name__} has version {version}; h2s2r-schemas {__version__} reads up to {cls.version}. "
            f"It was written by {shown(producer)}: install that version of h2s2r-schemas, or a newer one."
        )
    for step in range(version, cls.version):
        if (cls.schema, step) not in _UPGRADES or not is_exactly(fields, dict):
            raise SchemaError(f"No upgrade of {cls.__name__} from version {step} is known.")
        try:
            fields = _UPGRADES[(cls.schema, step)](fields)
        except (KeyError, TypeError, ValueError) as error:
            raise SchemaError(
                f"This {cls.__name__} of version {step} lacks what its upgrade needs: {error}."
            ) from error
    return fields


def _unpack(data: bytes | memoryview) -> Any:
    on_extension, on_list, on_map = (_extension, None, _mapping) if len(data) <= _UNCOUNTED else _counted()
    try:
        return msgpack.unpackb(
            data,
            ext_hook=on_extension,
            list_hook=on_list,
            object_pairs_hook=on_map,
            max_str_len=4 * MAX_TEXT,
            max_bin_len=0,
            max_array_len=MAX_ITEMS,
            max_map_len=MAX_ITEMS,
        )
    except SchemaError:
        raise
    # msgpack reports bad bytes by ValueError and children of it, UnicodeDecodeError, OverflowError and RecursionError.
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise SchemaError(f"Not a readable message ({type(error).__name__}: {error}).") from error


def _extension(code: int, data: bytes) -> bytes:
    if code != EXT_CODE:
        raise SchemaError(f"A value of msgpack extension {code}; only arrays (extension {EXT_CODE}) are allowed.")
    # Bytes stand for an array until the field they are for says what it allows: msgpack's own binary type is refused.
    return data


def _mapping(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    mapping = dict(pairs)
    if len(mapping) != len(pairs):
        raise SchemaError("A mapping names one key twice.")
    return mapping


def _counted() -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """The hooks for extensions, lists and mappings, which also stop a message with too many of them on the way."""
    left = {"entries": MAX_ENTRIES, "arrays": MAX_ARRAYS}

    def spend(what: str, number: int) -> None:
        left[what] -= number
        if left[what] < 0:
            raise SchemaError(f"A message of more than {MAX_ENTRIES} entries or {MAX_ARRAYS} arrays.")

    def on_extension(code: int, data: bytes) -> Any:
        spend("arrays", 1)
        return _extension(code, data)

    def on_list(items: list[Any]) -> list[Any]:
        spend("entries", len(items) + 1)
        return items

    def on_map(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
        spend("entries", len(pairs) + 1)
        return _mapping(pairs)

    return on_extension, on_list, on_map
