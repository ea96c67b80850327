"""What a server cannot do without, looked at once before any of its processes is started.

In:  settings.   Out: the folder of the log, made where it is missing; one clear error for what is not there.
Not here: what only makes it worse (selftest), devices that are silent (loops), what is missing later (supervisor).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import zmq

from h2s2r_hw.config import ServerCfg
from h2s2r_hw.drivers.can_port import CanPort, open_bus
from h2s2r_hw.drivers.fri.link import ArmLink
from h2s2r_hw.server.keys import KeyFolder
from h2s2r_schemas.client.addresses import published_address
from h2s2r_schemas.errors import H2S2RError


def prepare(cfg: ServerCfg) -> list[str]:
    """Make the log's folder, and find out whether everything else can be had; returns what an operator should know.

    Raises:
        H2S2RError: keys, the log's folder, the cabinet's socket, the hand's bus or the clients' addresses cannot be had.
    """
    keys = KeyFolder(Path(cfg.gateway.keys))
    keys.server_keys()
    _log_folder(Path(cfg.log.folder))
    ArmLink(cfg.arm.own, cfg.arm.cabinet).close()
    CanPort(open_bus(cfg.hand.can_interface, cfg.hand.can_channel)).close()
    _addresses(cfg.gateway.address)
    return list(_remarks(cfg, keys))


def _log_folder(folder: Path) -> None:
    """There, and files can be made in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise H2S2RError(
            f"The log cannot be written to {folder.resolve()} ({error.strerror}), and nothing moves without it: give "
            "the server's user that folder, or choose another log.folder in the settings."
        ) from None


def _addresses(address: str) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    try:
        for each in (address, published_address(address)):
            try:
                context.socket(zmq.ROUTER).bind(each)
            except zmq.ZMQError as error:
                raise H2S2RError(
                    f"gateway.address {each} cannot be listened at ({error}): is another server running, is the address one of "
                    "this PC's?"
                ) from None
    finally:
        context.destroy(0)


def _remarks(cfg: ServerCfg, keys: KeyFolder) -> Iterator[str]:
    clients = keys.clients()
    where = keys.folder.resolve()
    if not clients:
        yield f"nobody is allowed to connect yet: h2s2r-hw keys --folder {where} client NAME OUT"
    elif not any(client.operator for client in clients):
        yield f"no key in {where} is an operator's: faults cannot be acknowledged, nor the e-stop reset"
    yield f"log in {Path(cfg.log.folder).resolve()}, clients at {cfg.gateway.address}"
