"""Records have the same bytes for NumPy and for ``struct``, and no hole in them.

In:  the dtypes.   Out: equal layouts.
Not here: slots (test_slots).
"""

from __future__ import annotations

import numpy as np
import pytest

from h2s2r_hw.bus import records
from h2s2r_hw.bus.records import JOINT_NAMES, places_of, struct_of

NAMES = ("TARGET", "ORDERS", "ARM_STATUS", "HAND_STATUS", "RESIDUAL", "HEARTBEAT", "ARM_LOG", "HAND_LOG")


@pytest.mark.parametrize("name", NAMES)
def test_numpy_and_struct_agree(name):
    dtype = getattr(records, name)
    layout, places = struct_of(dtype), places_of(dtype)
    assert layout.size == dtype.itemsize
    values = list(range(1, layout.size // 8 + 1))
    record = np.frombuffer(layout.pack(*values), dtype)[0]
    for field, place in places.items():
        assert np.array_equal(np.atleast_1d(record[field]), values[place]), field
    assert sorted(i for place in places.values() for i in range(place.start, place.stop)) == list(range(len(values)))


def test_joint_order_is_by_name():
    assert len(JOINT_NAMES) == len(set(JOINT_NAMES)) == records.NUM_JOINTS == records.NUM_ARM + records.NUM_HAND
