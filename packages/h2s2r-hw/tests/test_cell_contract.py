"""The robot client on the whole server on the emulated cell keeps the contract of ``Robot``.

In:  ``check_robot``, datagrams, frames and encrypted messages on real sockets, in virtual time.   Out: no clause broken.
Not here: single requests and refusals (test_gateway), faults (the faults suite).
"""

from __future__ import annotations

import pytest

from h2s2r_hw.emulators.rehearsal.whole import Rehearsal
from h2s2r_schemas.testing import check_robot


@pytest.mark.requirement("H26")
@pytest.mark.requirement("H27")
def test_the_robot_client_keeps_the_contract_on_the_emulated_cell(tmp_path):
    with Rehearsal(tmp_path) as cell:
        client = cell.client(operator=True)
        check_robot(lambda: client, settle=1.0)
        assert (client.lost_states, client.unsent) == (0, 0)
        assert cell.cell.cabinet.protocol_errors == 0
        for part in ("arm", "hand"):
            assert cell.status(part)["count_guard_holds"] == 0
