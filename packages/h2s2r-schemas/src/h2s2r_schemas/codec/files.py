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
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar, Union, overload

import numpy as np

from h2s2r_schemas.codec.array_spec import ArraySpec
from h2s2r_schemas.codec.encoding import decode, encode
from h2s2r_schemas.codec.message import Message
from h2s2r_schemas.errors import SchemaError

M = TypeVar("M", bound=Message)
PathLike = Union[str, "os.PathLike[str]"]

MAGIC = b"H2S2R\x00\x01\n"
#: Largest message in a file unless told otherwise; more is appended in stretches.
MAX_BLOCK = 256 * 2**20
_LENGTH = struct.Struct("<Q")
_HASH_BYTES = 32


class Writer:
    """Appends messages of one class to a file that appears only when all of it is on disk. See ``open_writer``."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._hash = stream, hashlib.sha256()
        self._class: type[Message] | None = None
        self._count = 0
        self._put(MAGIC)

    def _put(self, data: bytes) -> None:
        self._stream.write(data)
        self._hash.update(data)

    def append(self, message: Message) -> None:
        """Add one message.

        Raises:
            SchemaError: it has another class than those before.
        """
        if self._class not in (None, type(message)):
            raise SchemaError(f"This file holds {self._class}; a {type(message).__name__} cannot be appended to it.")
        self._class = type(message)
        data = encode(message)
        self._put(_LENGTH.pack(len(data)))
        self._put(data)
        self._count += 1

    def finish(self) -> str:
        """Write the end mark; returns the content hash."""
        self._put(_LENGTH.pack(0) + _LENGTH.pack(self._count))
        self._stream.write(self._hash.digest())
        return self._hash.hexdigest()


@contextlib.contextmanager
def open_writer(path: PathLike) -> Generator[Writer, None, None]:
    """A ``Writer`` for a long log. On an error or a crash nothing appears at ``path``, and an old file there stays.

    A process killed while writing leaves its temporary file, ``.NAME.….tmp``, which may be deleted.
    """
    target = Path(path)
    handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=str(target.parent))
    try:
        with os.fdopen(handle, "wb") as stream:
            writer = Writer(stream)
            yield writer
            writer.finish()
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, str(target))
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name durable; not every system lets a folder be opened, and none loses the file then."""
    with contextlib.suppress(OSError):
        handle = os.open(str(folder), os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def save(message: Message, path: PathLike) -> None:
    """Write one message to ``path``: a crash leaves the old file or the new one, never a third."""
    with open_writer(path) as writer:
        writer.append(message)


def iter_load(path: PathLike, expect: type[M] | None = None, max_bytes: int = MAX_BLOCK) -> Iterator[Any]:
    """The messages of a file one by one; memory holds one at a time. The hash is checked when the last was read.

    Raises:
        SchemaError: another kind of file, a damaged or cut one, a wrong class, a block over ``max_bytes``.
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
        remaining, count, length = os.fstat(stream.fileno()).st_size, 0, 0
        while True:
            (length,) = _LENGTH.unpack(take(_LENGTH.size))
            if length == 0:
                break
            if length > min(max_bytes, remaining):
                raise SchemaError(
                    f"{path}: a block of {length} bytes; at most {min(max_bytes, remaining)} can be right."
                )
            yield decode(take(length), expect, max_bytes)  # type: ignore[arg-type]
            count += 1
        _check_end(
            path,
            take(_LENGTH.size),
            count,
            stream.read(_HASH_BYTES + 1),
            digest.digest(),
        )


def _check_end(path: PathLike, count_bytes: bytes, count: int, stored: bytes, actual: bytes) -> None:
    if _LENGTH.unpack(count_bytes)[0] != count or stored != actual:
        raise SchemaError(
            f"{path} is damaged: its content does not match its hash. Take it from a copy, or make it anew."
        )


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
    """Stretches of one log as a whole: arrays over the class's ``stream_dim`` one after the other, the rest equal.

    Raises:
        SchemaError: the class has no ``stream_dim``, or a field that should be equal differs.
    """
    cls = type(parts[0])
    dim = cls.stream_dim
    if not dim:
        raise SchemaError(f"{cls.__name__} is not a log: {len(parts)} of them in one file cannot be joined.")
    fields = {}
    for name, spec in cls.specs.items():
        values = [getattr(part, name) for part in parts]
        if isinstance(spec, ArraySpec) and spec.shape[:1] == (dim,):
            fields[name] = np.concatenate(values)
        elif all(_same(value, values[0]) for value in values):
            fields[name] = values[0]
        else:
            raise SchemaError(f"{cls.__name__}.{name} differs between stretches of one log; it must not.")
    return cls(**fields)


def _same(a: Any, b: Any) -> bool:
    return np.array_equal(a, b) if type(a) is np.ndarray and type(b) is np.ndarray else bool(a == b)
