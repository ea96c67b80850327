# What h2s2r uses of msgpack, which ships no types. Read by pyright alone.
from collections.abc import Callable
from typing import Any

class ExtType:
    code: int
    data: bytes
    def __init__(self, code: int, data: bytes) -> None: ...

class UnpackException(Exception): ...

class Packer:
    def __init__(self, *, default: Callable[[Any], Any] | None = ...) -> None: ...
    def pack_map_header(self, size: int) -> bytes: ...

def packb(o: Any, *, default: Callable[[Any], Any] | None = ...) -> bytes: ...
def unpackb(
    packed: bytes | memoryview,
    *,
    ext_hook: Callable[[int, bytes], Any] = ...,
    list_hook: Callable[[list[Any]], Any] | None = ...,
    object_pairs_hook: Callable[[list[tuple[Any, Any]]], Any] | None = ...,
    max_str_len: int = ...,
    max_bin_len: int = ...,
    max_array_len: int = ...,
    max_map_len: int = ...,
) -> Any: ...
