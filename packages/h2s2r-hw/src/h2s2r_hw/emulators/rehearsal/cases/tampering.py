"""Honest commands of which something is changed, before they are encrypted or after.

In:  a scene.   Out: ``CASES`` of the classes 3 and 7.
Not here: messages that no client made (message).
"""

from __future__ import annotations

import msgpack
import numpy as np

from h2s2r_hw.emulators.rehearsal.judge import Case
from h2s2r_hw.emulators.rehearsal.permitted import Permitted
from h2s2r_hw.emulators.rehearsal.scene import Scene
from h2s2r_hw.emulators.rehearsal.tamper import Line
from h2s2r_schemas.codec import encode


def _changed_bytes(scene: Scene) -> None:
    """Three bytes of each command are changed before it is encrypted: 300 times, between the commands that it follows.

    Such a command may be as good as the one before the change, and is followed then (permitted).
    """
    scene.tracking(0.5)
    owner, gateway, rng = scene.owner, scene.whole.gateway, np.random.default_rng(3)
    stranger = scene.stranger(owner.keys)
    bad = also_good = 0
    for _ in range(300):
        now, after = scene.whole.now_ns * 1e-9, owner.sequence
        honest = encode(owner.command(owner.state.joint_pos_target))
        data = bytearray(honest)
        for at in rng.integers(0, len(data), 3):
            data[at] ^= int(rng.integers(1, 256))
        before = gateway.counters["accepted"]
        stranger.send(bytes(data))
        if gateway.counters["accepted"] > before:
            wrong = Permitted(scene.whole.robot, scene.whole.server.gateway, honest, after, now).wrong(bytes(data))
            bad, also_good = bad + bool(wrong), also_good + (not wrong)
            owner.sequence = int(msgpack.unpackb(bytes(data))["fields"]["sequence"])
        scene.follow(1.0 / 120.0)
    scene.notes |= {"bad_accepted": bad, "also_good": also_good}


def _changed_on_the_way(scene: Scene) -> None:
    """Somebody on the line changes one bit of each encrypted command of the lease's holder."""
    scene.tracking(0.5)
    owner, gateway = scene.owner, scene.whole.gateway
    with Line(scene.whole.server.gateway.address, f"ipc://{scene.whole.folder / 'line'}") as line:
        stranger = scene.stranger(owner.keys, line.address)
        before = gateway.counters["accepted"]
        stranger.try_to_send(encode(owner.command(owner.state.joint_pos_target)))
        scene.notes["unchanged_accepted"] = gateway.counters["accepted"] - before
        line.changes = True
        before = gateway.counters["accepted"]
        for _ in range(10):
            stranger.try_to_send(encode(owner.command(owner.state.joint_pos_target)), seconds=0.05)
        scene.notes["unauthenticated_accepted"] = gateway.counters["accepted"] - before
        scene.notes["changed"] = line.changed
    scene.follow(0.5)


CASES = (
    Case(
        3,
        "bytes changed before they are encrypted",
        _changed_bytes,
        {
            "server_state": "track",
            "bad_accepted": 0,
            "arm_faults": 0,
            "hand_faults": 0,
            "count_malformed": (150, 300),
            "count_too_many": 0,
            "also_good": (10, 60),
        },
    ),
    Case(
        7,
        "bytes changed after they were encrypted",
        _changed_on_the_way,
        {"unauthenticated_accepted": 0, "server_state": "track", "unchanged_accepted": 1, "changed": (1, 1000)},
    ),
)
