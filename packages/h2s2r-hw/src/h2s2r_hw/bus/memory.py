"""Memory that several processes of one machine see, as a file.

In:  a path, a size.   Out: bytes.
Not here: what stands in them (slots, ring).

A file in ``/dev/shm`` is memory and never reaches a disk. It has a name, so that any process may look at it, and it survives
whoever made it, so that a guardian reads the last word of a loop that is dead.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from h2s2r_schemas.errors import H2S2RError


def create(path: Path, size: int) -> memoryview:
    """Zeros of so many bytes, in a new file that replaces one of this name.

    Raises:
        H2S2RError: it cannot be made there.
    """
    try:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            # Not a hole: a full /dev/shm must refuse here, not kill a loop that writes.
            os.posix_fallocate(descriptor, 0, size)
            return _map(descriptor, size)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise H2S2RError(f"{path}: {size} bytes of shared memory cannot be made there ({error}).") from error


def attach(path: Path, size: int) -> memoryview:
    """The bytes of a file that another process made.

    Raises:
        H2S2RError: there is none, or it has another size.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise H2S2RError(f"{path}: no shared memory there ({error.strerror}). Is the server running?") from error
    try:
        found = os.fstat(descriptor).st_size
        if found != size:
            raise H2S2RError(
                f"{path}: {found} bytes, expected {size}. It is another version's: stop the server and start it anew."
            )
        return _map(descriptor, size)
    finally:
        os.close(descriptor)


def _map(descriptor: int, size: int) -> memoryview:
    # All pages at once: otherwise the first write to each stops a loop for it, minutes later.
    return memoryview(mmap.mmap(descriptor, size, mmap.MAP_SHARED | mmap.MAP_POPULATE))
