"""Keys as files, and who gets through the door with them.

In:  keys that are allowed, unknown, forgotten, or none at all.   Out: messages that reach the gateway, or nothing.
Not here: what may be asked once inside (test_gateway). Waiting here is by the wall: a handshake has no virtual time.
"""

from __future__ import annotations

import contextlib
import socket
import stat
import time

import pytest
import zmq
from door_for_tests import Door

from h2s2r_hw.server.config import GatewayCfg
from h2s2r_hw.server.keys import KeyFolder, NoKeyError
from h2s2r_hw.server.lease import Client
from h2s2r_schemas.client import ClientKeys, RobotClient
from h2s2r_schemas.client.addresses import published_address
from h2s2r_schemas.codec import encode
from h2s2r_schemas.errors import RobotFault, SchemaError
from h2s2r_schemas.wire import Request

ESTOP = encode(Request(kind="estop", sequence=1, session="s", client_time=0.0))


@pytest.fixture(name="folder")
def _folder(tmp_path):
    folder = KeyFolder(tmp_path / "keys")
    folder.make()
    return folder


# ── files ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_secrets_are_readable_by_their_owner_alone(folder, tmp_path):
    folder.make_client("ann", tmp_path / "ann", False)
    for path in (folder.folder / "server.key_secret", tmp_path / "ann" / "client.key_secret"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for path in folder.folder.rglob("*.key"):
        assert b"secret-key" not in path.read_bytes(), "only public keys are kept of others"


def test_a_client_folder_has_what_a_client_needs(folder, tmp_path):
    made = ClientKeys.load(folder.make_client("ann", tmp_path / "ann", False))
    assert made.server == folder.server_keys().public
    assert zmq.curve_public(made.secret) == made.public
    assert folder.clients() == [Client(made.public.decode(), "ann", False)]
    assert made.secret.decode() not in repr(made)


def test_roles_and_names_are_listed_and_forgotten(folder, tmp_path):
    folder.make_client("zoe", tmp_path / "zoe", True)
    folder.make_client("ann", tmp_path / "ann", False)
    assert [(client.name, client.operator) for client in folder.clients()] == [("ann", False), ("zoe", True)]
    user = folder.clients()[0].user
    assert folder.allowed(user)
    assert folder.client(user).name == "ann"
    folder.forget("ann")
    assert not folder.allowed(user)
    assert folder.client(user) == Client(user, "forgotten", False)
    with pytest.raises(NoKeyError, match="there are: zoe"):
        folder.forget("ann")


def test_a_key_made_elsewhere_is_allowed_by_its_public_file(folder, tmp_path):
    other = KeyFolder(tmp_path / "other")
    other.make()
    folder.allow("bob", other.folder / "server.key", False)
    with pytest.raises(NoKeyError, match="allowed already, as 'bob'"):
        folder.allow("rob", other.folder / "server.key", True)


@pytest.mark.parametrize("name", ["", "../x", "a b", "-a", "a" * 65, "bob"])
def test_names_are_plain_and_taken_once(folder, tmp_path, name):
    folder.make_client("bob", tmp_path / "bob", False)
    with pytest.raises(NoKeyError):
        folder.make_client(name, tmp_path / "new", False)


def test_nothing_is_overwritten_and_secrets_are_not_handed_in(folder, tmp_path):
    with pytest.raises(NoKeyError, match="exists already"):
        folder.make()
    folder.make_client("ann", tmp_path / "ann", False)
    with pytest.raises(NoKeyError, match="exists already"):
        folder.make_client("bob", tmp_path / "ann", False)
    folder.forget("ann")
    with pytest.raises(NoKeyError, match="stays with its owner"):
        folder.allow("ann", tmp_path / "ann" / "client.key_secret", False)


def test_missing_keys_say_what_to_do(tmp_path):
    with pytest.raises(NoKeyError, match="h2s2r-hw keys make"):
        KeyFolder(tmp_path).server_keys()
    with pytest.raises(NoKeyError, match="h2s2r-hw keys make"):
        KeyFolder(tmp_path).make_client("ann", tmp_path / "ann", False)
    with pytest.raises(SchemaError, match="h2s2r-hw keys client"):
        ClientKeys.load(tmp_path)


# ── the door ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(name="door")
def _door(tmp_path):
    with Door(tmp_path, GatewayCfg(handshake=0.5)) as door:
        yield door


def counted(door: Door, name: str, least: int = 1, seconds: float = 5.0) -> int:
    """A counter of handshakes, once it has reached ``least`` or so many seconds have passed."""
    end = time.monotonic() + seconds
    while door.gateway.sockets.doorkeeper.counters[name] < least and time.monotonic() < end:
        door.gateway.sockets.doorkeeper.look()
        time.sleep(0.01)
    return door.gateway.sockets.doorkeeper.counters[name]


def unknown_keys(door: Door) -> ClientKeys:
    return ClientKeys(*zmq.curve_keypair(), door.keys.server_keys().public)


def test_nothing_of_an_unknown_key_is_delivered(door):
    door.attempt(door.raw(unknown_keys(door)), ESTOP)
    assert counted(door, "unknown_key") >= 1
    assert door.gateway.sockets.read(0.2) is None


def test_nothing_unencrypted_is_delivered(door):
    door.attempt(door.raw(None), ESTOP)
    assert counted(door, "failed_handshakes") >= 1
    assert door.gateway.sockets.read(0.2) is None


def test_nothing_is_delivered_to_a_server_with_another_key(door):
    keys = door.new_keys("ann")
    door.attempt(door.raw(ClientKeys(keys.public, keys.secret, zmq.curve_keypair()[0])), ESTOP)
    assert counted(door, "failed_handshakes") >= 1
    assert door.gateway.sockets.read(0.2) is None


def test_states_are_for_those_who_are_allowed_alone(door):
    listening = []
    for keys in (unknown_keys(door), door.new_keys("ann")):
        socket = door.context.socket(zmq.SUB)
        socket.curve_publickey, socket.curve_secretkey, socket.curve_serverkey = keys.public, keys.secret, keys.server
        socket.subscribe(b"state")
        socket.connect(published_address(door.cfg.address))
        listening.append(socket)
    counted(door, "accepted")
    counted(door, "unknown_key")
    end = time.monotonic() + 5.0
    while not listening[1].poll(20) and time.monotonic() < end:
        door.run(0.01)
    assert listening[1].poll(0)
    assert not listening[0].poll(50)


def test_a_key_that_is_allowed_later_gets_in_later(door, tmp_path):
    keys = unknown_keys(door)
    door.attempt(door.raw(keys), ESTOP)
    assert counted(door, "unknown_key") >= 1
    (door.keys.folder / "allowed" / "late.key").write_text(
        f'metadata\ncurve\n    public-key = "{keys.public.decode()}"\n'
    )
    incoming, end = None, time.monotonic() + 10.0
    while incoming is None and time.monotonic() < end:
        door.attempt(door.raw(keys), ESTOP)
        incoming = door.gateway.sockets.read(1.0)
    assert incoming is not None
    assert incoming.user == keys.public.decode()


def test_a_client_that_is_not_allowed_is_told_so(door):
    with pytest.raises(RobotFault, match="allows this client's key") as refused:
        RobotClient(unknown_keys(door), door.cfg.address, timeout=0.3)
    assert refused.value.code == "no_server"


def test_keys_that_cannot_be_read_let_nobody_in(door, caplog):
    keys = door.new_keys("ann")
    (door.keys.folder / "allowed" / "broken.key").write_text("no key at all")
    door.attempt(door.raw(keys), ESTOP)
    assert counted(door, "unknown_key") >= 1
    assert "cannot be read" in caplog.text


def test_there_is_room_for_so_many_and_no_more(tmp_path):
    with Door(tmp_path, GatewayCfg(max_connections=2, handshake=0.2)) as door:
        keys = door.new_keys("ann")
        first = [door.raw(keys) for _ in range(2)]
        assert counted(door, "accepted", 2) == 2
        end = time.monotonic() + 5.0
        while door.gateway.sockets.doorkeeper.connections < 2 and time.monotonic() < end:
            door.gateway.sockets.doorkeeper.look()
        late = door.raw(keys)
        assert counted(door, "too_many_connections") >= 1
        late.close()
        first[0].close()
        while door.gateway.sockets.doorkeeper.connections > 1 and time.monotonic() < end:
            door.gateway.sockets.doorkeeper.look()
        # Whoever comes back at once may find the place still taken, as long as it is not certain whose connection ended.
        while counted(door, "accepted", 3, 0.3) < 3 and time.monotonic() < end:
            door.raw(keys)
        assert door.gateway.sockets.doorkeeper.counters["accepted"] == 3


def raw_connections(door, count: int, data: bytes) -> None:
    """Of somebody without any key, one after the other; returns when the server has noticed that they have ended."""
    host, _, port = door.cfg.address.removeprefix("tcp://").rpartition(":")
    for _ in range(count):
        with socket.create_connection((host, int(port)), 5.0) as connection:
            connection.sendall(data)
            connection.settimeout(5.0)
            with contextlib.suppress(OSError):
                while connection.recv(1024):
                    pass
    door.gateway.sockets.doorkeeper.look()


def test_those_who_show_no_key_neither_take_room_nor_make_some(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with Door(tmp_path, GatewayCfg(address=f"tcp://127.0.0.1:{port}", max_connections=2, handshake=0.2)) as door:
        keys, keeper = door.new_keys("ann"), door.gateway.sockets.doorkeeper
        # What a browser says ends a connection before libzmq knows that it wanted to shake hands.
        raw_connections(door, 5, b"GET / HTTP/1.0\r\n\r\n" * 10)
        raw_connections(door, 5, b"\xff" + bytes(8) + b"\x7f\x03\x01NULL" + bytes(44))
        assert keeper.connections == 0
        for _ in range(2):
            door.raw(keys)
        assert counted(door, "accepted", 2) == 2
        raw_connections(door, 5, b"GET / HTTP/1.0\r\n\r\n" * 10)
        door.raw(keys)
        assert counted(door, "too_many_connections") >= 1 and keeper.counters["accepted"] == 2
        # So it is still when they have been there for longer than a handshake may take.
        end = time.monotonic() + 1.6
        while time.monotonic() < end:
            keeper.look()
            time.sleep(0.05)
        assert keeper.connections == 2 and keeper.counters["accepted"] == 2


def test_many_at_once_are_no_more_than_there_is_room_for(tmp_path):
    with Door(tmp_path, GatewayCfg(max_connections=3)) as door:
        keys, keeper = door.new_keys("ann"), door.gateway.sockets.doorkeeper
        raws = [door.raw(keys) for _ in range(12)]
        for raw in raws:
            door.attempt(raw, ESTOP)
        # Nobody looks at the count meanwhile.
        end = time.monotonic() + 5.0
        while keeper.counters["accepted"] + keeper.counters["too_many_connections"] < 12 and time.monotonic() < end:
            time.sleep(0.02)
        assert keeper.counters["accepted"] == 3 and keeper.counters["too_many_connections"] >= 9


def test_large_messages_are_refused_and_larger_ones_cost_the_connection_only(door):
    raw = door.raw(door.new_keys("ann"))
    door.deliver(raw, b"x" * (door.cfg.max_message_bytes + 1))
    assert door.gateway.counters["too_large"] == 1
    raw.send(b"x" * (2 * door.cfg.max_message_bytes + 1))
    assert door.gateway.sockets.read(0.3) is None
    end = time.monotonic() + 5.0
    incoming = None
    while incoming is None and time.monotonic() < end:
        raw.send(ESTOP)
        incoming = door.gateway.sockets.read(0.2)
    assert incoming is not None, "the connection comes back"
    assert incoming.data == ESTOP


def test_the_door_does_not_open_to_other_machines_by_itself():
    assert GatewayCfg().address.startswith("tcp://127.0.0.1:")
