"""Messages as files: written whole, hashed, and streamed when long.

In:  messages.   Out: one file, replaced atomically; or the messages read back from one.
Not here: folders of recordings (demo).

A file is the magic, then blocks (length u64, the bytes of one message), then an end mark (length 0, number of blocks
u64, SHA-256 of everything before). A long log is many blocks of one class, each a stretch of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
from collections.abc import Generator, Iterator
from typing import IO, Any, TypeVar, overload

import numpy as np

from h2s2r_schemas.codec.array_spec import ArraySpec
from h2s2r_schemas.codec.encoding import decode, encode
from h2s2r_schemas.codec.message import Message
from h2s2r_schemas.codec.specs import OptionalSpec, Spec, is_exactly
from h2s2r_schemas.codec.whole import PathLike, whole_file
from h2s2r_schemas.errors import SchemaError

M = TypeVar("M", bound=Message)

MAGIC = b"H2S2R\x00\x01\n"
#: Largest message in a file unless told otherwise; more is appended in stretches.
MAX_BLOCK = 256 * 2**20
_LENGTH = struct.Struct("<Q")
_HASH_BYTES = 32


class Writer:
    """Appends messages of one class to a file that appears only when all of it is on disk. See ``open_writer``."""

    content_hash = ""
    """As ``content_hash`` will read it from the file; empty until all is written."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._hash = stream, hashlib.sha256()
        self._class: type[Message] | None = None
        self._count, self._whole = 0, True
        self._put(MAGIC)

    def _put(self, *parts: bytes) -> None:
        self._whole = False
        for part in parts:
            self._stream.write(part)
            self._hash.update(part)
        self._whole = True

    def append(self, message: Message) -> None:
        """Add one message.

        Raises:
            SchemaError: it has another class than those before, or is too large to be read back.
            OSError: it cannot be written (disk full, …); then nothing of this file is kept.
        """
        if self._class is not None and self._class is not type(message):
            raise SchemaError(
                f"This file holds {self._class.__name__}s; a {type(message).__name__} cannot be appended to it."
            )
        data = encode(message)
        # What nobody could read back is refused while the caller still has it.
        decode(data, type(message), MAX_BLOCK)
        self._put(_LENGTH.pack(len(data)), data)
        self._class = type(message)
        self._count += 1

    def finish(self) -> None:
        """Write the end mark and the content hash.

        Raises:
            OSError: an ``append`` before was cut off, so the file cannot be whole.
        """
        if not self._whole:
            raise OSError("An earlier part of this file could not be written, so nothing of it is kept: save it again.")
        self._put(_LENGTH.pack(0), _LENGTH.pack(self._count))
        self._stream.write(self._hash.digest())
        self.content_hash = self._hash.hexdigest()


@contextlib.contextmanager
def open_writer(path: PathLike) -> Generator[Writer, None, None]:
    """A ``Writer`` for a long log. On an error or a crash nothing appears at ``path``, and an old file there stays (``whole``).

    Raises:
        OSError: no such folder, no permission, disk full.
    """
    with whole_file(path) as stream:
        writer = Writer(stream)
        yield writer
        writer.finish()


def save(message: Message, path: PathLike) -> str:
    """Write one message to ``path``: a crash leaves the old file or the new one, never a third.

    Returns:
        The content hash of the file.

    Raises:
        SchemaError: it is too large to be read back; a log is saved in stretches (``open_writer``).
        OSError: no such folder, no permission, disk full.
    """
    with open_writer(path) as writer:
        writer.append(message)
    return writer.content_hash


def iter_blocks(path: PathLike, max_bytes: int = MAX_BLOCK) -> Iterator[bytes]:
    """The bytes of each message of a file, one at a time. The hash is checked when the last was read.

    Raises:
        SchemaError: another kind of file, a damaged or cut one, a block over ``max_bytes``.
        OSError: it cannot be read.
    """
    with open(path, "rb") as stream:
        digest = hashlib.sha256()

        def take(length: int) -> bytes:
            data = stream.read(length)
            if len(data) != length:
                raise SchemaError(f"{path} ends in the middle: it is cut short or was not written by h2s2r-schemas.")
            digest.update(data)
            return data

        if stream.read(len(MAGIC)) != MAGIC:
            raise SchemaError(f"{path} is not an h2s2r file: it does not start with the h2s2r magic bytes.")
        digest.update(MAGIC)
        most, count = min(max_bytes, os.fstat(stream.fileno()).st_size), 0
        while True:
            (length,) = _LENGTH.unpack(take(_LENGTH.size))
            if length == 0:
                break
            if length > most:
                raise SchemaError(f"{path}: a block of {length} bytes; at most {most} can be right.")
            yield take(length)
            count += 1
        (stored_count,) = _LENGTH.unpack(take(_LENGTH.size))
        if stored_count != count or stream.read(_HASH_BYTES + 1) != digest.digest():
            raise SchemaError(
                f"{path} is damaged: its content does not match its hash. Take it from a copy, or make it anew."
            )


def read_hash(path: PathLike) -> str:
    """The content hash that stands at the end of a file, as hexadecimal text; ``iter_load`` is what compares it."""
    with open(path, "rb") as stream:
        stream.seek(-_HASH_BYTES, os.SEEK_END)
        return stream.read().hex()


def content_hash(path: PathLike) -> str:
    """The content hash of a file, compared with its content: what a stage is cached by.

    Raises:
        SchemaError, OSError: as ``iter_blocks``.
    """
    for _ in iter_blocks(path):
        pass
    return read_hash(path)


def iter_load(path: PathLike, expect: type[M] | None = None, max_bytes: int = MAX_BLOCK) -> Iterator[Any]:
    """The messages of a file one by one; memory holds one at a time. The hash is checked when the last was read.

    Raises:
        SchemaError: as ``iter_blocks``; a block that is no valid message, or one of a wrong class.
        OSError: it cannot be read.
    """
    for index, block in enumerate(iter_blocks(path, max_bytes)):
        try:
            decoded: Any = decode(block, expect, max_bytes)  # type: ignore[arg-type]
        except SchemaError as error:
            raise SchemaError(f"{path}, message {index}: {error}") from error
        yield decoded


@overload
def load(path: PathLike, expect: type[M]) -> M: ...
@overload
def load(path: PathLike, expect: None = None) -> Message: ...
def load(path: PathLike, expect: type[Message] | None = None) -> Message:
    """The message in a file; the stretches of a long log are joined along their first named dimension.

    Raises:
        SchemaError: as ``iter_load``; a file without messages; stretches that cannot be joined.
    """
    parts: list[Message] = list(iter_load(path, expect))
    if not parts:
        raise SchemaError(f"{path} holds no message.")
    return parts[0] if len(parts) == 1 else join(parts)


def join(parts: list[M]) -> M:
    """Stretches of one log as a whole: arrays over the class's ``stream_dim`` one after the other, what is known
    only at the end (``stream_last``) from the last one, the rest equal.

    Raises:
        SchemaError: the class has no ``stream_dim``, or a field that should be equal differs.
    """
    cls = type(parts[0])
    if not cls.stream_dim:
        raise SchemaError(f"{cls.__name__} is not a log: {len(parts)} of them in one file cannot be joined.")
    fields: dict[str, Any] = {}
    for name, spec in cls.specs.items():
        values = [getattr(part, name) for part in parts]
        if grows(spec, cls.stream_dim) and all(is_exactly(value, np.ndarray) for value in values):
            fields[name] = np.concatenate(values)
            # The message then keeps this array instead of copying it.
            fields[name].setflags(write=False)
        elif name in cls.stream_last or all(_same(value, values[-1]) for value in values):
            fields[name] = values[-1]
        else:
            raise SchemaError(f"{cls.__name__}.{name} differs between stretches of one log; it must not.")
    return cls(**fields)


def grows(spec: Spec, stream_dim: str) -> bool:
    """Whether a field gets longer with each stretch of a log: an array whose first dimension is ``stream_dim``."""
    if isinstance(spec, OptionalSpec):
        spec = spec.inner
    return isinstance(spec, ArraySpec) and spec.shape[:1] == (stream_dim,)


def _same(a: Any, b: Any) -> bool:
    if is_exactly(a, np.ndarray) and is_exactly(b, np.ndarray):
        return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    return type(a) is type(b) and bool(a == b)
