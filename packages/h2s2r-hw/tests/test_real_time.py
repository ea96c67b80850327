"""The rehearsal in real time is played to its end, and says what it found. Nothing here depends on being on time.

In:  `h2s2r-hw rehearse`.   Out: figures.
Not here: what the server must do (test_rehearsal).
"""

from __future__ import annotations

import json

import pytest
from test_processes import needs_multicast

from h2s2r_hw.cli import main


@pytest.mark.slow
@needs_multicast
def test_scenes_are_played_and_reported(tmp_path, capsys):
    arguments = ["rehearse", "--seconds", "3", "--no-realtime", "--priority", "0", "--silence", "3", "--json"]
    assert main([*arguments, "--report", str(tmp_path / "found.json")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert json.loads((tmp_path / "found.json").read_text()) == found
    assert {name.partition(".")[0] for name in found if "." in name} == {"follow", "killed", "frozen", "taken"}
    assert found["follow.commands_followed"] > 0 and found["follow.arm_hz"] > 0 and found["follow.guard_holds"] == 0
    assert all(found[f"{scene}.log_wrong"] == 0 for scene in ("follow", "killed", "frozen", "taken"))
