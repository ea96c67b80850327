"""Others who want to command: second clients, guessed and old tokens.

In:  a scene.   Out: ``CASES`` of class 6.
Not here: connections that must not be (message).
"""

from __future__ import annotations

import numpy as np

from h2s2r_hw.emulators.rehearsal.judge import Case
from h2s2r_hw.emulators.rehearsal.puppet import sine
from h2s2r_hw.emulators.rehearsal.scene import Scene
from h2s2r_schemas.codec import encode


def _second_client(scene: Scene) -> None:
    scene.tracking(0.5)
    other = scene.other()
    scene.notes["second_code"] = other.acquire().code
    before = scene.whole.gateway.counters["accepted"]
    other.epoch, other.token = scene.owner.epoch, scene.owner.token
    for _ in range(20):
        # The owner's epoch and token, but another key.
        other.send(scene.start + 0.2)
    scene.notes["foreign_accepted"] = scene.whole.gateway.counters["accepted"] - before
    scene.follow(0.5)


def _guessed_token(scene: Scene) -> None:
    scene.tracking(0.5)
    owner, before = scene.owner, scene.whole.gateway.counters["accepted"]
    rng = np.random.default_rng(6)
    for guess in rng.integers(1, 2**62, 50):
        owner.send(scene.start, lease_token=int(guess))
    owner.send(scene.start, lease_epoch=owner.epoch + 1)
    scene.notes["foreign_accepted"] = scene.whole.gateway.counters["accepted"] - before


def _old_lease(scene: Scene) -> None:
    """The token of a lease that was released, under the next one."""
    scene.tracking(0.5)
    owner = scene.owner
    old = owner.epoch, owner.token
    owner.ask("release_lease")
    scene.whole.run(1.0)
    scene.notes["again"] = owner.acquire().code
    before = scene.whole.gateway.counters["accepted"]
    owner.send(scene.start, lease_epoch=old[0], lease_token=old[1])
    owner.send(scene.start, lease_epoch=old[0])
    scene.notes["foreign_accepted"] = scene.whole.gateway.counters["accepted"] - before


def _restarted(scene: Scene) -> None:
    """The old lease, after the gateway was killed and started anew."""
    scene.tracking(0.5)
    owner = scene.owner
    scene.whole.end("gateway")
    scene.whole.run(0.1)
    scene.whole.start("gateway")
    fresh = scene.other("fresh")
    scene.notes["epoch_grew"] = int(fresh.acquire().lease_epoch > owner.epoch)
    stranger = scene.stranger(owner.keys)
    stranger.send(*(encode(owner.command(scene.start)) for _ in range(5)))
    scene.notes["foreign_accepted"] = scene.whole.gateway.counters["accepted"]


def _taken_over(scene: Scene) -> None:
    """An operator takes the lease by force, while it moves, and follows a path of its own once it stands."""
    scene.tracking(1.0)
    operator = scene.other("chief", operator=True)
    scene.mark()
    scene.notes["takeover"] = operator.acquire(force=True).code
    before = scene.whole.gateway.counters["accepted"]
    scene.owner.follow(0.3, lambda seconds: scene.start)
    scene.notes["foreign_accepted"] = scene.whole.gateway.counters["accepted"] - before
    operator.hold(0.7)
    scene.notes["state_then"] = operator.state.server_state
    scene.notes["rest_s"] = scene.wires.rest_s()
    operator.follow(1.0, sine(operator.state.joint_pos_target.copy(), 0.1))


CASES = (
    Case(
        6, "two clients", _second_client, {"foreign_accepted": 0, "second_code": "lease_taken", "server_state": "track"}
    ),
    Case(6, "guessed tokens", _guessed_token, {"foreign_accepted": 0, "count_no_lease": 51}),
    Case(6, "the token of an old lease", _old_lease, {"foreign_accepted": 0, "again": "", "count_no_lease": 2}),
    Case(6, "an old lease after a restart", _restarted, {"foreign_accepted": 0, "epoch_grew": 1, "count_no_lease": 5}),
    Case(
        6,
        "taken over by force",
        _taken_over,
        {"foreign_accepted": 0, "takeover": "", "state_then": "hold", "rest_s": (0.0, 0.4), "server_state": "track"},
    ),
)
