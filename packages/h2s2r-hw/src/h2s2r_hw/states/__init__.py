"""What state each part of the server is in, what leads from one to the next, and every fault that stops it.

In:  events.   Out: states, actions; faults in words.
Not here: how events are seen (loops), refusals of single commands (server).
"""

from h2s2r_hw.states.faults import FAULTS, FAULTS_BY_NUMBER, FaultKind, fault_number
from h2s2r_hw.states.table import (
    ARMED,
    EVENTS,
    MOVING,
    TABLE,
    Action,
    Event,
    State,
    combine,
)

__all__ = [
    "ARMED",
    "EVENTS",
    "FAULTS",
    "FAULTS_BY_NUMBER",
    "MOVING",
    "TABLE",
    "Action",
    "Event",
    "FaultKind",
    "State",
    "combine",
    "fault_number",
]
