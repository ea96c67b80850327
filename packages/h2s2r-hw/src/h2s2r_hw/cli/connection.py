"""How verbs for operators reach the server.

In:  the command line.   Out: options, a ``RobotClient``, answers of whoever sits there.
Not here: the verbs.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from h2s2r_schemas.client import DEFAULT_ADDRESS, ClientKeys, RobotClient

#: Where keys of this machine's user are looked for.
DEFAULT_KEYS = Path("~/.h2s2r/keys")


def add_connection(verb: argparse.ArgumentParser) -> None:
    """Options that say where the server is and who asks."""
    verb.add_argument("--address", default=DEFAULT_ADDRESS, help=f"of the server (default: {DEFAULT_ADDRESS})")
    verb.add_argument(
        "--keys", type=Path, default=DEFAULT_KEYS, help=f"folder with client.key_secret and server.key ({DEFAULT_KEYS})"
    )
    verb.add_argument("--timeout", type=float, default=3.0, help="[s] to wait for the server")


def connect(chosen: argparse.Namespace) -> RobotClient:
    """A client as these options say."""
    return RobotClient(ClientKeys.load(chosen.keys.expanduser()), chosen.address, chosen.timeout)


def agreed(question: str, yes: bool) -> bool:
    """Whether whoever sits there says yes; nobody there is a no."""
    if yes:
        return True
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False
