"""A demonstration as a script: the hand comes, takes hold, moves the object along its path, lets go and leaves.

In:  ``TaskSpec``, ``Grip``, ``Manner``.   Out: ``Script``: object pose and hand at any time.
Not here: pictures of it (record).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from h2s2r_schemas.artifacts import ObjectTrajectory, TaskSpec
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.demonstrate.hand.anatomy import FINGERS, JOINT_NAMES, LIMITS, unit
from h2s2r_sim.demonstrate.hand.fit import fit_hand
from h2s2r_sim.demonstrate.hand.pose import Hand
from h2s2r_sim.demonstrate.hand.skeleton import joint_vector
from h2s2r_sim.demonstrate.script.contact import Surfaces, take_hold
from h2s2r_sim.demonstrate.script.grip import Grip, reflected
from h2s2r_sim.demonstrate.script.manner import Manner

#: [s] at speed 1: the hand waits, comes, reaches; then the reference; then it lets go, leaves, waits.
_WAIT, _COME, _REACH, _HOLD, _LET_GO, _LEAVE, _REST = 0.35, 1.2, 0.55, 0.1, 0.45, 0.9, 0.25
_UP = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Script:
    """What happens, as functions of time."""

    manner: Manner
    """How it is done; the object moves at ``manner.speed`` times the speed of the reference."""
    reference: ObjectTrajectory
    """The object's path; it starts at ``motion_start``."""
    motion_start: float
    """[s] when the reference begins."""
    keys: tuple[tuple[float, Hand], ...]
    """Times [s] and hands before and after the hold; at the hold, the hand is in the frame of the object."""
    T_object_palm: SE3
    """The hold."""
    shoulder: np.ndarray
    """(3) [m] where the forearm comes from, in the world."""
    arc: np.ndarray
    """(3) [m] how the approach bends out."""
    duration: float
    """[s]"""

    @property
    def motion_end(self) -> float:
        """[s] when the reference ends."""
        return self.motion_start + self.reference.duration / self.manner.speed

    def T_world_object(self, time: float) -> SE3:
        """Pose of the object at a time [s]; before and after the reference it stands still."""
        at = np.clip((time - self.motion_start) * self.manner.speed, 0.0, self.reference.duration)
        index = int(np.clip(np.searchsorted(self.reference.time, at) - 1, 0, len(self.reference.time) - 2))
        first, second = self.reference.time[index : index + 2]
        start, end = self.reference.Ts_world_object[index], self.reference.Ts_world_object[index + 1]
        return start.interpolate(end, (at - first) / (second - first))

    def hand(self, time: float) -> Hand:
        """The hand at a time [s]."""
        times = np.array([at for at, _ in self.keys])
        index = int(np.clip(np.searchsorted(times, time, side="right") - 1, 0, len(times) - 2))
        (start, first), (end, second) = self.keys[index : index + 2]
        share = _smooth((np.clip(time, start, end) - start) / (end - start))
        if start >= self.motion_start - 1e-9 and end <= self.motion_end + 1e-9:
            T_world_palm = self.T_world_object(time) @ self.T_object_palm
        else:
            T_world_palm = first.T_world_palm.interpolate(second.T_world_palm, share)
        bend = self.arc * np.sin(np.pi * share) if index == 1 else np.zeros(3)
        T_world_palm = SE3.from_parts(T_world_palm.wxyz, T_world_palm.translation + bend)
        joint_pos = first.joint_pos + share * (second.joint_pos - first.joint_pos)
        return self._with_forearm(replace(first, T_world_palm=T_world_palm, joint_pos=joint_pos))

    def _with_forearm(self, hand: Hand) -> Hand:
        """The hand with its wrist bent so that the forearm comes from the shoulder, as far as a wrist can."""
        towards = hand.T_world_palm.inv().rotate(unit(self.shoulder - hand.T_world_palm.translation))
        x, y, z = unit(towards + np.array([0.0, 0.0, -0.6])) * (1.0, -1.0 if hand.side == "left" else 1.0, 1.0)
        joint_pos = hand.joint_pos.copy()
        for name, angle in (("wrist_bend", np.arctan2(x, -z)), ("wrist_tilt", np.arcsin(np.clip(y, -1.0, 1.0)))):
            index = JOINT_NAMES.index(name)
            joint_pos[index] = np.clip(angle, *LIMITS[index])
        return replace(hand, joint_pos=joint_pos)


def write_script(task: TaskSpec, grip: Grip, manner: Manner) -> Script:
    """What one person does with a task."""
    T_world_object = task.reference.Ts_world_object[0]
    ready = _ready(task, grip, manner)
    grip = grip.mirrored() if manner.side != task.side else grip
    hold = take_hold(ready, grip, Surfaces(task.object, T_world_object), T_world_object)
    away = -unit(T_world_object.rotate(grip.reach))
    T_object_palm = T_world_object.inv() @ hold.T_world_palm
    held_end = hold.moved(task.reference.Ts_world_object[-1] @ T_object_palm)
    back = -unit(task.reference.Ts_world_object[-1].rotate(grip.reach))
    free = _shifted(replace(held_end, joint_pos=ready.joint_pos), 0.05 * back)
    side, forward = _directions(ready)
    times = np.cumsum([0.0, *(each / manner.speed for each in (_WAIT, _COME, _REACH, _HOLD))])
    motion_end = times[-1] + task.reference.duration / manner.speed
    later = motion_end + np.cumsum([each / manner.speed for each in (_LET_GO, _LEAVE, _REST)])
    start = _start(ready, manner, away, side)
    gone = _shifted(replace(free, joint_pos=start.joint_pos), 0.14 * _UP + 0.10 * forward)
    keys = list(zip(times, (start, start, ready, hold, hold), strict=True))
    keys += list(zip((motion_end, *later), (held_end, free, gone, gone), strict=True))
    return Script(
        manner=manner,
        reference=task.reference,
        motion_start=float(times[-1]),
        keys=tuple((float(at), hand) for at, hand in keys),
        T_object_palm=T_object_palm,
        shoulder=_shoulder(task, forward),
        arc=manner.arc * side,
        duration=float(later[-1]),
    )


def _ready(task: TaskSpec, grip: Grip, manner: Manner) -> Hand:
    """The hand just before contact, of this person's size and side; the middle fingertip is where the task says."""
    points = task.p_object_keypoints
    if manner.side != task.side:
        points = reflected(points, grip.mirror)
    points = task.reference.Ts_world_object[0].apply(points)
    hand = replace(fit_hand(points, manner.side), scale=manner.hand_scale)
    return _shifted(hand, points[12] - hand.keypoints()[12])


def _start(ready: Hand, manner: Manner, away: np.ndarray, side: np.ndarray) -> Hand:
    """Where the hand comes from: open or relaxed, and in view."""
    back, up, sideways = manner.start_offset
    turn = SE3.exp(np.concatenate([np.zeros(3), np.deg2rad(manner.start_turn_deg)]))
    T_world_palm = SE3.from_parts((ready.T_world_palm @ turn).wxyz, ready.T_world_palm.translation)
    knuckle, middle = np.deg2rad(manner.start_curl_deg)
    curls = {
        f"{finger}_{joint}": angle
        for finger in FINGERS
        for joint, angle in (("knuckle", knuckle), ("middle", middle), ("end", 0.55 * middle))
    }
    open_hand = replace(ready, joint_pos=joint_vector({**curls, "thumb_opposition": 0.3}))
    return _shifted(open_hand.moved(T_world_palm), back * away + up * _UP + sideways * side)


def _directions(ready: Hand) -> tuple[np.ndarray, np.ndarray]:
    """Level unit vectors (3): to one side of the hand, and along the forearm to the person."""
    forward = ready.T_world_palm.rotate(np.array([0.0, 0.0, -1.0]))
    forward = unit(forward * (1.0, 1.0, 0.0) + (1e-6, 0.0, 0.0))
    return np.cross(_UP, forward), forward


def _shoulder(task: TaskSpec, forward: np.ndarray) -> np.ndarray:
    """(3) [m] where the forearm comes from: beyond all that the object does, and above it."""
    path = task.reference.Ts_world_object.translation
    reached = float(((path - path[0]) @ forward).max())
    return path[0] + (reached + 0.40) * forward + 0.40 * _UP


def _shifted(hand: Hand, offset: np.ndarray) -> Hand:
    T_world_palm = hand.T_world_palm
    return hand.moved(SE3.from_parts(T_world_palm.wxyz, T_world_palm.translation + offset))


def _smooth(share: float) -> float:
    """From 0 to 1 with least jerk: how hands move (Flash and Hogan, J. Neurosci. 5(7), 1985)."""
    return share**3 * (10.0 - 15.0 * share + 6.0 * share * share)
