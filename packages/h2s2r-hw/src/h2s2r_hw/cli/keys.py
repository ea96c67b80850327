"""``h2s2r-hw keys make | client | allow | forget | list``.

In:  the command line.   Out: files of keys, and what to do with them.
Not here: the files themselves (server.keys).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from h2s2r_hw.server.config import GatewayCfg
from h2s2r_hw.server.keys import KeyFolder


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Add the verb."""
    verb = verbs.add_parser("keys", help="who may connect: make, allow, forget and list keys")
    verb.add_argument(
        "--folder", type=Path, default=Path(GatewayCfg().keys), help="of the server's keys (default: keys)"
    )
    kinds = verb.add_subparsers(required=True, metavar="WHAT")
    make = kinds.add_parser("make", help="new keys of the server")
    make.set_defaults(run=_make)
    client = kinds.add_parser(
        "client", help="new keys of a client, in a folder to carry to its machine; allowed at once"
    )
    client.add_argument("name", help="of the client")
    client.add_argument("out", type=Path, help="folder for its keys")
    client.add_argument("--operator", action="store_true", help="may acknowledge faults, reset the e-stop, take over")
    client.set_defaults(run=_client)
    allow = kinds.add_parser("allow", help="allow a public key that a client made itself")
    allow.add_argument("name", help="of the client")
    allow.add_argument("key", type=Path, help="its public key, NAME.key")
    allow.add_argument("--operator", action="store_true", help="as above")
    allow.set_defaults(run=_allow)
    forget = kinds.add_parser("forget", help="allow a key no more; a connection it has lasts until it ends")
    forget.add_argument("name", help="of the client")
    forget.set_defaults(run=_forget)
    listed = kinds.add_parser("list", help="whose keys are allowed")
    listed.set_defaults(run=_list)


def _make(chosen: argparse.Namespace) -> int:
    keys = KeyFolder(chosen.folder).make()
    print(
        f"server.key in {chosen.folder}: {keys.public.decode()}\nserver.key_secret stays there, readable by its owner alone"
    )
    return 0


def _client(chosen: argparse.Namespace) -> int:
    made = KeyFolder(chosen.folder).make_client(chosen.name, chosen.out, chosen.operator)
    print(
        f"{chosen.name} is allowed. Carry {made} to its machine as ~/.h2s2r/keys, over a way you trust, and delete it here."
    )
    return 0


def _allow(chosen: argparse.Namespace) -> int:
    KeyFolder(chosen.folder).allow(chosen.name, chosen.key, chosen.operator)
    print(f"{chosen.name} is allowed. It needs server.key of {chosen.folder} beside its own key.")
    return 0


def _forget(chosen: argparse.Namespace) -> int:
    KeyFolder(chosen.folder).forget(chosen.name)
    print(f"{chosen.name} is allowed no more; restart the server to end a connection it has")
    return 0


def _list(chosen: argparse.Namespace) -> int:
    clients = KeyFolder(chosen.folder).clients()
    for client in clients:
        print(f"{client.name:<20} {'operator' if client.operator else 'client  '} {client.user}")
    if not clients:
        print(f"nobody: h2s2r-hw keys --folder {chosen.folder} client NAME OUT")
    return 0
