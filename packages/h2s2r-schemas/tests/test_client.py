"""The client against a server of forty lines, sessions on the fake robot, and object states on their way.

In:  answers that are right, late, wrong or missing.   Out: states, replies, coded errors.
Not here: the real server (h2s2r-hw runs ``check_robot`` on this client).
"""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

pytest.importorskip("zmq", reason="the extra `client` is not installed")

import zmq
import zmq.auth

from h2s2r_schemas.client import ClientKeys, ObjectPublisher, ObjectSubscriber, RobotClient, Session
from h2s2r_schemas.client.addresses import HELLO, REFUSED, REPLY, STATE, published_address
from h2s2r_schemas.client.objects import OBJECTS
from h2s2r_schemas.codec import decode, encode
from h2s2r_schemas.errors import RobotFault, SchemaError
from h2s2r_schemas.testing.fakes import FirstOrderRobot
from h2s2r_schemas.wire import ObjectState, Reply, Request, RobotCommand


class TinyServer:
    """The fake robot behind the two sockets, in a thread: answers, publishes when told, and can be rude."""

    def __init__(self, path):
        self.public, secret = zmq.curve_keypair()
        self.robot, self.address = FirstOrderRobot(), "ipc://{}".format(path / "s")
        self.context = zmq.Context()
        self.router, self.publisher = self.context.socket(zmq.ROUTER), self.context.socket(zmq.XPUB)
        for socket, address in ((self.router, self.address), (self.publisher, published_address(self.address))):
            socket.curve_server, socket.curve_publickey, socket.curve_secretkey = True, self.public, secret
            socket.linger = 0
            socket.bind(address)
        self.silent, self.rude, self.skip, self.paused = False, (), 0, False
        self.commands = []
        self.over = False
        self.thread = threading.Thread(target=self.live)
        self.thread.start()

    def live(self):
        poller = zmq.Poller()
        poller.register(self.router, zmq.POLLIN)
        poller.register(self.publisher, zmq.POLLIN)
        while not self.over:
            ready = dict(poller.poll(5))
            if self.publisher in ready:
                topic = self.publisher.recv()
                if topic[:1] == b"\x01" and topic[1:].startswith(HELLO) and not self.silent:
                    self.publisher.send_multipart([topic[1:], encode(self.robot.hello())])
            if self.router in ready:
                self.hear(*self.router.recv_multipart())
            if not self.paused:
                for _ in range(1 + self.skip):
                    state = self.robot.next_state()
                self.skip = 0
                self.publisher.send_multipart([STATE, encode(state)])

    def hear(self, peer, data):
        message = decode(data)
        if isinstance(message, RobotCommand):
            self.commands.append(message)
            self.robot.command(message)
            refusal = Reply(sequence=message.sequence, ok=False, time=0.0, code="no", cause="No.", remedy="Ask.")
            self.router.send_multipart([peer, REFUSED, encode(refusal)])
            return
        for answer in self.rude:
            self.router.send_multipart([peer, *answer])
        if not self.silent:
            self.router.send_multipart([peer, REPLY, encode(self.robot.request(message))])

    def keys(self):
        return ClientKeys(*zmq.curve_keypair(), self.public)

    def close(self):
        self.over = True
        self.thread.join(10.0)
        self.context.destroy(0)


@pytest.fixture(name="server")
def _server(tmp_path):
    made = TinyServer(tmp_path)
    yield made
    made.close()


@pytest.fixture(name="client")
def _client(server):
    with RobotClient(server.keys(), server.address, timeout=10.0) as made:
        yield made


def mark(sequence=1):
    return Request(kind="mark_log", sequence=sequence, session="s", client_time=0.0)


def code_of(call, *arguments):
    with pytest.raises(RobotFault) as refused:
        call(*arguments)
    assert refused.value.remedy
    return refused.value.code


def test_it_says_hello_and_brings_states_in_order(client, server):
    assert client.hello() == server.robot.hello()
    states = [client.next_state() for _ in range(20)]
    sequences = [state.sequence for state in states]
    assert sequences == sorted(set(sequences))
    assert client.lost_states == 0


def test_a_session_arms_commands_and_gives_the_lease_back(client, server):
    with Session(client) as session:
        session.acquire()
        assert session.arm().server_state == "hold"
        sent = session.command(session.state.joint_pos_target)
        session.wait(lambda state: state.command_sequence == sent, 5.0, "the verdict")
    assert server.robot.lease_epoch == 0


def test_replies_are_matched_and_rubbish_is_passed_over(client, server):
    other = Reply(sequence=99, ok=True, time=0.0)
    server.rude = ((REPLY, b"rubbish"), (REPLY, encode(other)), (REPLY,), (b"noise", encode(other)))
    assert client.request(mark(7)).sequence == 7


def test_what_is_refused_is_kept_with_its_reason(client):
    command = RobotCommand(
        robot_hash=client.hello().robot.hash(),
        lease_epoch=1,
        lease_token=0,
        sequence=5,
        client_time=0.0,
        joint_pos_target=np.zeros(4),
    )
    client.command(command)
    end = time.monotonic() + 10.0
    while not client.refusals and time.monotonic() < end:
        client.next_state()
    assert (client.refusals[-1].sequence, client.refusals[-1].code) == (5, "no")


def test_lost_states_are_counted(client, server):
    client.next_state()
    server.skip = 3
    end = time.monotonic() + 10.0
    while client.lost_states < 3 and time.monotonic() < end:
        client.next_state()
    assert client.lost_states == 3


def test_a_server_that_does_not_answer_is_named(server, tmp_path):
    with RobotClient(server.keys(), server.address, timeout=1.0) as client:
        server.silent = True
        assert code_of(client.request, mark()) == "no_reply"
        server.paused = True
        end = time.monotonic() + 5.0
        code = ""
        while not code and time.monotonic() < end:
            try:
                client.next_state()
            except RobotFault as gone:
                code = gone.code
        assert code == "no_state"
        assert code_of(RobotClient, server.keys(), server.address, 0.2) == "no_server"
    assert code_of(RobotClient, server.keys(), "ipc://{}".format(tmp_path / "nobody"), 0.2) == "no_server"


def test_command_never_raises_even_when_the_server_is_gone(server):
    with RobotClient(server.keys(), server.address, timeout=0.5) as client:
        server.close()
        session_less = RobotCommand(
            robot_hash="x", lease_epoch=1, lease_token=0, sequence=0, client_time=0.0, joint_pos_target=np.zeros(4)
        )
        end = time.monotonic() + 10.0
        while not client.unsent and time.monotonic() < end:
            client.command(session_less)
            time.sleep(0.01)
        assert client.unsent
        assert code_of(client.request, mark()) == "no_reply"


def test_a_robot_that_began_anew_is_noticed(client, server):
    client.next_state()
    server.robot.state_sequence = 0
    end, code = time.monotonic() + 10.0, ""
    while not code and time.monotonic() < end:
        try:
            client.next_state()
        except RobotFault as gone:
            code = gone.code
    assert code == "server_restarted"


# ── sessions on any robot ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_session_keeps_its_lease_while_states_are_asked_for():
    session = Session(FirstOrderRobot())
    session.acquire()
    for _ in range(200):
        assert session.next_state().lease_epoch == 1
    session.release()
    session.release()
    assert session.next_state().lease_epoch == 0


def test_a_lost_lease_is_an_error():
    robot = FirstOrderRobot()
    session = Session(robot)
    session.acquire()
    robot.free_lease()
    session._renewed = -1.0
    assert code_of(session.next_state) == "no_lease"


def test_waiting_ends():
    session = Session(FirstOrderRobot())
    assert code_of(session.wait, lambda state: False, 0.5, "Nothing") == "not_reached"


# ── keys and addresses ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "address", ["", "nowhere", "tcp://host", "tcp://host:0", "tcp://host:65535", "udp://h:1", "ipc://"]
)
def test_addresses_that_are_none_are_refused(address):
    with pytest.raises(SchemaError, match="tcp://HOST:PORT"):
        published_address(address)


def test_states_are_on_the_next_port():
    assert published_address("tcp://127.0.0.1:5710") == "tcp://127.0.0.1:5711"
    assert published_address("ipc:///a/b") == "ipc:///a/b.states"


def test_keys_are_read_from_a_folder_and_not_shown(tmp_path):
    zmq.auth.create_certificates(str(tmp_path), "client")
    zmq.auth.create_certificates(str(tmp_path), "server")
    keys = ClientKeys.load(tmp_path)
    assert zmq.curve_public(keys.secret) == keys.public
    assert keys.secret.decode() not in repr(keys)
    (tmp_path / "client.key_secret").write_text((tmp_path / "client.key").read_text())
    with pytest.raises(SchemaError, match="no secret key"):
        ClientKeys.load(tmp_path)
    with pytest.raises(SchemaError, match="cannot be read"):
        ClientKeys.load(tmp_path / "nowhere")


# ── objects ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def seen(sequence):
    return ObjectState(
        object_name="box",
        sequence=sequence,
        capture_time=0.1 * sequence,
        wxyz_xyz_world_object=np.array([1.0, 0.0, 0.0, 0.0, 0.5, 0.0, 0.1]),
        confidence=1.0,
        lost=False,
    )


@pytest.mark.parametrize("encrypted", [False, True])
def test_object_states_arrive_and_the_newest_counts(tmp_path, encrypted):
    address, own = "ipc://{}".format(tmp_path / "o"), zmq.curve_keypair()
    publisher = ObjectPublisher(address, ClientKeys(*own, own[0]) if encrypted else None)
    subscriber = ObjectSubscriber(address, ClientKeys(*zmq.curve_keypair(), own[0]) if encrypted else None)
    end, newest, sent = time.monotonic() + 10.0, None, 0
    while newest is None and time.monotonic() < end:
        publisher.publish(seen(sent))
        newest, sent = subscriber.latest(0.05), sent + 1
    assert newest is not None
    for sequence in range(100, 110):
        publisher.publish(seen(sequence))
    while newest.sequence < 109 and time.monotonic() < end:
        newest = subscriber.latest(0.05) or newest
    assert newest == seen(109)
    assert subscriber.latest() is None
    publisher.close()
    subscriber.close()


def test_who_listens_misses_nothing_from_then_on(tmp_path):
    address = "ipc://{}".format(tmp_path / "o")
    publisher = ObjectPublisher(address)
    assert not publisher.wait_for_listener(0.01)
    listeners = []
    for sequence in range(3):
        listeners.append(ObjectSubscriber(address))
        assert publisher.wait_for_listener(10.0)
        publisher.publish(seen(sequence))
        for each in listeners:
            heard = each.latest(10.0)
            assert heard is not None and heard.sequence == sequence
    for each in listeners:
        each.close()
    publisher.close()


def test_object_states_go_to_other_machines_with_keys_alone():
    for made in (ObjectPublisher, ObjectSubscriber):
        with pytest.raises(SchemaError, match="keys are needed"):
            made("tcp://0.0.0.0:5720")


def test_an_address_that_is_taken_is_an_error(tmp_path):
    address = "tcp://127.0.0.1:*"
    publisher = ObjectPublisher(address)
    taken = publisher._socket.getsockopt(zmq.LAST_ENDPOINT).decode()
    with pytest.raises(SchemaError, match="cannot be listened at"):
        ObjectPublisher(taken)
    publisher.close()


def test_rubbish_among_object_states_is_counted(tmp_path):
    class Told:
        """A clock that knows of one message."""

        left = 1

        def now_ns(self):
            return 0

        def receive(self, channel, read, until_ns):
            assert channel == OBJECTS
            self.left -= 1
            return b"rubbish" if self.left >= 0 else None

    subscriber = ObjectSubscriber("ipc://{}".format(tmp_path / "o"), clock=Told())
    assert subscriber.latest() is None
    assert subscriber.malformed == 1
    subscriber.close()
