"""One client as a process of its own: ``python process_for_tests.py arm|hand LOCKSTEP SECONDS …``.

In:  the command line.   Out: JSON about what it saw, on stdout.
Not here: the clients (client_for_tests), the test (test_processes).
"""

from __future__ import annotations

import json
import sys

import can
from client_for_tests import FriClient, HandClient, sine

from h2s2r_hw.clock import LockstepClock


def arm(clock: LockstepClock, until_ns: int, version: str, own_port: str, cabinet_port: str) -> dict:
    client = FriClient(
        version, "position", clock, sine(3, 0.1), port=int(own_port), cabinet=("127.0.0.1", int(cabinet_port))
    )
    client.run(until_ns)
    mirrored = all(ipo == sent for ipo, sent in client.mirrored)
    measured = [m.monitorData.measuredJointPosition.value[3] for _, m in client.messages]
    return {"states": client.states, "sent": client.sent, "mirrored": mirrored, "moved": max(measured) - min(measured)}


def hand(clock: LockstepClock, until_ns: int, channel: str, port: str) -> dict:
    bus = can.Bus(interface="udp_multicast", channel=channel, port=int(port), hop_limit=0)
    client = HandClient(bus, clock, target=lambda seconds: [0.0, 1.2, 1.2, 1.0] * 3 + [0.7, 0.3, 0.3, 0.3])
    clock.wait_until(1)
    client.run(until_ns)
    bus.shutdown()
    return {
        "joint_pos": client.joint_pos,
        "commands": client.commands,
        "serial": [each.decode() for each in client.serial],
    }


if __name__ == "__main__":
    kind, address, seconds, *rest = sys.argv[1:]
    shared = LockstepClock(address, kind, ("fri",) if kind == "arm" else ("can",), patience=60.0)
    sys.stdout.write(json.dumps({"arm": arm, "hand": hand}[kind](shared, round(float(seconds) * 1e9), *rest)))
    shared.close()
