"""Every pair of state and event does what the operator was told, and no more.

In:  the table.   Out: each rule of it, checked over all pairs.
Not here: when events hold (test_loops).
"""

from __future__ import annotations

import itertools

import pytest

from h2s2r_hw.states import ARMED, FAULTS, FAULTS_BY_NUMBER, MOVING, TABLE, Action, Event, State, combine
from h2s2r_hw.states.table import STEPS
from h2s2r_schemas.wire import SERVER_STATES

PAIRS = list(itertools.product(State, Event))
#: (from, event, to) for everything that changes the state; whatever is not here must stay. Written down a second time on purpose.
CHANGES = {
    **{(state, Event.ESTOP): State.ESTOP for state in State if state != State.ESTOP},
    **{(state, Event.FAULT): State.FAULT for state in State if state not in (State.ESTOP, State.FAULT)},
    (State.ESTOP, Event.ESTOP_RESET): State.MONITOR,
    (State.FAULT, Event.FAULT_CLEARED): State.MONITOR,
    (State.OFFLINE, Event.LINK): State.MONITOR,
    (State.MONITOR, Event.LINK_LOST): State.OFFLINE,
    (State.READY, Event.LINK_LOST): State.OFFLINE,
    (State.MONITOR, Event.GOOD): State.READY,
    (State.READY, Event.NOT_GOOD): State.MONITOR,
    (State.READY, Event.ARM): State.ARMING,
    (State.ARMING, Event.ACTIVE): State.HOLD,
    (State.ARMING, Event.DISARM): State.READY,
    (State.HOLD, Event.DISARM): State.READY,
    (State.HOLD, Event.TARGET): State.TRACK,
    (State.HOLD, Event.HOME): State.HOMING,
    (State.TRACK, Event.NO_TARGET): State.SOFT_STOP,
    (State.TRACK, Event.HOME): State.SOFT_STOP,
    (State.TRACK, Event.STOP): State.SOFT_STOP,
    (State.TRACK, Event.DISARM): State.SOFT_STOP,
    (State.HOMING, Event.STOP): State.SOFT_STOP,
    (State.HOMING, Event.DISARM): State.SOFT_STOP,
    (State.HOMING, Event.AT_REST): State.HOLD,
    (State.SOFT_STOP, Event.AT_REST): State.HOLD,
}


@pytest.mark.parametrize(("state", "event"), PAIRS, ids=lambda each: each.name.lower())
def test_every_pair(state, event):
    to, action = TABLE[state, event]
    assert to == CHANGES.get((state, event), state)
    if (state, event) not in CHANGES:
        # Nothing happens but that somebody who arms an armed part begins anew where it is.
        assert action == (Action.BEGIN if (state, event) == (State.HOLD, Event.ARM) else Action.NONE)
    if to in (State.FAULT, State.ESTOP) and to != state:
        assert action == Action.TRIP
    if to == State.SOFT_STOP and to != state:
        assert action == Action.BRAKE
    if state in ARMED and to == State.READY:
        assert action == Action.RELEASE
    if to == State.TRACK and to != state:
        assert (state, action) == (State.HOLD, Action.FOLLOW)


def test_motion_begins_only_after_begin():
    """Between any way of stopping and the next tracking lies a state in which targets begin where the joints are."""
    for state in (State.FAULT, State.ESTOP, State.OFFLINE, State.MONITOR, State.READY):
        seen, edge = {state}, [state]
        while edge:
            here = edge.pop()
            for event in Event:
                to, action = TABLE[here, event]
                if action == Action.BEGIN:
                    continue
                assert to not in (*ARMED, State.SOFT_STOP, State.HOMING), (state, here, event)
                if to not in seen:
                    seen.add(to)
                    edge.append(to)


def test_every_state_can_be_reached_and_left():
    for begin in State:
        seen, edge = {begin}, [begin]
        while edge:
            here = edge.pop()
            for event in Event:
                to, _ = TABLE[here, event]
                if to not in seen:
                    seen.add(to)
                    edge.append(to)
        assert seen == set(State), begin


def test_a_latched_state_is_left_by_its_own_event_alone():
    for state, event in ((State.ESTOP, Event.ESTOP_RESET), (State.FAULT, Event.FAULT_CLEARED)):
        leaving = {each for each in Event if TABLE[state, each][0] != state}
        assert leaving - {Event.ESTOP} == {event}


def test_the_steps_of_a_state_are_the_table():
    for state, event in PAIRS:
        listed = [(to, action) for each, to, action in STEPS[state] if each == event]
        assert listed == ([] if TABLE[state, event] == (state, Action.NONE) else [TABLE[state, event]])
        assert [each for each, _, _ in STEPS[state]] == sorted(each for each, _, _ in STEPS[state])


def test_names_are_those_on_the_wire():
    assert tuple(state.name.lower() for state in State) == SERVER_STATES


def test_the_server_is_as_far_as_its_last_part():
    for one, other in itertools.product(State, State):
        both = combine(one, other)
        assert both == combine(other, one)
        assert both in (one, other)
        if State.ESTOP in (one, other):
            assert both == State.ESTOP
        elif State.FAULT in (one, other):
            assert both == State.FAULT
        elif both in ARMED:
            assert one in MOVING and other in MOVING
    assert combine(State.HOLD, State.READY) == State.READY
    assert combine(State.HOLD, State.TRACK) == State.TRACK
    assert combine(State.TRACK, State.SOFT_STOP) == State.SOFT_STOP


def test_faults_say_what_to_do():
    assert len(FAULTS) == len(FAULTS_BY_NUMBER) and 0 not in FAULTS_BY_NUMBER
    for code, kind in FAULTS.items():
        assert code == kind.code and kind.part in ("arm", "hand", "both")
        assert kind.say(1.5, "index_joint_2").endswith(".") and kind.remedy.endswith(".")
        assert "{" not in kind.say(1.5, "index_joint_2")
