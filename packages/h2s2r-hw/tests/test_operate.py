"""The operator's tools, each on a robot in lock-step; doctor and the client also by the wall clock.

In:  command lines.   Out: what is printed, exit codes, what the robot did.
Not here: serve, selftest, log (tests of their own).
"""

from __future__ import annotations

import importlib
import threading
from contextlib import contextmanager

import numpy as np
import pytest
from door_for_tests import MS, Door, robot_spec

from h2s2r_hw.cli.connection import agreed
from h2s2r_hw.clock import RealClock
from h2s2r_hw.operate.display import show
from h2s2r_hw.server.refusals import REFUSALS
from h2s2r_hw.states import fault_number
from h2s2r_schemas.client import Session
from h2s2r_schemas.errors import RobotFault

SPEC = robot_spec()


@pytest.fixture(name="door")
def _door(tmp_path):
    with Door(tmp_path) as door:
        yield door


@pytest.fixture(name="call")
def _call(door, monkeypatch):
    """A verb, as somebody with an operator's key calls it."""
    keys = door.new_keys("operator", operator=True)

    def call(*arguments: str) -> int:
        import argparse

        verb = importlib.import_module(f"h2s2r_hw.cli.{arguments[0]}")
        if hasattr(verb, "connect"):
            monkeypatch.setattr(verb, "connect", lambda chosen: door.client(keys=keys))
        parser = argparse.ArgumentParser()
        verb.add(parser.add_subparsers())
        chosen = parser.parse_args(arguments)
        return chosen.run(chosen)

    return call


def test_status_says_what_was_refused_and_why(door, call, capsys):
    session = Session(door.client())
    session.acquire()
    session.arm()
    for _ in range(3):
        session.command(session.state.joint_pos_target + 0.5)
        session.next_state()
    assert call("status", "--once", "--joints") == 0
    said = capsys.readouterr().out
    assert "HOLD, lease free" in said, "it ran out while somebody only looked"
    assert "far_start 3" in said
    assert REFUSALS["far_start"].remedy in said
    assert "states 100.0" in said
    assert all(name in said for name in SPEC.joint_names)


def test_status_shows_growth_limits_and_faults(door):
    session = Session(door.client())
    state = session.next_state()
    later = state.replace(
        time=state.time + 2.0,
        sequence=state.sequence + 200,
        clamped=2,
        counters={"accepted": 120, "no_lease": 7, "request.lease_taken": 1, "arm.clamped_velocity": 9, "arm.sent": 400},
        last_refusal="no_lease",
    )
    said = show(later, state.replace(counters={"no_lease": 4}), session.hello)
    assert "commands followed 60.0" in said
    assert "arm 200.0" in said
    assert "no_lease 7 (+3)" in said
    assert "request.lease_taken 1 (+1)" in said
    assert "2 joints now; arm.clamped_velocity 9" in said
    door.loops.fail(fault_number("external_torque"))
    door.run(0.05)
    said = show(session.next_state(), state, session.hello)
    assert "FAULT      external_torque" in said
    assert "FAULT, lease free" in said


def test_status_says_what_the_robot_waits_for(door):
    session = Session(door.client())
    record = door.loops.arm.record
    record["session_state"], record["quality"], record["safety_state"], record["operation_mode"] = 2, 1, 0, 0
    door.loops.hand.record["identified"] = 1
    door.run(0.05)
    state = session.next_state()
    while state.counters.get("arm.quality") != 1:
        state = session.next_state()
    said = show(state, state, session.hello)
    assert "arm        READY: MONITORING_READY, quality FAIR, T1, drives OFF, NORMAL_OPERATION" in said
    assert "hand       READY: identified, motors off" in said
    gone = {"arm.state": 0, "hand.state": 0}
    said = show(state.replace(counters=gone), state, session.hello)
    assert "arm        OFFLINE: no word of the cabinet" in said and "hand       OFFLINE: no word of the hand" in said


def test_estop_then_ack(door, call, capsys):
    assert call("estop") == 0
    assert "stopped and latched" in capsys.readouterr().out
    assert call("ack", "--estop", "--yes") == 0
    assert "the robot is 'ready'" in capsys.readouterr().out


def test_ack_shows_the_fault_and_asks_first(door, call, capsys, monkeypatch):
    assert call("ack") == 0
    assert "no fault" in capsys.readouterr().out
    door.loops.fail(fault_number("drives_off"))
    door.run(0.05)
    monkeypatch.setattr("builtins.input", lambda question: "")
    assert call("ack") == 1
    assert door.loops.fault_code == fault_number("drives_off")
    monkeypatch.setattr("builtins.input", lambda question: "y")
    assert call("ack") == 0
    said = capsys.readouterr().out
    assert "drives_off" in said
    assert "nothing done" in said
    assert door.loops.fault_code == 0


def test_nobody_there_is_a_no(monkeypatch):
    def nobody(question):
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    assert not agreed("?", False)
    assert agreed("?", True)


def test_home_says_how_far_goes_there_and_looks(door, call, capsys):
    assert call("home", "--yes") == 0
    said = capsys.readouterr().out
    assert f"{SPEC.joint_names[0]}: -0.300 -> +0.200" in said
    assert "at home, hold" in said
    assert np.allclose(door.loops.sent, SPEC.home)
    assert door.gateway.lease.epoch == 0, "the lease is given back"


def test_home_that_does_not_arrive_is_an_error(door, call):
    step = door.loops._step

    def stuck(now_ns):
        step(now_ns)
        if door.loops.state.name == "HOMING":
            door.loops.state = type(door.loops.state).HOLD

    door.loops._step = stuck
    with pytest.raises(RobotFault, match="was sent to") as refused:
        call("home", "--yes")
    assert refused.value.code == "not_home"


def test_home_is_refused_where_somebody_else_commands(door, call):
    Session(door.client()).acquire()
    with pytest.raises(RobotFault, match="lease_taken"):
        call("home", "--yes")


def test_keys_are_made_listed_and_forgotten(tmp_path, call, capsys):
    folder = ("keys", "--folder", str(tmp_path / "k"))
    assert call(*folder, "make") == 0
    assert call(*folder, "list") == 0
    assert "nobody" in capsys.readouterr().out
    assert call(*folder, "client", "ann", str(tmp_path / "ann-k"), "--operator") == 0
    assert call(*folder, "list") == 0
    assert "ann" in (listed := capsys.readouterr().out)
    assert "operator" in listed
    assert call(*folder, "forget", "ann") == 0
    assert call(*folder, "allow", "ann", str(tmp_path / "ann-k" / "client.key")) == 0
    assert (tmp_path / "k" / "allowed" / "ann.key").exists()


# ── by the wall clock ───────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def living(door: Door):
    """The same gateway and loops, by the wall clock in a thread."""
    clock, over = RealClock(), threading.Event()
    door.gateway._state_due_ns = 0
    door.loops._due_ns = 0
    door.gateway.orders._written_ns = -(10**9)

    def live():
        due_ns = 0

        def stop() -> bool:
            nonlocal due_ns
            if clock.now_ns() >= due_ns:
                due_ns = clock.now_ns() + 5 * MS
                door.loops.act(clock.now_ns())
            return over.is_set()

        door.gateway.serve(clock, stop)

    thread = threading.Thread(target=live)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10.0)


def test_doctor_finds_what_is_wrong_step_by_step(door, call, capsys, tmp_path, monkeypatch):
    keys = tmp_path / "client-keys"
    here = ("doctor", "--address", door.cfg.address, "--keys", str(keys), "--timeout", "10")
    assert call(*here) == 1
    assert "keys: " in capsys.readouterr().out
    door.keys.make_client("ann", keys, False)
    assert call("doctor", "--address", "tcp://nowhere", "--keys", str(keys)) == 1
    assert "tcp://HOST:PORT" in capsys.readouterr().out
    assert call("doctor", "--address", "tcp://127.0.0.1:1", "--keys", str(keys)) == 1
    assert "h2s2r-hw serve" in capsys.readouterr().out
    monkeypatch.setattr("h2s2r_hw.operate.doctor._LISTEN", 0.3)
    with living(door):
        code = call(*here)
        said = capsys.readouterr().out
        # How regular states come is the machine's affair here; that they come is not.
        assert "handshake: h2s2r-hw" in said
        assert "state: ready" in said
        assert "lease: free" in said
        assert code == ("FAIL  states" in said)
        door.keys.forget("ann")
        assert call(*here[:-1], "0.5") == 1
        assert "h2s2r-hw keys list" in capsys.readouterr().out


def test_a_client_by_the_wall_clock_commands_and_is_followed(door):
    from h2s2r_schemas.client import RobotClient

    keys = door.new_keys("ann")
    with living(door), RobotClient(keys, door.cfg.address, timeout=10.0) as robot, Session(robot) as session:
        session.acquire()
        session.arm()
        start = session.state.joint_pos_target
        for _ in range(50):
            session.command(start)
            session.next_state()
        assert session.state.command_sequence >= 0
    assert door.gateway.counters["accepted"] > 0
