"""Files that are there whole, or not at all.

In:  a path, bytes.   Out: a file, replaced atomically.
Not here: what is in it (files, and whoever else writes).
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Generator
from pathlib import Path
from typing import IO, Union

PathLike = Union[str, "os.PathLike[str]"]


@contextlib.contextmanager
def whole_file(path: PathLike) -> Generator[IO[bytes], None, None]:
    """A stream to a file that appears at ``path`` when all is written and on disk; an error leaves what was there before.

    A process killed while writing leaves its temporary file, ``.NAME.….tmp``, which may be deleted.

    Raises:
        OSError: no such folder, no permission, disk full.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {target.parent} to save {target.name} in: make it first.")
    temporary = str(target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp"))
    # 0o666 is narrowed by the umask: the file gets the permissions that any other file of this user gets.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, str(target))
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_folder(target.parent)


def write_whole(path: PathLike, data: bytes | memoryview) -> None:
    """Write a file at once, as ``whole_file`` does."""
    with whole_file(path) as stream:
        stream.write(data)


def sync_folder(folder: Path) -> None:
    """Make new names in a folder durable; not every system lets one be opened, and none loses the file then."""
    with contextlib.suppress(OSError):
        handle = os.open(str(folder), os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
