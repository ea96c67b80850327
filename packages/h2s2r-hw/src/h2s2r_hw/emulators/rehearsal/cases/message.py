"""Messages that are none, are late or come twice, and connections that must not be.

In:  a scene.   Out: ``CASES`` of the classes 3, 5 and 7.
Not here: honest messages at wrong moments (client), honest ones that are changed (tampering).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgpack
import zmq

from h2s2r_hw.emulators.rehearsal.judge import Case
from h2s2r_hw.emulators.rehearsal.puppet import poisoned
from h2s2r_hw.emulators.rehearsal.scene import Scene
from h2s2r_schemas.client import ClientKeys
from h2s2r_schemas.codec import encode

_MARKER = 0.123456789


def _bytes(make: Callable[[Scene, bytes], list[bytes]], counted: str = "bad_accepted") -> Callable[[Scene], None]:
    """While it follows, its own key sends these bytes, made from those of an honest command; how many are followed is noted."""

    def play(scene: Scene) -> None:
        scene.tracking(0.5)
        stranger = scene.stranger(scene.owner.keys)
        gateway = scene.whole.gateway
        before, moved = gateway.counters["accepted"], scene.wires.answers
        honest = encode(scene.owner.command(scene.owner.state.joint_pos_target))
        stranger.send(*make(scene, honest))
        scene.notes[counted] = gateway.counters["accepted"] - before
        scene.notes["answers_meanwhile"] = scene.wires.answers - moved
        scene.follow(0.5)

    return play


def _poison(value: float, count: int = 1) -> Callable[[Scene], None]:
    def make(scene: Scene, honest: bytes) -> list[bytes]:
        target = scene.owner.state.joint_pos_target.copy()
        target[3] = _MARKER
        return [poisoned(scene.owner.command(target), _MARKER, value) for _ in range(count)]

    return _bytes(make, "nan_accepted")


def _changed(**changes: Any) -> Callable[[Scene], None]:
    """A command with other plain fields."""

    def make(scene: Scene, honest: bytes) -> list[bytes]:
        envelope = msgpack.unpackb(honest)
        for name, value in changes.items():
            (envelope if name in envelope else envelope["fields"])[name] = value
        return [msgpack.packb(envelope)]

    return _bytes(make)


def _fields(scene: Scene, honest: bytes) -> list[bytes]:
    """Each field missing, and each of a wrong type."""
    envelope = msgpack.unpackb(honest)
    fields = envelope["fields"]
    needed = [name for name in fields if name not in ("joint_torque_feedforward", "use_residual")]
    missing = [{key: value for key, value in fields.items() if key != name} for name in needed]
    wrong = [{**fields, name: {"x": 3}} for name in fields]
    return [msgpack.packb({**envelope, "fields": each}) for each in (*missing, *wrong)]


def _forged(scene: Scene, honest: bytes) -> list[bytes]:
    """Lengths of four gigabytes, nesting, and what pickle would run."""
    return [
        b"\xdf\xff\xff\xff\xff",
        b"\xdd\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\x91" * 600,
        b"\x91" * 5000,
        b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94\x8c\x06system\x94\x93\x94.",
        b"",
        honest[:-1],
        honest + b"\x00",
    ]


def _harmless(scene: Scene) -> None:
    """The smallest number there is, as a target: odd, but a number."""
    scene.tracking(0.5)
    target = scene.owner.look().joint_pos_target.copy()
    target[0] = 5e-324
    scene.owner.follow(0.5, lambda seconds: target)


# ── order and age ───────────────────────────────────────────────────────────────────────────────────────────────────


def _again(scene: Scene) -> None:
    """Every command comes three times, and then in the wrong order."""
    scene.tracking(0.5)
    owner, gateway = scene.owner, scene.whole.gateway
    before = gateway.counters["accepted"]
    command = owner.command(owner.state.joint_pos_target)
    for _ in range(3):
        owner.client.command(command)
    later = [owner.command(owner.state.joint_pos_target) for _ in range(5)]
    for each in reversed(later):
        owner.client.command(each)
    scene.notes["accepted"] = gateway.counters["accepted"] - before
    scene.follow(0.5)


def _aged(seconds: float) -> Callable[[Scene], None]:
    """Commands made so long ago [s]; negative for the future."""

    def play(scene: Scene) -> None:
        scene.tracking(0.5)
        owner, gateway = scene.owner, scene.whole.gateway
        before = gateway.counters["accepted"]
        for _ in range(10):
            owner.send(owner.state.joint_pos_target, client_time=scene.whole.now_ns * 1e-9 - seconds)
        scene.notes["stale_accepted"] = gateway.counters["accepted"] - before
        scene.follow(0.5)

    return play


def _wrapped(scene: Scene) -> None:
    """The sequence reaches the largest number and begins anew."""
    scene.tracking(0.3)
    owner, gateway = scene.owner, scene.whole.gateway
    owner.send(owner.state.joint_pos_target, sequence=2**63 - 1)
    before = gateway.counters["accepted"]
    for sequence in (0, 1, 2):
        owner.send(owner.state.joint_pos_target, sequence=sequence)
    scene.notes["accepted"] = gateway.counters["accepted"] - before
    owner.acquire()
    scene.notes["after_a_new_lease"] = int(owner.arm() in ("hold", "track"))
    scene.follow(0.5)


# ── connections ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _connection(keys: Callable[[Scene], ClientKeys | None]) -> Callable[[Scene], None]:
    """Commands with the owner's token over a connection that must not be."""

    def play(scene: Scene) -> None:
        scene.tracking(0.5)
        stranger, gateway = scene.stranger(keys(scene)), scene.whole.gateway
        before = gateway.counters["accepted"]
        good = [encode(scene.owner.command(scene.owner.state.joint_pos_target)) for _ in range(20)]
        stranger.try_to_send(*good)
        scene.notes["unauthenticated_accepted"] = gateway.counters["accepted"] - before

    return play


def _unknown(scene: Scene) -> ClientKeys:
    public, secret = zmq.curve_keypair()
    return ClientKeys(public, secret, scene.owner.keys.server)


def _wrong_server(scene: Scene) -> ClientKeys:
    return ClientKeys(scene.owner.keys.public, scene.owner.keys.secret, zmq.curve_keypair()[0])


def _flood(scene: Scene) -> None:
    """Another client sends ten thousand messages while the owner follows."""
    scene.tracking(0.5)
    other, ticks = scene.other(), int(scene.whole.status("arm")["number"])
    flooding = scene.stranger(other.keys)
    command = encode(other.command(scene.start))
    began = scene.whole.now_ns
    for _ in range(50):
        flooding.send(*(command for _ in range(200)))
        scene.follow(0.02)
    seconds = (scene.whole.now_ns - began) * 1e-9
    scene.notes["missed_ticks"] = round(seconds * 200) - (int(scene.whole.status("arm")["number"]) - ticks)
    scene.notes["refused"] = scene.whole.gateway.counters["too_many"] + scene.whole.gateway.counters["no_lease"]


def _oversize(scene: Scene) -> None:
    """Messages over the limit, and far over it, from an allowed key."""
    scene.tracking(0.5)
    other = scene.other()
    large = scene.stranger(other.keys)
    limit = scene.whole.server.gateway.max_message_bytes
    large.send(b"x" * (limit + 1))
    scene.notes["told"] = scene.whole.gateway.counters["too_large"]
    large.try_to_send(b"x" * (4 * limit))
    scene.follow(0.5)


def _many(scene: Scene) -> None:
    """Twice as many connections as are allowed, at once. Whoever gets in is heard: never more than there is room for."""
    scene.tracking(0.5)
    other = scene.other()
    most = scene.whole.server.gateway.max_connections
    strangers = [scene.stranger(other.keys) for _ in range(2 * most)]
    for stranger in strangers:
        stranger.try_to_send(b"x", seconds=0.02)
    strangers[0].try_to_send(seconds=0.5)
    # Two of the owner, two of the other client.
    scene.notes["connected"] = 4 + scene.whole.gateway.counters["malformed"]
    scene.follow(0.5)


_TRACKS = {"server_state": "track", "bad_accepted": 0, "nan_accepted": 0, "arm_faults": 0, "hand_faults": 0}
_SKIPS = {"server_state": "track", "stale_accepted": 0}
_SHUT = {"unauthenticated_accepted": 0}
CASES = (
    Case(3, "not a number", _poison(math.nan), {**_TRACKS, "count_malformed": 1}),
    Case(3, "infinite", _poison(math.inf), {**_TRACKS, "count_malformed": 1}),
    Case(3, "minus infinite", _poison(-math.inf), {**_TRACKS, "count_malformed": 1}),
    Case(3, "not a number, a hundred times", _poison(math.nan, 100), {**_TRACKS, "count_malformed": (1, 100)}),
    Case(3, "huge", _poison(1e300), {**_TRACKS, "count_far_outside": 1}),
    Case(3, "the smallest number", _harmless, {"server_state": "track", "count_malformed": 0}),
    Case(3, "an unknown field", _changed(more=1), {**_TRACKS, "count_malformed": 1}),
    Case(3, "another message", _changed(schema="h2s2r.RobotState"), {**_TRACKS, "count_malformed": 1}),
    Case(3, "another version", _changed(version=99), {**_TRACKS, "count_malformed": 1}),
    Case(3, "another robot", _changed(robot_hash="0123456789abcdef"), {**_TRACKS, "count_foreign_robot": 1}),
    Case(3, "fields missing or of a wrong type", _bytes(_fields), {**_TRACKS, "count_malformed": (10, 40)}),
    Case(3, "forged lengths, nesting, pickles", _bytes(_forged), {**_TRACKS, "count_malformed": 9}),
    Case(
        5,
        "commands that come twice and in the wrong order",
        _again,
        {"server_state": "track", "accepted": 2, "count_old_sequence": 6},
    ),
    Case(5, "commands of half a second ago", _aged(0.5), {**_SKIPS, "count_stale_command": 10}),
    Case(5, "commands of an hour ago", _aged(3600.0), {**_SKIPS, "count_stale_command": 10}),
    Case(5, "commands from the future", _aged(-5.0), {**_SKIPS, "count_future_command": 10}),
    Case(
        5,
        "a sequence that wraps",
        _wrapped,
        {"server_state": "track", "accepted": 0, "count_old_sequence": 3, "after_a_new_lease": 1},
    ),
    Case(7, "without encryption", _connection(lambda scene: None), _SHUT),
    Case(7, "with an unknown key", _connection(_unknown), _SHUT),
    Case(7, "with a wrong key of the server", _connection(_wrong_server), _SHUT),
    Case(7, "ten thousand messages", _flood, {"server_state": "track", "missed_ticks": (-1, 1), "refused": 10_000}),
    Case(7, "oversize messages", _oversize, {"server_state": "track", "told": 1}),
    Case(7, "too many connections", _many, {"server_state": "track", "connected": 32}),
)
