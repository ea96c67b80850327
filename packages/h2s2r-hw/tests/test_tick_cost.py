"""A loop in a process of its own answers as it did in the rehearsal, and every tick has a cost.

In:  a rehearsal of a second.   Out: figures.
Not here: how large they are (`h2s2r bench hw`).
"""

from __future__ import annotations

import pytest

from h2s2r_hw.emulators.rehearsal import tick_cost
from h2s2r_schemas.errors import H2S2RError


@pytest.fixture(scope="module")
def recorded():
    return tick_cost.record(0.3)


def test_both_loops_answer_byte_by_byte_what_they_answered(recorded):
    events, from_ns = recorded
    costs = tick_cost._play(events, paced=False)
    # 200 and 333 ticks a second, from a process each, and none of them for nothing.
    assert sum(when >= from_ns for when, _ in costs["arm"]) == pytest.approx(60, abs=2)
    assert sum(when >= from_ns for when, _ in costs["hand"]) == pytest.approx(100, abs=2)
    assert all(cost > 0 for each in costs.values() for _, cost in each)
    assert sum(bool(event.slots.get("residual")) for event in events["arm"]) > 50


def test_another_answer_is_an_error(recorded):
    events, _ = recorded
    at = next(at for at, event in enumerate(events["hand"]) if event.answers)
    first = events["hand"][at]
    wrong = type(first)(first.now_ns, first.slots, first.messages, (bytes(16), *first.answers[1:]))
    with pytest.raises(H2S2RError, match="answered something else"):
        tick_cost._play({"hand": [*events["hand"][:at], wrong]}, paced=False)
