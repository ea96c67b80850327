"""Processes are started, watched, replaced or not as declared, and ended in order; settings and priorities say what is wrong.

In:  small stand-in processes.   Out: who lives, what was told.
Not here: the real processes (test_serve).
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from h2s2r_hw.config import ServerCfg
from h2s2r_hw.processes.realtime import ask_for
from h2s2r_hw.processes.runtime import Runtime
from h2s2r_hw.processes.settings import read_settings, write_settings
from h2s2r_hw.processes.supervisor import Supervisor
from h2s2r_schemas.errors import SchemaError

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
#: Notes its end in a file, as told by SIGTERM.
NOTES = """
import signal, sys, time
def end(*_):
    open(sys.argv[1], "a").write(sys.argv[2] + "\\n"); sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(60)
"""
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)


def supervise(commands):
    told: list[str] = []
    made = Supervisor(commands, told.append, os.environ)
    made.start()
    return made, told


def pid(supervisor: Supervisor, role: str) -> int:
    return supervisor.children[role].process.pid


def test_a_gateway_that_is_killed_is_started_anew_and_a_loop_is_not():
    supervisor, told = supervise({"arm": SLEEP, "gateway": SLEEP})
    try:
        first = pid(supervisor, "gateway")
        os.kill(first, signal.SIGKILL)
        supervisor.watch(10.0)
        assert pid(supervisor, "gateway") != first
        os.kill(pid(supervisor, "arm"), signal.SIGKILL)
        supervisor.watch(10.0)
        assert supervisor.failed == ["arm"] and list(supervisor.children) == ["gateway"]
        assert any("SIGKILL; it is started anew" in line for line in told)
        assert any("arm: was ended by SIGKILL; it is not" in line for line in told)
    finally:
        supervisor.stop()


def test_a_gateway_that_ends_again_and_again_is_given_up():
    supervisor, told = supervise({"gateway": [sys.executable, "-S", "-E", "-c", "raise SystemExit(3)"]})
    while supervisor.children:
        supervisor.watch(10.0)
    assert supervisor.failed == ["gateway"]
    assert len([line for line in told if "started as process" in line]) == 6
    assert "ended with code 3" in told[-1]


def test_processes_end_in_order_and_stubborn_ones_are_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("h2s2r_hw.processes.supervisor._PATIENCE", 2.0)
    note = str(tmp_path / "ended")
    roles = ("logger", "guardian", "hand")
    commands = {role: [sys.executable, "-c", NOTES, note, role] for role in roles}
    commands["arm"] = [sys.executable, "-c", STUBBORN]
    supervisor, told = supervise(commands)
    time.sleep(1.5)
    began = time.monotonic()
    supervisor.stop()
    assert (tmp_path / "ended").read_text().split() == ["hand", "guardian", "logger"]
    assert not supervisor.children and "is killed" in told[-1]
    assert time.monotonic() - began < 30.0


def test_settings_are_read_back_and_wrong_ones_named(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text(write_settings(ServerCfg()))
    assert read_settings(path) == ServerCfg()
    path.write_text('{"arm": {"send_period_ms": 2, "own": ["0.0.0.0", 30201]}, "log": {"reserve_bytes": 5}}')
    cfg = read_settings(path)
    assert (cfg.arm.send_period_ms, cfg.arm.own, cfg.log.reserve_bytes) == (2, ("0.0.0.0", 30201), 5)
    for text, match in (
        ('{"arm": {"speed": 2}}', "no field 'speed'"),
        ('{"arm": {"send_period_ms": "2"}}', "arm.send_period_ms: '2'"),
        ('{"arm": {"send_period_ms": true}}', "arm.send_period_ms: True"),
        ('{"arm": {"send_period_ms": 0}}', "arm: send_period_ms is 0"),
        ('{"hand": {"kp": [1.0]}}', "hand.kp"),
        ('{"hand": 3}', "a group of fields"),
        ("{", "cannot be read"),
    ):
        path.write_text(text)
        with pytest.raises(SchemaError, match=match):
            read_settings(path)


def test_shared_memory_of_a_server_is_attached_by_name_and_removed(tmp_path):
    made = Runtime(tmp_path / "run", ServerCfg(), create=True)
    seen = Runtime(tmp_path / "run", ServerCfg())
    made.slots["orders"].record["armed"] = 1
    made.slots["orders"].write()
    assert seen.slots["orders"].read() == 1 and int(seen.slots["orders"].record["armed"]) == 1
    assert made.rings["arm_log"].capacity == 12_000
    made.remove()
    assert list((tmp_path / "run").iterdir()) == []


def test_what_the_system_refuses_is_said(tmp_path):
    with pytest.raises(SchemaError, match="starve"):
        ask_for(95, None, False)
    # In a process of its own: this one shall stay as it is.
    script = (
        "import json, gc, os; from h2s2r_hw.processes.realtime import ask_for\n"
        "granted = ask_for(10, 4095, True)\n"
        "print(json.dumps([[each.what, each.ok, each.remedy] for each in granted] + [gc.isenabled()]))"
    )
    said = json.loads(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)
    core, lock, fifo, collects = said
    assert core[0] == "core 4095" and not core[1] and "choose of these" in core[2]
    assert not collects and gc.isenabled()
    for what, ok, remedy in (lock, fifo):
        assert ok or "limits.conf" in remedy, what
