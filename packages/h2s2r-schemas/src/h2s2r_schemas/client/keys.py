"""What a client proves itself with, and how it knows the server.

In:  a folder made by ``h2s2r-hw keys``.   Out: ``ClientKeys``.
Not here: making keys (h2s2r-hw).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zmq.auth

from h2s2r_schemas.errors import SchemaError

#: Its types are declared in part only.
_AUTH: Any = zmq.auth


@dataclass(frozen=True)
class ClientKeys:
    """Three keys of CURVE, each 40 characters (z85)."""

    public: bytes
    """The client's, which the server allows."""
    secret: bytes
    """The client's, which never leaves its machine."""
    server: bytes
    """The server's public one: nobody else can pose as it."""

    @staticmethod
    def load(folder: str | Path) -> ClientKeys:
        """The keys in a folder with ``client.key_secret`` and ``server.key``.

        Raises:
            SchemaError: a file is missing or holds no key.
        """
        folder = Path(folder).expanduser()
        public, secret = _load(folder / "client.key_secret")
        if secret is None:
            raise SchemaError(f"{folder / 'client.key_secret'} holds no secret key: make keys on the robot PC anew.")
        return ClientKeys(public, secret, _load(folder / "server.key")[0])

    def __repr__(self) -> str:
        return f"ClientKeys(public={self.public!r}, server={self.server!r})"


def _load(path: Path) -> tuple[bytes, bytes | None]:
    try:
        return _AUTH.load_certificate(path)
    except (OSError, ValueError) as error:
        raise SchemaError(
            f"{path} cannot be read as a key ({error}). Make keys on the robot PC with `h2s2r-hw keys client NAME` and copy "
            "their folder here."
        ) from None
