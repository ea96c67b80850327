"""Why can I not reach or move the robot? Looks step by step from where the client stands.

In:  an address, a folder of keys.   Out: a ``Check`` per step; after one that fails, the later ones make no sense.
Not here: the robot PC itself (selftest).
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

from h2s2r_hw.selftest.check import Check
from h2s2r_hw.server.sockets import is_loopback
from h2s2r_schemas.client import ClientKeys, RobotClient, Session
from h2s2r_schemas.client.addresses import published_address
from h2s2r_schemas.errors import H2S2RError, RobotFault, SchemaError
from h2s2r_schemas.wire import RobotState

#: [s] for which states are counted.
_LISTEN = 2.0
_CONNECT = 2.0
#: What a state that cannot be armed from waits for.
_WAITS = {
    "offline": "A device is silent, or a loop has ended: see the server's own lines, cables, and whether the cabinet's "
    "application runs.",
    "monitor": "The connection is not good yet, the hand is not identified, or the key or the drives are not as they must be.",
    "fault": "A fault is latched: h2s2r-hw status shows cause and remedy, h2s2r-hw ack acknowledges it.",
    "estop": "The e-stop is latched: h2s2r-hw ack --estop, with the lease free.",
}


def examine(address: str, keys_folder: Path, timeout: float = 3.0) -> Iterator[Check]:
    """Each step as soon as it is done."""
    try:
        keys = ClientKeys.load(keys_folder)
    except SchemaError as error:
        yield Check("keys", False, str(error), "Ask whoever runs the robot PC for a folder of keys.")
        return
    yield Check("keys", True, f"{keys_folder}, public key {keys.public.decode()}")
    try:
        addresses = (address, published_address(address))
    except SchemaError as error:
        yield Check("address", False, str(error), "Write the address as the server's settings have it.")
        return
    for each in addresses:
        check = _reach(each)
        yield check
        if not check.ok:
            return
    yield from _talk(keys, address, timeout)


def _reach(address: str) -> Check:
    """Whether somebody listens there."""
    if address.startswith("ipc://"):
        there = Path(address[len("ipc://") :]).exists()
        return Check("server", there, address, "Start the server: h2s2r-hw serve.")
    host, _, port = address[len("tcp://") :].rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT).close()
    except OSError as error:
        remedy = "Start the server there (h2s2r-hw serve)."
        if is_loopback(address):
            remedy += " This address is this machine's own; give --address for another one."
        else:
            remedy += " A server listens to other machines only if gateway.address in its settings says so; see firewalls too."
        return Check("server", False, f"{address}: {error}.", remedy)
    return Check("server", True, f"somebody listens at {address}")


def _talk(keys: ClientKeys, address: str, timeout: float) -> Iterator[Check]:
    try:
        client = RobotClient(keys, address, timeout)
    except RobotFault as error:
        yield Check(
            "handshake",
            False,
            error.cause,
            "The key is not allowed there (h2s2r-hw keys list), server.key is another server's, or it has no room.",
        )
        return
    with client:
        hello = client.hello()
        kind = "emulated" if hello.emulated else "real"
        yield Check("handshake", True, f"{hello.server}, {kind} {hello.robot.name}, {hello.robot.hash()}")
        try:
            yield from _listen(client)
        except H2S2RError as error:
            yield Check("states", False, str(error), "See the server's own lines.")


def _listen(client: RobotClient) -> Iterator[Check]:
    session = Session(client)
    first = last = session.state
    slowest = 1.0 / float(client.hello().command_hz[0])
    longest = 0.0
    while last.time - first.time < _LISTEN:
        state = session.next_state()
        longest, last = max(longest, state.time - last.time), state
    count = last.sequence - first.sequence
    found = f"{count / (last.time - first.time):.1f}/s, longest pause {1e3 * longest:.0f} ms, {client.lost_states} lost"
    fine = longest <= slowest and client.lost_states == 0
    yield Check("states", fine, found, "The network or this machine stalls: use a cable, and look for other load.")
    yield _judge_state(last)
    lease = f"held by another session, epoch {last.lease_epoch}" if last.lease_epoch else "free"
    yield Check("lease", not last.lease_epoch, lease, "Wait until it is free, or take it over: {'force': true}.")


def _judge_state(state: RobotState) -> Check:
    remedy = _WAITS.get(state.server_state, "")
    if state.fault is not None:
        remedy = f"{state.fault.code}: {state.fault.cause} {state.fault.remedy}"
    return Check("state", not remedy, state.server_state, remedy)
