"""The gateway in lock-step over real encrypted sockets: what it grants, and what becomes of it.

In:  clients that come, go, die, and ask in turn.   Out: replies, states, what reached the loops.
Not here: what is refused (test_gateway_refusals), who is let in at all (test_keys), single rules (test_lease, test_admission),
the real loops (test_cell_contract).
"""

from __future__ import annotations

import numpy as np
import pytest
from door_for_tests import MS, Door, armed, code_of, follow, newest, robot_spec

from h2s2r_hw.server.config import GatewayCfg
from h2s2r_hw.server.desk import Surroundings
from h2s2r_hw.server.refusals import refuse
from h2s2r_hw.states import fault_number
from h2s2r_schemas.client import Session
from h2s2r_schemas.codec import encode
from h2s2r_schemas.wire import Request

SPEC = robot_spec()


@pytest.fixture(name="door")
def _door(tmp_path):
    with Door(tmp_path) as door:
        yield door


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


def test_marks_and_residuals_go_where_they_belong(tmp_path):
    marks = []
    around = Surroundings(
        mark_log=lambda text, now_ns: marks.append((text, now_ns)),
        has_residual=True,
        residual_trouble=lambda number: "" if number == 3 else f"{number}.h2s is not there.",
    )
    with Door(tmp_path, surroundings=around) as door:
        session = Session(door.client(keys=door.new_keys("ann")))
        session.acquire()
        session.ask("mark_log", text="began to push")
        assert marks[0][0] == "ann: began to push"
        session.ask("load_residual", number=3)
        assert door.slots.orders.record["residual_number"] == 3
        assert code_of(session.ask, "load_residual", number=-1) == "bad_arguments"
        assert code_of(session.ask, "load_residual", number=4) == "bad_residual"
        assert door.slots.orders.record["residual_number"] == 3
        session.ask("load_residual", number=0)
        assert door.slots.orders.record["residual_number"] == 0
        stranger = Session(door.client(keys=door.new_keys("bob", operator=True)))
        assert code_of(stranger.ask, "load_residual", number=3) == "no_lease", "an operator's key alone is not enough"


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
