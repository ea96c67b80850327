"""What the gateway refuses, in lock-step over real encrypted sockets: nothing of it reaches the loops.

In:  messages that are old, foreign, spoilt, too many or no messages at all.   Out: codes, counters, untouched slots.
Not here: what is granted (test_gateway), who is let in at all (test_keys), single rules (test_admission).
"""

from __future__ import annotations

import numpy as np
import pytest
from door_for_tests import Door, armed, code_of, follow, newest, next_command, robot_spec

from h2s2r_hw.bus.records import TARGET
from h2s2r_hw.bus.slots import Slot
from h2s2r_hw.server.config import GatewayCfg
from h2s2r_hw.server.refusals import REFUSALS
from h2s2r_hw.server.sockets import Incoming
from h2s2r_schemas.client import Session
from h2s2r_schemas.client.addresses import TO_SERVER
from h2s2r_schemas.codec import encode
from h2s2r_schemas.wire import Request, RobotCommand

SPEC = robot_spec()


@pytest.fixture(name="door")
def _door(tmp_path):
    with Door(tmp_path) as door:
        yield door


def test_what_is_refused_never_reaches_the_loops_and_is_counted_and_explained(door):
    session = armed(door)
    follow(session, 5)
    target = session.state.joint_pos_target
    written, counters = door.slots.target.count, dict(session.state.counters)
    good = {
        "robot_hash": SPEC.hash(),
        "lease_epoch": session.state.lease_epoch,
        "lease_token": door.gateway.lease.token,
        "sequence": 1000,
        "client_time": session.state.time,
        "joint_pos_target": target,
    }
    spoilt = {
        "no_lease": {"lease_token": 5},
        "foreign_robot": {"robot_hash": "f" * 16},
        "joint_count": {"joint_pos_target": target[:-1]},
        "old_sequence": {"sequence": 1},
        "stale_command": {"client_time": session.state.time - 0.2},
        "future_command": {"client_time": session.state.time + 0.7},
        "far_outside": {"joint_pos_target": target + 60.0},
    }
    for code, changes in spoilt.items():
        session.robot.command(RobotCommand(**{**good, **changes}))
        state = session.next_state()
        assert state.last_refusal == code
        assert state.counters[code] == counters.get(code, 0) + 1
        assert session.robot.refusals[-1].code == code
        assert session.robot.refusals[-1].remedy == REFUSALS[code].remedy
    assert door.slots.target.count == written, "nothing reached the loops"
    assert session.state.command_sequence == 4
    session.robot.command(RobotCommand(**{**good, "client_time": session.state.time}))
    assert session.next_state().command_sequence == 1000


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_refused_in_every_place_on_the_wire(door, bad):
    session = armed(door)
    follow(session, 3)
    user = door.gateway.lease.user
    torque = np.full(len(SPEC.joint_names), 0.125)
    good = next_command(door, session, joint_torque_feedforward=torque)
    data, written, tried = encode(good), door.slots.target.count, 0
    for values in (good.joint_pos_target, torque):
        begin = data.index(values.tobytes())
        for place in range(begin, begin + values.nbytes, 8):
            spoilt = data[:place] + np.float64(bad).tobytes() + data[place + 8 :]
            door.gateway.take(Incoming(b"x", user, spoilt), door.group.now_ns)
            tried += 1
    time = np.array(good.client_time, ">f8").tobytes()
    spoilt = data.replace(time, np.array(bad, ">f8").tobytes())
    assert spoilt != data
    door.gateway.take(Incoming(b"x", user, spoilt), door.group.now_ns)
    assert door.gateway.counters["malformed"] == tried + 1 == 47
    assert door.slots.target.count == written
    door.gateway.take(Incoming(b"x", user, data), door.group.now_ns)
    assert door.slots.target.count == written + 1, "it was good but for that"


def test_no_bytes_stop_the_gateway_or_reach_the_loops_by_chance(tmp_path):
    """4 000 spoilt messages of the lease's holder: cut, flipped, repeated, exchanged fields."""
    rng = np.random.default_rng(11)
    with Door(tmp_path, GatewayCfg(messages_hz=1e9, messages_burst=10**6)) as door:
        session = armed(door)
        follow(session, 3)
        user = door.gateway.lease.user
        request = Request(kind="mark_log", sequence=1, session="s", client_time=0.0, arguments={"text": "a"})
        good = [encode(next_command(door, session)), encode(request)]
        for _ in range(4000):
            data = bytearray(good[rng.integers(2)])
            for _ in range(rng.integers(1, 5)):
                at, kind = int(rng.integers(len(data))), rng.integers(4)
                if kind == 0:
                    data[at] ^= 1 << int(rng.integers(8))
                elif kind == 1:
                    del data[at : at + int(rng.integers(1, 30))]
                elif kind == 2:
                    data[at:at] = data[at : at + int(rng.integers(1, 30))]
                else:
                    data[at] = int(rng.choice([0x00, 0x80, 0x90, 0xC0, 0xC3, 0xCB, 0xD9, 0xDD, 0xDF, 0xFF]))
                if not data:
                    break
            door.gateway.take(Incoming(b"x", user, bytes(data)), door.group.now_ns)
            record = Slot(TARGET, door.slots.target.buffer)
            record.read()
            assert np.isfinite(record.record["joint_pos"]).all()
            assert (np.abs(record.record["joint_pos"]) <= 3.0).all()
        assert door.gateway.counters["malformed"] > 3000
        assert newest(door, session).server_state in ("hold", "track")


@pytest.mark.parametrize("client_time", [1e300, -1e300, 1.7e308, -1.7e308])
def test_a_clock_whose_ages_cannot_be_told_gets_no_lease(door, client_time):
    robot = door.client()
    reply = robot.request(Request(kind="acquire_lease", sequence=1, session="s", client_time=client_time))
    assert reply.code == "bad_arguments"
    session = armed(door)
    session.robot.command(next_command(door, session, client_time=client_time))
    assert newest(door, session).last_refusal == ("future_command" if client_time > 0 else "stale_command")


def test_messages_in_several_frames_are_refused(door):
    session, raw = Session(door.client()), door.raw(door.new_keys("frames"))
    raw.send_multipart([b"", encode(Request(kind="estop", sequence=1, session="s", client_time=0.0))])
    door.group.announce({TO_SERVER: 1}, None)
    assert session.next_state().counters["malformed"] == 1


def test_a_stolen_token_is_worth_nothing_under_another_key(door):
    session = armed(door)
    follow(session, 3)
    thief, written = door.client(operator=True), door.slots.target.count
    lease = door.gateway.lease
    for sequence in range(100, 120):
        thief.command(
            RobotCommand(
                robot_hash=SPEC.hash(),
                lease_epoch=lease.epoch,
                lease_token=lease.token,
                sequence=sequence,
                client_time=session.state.time,
                joint_pos_target=session.state.joint_pos_target,
            )
        )
    assert session.next_state().counters["no_lease"] == 20
    assert door.slots.target.count == written


@pytest.mark.parametrize("freeze", [0.05, 0.2, 1.0, 5.0])
def test_a_client_that_was_frozen_and_bursts_gets_no_old_command_through(door, freeze):
    session = armed(door)
    follow(session, 20)
    late, made = [], session.state.time
    for step in range(round(freeze * 60)):
        # As a network that stands still would deliver them: made in time, sent much later.
        late.append((session._sequence + 1 + step, made + step / 60))
    door.run(freeze)
    now, accepted_before = door.group.now_ns * 1e-9, door.gateway.counters["accepted"]
    for sequence, client_time in late:
        session.robot.command(
            RobotCommand(
                robot_hash=SPEC.hash(),
                lease_epoch=session._epoch,
                lease_token=session._token,
                sequence=sequence,
                client_time=client_time,
                joint_pos_target=session.state.joint_pos_target,
            )
        )
    young = sum(now - client_time <= 0.15 + 0.011 for _, client_time in late) if freeze < 0.5 else 0
    accepted = door.gateway.counters["accepted"] - accepted_before
    assert accepted <= young, "an old command was accepted"
    if freeze >= 0.5:
        assert accepted == 0
        assert Session(session.robot).state.lease_epoch == 0


def test_renewals_that_waited_in_a_queue_do_not_keep_the_lease(door):
    session = armed(door)
    old = session.state.time
    door.run(0.45)
    request = Request(
        kind="renew_lease",
        sequence=900,
        session=session.name,
        client_time=old - 0.2,
        lease_epoch=session._epoch,
        lease_token=session._token,
    )
    assert session.robot.request(request).code == "stale_command"
    assert session.robot.request(request.replace(client_time=old + 0.05)).ok, "0.4 s under way: it counts from then"
    door.run(0.2)
    assert door.gateway.lease.epoch == 0


def test_estop_passes_where_every_other_message_of_a_client_is_too_many(door):
    session = armed(door)
    raw = door.raw(door.new_keys("flood"))
    for _ in range(1000):
        door.deliver(raw, b"x" * 20)
    plain = encode(Request(kind="mark_log", sequence=1, session="estop", client_time=0.0))
    door.deliver(raw, plain)
    counters = session.next_state().counters
    assert counters["malformed"] == door.cfg.messages_burst
    assert counters["too_many"] == 801, "the word alone opens no door"
    door.deliver(raw, encode(Request(kind="estop", sequence=1, session="s", client_time=0.0)))
    assert session.next_state().server_state == "estop"


def test_requests_that_need_the_lease_are_refused_without_it(door):
    session = Session(door.client(operator=True))
    for kind in ("renew_lease", "release_lease", "arm", "disarm", "home", "tighten_limits", "load_residual"):
        assert code_of(session.ask, kind) == "no_lease", kind


def test_limits_get_tighter_and_never_wider(door):
    session = Session(door.client())
    session.acquire()
    name = SPEC.joint_names[9]
    session.ask("tighten_limits", position_upper={name: 0.5}, speed_scale=0.2)
    from h2s2r_hw.bus.records import JOINT_NAMES

    upper = door.slots.orders.record["position_upper"]
    assert upper[JOINT_NAMES.index(name)] == 0.5
    assert (np.delete(upper, JOINT_NAMES.index(name)) == 2.0).all()
    assert door.slots.orders.record["speed_scale"] == 0.2
    for arguments in ({"position_upper": {name: 0.6}}, {"speed_scale": 0.3}, {"velocity_limit": {name: 9.0}}):
        assert code_of(session.ask, "tighten_limits", **arguments) == "not_tighter"
    for arguments in (
        {"position_upper": {"elbow": 0.1}},
        {"position_upper": {name: "low"}},
        {"position_upper": 3.0},
        {"position_lower": {name: 0.6}},
        {"speed_scale": 0.0},
        {"torque_limit": {}},
    ):
        assert code_of(session.ask, "tighten_limits", **arguments) == "bad_arguments", arguments
    assert door.slots.orders.record["position_upper"][JOINT_NAMES.index(name)] == 0.5


@pytest.mark.parametrize(
    ("kind", "arguments", "code"),
    [
        ("acquire_lease", {"force": 1}, "bad_arguments"),
        ("acquire_lease", {"ttl": 9.0}, "bad_arguments"),
        ("acquire_lease", {"ttl": "long"}, "bad_arguments"),
        ("acquire_lease", {"please": True}, "bad_arguments"),
        ("mark_log", {"text": "a mark"}, "unsupported"),
        ("mark_log", {"text": "a" * 501}, "bad_arguments"),
        ("mark_log", {}, "bad_arguments"),
    ],
)
def test_arguments_are_checked(door, kind, arguments, code):
    assert code_of(Session(door.client()).ask, kind, **arguments) == code
