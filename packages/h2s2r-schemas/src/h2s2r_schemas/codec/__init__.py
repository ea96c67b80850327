"""Messages as bytes and as files.

In:  messages.   Out: ``encode``/``decode`` for bytes, ``save``/``load`` and the streaming pair for files;
files of anybody's that are written whole.
Not here: the messages themselves (artifacts, wire).
"""

from h2s2r_schemas.codec.encoding import decode, encode, upgrade
from h2s2r_schemas.codec.files import iter_load, load, open_writer, save
from h2s2r_schemas.codec.message import REGISTRY, Message
from h2s2r_schemas.codec.whole import whole_file, write_whole

__all__ = [
    "REGISTRY",
    "Message",
    "decode",
    "encode",
    "iter_load",
    "load",
    "open_writer",
    "save",
    "upgrade",
    "whole_file",
    "write_whole",
]
