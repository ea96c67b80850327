"""The state machine of the arm and of the hand: one table, the same for both.

In:  a state and an event.   Out: the next state and an action.
Not here: when an event holds (loops.arm, loops.hand), what an action does to motors (the same).

Events are *levels*: they hold, or not, at each tick. Of those that hold, the first in ``EVENTS`` that does something in the
present state counts, and there is at most one step per tick. What a client sees as ``server_state`` is ``combine`` of both parts.
"""

from __future__ import annotations

from enum import IntEnum

from h2s2r_schemas.wire import SERVER_STATES


class State(IntEnum):
    """Of a part. The numbers are the places in ``wire.SERVER_STATES``."""

    OFFLINE = 0
    """The device is silent."""
    MONITOR = 1
    """It talks, but could not be armed now."""
    READY = 2
    """It could be armed. The arm holds what it was sent last; the hand is without power."""
    ARMING = 3
    """Waiting for the device to follow, and for the other part."""
    HOLD = 4
    """Armed: stands where it is."""
    TRACK = 5
    """Armed: follows targets."""
    SOFT_STOP = 6
    """Coming to rest within its limits."""
    HOMING = 7
    """Moving slowly to the robot's home."""
    FAULT = 8
    """Stopped by a fault, until that is acknowledged."""
    ESTOP = 9
    """Stopped by the e-stop, until that is reset."""


class Event(IntEnum):
    """What can hold at a tick. The smaller number counts first."""

    ESTOP = 0
    """The e-stop is on (ORDERS.estop)."""
    ESTOP_RESET = 1
    """It is off."""
    FAULT = 2
    """A fault is latched and not acknowledged."""
    FAULT_CLEARED = 3
    """No fault is latched."""
    LINK_LOST = 4
    """The device is silent, or has closed its session. While armed this is a fault instead."""
    NOT_GOOD = 5
    """Its quality is below GOOD, its safety or identity is not as it must be. While armed this is a fault instead."""
    DISARM = 6
    """Nobody wants it armed (ORDERS.armed is 0), or the gateway is gone."""
    STOP = 7
    """Motion must end: ORDERS.stop_number grew, the gateway is silent, or the other part has stopped."""
    NO_TARGET = 8
    """The newest target is too old."""
    ARM = 9
    """Somebody armed (ORDERS.arm_number grew)."""
    HOME = 10
    """Somebody wants it at home (ORDERS.home_number grew)."""
    AT_REST = 11
    """What is sent stands still; at home, where that is where it goes."""
    ACTIVE = 12
    """The device follows what it is sent, and the other part is armed or arming."""
    TARGET = 13
    """A fresh target, near enough to begin with, and the other part is armed."""
    LINK = 14
    """The device talks."""
    GOOD = 15
    """It could be armed."""


#: In the order in which they are looked at.
EVENTS = tuple(Event)


class Action(IntEnum):
    """What is done at a step from state to state. What goes on while a state lasts follows from the state alone."""

    NONE = 0
    PREPARE = 1
    """Switch on (hand: servo on, currents zero); the arm waits for COMMANDING_ACTIVE."""
    BEGIN = 2
    """Targets begin at the measured position (arm: at the cabinet's own)."""
    FOLLOW = 3
    """Follow targets."""
    BRAKE = 4
    """Come to rest within the limits."""
    GO_HOME = 5
    """Move to home, slowly."""
    RELEASE = 6
    """Hand: no current, servo off. Arm: go on holding."""
    TRIP = 7
    """Arm: come to rest at once as for BRAKE. Hand: no current, servo off."""


#: States in which a client's commands can be accepted, and in which the part counts as armed.
ARMED = (State.HOLD, State.TRACK)
#: States that a part is in while it is armed or about to be: losing its device then is a fault.
MOVING = (State.ARMING, State.HOLD, State.TRACK, State.SOFT_STOP, State.HOMING)

Step = tuple[State, Action]


def _table() -> dict[tuple[State, Event], Step]:
    """Every pair of state and event. Where none of the lines below speaks of a pair, nothing happens."""
    table: dict[tuple[State, Event], Step] = {
        (state, event): (state, Action.NONE) for state in State for event in Event
    }

    def when(states: tuple[State, ...] | State, event: Event, to: State | None, action: Action = Action.NONE) -> None:
        for state in states if isinstance(states, tuple) else (states,):
            table[state, event] = (state if to is None else to, action)

    everywhere = tuple(State)
    standing = (State.OFFLINE, State.MONITOR, State.READY)
    # Whatever happens.
    when(tuple(state for state in everywhere if state != State.ESTOP), Event.ESTOP, State.ESTOP, Action.TRIP)
    when(State.ESTOP, Event.ESTOP_RESET, State.MONITOR)
    when((*standing, *MOVING), Event.FAULT, State.FAULT, Action.TRIP)
    when(State.FAULT, Event.FAULT_CLEARED, State.MONITOR)
    # The way up.
    when(State.OFFLINE, Event.LINK, State.MONITOR)
    when((State.MONITOR, State.READY), Event.LINK_LOST, State.OFFLINE)
    when(State.READY, Event.NOT_GOOD, State.MONITOR)
    when(State.MONITOR, Event.GOOD, State.READY)
    when(State.READY, Event.ARM, State.ARMING, Action.PREPARE)
    when(State.ARMING, Event.ACTIVE, State.HOLD, Action.BEGIN)
    when(State.HOLD, Event.ARM, None, Action.BEGIN)
    # Motion.
    when(State.HOLD, Event.TARGET, State.TRACK, Action.FOLLOW)
    when(State.HOLD, Event.HOME, State.HOMING, Action.GO_HOME)
    when(State.TRACK, Event.NO_TARGET, State.SOFT_STOP, Action.BRAKE)
    when(State.TRACK, Event.HOME, State.SOFT_STOP, Action.BRAKE)
    when((State.TRACK, State.HOMING), Event.STOP, State.SOFT_STOP, Action.BRAKE)
    when((State.TRACK, State.HOMING), Event.DISARM, State.SOFT_STOP, Action.BRAKE)
    when((State.SOFT_STOP, State.HOMING), Event.AT_REST, State.HOLD)
    # The way down.
    when((State.ARMING, State.HOLD), Event.DISARM, State.READY, Action.RELEASE)
    return table


#: (state, event) -> (next state, action), for every pair there is.
TABLE = _table()

#: Per state, the events that do something there, in their order: what a loop has to look at.
STEPS: dict[State, tuple[tuple[Event, State, Action], ...]] = {
    state: tuple((event, *TABLE[state, event]) for event in EVENTS if TABLE[state, event] != (state, Action.NONE))
    for state in State
}


def combine(*parts: State) -> State:
    """The server's state from those of its parts, e.g. of the arm and the hand.

    The e-stop or a fault of any is the server's; else the one that is furthest from armed counts; if all are armed, the
    one that moves in the most particular way.
    """
    for worst in (State.ESTOP, State.FAULT):
        if worst in parts:
            return worst
    lowest = min(parts)
    return lowest if lowest <= State.ARMING else max(parts)


assert tuple(state.name.lower() for state in State) == SERVER_STATES
