"""Keys of the server and of those who may connect, as files.

In:  a folder.   Out: ``KeyFolder``: the server's own keys, whose key is allowed, with which role.
Not here: the handshake (zap), a client's side (schemas' client).

In the folder: ``server.key`` and ``server.key_secret``; ``allowed/NAME.key`` and ``operators/NAME.key``, the public keys of
those who may connect. Making a client's keys gives a folder to carry to the client's machine: ``client.key``,
``client.key_secret``, ``server.key``. The files are certificates of ``zmq.auth``.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zmq.auth

from h2s2r_hw.server.lease import Client
from h2s2r_schemas.errors import H2S2RError

#: Its types are declared in part only.
_AUTH: Any = zmq.auth
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_ROLES = {"allowed": False, "operators": True}


class NoKeyError(H2S2RError):
    """A key is missing, exists already, or cannot be read."""


@dataclass(frozen=True)
class ServerKeys:
    """What the server proves itself with."""

    public: bytes
    """40 characters, z85."""
    secret: bytes
    """40 characters, z85."""


class KeyFolder:
    """Keys in a folder; what is changed there counts from the next handshake on.

    Args:
        folder: where; ``make`` fills it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, Client] = {}

    def make(self) -> ServerKeys:
        """New keys of a server.

        Raises:
            NoKeyError: there are some already.
        """
        for role in _ROLES:
            (self.folder / role).mkdir(parents=True, exist_ok=True)
        _create(self.folder, "server")
        return self.server_keys()

    def server_keys(self) -> ServerKeys:
        """The server's own.

        Raises:
            NoKeyError: there are none.
        """
        public, secret = _load(self.folder / "server.key_secret")
        if secret is None:
            raise NoKeyError(
                f"{self.folder / 'server.key_secret'} holds no secret key: make new ones, h2s2r-hw keys make."
            )
        return ServerKeys(public, secret)

    def make_client(self, name: str, target: Path, operator: bool) -> Path:
        """New keys of a client, allowed here, in a folder to be carried to its machine; returns that folder.

        Raises:
            NoKeyError: the name is taken or no name, or there are keys in the folder already.
        """
        self._check_new(name)
        target.mkdir(parents=True, exist_ok=True)
        _create(target, "client")
        shutil.copyfile(self.folder / "server.key", target / "server.key")
        self.allow(name, target / "client.key", operator)
        return target

    def allow(self, name: str, public_key: Path, operator: bool) -> None:
        """Allow the holder of a public key to connect.

        Raises:
            NoKeyError: the name is taken or no name, the key is allowed under another one, or the file holds none.
        """
        self._check_new(name)
        user = _load(public_key)[0].decode()
        if (holder := self._read().get(user)) is not None:
            raise NoKeyError(f"This key is allowed already, as {holder.name!r}: forget that name first.")
        if _load(public_key)[1] is not None:
            raise NoKeyError(
                f"{public_key} holds a secret key, which stays with its owner: give the public one, NAME.key."
            )
        shutil.copyfile(public_key, self.folder / ("operators" if operator else "allowed") / f"{name}.key")

    def forget(self, name: str) -> None:
        """Allow a key no more. A connection that it has already lasts until it ends.

        Raises:
            NoKeyError: there is no such name.
        """
        found = [path for role in _ROLES if (path := self.folder / role / f"{name}.key").exists()]
        if not found or not _NAME.fullmatch(name):
            raise NoKeyError(f"No key is called {name!r}; there are: {', '.join(self._names()) or 'none'}.")
        for path in found:
            path.unlink()

    def clients(self) -> list[Client]:
        """Everybody who may connect, by name."""
        return sorted(self._read().values(), key=lambda client: client.name)

    def allowed(self, user: str) -> bool:
        """Whether the holder of this public key may connect now."""
        self._known = self._read()
        return user in self._known

    def client(self, user: str) -> Client:
        """Who has this public key; one that was forgotten while connected has no role."""
        found = self._known.get(user)
        return found if found is not None else Client(user, "forgotten", False)

    def _read(self) -> dict[str, Client]:
        found: dict[str, Client] = {}
        for role, operator in _ROLES.items():
            for path in sorted((self.folder / role).glob("*.key")):
                user = _load(path)[0].decode()
                found[user] = Client(user, path.stem, operator)
        return found

    def _names(self) -> list[str]:
        return [client.name for client in self.clients()]

    def _check_new(self, name: str) -> None:
        if not (self.folder / "server.key").exists():
            raise NoKeyError(f"{self.folder} holds no keys of a server: h2s2r-hw keys make.")
        if not _NAME.fullmatch(name):
            raise NoKeyError(f"{name!r} is no name: letters, digits, '_', '.', '-', at most 64.")
        if name in self._names():
            raise NoKeyError(f"The name {name!r} is taken; there are: {', '.join(self._names())}.")


def _create(folder: Path, name: str) -> None:
    secret = folder / f"{name}.key_secret"
    try:
        # Made first and empty, so that the secret is never readable by others.
        os.close(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise NoKeyError(f"{secret} exists already: keep it, or choose another folder.") from None
    _AUTH.create_certificates(folder, name)


def _load(path: Path) -> tuple[bytes, bytes | None]:
    try:
        return _AUTH.load_certificate(path)
    except (OSError, ValueError) as error:
        raise NoKeyError(f"{path} cannot be read as a key ({error}). Make keys with h2s2r-hw keys make.") from None
