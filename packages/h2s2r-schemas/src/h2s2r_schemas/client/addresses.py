"""Where a robot server listens and what its frames are called.

In:  the address of requests.   Out: the address of states; names of frames and channels.
Not here: sockets (robot, and h2s2r-hw's gateway).

Requests and commands go to the address itself as one frame, the message; answers come back as two, a kind and the message.
States are published on the next port as two frames, a topic and the message. Whoever subscribes to ``HELLO`` followed by a
name of its own gets the ``Hello`` under that topic; as subscriptions are served in order, one to ``STATE`` made before is
then in force, and no state is missed unknowingly.
"""

from __future__ import annotations

import re

from h2s2r_schemas.errors import SchemaError

DEFAULT_ADDRESS = "tcp://127.0.0.1:5710"
#: Topics of what is published.
STATE, FAULT, HELLO = b"state", b"fault", b"hello/"
#: Kinds of answers: to a request, and to a message that was refused otherwise.
REPLY, REFUSED = b"reply", b"refused"

#: Channels of a clock that counts messages: to the server, and states of it. See ``own_channels`` for those to one client.
TO_SERVER, STATES = "to server", "states"


def own_channels(name: str) -> tuple[str, str]:
    """Channels of what one client alone gets: answers, and the hello."""
    return f"answers to {name}", f"hello to {name}"


def published_address(address: str) -> str:
    """Where the server at an address publishes: on the next port, or beside the file of an ``ipc`` address.

    Raises:
        SchemaError: it is no such address.
    """
    if address.startswith("ipc://") and len(address) > len("ipc://"):
        return address + ".states"
    found = re.fullmatch(r"(tcp://.+):(\d{1,5})", address)
    if found is None or not 0 < int(found.group(2)) < 65_535:
        raise SchemaError(
            f"{address!r} is no address of a robot server; write tcp://HOST:PORT, e.g. {DEFAULT_ADDRESS}."
        )
    return f"{found.group(1)}:{int(found.group(2)) + 1}"
