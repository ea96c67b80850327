"""The server as its real processes on an emulated cell: it comes up, survives what it must, and ends in order.

In:  `h2s2r-hw serve` and `h2s2r-hw emulate` in real time.   Out: states, processes, logs. Nothing here depends on being on time.
Not here: what the server does when something fails (test_rehearsal).
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from h2s2r_hw.bus.log import inspect_log
from h2s2r_hw.bus.records import HAND_STATUS
from h2s2r_hw.bus.slots import Slot
from h2s2r_hw.config import ServerCfg
from h2s2r_hw.processes.guardian import GUARDIAN_STATUS
from h2s2r_hw.processes.preflight import prepare
from h2s2r_hw.processes.settings import changed
from h2s2r_hw.server.keys import KeyFolder
from h2s2r_schemas.client import ClientKeys, RobotClient


def udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Served:
    """A server and its cell."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        own, cabinet = udp_port(), udp_port()
        group = f"239.74.{random.SystemRandom().randrange(1, 255)}.{random.SystemRandom().randrange(1, 255)}"
        keys = KeyFolder(folder / "keys")
        keys.make()
        self.keys = ClientKeys.load(keys.make_client("me", folder / "me", operator=True))
        self.address = f"ipc://{folder / 'door'}"
        settings = {
            "arm": {"own": ["127.0.0.1", own], "cabinet": ["127.0.0.1", cabinet]},
            "hand": {"can_interface": "udp_multicast", "can_channel": group},
            "gateway": {"address": self.address, "keys": str(folder / "keys")},
            "log": {"folder": str(folder / "logs"), "ring_seconds": 20.0, "reserve_bytes": 0},
            # This machine is shared: a loop that is late here is no failure.
            "realtime": {"arm_priority": 0, "hand_priority": 0, "guardian_priority": 0, "lock_memory": False},
            "guardian": {"silence": 3.0},
        }
        (folder / "settings.json").write_text(json.dumps(settings))
        base = [sys.executable, "-m", "h2s2r_hw.cli"]
        emulate = [
            *base,
            "emulate",
            "--plant",
            "ideal",
            "--fri",
            f"127.0.0.1:{cabinet}",
            "--fri-client",
            f"127.0.0.1:{own}",
        ]
        self.cell = subprocess.Popen([*emulate, "--can-channel", group], stdout=subprocess.DEVNULL)
        serve = [*base, "serve", "--settings", str(folder / "settings.json"), "--runtime", str(folder / "run")]
        self.server = subprocess.Popen(
            [*serve, "--emulated"],
            stdout=os.open(folder / "out", os.O_WRONLY | os.O_CREAT),
            stderr=subprocess.STDOUT,
        )

    def said(self) -> str:
        return (self.folder / "out").read_text()

    def pid(self, role: str) -> int:
        lines = [line for line in self.said().splitlines() if line.startswith(f"{role}: started as process")]
        return int(lines[-1].split()[-1])

    def wait(self, reached: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not reached():
            assert time.monotonic() < end, f"{what} was not reached:\n{self.said()}"
            time.sleep(0.1)

    def slot(self, name: str, dtype) -> Slot:
        return Slot.attach(self.folder / "run" / name, dtype)

    def close(self) -> None:
        for process in (self.server, self.cell):
            process.terminate()
            try:
                process.wait(30.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture
def served():
    with tempfile.TemporaryDirectory(prefix="serve") as folder:
        made = Served(Path(folder))
        try:
            yield made
        finally:
            made.close()


def states(served: Served) -> str:
    with RobotClient(served.keys, served.address, timeout=20.0) as client:
        assert client.hello().emulated
        return client.next_state().server_state


def test_it_serves_survives_and_ends_in_order(served):
    served.wait(lambda: "gateway: started" in served.said(), "start")
    hand = None

    def hand_talks() -> bool:
        nonlocal hand
        if not (served.folder / "run" / "hand_status").exists():
            return False
        hand = hand or served.slot("hand_status", HAND_STATUS)
        return hand.read() > 0 and int(hand.record["identified"]) == 1

    served.wait(hand_talks, "an identified hand")
    assert states(served) in ("offline", "monitor", "ready")

    # A gateway that is killed comes back, and clients find it.
    first = served.pid("gateway")
    os.kill(first, signal.SIGKILL)
    served.wait(lambda: served.pid("gateway") != first, "another gateway")
    assert states(served) in ("offline", "monitor", "ready")

    # A loop that is killed does not; the guardian has seen it.
    guardian = served.slot("guardian_status", GUARDIAN_STATUS)
    os.kill(served.pid("hand"), signal.SIGKILL)
    served.wait(lambda: guardian.read() > 0 and int(guardian.record["trips"]) >= 1, "the guardian's trip")
    served.wait(lambda: "hand: was ended by SIGKILL; it is not started anew" in served.said(), "the supervisor's word")

    children = [served.pid(role) for role in ("arm", "guardian", "gateway", "logger", "residual")]
    served.server.terminate()
    assert served.server.wait(60.0) == 1
    for pid in children:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    report = inspect_log(served.folder / "logs")
    assert report.ended and not report.wrong and min(report.rows.values()) > 0
    assert list((served.folder / "run").iterdir()) == []
    assert "nanobind" not in served.said() and "Traceback" not in served.said()


def test_without_a_supervisor_nothing_goes_on(served):
    served.wait(lambda: "gateway: started" in served.said(), "start")
    served.wait((served.folder / "run" / "guardian_status").exists, "memory")
    guardian = served.slot("guardian_status", GUARDIAN_STATUS)
    served.wait(lambda: guardian.read() > 0, "a guardian")
    pids = [served.pid(role) for role in ("arm", "hand", "guardian", "gateway", "logger", "residual")]
    served.wait(lambda: all(_catches_sigterm(pid) for pid in pids), "all processes at work")
    served.server.kill()
    served.wait(lambda: not any(_lives(pid) for pid in pids), "the end of all processes")
    assert guardian.read() > 0 and int(guardian.record["trips"]) >= 1


def _catches_sigterm(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(next(line for line in status.splitlines() if line.startswith("SigCgt")).split()[1], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_two_servers_do_not_share_memory(tmp_path):
    (tmp_path / "pid").write_text(str(os.getpid()))
    command = [sys.executable, "-m", "h2s2r_hw.cli", "serve", "--runtime", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2 and f"A server runs as process {os.getpid()}" in done.stderr


@pytest.fixture(name="settings")
def _settings(tmp_path):
    """Of a server that could be started, but for what a test takes away."""
    keys = KeyFolder(tmp_path / "keys")
    keys.make()
    return {
        "arm": {"own": ["127.0.0.1", udp_port()], "cabinet": ["127.0.0.1", udp_port()]},
        "hand": {"can_interface": "virtual", "can_channel": "preflight"},
        "gateway": {"address": f"ipc://{tmp_path / 'door'}", "keys": str(tmp_path / "keys")},
        "log": {"folder": str(tmp_path / "new" / "logs")},
    }


def test_what_is_needed_is_looked_at_before_anything_is_started(settings, tmp_path):
    remarks = prepare(changed(ServerCfg(), settings, "settings"))
    assert (tmp_path / "new" / "logs").is_dir(), "it is made where it is missing"
    assert not list((tmp_path / "new" / "logs").iterdir())
    assert "nobody is allowed to connect yet" in remarks[0]
    KeyFolder(tmp_path / "keys").make_client("ann", tmp_path / "ann", operator=False)
    assert "no key in" in prepare(changed(ServerCfg(), settings, "settings"))[0]


@pytest.mark.parametrize(
    ("where", "value", "word"),
    [
        (("gateway", "keys"), "nowhere", "h2s2r-hw keys make"),
        (("log", "folder"), "/proc/logs", "another log.folder"),
        (("arm", "own"), ["192.0.2.77", 30200], "FRI socket"),
        (("hand", "can_channel"), "no such bus", "cannot be opened"),
        (("gateway", "address"), "tcp://192.0.2.77:5710", "gateway.address"),
    ],
)
def test_what_is_missing_is_said_in_one_line(settings, tmp_path, where, value, word):
    settings[where[0]][where[1]] = value
    if where[0] == "hand":
        settings["hand"]["can_interface"] = "socketcan"
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    command = [sys.executable, "-m", "h2s2r_hw.cli", "serve", "--settings", "settings.json", "--runtime", "run"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120.0)
    assert done.returncode == 2 and word in done.stderr, done.stderr
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("h2s2r-hw: ") and not done.stdout
