"""Cell, arm client and hand client as three processes in lock-step, over real UDP and CAN-over-multicast sockets.

In:  ``h2s2r-hw emulate`` and two clients that are not ours.   Out: the same bytes from the same seed, whatever the machine does.
Not here: single parts (test_cabinet, test_hand, test_twin).
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from h2s2r_hw.drivers.allegro import Frame
from h2s2r_hw.drivers.can_port import CanPort, open_bus

GROUPS = ("239.74.163.201", "239.74.163.202")

pytest.importorskip("google.protobuf", reason="stock protobuf is the client's codec")

SECONDS = 2.3
CHANNEL = "239.74.163.2"


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def multicast_works() -> bool:
    """Whether this machine has any route for multicast."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 0)
            probe.sendto(b"", (CHANNEL, free_port()))
        except OSError:
            return False
    return True


def spawn(*arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def rehearse(plant: str, seed: int, version: str = "2.7", faults: str = "") -> tuple[dict, dict, str]:
    """A whole run; returns what the arm's client saw, what the hand's saw, and all that the cell said."""
    own, cabinet, can_port = free_port(), free_port(), free_port()
    emulate = ["-m", "h2s2r_hw.cli", "emulate", "--plant", plant, "--start", "default", "--seed", str(seed)]
    emulate += ["--fri", f"127.0.0.1:{cabinet}", "--fri-client", f"127.0.0.1:{own}", "--fri-version", version]
    emulate += ["--can-channel", CHANNEL, "--can-port", str(can_port), "--seconds", str(SECONDS), "--faults", faults]
    emulate += ["--lockstep", "127.0.0.1:0", "--participants", "arm,hand"]
    if plant == "twin":
        emulate += ["--perturb", "standard,joint_noise=0.0005"]
    cell = spawn(*emulate)
    script, said, address = str(Path(__file__).parent / "process_for_tests.py"), "", ""
    for line in cell.stdout:
        said += line
        if line.startswith("lock-step: "):
            address = line.split()[1].rstrip(",")
            break
    assert address, said + cell.stderr.read()
    clients = [
        spawn(script, "arm", address, str(SECONDS), version, str(own), str(cabinet)),
        spawn(script, "hand", address, str(SECONDS), CHANNEL, str(can_port)),
    ]
    out = [client.communicate(timeout=120) for client in clients]
    rest, errors = cell.communicate(timeout=120)
    assert cell.returncode == 0, errors
    assert all(client.returncode == 0 for client in clients), [error for _, error in out]
    return json.loads(out[0][0]), json.loads(out[1][0]), said + rest


needs_multicast = pytest.mark.skipif(not multicast_works(), reason="no route for multicast on this machine")


@needs_multicast
def test_three_processes_without_physics_give_the_same_bytes_from_the_same_seed():
    runs = [rehearse("ideal", 3, faults="drop=0.01@0.5,lost_frames=0.01@0.5") for _ in range(2)]
    digests = [said.rpartition("digest: ")[2].strip() for _, _, said in runs]
    assert len(digests[0]) == 64 and digests[0] == digests[1]


@needs_multicast
@pytest.mark.requirement("H26")
@pytest.mark.requirement("H27")
def test_three_processes_with_the_twin():
    pytest.importorskip("h2s2r_sim", reason="the twin needs the extra `emulator`")
    arm, hand, said = rehearse("twin", 7)
    assert arm["states"] == [1, 2, 3, 4] and arm["mirrored"] and arm["moved"] > 0.05
    assert hand["serial"] == ["EMARv400"] and hand["commands"] > 3000
    assert " 0 protocol errors" in said and "COMMANDING_WAIT -> COMMANDING_ACTIVE" in said
    assert rehearse("twin", 7)[2].rpartition("digest: ")[2] == said.rpartition("digest: ")[2]


def test_cells_on_one_port_do_not_hear_each_other():
    """Linux hands what is sent to any group of a port to every socket on it, unless told not to."""
    here, there, elsewhere = (CanPort(open_bus("udp_multicast", group)) for group in (GROUPS[0], GROUPS[0], GROUPS[1]))
    try:
        elsewhere.send(Frame(0x80, bytes(8)))
        there.send(Frame(0x84, bytes(8)))
        heard = here.read(5.0)
        assert heard is not None and heard.identifier == 0x84
        assert here.read(0.05) is None and elsewhere.read(0.05) is None
    finally:
        for port in (here, there, elsewhere):
            port.close()
