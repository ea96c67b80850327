"""The gateway in lock-step over real encrypted sockets: what it grants, what it follows, what it refuses.

In:  clients that keep to the contract and clients that do not.   Out: replies, states, what reached the loops.
Not here: who is let in at all (test_keys), single rules (test_lease, test_admission), the real loops (test_cell_contract).
"""

from __future__ import annotations

import numpy as np
import pytest
from door_for_tests import MS, Door, robot_spec

from h2s2r_hw.bus.records import TARGET
from h2s2r_hw.bus.slots import Slot
from h2s2r_hw.server.config import GatewayCfg
from h2s2r_hw.server.desk import Surroundings
from h2s2r_hw.server.refusals import REFUSALS, refuse
from h2s2r_hw.server.sockets import Incoming
from h2s2r_hw.states import State, fault_number
from h2s2r_schemas.client import ClientKeys, RobotClient, Session
from h2s2r_schemas.client.addresses import TO_SERVER
from h2s2r_schemas.codec import encode
from h2s2r_schemas.errors import RobotFault
from h2s2r_schemas.wire import Request, RobotCommand

SPEC = robot_spec()


@pytest.fixture(name="door")
def _door(tmp_path):
    with Door(tmp_path) as door:
        yield door


def code_of(call, *arguments, **named) -> str:
    """Code with which a request is refused; empty if it is granted."""
    try:
        call(*arguments, **named)
    except RobotFault as refused:
        return refused.code if refused.remedy else "without remedy"
    return ""


def armed(door: Door, operator: bool = False, keys: ClientKeys | None = None) -> Session:
    session = Session(door.client(operator, keys))
    session.acquire()
    session.arm()
    return session


def newest(door: Door, session: Session):
    """A state of after everything that was done so far."""
    door.run(0.02)
    return session.next_state()


def follow(session: Session, states: int, step: float = 0.0) -> None:
    """Command for so many states, each a step further from where the robot stands."""
    target = session.state.joint_pos_target.copy()
    for _ in range(states):
        target += step
        session.command(target)
        session.next_state()


def test_hello_is_the_servers_own_and_the_same_for_all(door):
    first, second = door.client(), door.client()
    assert first.hello() == second.hello() == door.gateway.hello
    assert first.hello().robot == SPEC
    assert first.hello().emulated


def test_joints_are_mapped_by_name_both_ways(door):
    session = armed(door)
    target = session.state.joint_pos_target + np.linspace(0.01, 0.04, len(SPEC.joint_names))
    for _ in range(40):
        session.command(target)
        session.next_state()
    record = door.loops.target.record["joint_pos"]
    from h2s2r_hw.bus.records import JOINT_NAMES

    by_name = dict(zip(SPEC.joint_names, target, strict=True))
    assert record.tolist() == [by_name[name] for name in JOINT_NAMES]
    assert np.allclose(session.state.joint_pos, target, atol=1e-4)


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


def next_command(door: Door, session: Session, **changes: object) -> RobotCommand:
    """A valid command of this session, but for ``changes``."""
    fields = {
        "robot_hash": SPEC.hash(),
        "lease_epoch": door.gateway.lease.epoch,
        "lease_token": door.gateway.lease.token,
        "sequence": 1000,
        "client_time": session.state.time,
        "joint_pos_target": session.state.joint_pos_target,
    }
    return RobotCommand(**{**fields, **changes})


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


def test_a_client_that_is_killed_loses_the_lease_and_the_robot_holds(door):
    session = armed(door)
    follow(session, 30, 0.002)
    session.robot.close()
    door.clients.remove(session.robot)
    other = Session(door.client())
    seen = [other.next_state() for _ in range(60)]
    freed = next(state.time for state in seen if state.lease_epoch == 0)
    assert freed - session.state.time == pytest.approx(0.5, abs=0.03)
    assert seen[-1].server_state == "hold"
    last = [state.joint_pos_target for state in seen if state.time > freed]
    assert np.abs(np.diff(last, axis=0)).max() == 0.0
    other.acquire()
    assert other.arm().server_state == "hold"


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


def test_taking_over_needs_force_and_the_right_to_it_and_stops_what_moves(door):
    keys = door.new_keys("ann")
    first = armed(door, keys=keys)
    follow(first, 5)
    same_key, other_key, operator = (
        Session(door.client(keys=keys)),
        Session(door.client()),
        Session(door.client(operator=True)),
    )
    for each in (same_key, other_key, operator):
        assert code_of(each.acquire) == "lease_taken"
    assert code_of(other_key.acquire, force=True) == "lease_taken"
    stops = int(door.slots.orders.record["stop_number"])
    same_key.acquire(force=True)
    assert int(door.slots.orders.record["stop_number"]) == stops + 1
    follow(first, 3)
    assert first.state.last_refusal == "no_lease"
    operator.acquire(force=True)
    assert newest(door, operator).lease_epoch == 3
    same_key._renewed = -1.0
    assert code_of(same_key.next_state) == "no_lease"


@pytest.mark.parametrize("state", ["ready", "hold", "track", "fault"])
def test_estop_from_anybody_in_any_state_is_latched_until_an_operator_resets_it(door, state):
    session = armed(door) if state in ("hold", "track") else Session(door.client())
    if state == "track":
        follow(session, 5)
    if state == "fault":
        door.loops.fail(fault_number("external_torque"))
        door.run(0.02)
    assert session.next_state().server_state == state
    stranger, operator = Session(door.client()), Session(door.client(operator=True))
    stranger.ask("estop")
    assert newest(door, stranger).server_state == "estop"
    if state in ("hold", "track"):
        session.command(newest(door, session).joint_pos_target)
        assert newest(door, session).last_refusal == "estop"
        assert code_of(session.ask, "arm") == "estop"
        assert code_of(operator.ask, "reset_estop") == "lease_not_free"
        session.release()
    assert code_of(stranger.ask, "reset_estop") == "not_operator"
    operator.ask("reset_estop")
    assert newest(door, operator).server_state == ("fault" if state == "fault" else "ready")


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


def test_a_fault_is_shown_in_words_and_acknowledged_by_an_operator_alone(door):
    session, operator = armed(door), Session(door.client(operator=True))
    assert code_of(operator.ask, "acknowledge_fault") == "no_fault"
    door.loops.fail(fault_number("external_torque"))
    door.run(0.02)
    fault = session.next_state().fault
    assert fault.code == "external_torque"
    assert "25" in fault.cause
    assert fault.snapshot["state"] == "track"
    session.command(session.state.joint_pos_target)
    assert session.next_state().last_refusal == "fault"
    assert code_of(session.ask, "arm") == "fault"
    assert code_of(session.ask, "acknowledge_fault") == "not_operator"
    operator.ask("acknowledge_fault")
    door.run(0.02)
    assert session.next_state().fault is None
    assert session.arm().server_state == "hold"


def test_requests_that_need_the_lease_are_refused_without_it(door):
    session = Session(door.client(operator=True))
    for kind in ("renew_lease", "release_lease", "arm", "disarm", "home", "tighten_limits", "load_residual"):
        assert code_of(session.ask, kind) == "no_lease", kind


def test_arming_waits_for_what_the_server_itself_needs(tmp_path):
    reasons = [refuse("no_log", "The disk has 3 MB left."), None]
    with Door(tmp_path, surroundings=Surroundings(ready=lambda: reasons.pop(0))) as door:
        session = Session(door.client())
        session.acquire()
        assert code_of(session.ask, "arm") == "no_log"
        assert session.arm().server_state == "hold"


def test_homing_goes_from_hold_alone(door):
    session = Session(door.client())
    session.acquire()
    assert code_of(session.ask, "home") == "not_ready"
    session.arm()
    follow(session, 3)
    assert code_of(session.ask, "home") == "busy"
    session.wait(lambda state: state.server_state == "hold", 1.0, "stopping")
    session.ask("home")
    session.wait(lambda state: state.server_state == "homing", 1.0, "starting")
    assert code_of(session.ask, "arm") == "busy"
    session.wait(lambda state: state.server_state == "hold", 5.0, "homing")
    assert np.allclose(session.state.joint_pos_target, SPEC.home)


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


def test_marks_and_residuals_go_where_they_belong(tmp_path):
    marks = []
    around = Surroundings(mark_log=lambda text, now_ns: marks.append((text, now_ns)), has_residual=True)
    with Door(tmp_path, surroundings=around) as door:
        session = Session(door.client(keys=door.new_keys("ann")))
        session.acquire()
        session.ask("mark_log", text="began to push")
        assert marks[0][0] == "ann: began to push"
        session.ask("load_residual", number=3)
        assert door.slots.orders.record["residual_number"] == 3
        assert code_of(session.ask, "load_residual", number=-1) == "bad_arguments"


def test_a_shorter_lease_is_granted(door):
    session = Session(door.client())
    session.ask("acquire_lease", ttl=0.1)
    door.run(0.15)
    assert door.gateway.lease.epoch == 0


def test_a_new_gateway_on_the_same_slots_goes_on_where_the_old_one_was(door):
    session = armed(door)
    follow(session, 3)
    old = door.gateway.lease.epoch, door.gateway.lease.token
    session.robot.request(Request(kind="estop", sequence=1, session="s", client_time=0.0))
    from h2s2r_hw.server.order_of_joints import JointMap
    from h2s2r_hw.server.orders import Orders

    assert door.slots.orders.record["estop"] == 1
    orders = Orders(door.slots.orders, door.slots.target, SPEC, JointMap(SPEC), 0.3)
    assert orders.last_epoch == old[0]
    assert orders["estop"] == 1
    assert orders["armed"] == 0


def test_loops_that_fall_silent_take_the_robot_offline(door):
    session = armed(door)
    door.group.stages.remove(door.loops)
    door.run(0.3)
    assert session.next_state().server_state == "offline"
    session.command(session.state.joint_pos_target)
    assert session.next_state().last_refusal == "not_armed"
    assert code_of(session.ask, "arm") == "not_ready"


def test_orders_are_written_every_20_ms_whatever_happens(door):
    orders = door.slots.orders.record
    before = int(orders["number"])
    door.run(1.0)
    assert int(orders["number"]) - before == pytest.approx(50, abs=2)


def test_a_client_notices_that_the_server_began_anew(door):
    session = Session(door.client())
    door.gateway._sequence = 0
    assert code_of(session.next_state) == "server_restarted"
    assert code_of(session.next_state) == "server_restarted"


def test_after_a_stall_one_state_is_sent_and_no_volley(door):
    session = Session(door.client())
    before = session.state.sequence
    door.gateway.act(door.group.now_ns + 500 * MS)
    door.gateway.act(door.group.now_ns + 501 * MS)
    assert door.gateway._sequence == before + 2


def test_the_same_run_gives_the_same_states(tmp_path):
    runs = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        with Door(tmp_path / name) as door:
            session = armed(door)
            states = []
            for step in range(50):
                session.command(session.state.joint_pos_target + 0.001 * step)
                states.append(encode(session.next_state().replace(counters={})))
            runs.append(states)
    assert runs[0] == runs[1]


@pytest.mark.parametrize(
    "changes", [{"stale_age": 0.6}, {"command_hz": (1.0, 60.0)}, {"command_hz": (60.0, 15.0)}, {"messages_hz": 50.0}]
)
def test_settings_that_cannot_work_are_refused(changes):
    from h2s2r_schemas.errors import SchemaError

    with pytest.raises(SchemaError):
        GatewayCfg(**changes)


def test_state_names_are_those_of_the_states(door):
    assert door.gateway.view.state == State.READY
    assert isinstance(door.client(), RobotClient)
