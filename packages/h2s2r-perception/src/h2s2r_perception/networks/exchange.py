"""Requests to a network in another process, by files in a folder both can see.

In:  an operation, plain values, arrays.   Out: the reply's values and arrays, or its error.
Not here: the other side (server).

The protocol, version 1. One folder, on a disk that both sides see. The server writes ``server.json`` when it is ready::

    {"protocol": 1, "network": "foundationpose", "version": "…"}

A request is a folder ``request-NNNNNN``, a reply a folder ``reply-NNNNNN`` with the same six digits; each is written under
another name (ending in ``.part``) and renamed when complete. Inside: ``values.json`` and one ``NAME.npy`` per array (no
pickled objects). A request's values hold ``operation``; a reply's hold ``ok`` and, where that is false, ``error``. The reader
of a folder deletes it. One request at a time.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_schemas.errors import H2S2RError

PROTOCOL = 1
SERVER, VALUES, PART = "server.json", "values.json", ".part"


class NetworkError(H2S2RError):
    """A network is not there, does not answer, or could not do what was asked."""


@dataclass(frozen=True)
class Reply:
    """What a server answered."""

    values: Mapping[str, Any]
    """Plain values."""
    arrays: Mapping[str, np.ndarray]
    """By name."""


class Exchange:
    """The asking side.

    Args:
        folder: that the server was started with.
        network: that is expected there.
        poll: [s] between two looks at the folder.

    Raises:
        NetworkError: no server there, another network, or another version of the protocol.
    """

    def __init__(self, folder: Path, network: str, poll: float = 0.005) -> None:
        self._folder, self._network, self._poll = folder, network, poll
        self._count = 0
        server = folder / SERVER
        try:
            said = json.loads(server.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise NetworkError(
                f"No server for {network} at {folder} ({error}). Start it there first, in its own environment; `doctor` says how."
            ) from error
        if not isinstance(said, dict) or said.get("protocol") != PROTOCOL or said.get("network") != network:
            raise NetworkError(
                f"{server} says {said}; {network} with protocol {PROTOCOL} is wanted. Give its own folder."
            )
        numbers = [int(path.name[8:14]) for path in folder.glob("request-??????") if path.name[8:14].isdigit()]
        self._count = max(numbers, default=-1) + 1

    def ask(
        self,
        operation: str,
        values: Mapping[str, Any] | None = None,
        arrays: Mapping[str, np.ndarray] | None = None,
        timeout: float = 60.0,
    ) -> Reply:
        """Ask, and wait for the answer.

        Args:
            operation: of the server.
            values: plain values that JSON knows.
            arrays: by name.
            timeout: [s] to wait.

        Raises:
            NetworkError: the server says what was wrong, does not answer in time, or answers what cannot be read.
        """
        name = f"{self._count:06d}"
        self._count += 1
        write_folder(self._folder / f"request-{name}", {"operation": operation, **(values or {})}, arrays or {})
        reply, end = self._folder / f"reply-{name}", time.monotonic() + timeout
        while not reply.is_dir():
            if time.monotonic() > end:
                shutil.rmtree(self._folder / f"request-{name}", ignore_errors=True)
                raise NetworkError(
                    f"{self._network} did not answer {operation!r} within {timeout:g} s. Look at the output of its server; the "
                    "first request after a start takes longest."
                )
            time.sleep(self._poll)
        try:
            found = read_folder(reply)
        except (OSError, ValueError) as error:
            raise NetworkError(f"The reply of {self._network} to {operation!r} cannot be read: {error}") from error
        finally:
            shutil.rmtree(reply, ignore_errors=True)
        if found.values.get("ok") is not True:
            raise NetworkError(f"{self._network} could not {operation}: {found.values.get('error', 'no reason given')}")
        return found


def write_folder(folder: Path, values: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> None:
    """A message as a folder, complete when it has its name."""
    part = folder.with_name(folder.name + PART)
    part.mkdir(parents=True)
    for name, array in arrays.items():
        np.save(part / f"{name}.npy", np.ascontiguousarray(array), allow_pickle=False)
    (part / VALUES).write_text(json.dumps(dict(values)), encoding="utf-8")
    part.replace(folder)


def read_folder(folder: Path) -> Reply:
    """A message of a folder.

    Raises:
        OSError, ValueError: a file is missing or damaged.
    """
    values = json.loads((folder / VALUES).read_text(encoding="utf-8"))
    if not isinstance(values, dict):
        raise ValueError(f"{VALUES} holds no mapping")
    return Reply(values, {path.stem: np.load(path, allow_pickle=False) for path in sorted(folder.glob("*.npy"))})
