"""Which commands are followed: every combination of what can be wrong with one.

In:  commands, valid and spoilt.   Out: accepted, or the code of what was wrong first.
Not here: bytes and sockets (test_gateway), grants of the lease (test_lease).
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from door_for_tests import robot_spec

from h2s2r_hw.server.admission import Admission
from h2s2r_hw.server.config import GatewayCfg
from h2s2r_hw.server.lease import Client, Lease
from h2s2r_hw.server.refusals import REFUSALS
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.wire import SERVER_STATES, RobotCommand

MS = 1_000_000
SPEC = robot_spec()
HOLDER, OTHER = Client("h" * 40, "holder", False), Client("o" * 40, "other", True)
START = np.zeros(len(SPEC.joint_names))
CFG = GatewayCfg()


def judge() -> tuple[Admission, Lease]:
    """A lease at epoch 3 with commands up to sequence 10, made at client time 50, received at 1 s."""
    lease = Lease(500 * MS, lambda: 77, 2)
    admission = Admission(CFG, SPEC, lease, np.full(len(START), 0.05))
    assert lease.acquire(HOLDER, "s", False, 500 * MS, 0) is None
    admission.begin(49.0, 0)
    for sequence in range(8, 11):
        admission.accept(command(sequence=sequence, client_time=49.96 + 0.02 * (sequence - 8)), 1000 * MS)
    return admission, lease


def command(**changes: object) -> RobotCommand:
    fields = {
        "robot_hash": SPEC.hash(),
        "lease_epoch": 3,
        "lease_token": 77,
        "sequence": 11,
        "client_time": 50.02,
        "joint_pos_target": START,
    }
    return RobotCommand(**{**fields, **changes})


#: What may be wrong, in the order in which it is looked at: (code, client, changes of the command).
SPOILT = {
    "client": [("no_lease", OTHER, {})],
    "epoch": [("no_lease", HOLDER, {"lease_epoch": epoch}) for epoch in (2, 4)],
    "token": [("no_lease", HOLDER, {"lease_token": token}) for token in (76,)],
    "robot": [("foreign_robot", HOLDER, {"robot_hash": "0" * 16})],
    "joints": [("joint_count", HOLDER, {"joint_pos_target": np.zeros(n)}) for n in (22, 24)],
    "sequence": [("old_sequence", HOLDER, {"sequence": sequence}) for sequence in (9, 10)],
    "age": [
        ("stale_command", HOLDER, {"client_time": 50.02 - 0.2}),
        ("stale_command", HOLDER, {"client_time": -1e9}),
        ("future_command", HOLDER, {"client_time": 50.02 + 0.6}),
    ],
}


@pytest.mark.parametrize("target", [0.0, 0.2, 2.4, 3.5, -1e300])
def test_every_combination_is_refused_for_its_first_reason_and_changes_nothing(target: float):
    admission, lease = judge()
    before = (lease.used_ns, lease.epoch, admission.sequence)
    accepted = []
    for chosen in itertools.product(*([None, *options] for options in SPOILT.values())):
        wrong = [each for each in chosen if each is not None]
        client = OTHER if any(each[1] is OTHER for each in wrong) else HOLDER
        changes: dict[str, object] = {"joint_pos_target": np.full(len(START), target)}
        for each in wrong:
            changes.update(each[2])
        made = command(**changes)
        for state in SERVER_STATES:
            expected = wrong[0][0] if wrong else _by_state_and_target(state, target)
            refused = admission.judge(made, client, 1020 * MS, state, START)
            assert (refused.code if refused else "") == expected, (wrong, state, target)
            if refused is None:
                accepted.append((wrong, state))
            else:
                assert refused.cause
                assert refused.remedy == REFUSALS[expected].remedy
    follows = {0.0: ["hold", "track"], 0.2: ["track"], 2.4: ["track"]}.get(target, [])
    assert accepted == [([], state) for state in follows]
    assert before == (lease.used_ns, lease.epoch, admission.sequence), "judging changes nothing"


def _by_state_and_target(state: str, target: float) -> str:
    if state not in ("hold", "track"):
        return {"estop": "estop", "fault": "fault", "soft_stop": "stopping"}.get(state, "not_armed")
    if abs(target) > 3.0:
        return "far_outside"
    return "far_start" if state == "hold" and target else ""


def test_the_first_command_of_a_lease_begins_near_even_while_the_robot_still_moves():
    admission, _ = judge()
    admission.begin(50.0, 1000 * MS)
    far = command(sequence=0, joint_pos_target=START + 0.2)
    assert admission.judge(far, HOLDER, 1020 * MS, "track", START).code == "far_start"
    near = command(sequence=0, joint_pos_target=START + 0.04)
    assert admission.judge(near, HOLDER, 1020 * MS, "track", START) is None


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_refused_twice(bad: float):
    with pytest.raises(SchemaError):
        command(joint_pos_target=np.full(len(START), bad))
    admission, _ = judge()
    slipped = command()
    slipped.__dict__["joint_pos_target"] = np.where(np.arange(len(START)) == 4, bad, 0.0)
    for state in ("hold", "track"):
        refused = admission.judge(slipped, HOLDER, 1020 * MS, state, START)
        assert refused.code == "far_outside"
        assert SPEC.joint_names[4] in refused.cause


def test_a_whole_burst_of_old_commands_is_refused_and_the_youngest_are_not():
    admission, _ = judge()
    # Sixty commands at 60 Hz, kept back by a network that was frozen, then delivered at once.
    now_ns = 1000 * MS + 1000 * MS
    codes = []
    for step in range(1, 61):
        each = command(sequence=10 + step, client_time=50.0 + step / 60)
        refused = admission.judge(each, HOLDER, now_ns, "track", START)
        codes.append(refused.code if refused else "")
        if refused is None:
            admission.accept(each, now_ns)
    # The 51st is 150 ms old, which is the limit itself.
    assert codes[:50] == ["stale_command"] * 50
    assert codes[51:] == [""] * 9, "those at most 150 ms old"


def test_random_streams_never_get_an_old_or_repeated_one_accepted():
    """20 000 commands with random delays, repeats and reorderings: what is accepted is in order and young."""
    rng = np.random.default_rng(3)
    admission, _ = judge()
    sent = [(11 + step, 1.0 + step / 60) for step in range(5000)]
    arrivals = []
    for sequence, made in sent:
        for _ in range(1 + int(rng.random() < 0.3)):
            delay = 2e-3 + (rng.exponential(0.05) if rng.random() < 0.9 else rng.uniform(0.0, 5.0))
            arrivals.append((made + delay, sequence, made))
    accepted, false_refusals, fresh = [], 0, 0
    for now, sequence, made in sorted(arrivals):
        each = command(sequence=sequence, client_time=49.0 + made)
        refused = admission.judge(each, HOLDER, round(now * 1e9), "track", START)
        in_order = not accepted or sequence > accepted[-1][0]
        fresh += now - made < 0.14 and in_order
        false_refusals += now - made < 0.14 and in_order and refused is not None
        if refused is None:
            admission.accept(each, round(now * 1e9))
            accepted.append((sequence, now - made))
    sequences = [sequence for sequence, _ in accepted]
    assert sequences == sorted(set(sequences))
    # Two milliseconds are the quickest delay, which the filter cannot see; the rest is drift allowed for.
    assert max(age for _, age in accepted) <= CFG.stale_age + 3e-3
    assert false_refusals == 0
    assert fresh > 2000
