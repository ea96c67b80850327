"""A whole path of a human hand to a robot path without a jump.

In:  keypoints (T, 21, 3) [m] over time, an ``Embodiment``.   Out: ``Retargeted`` (T), or a ``RobotTrajectory``.
Not here: one pose (retarget), which frames to drop and how fast to go (timing).

An arm of seven joints reaches a pose in many ways, and most of them end at a joint limit somewhere along a path. So the
first frame is solved from many starts; every different solution is followed frame by frame, each frame starting where the
last one ended; and the whole track that does best is kept. A frame is never solved afresh in the middle of a track: that
would reach it by a jump. Fingers are slow instead: they change to a better solution over several frames.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from h2s2r_retarget.result import PALM_POSITION, PALM_ROTATION, Retargeted
from h2s2r_retarget.retargeter import Retargeter
from h2s2r_retarget.solve import Solution, Solver, SolverCfg
from h2s2r_retarget.solve.parts import independent_parts
from h2s2r_retarget.solve.restarts import spread_starts
from h2s2r_retarget.timing import MAX_JOINT_STEP, MAX_KEYPOINT_STEP, keep_steady, stretch_time
from h2s2r_schemas.artifacts import HandTrajectory, RobotTrajectory
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

Progress = Callable[[int, int], None]


def _silent(done: int, total: int) -> None:
    """Show no progress."""


#: Tracks followed at the same time, and starts from which they are found.
MAX_TRACKS, STARTS = 32, 128
#: [rad or m] solutions of the first frame closer than this in every joint are the same.
_SAME = 0.05
#: [rad or m] a finger's joint moves at most this far per frame; where its fingertip would need more it lags, which its
#: error shows.
MAX_HAND_STEP = float(np.deg2rad(9.0))
#: [m] a finger leaves its track for a solution that is better by this much.
_BETTER = 0.001


def retarget_path(
    retargeter: Retargeter,
    keypoints: object,
    side: str | None = None,
    max_joint_step: float = MAX_JOINT_STEP,
    progress: Progress = _silent,
    start: np.ndarray | None = None,
) -> Retargeted:
    """Follow a path of hands (T, 21, 3) [m] in the world. A frame out of reach holds the nearest configuration of its
    track, and ``ok`` says so.

    Args:
        retargeter: of the robot.
        keypoints: (T, 21, 3) [m].
        side: whose hand; the robot's own if none.
        max_joint_step: [rad; m] a larger step between two frames is flagged.
        progress: called with frames done and frames in all.
        start: (J) [rad; m] where the robot stands before the first frame: the arm then follows the one track that goes on
            from there, and the fingers begin there. None for the best track, wherever it begins.

    Raises:
        SchemaError: see ``Retargeter.targets``; not a path; or a start of another robot.
    """
    Ts_world_wanted, p_world_wanted = retargeter.targets(keypoints, side)
    if len(Ts_world_wanted.batch) != 1 or not len(Ts_world_wanted):
        raise SchemaError(f"A path has keypoints of shape (T, 21, 3); these make a batch of {Ts_world_wanted.batch}.")
    arm, joints = retargeter.embodiment.num_arm_joints, retargeter.embodiment.home.shape
    if start is not None and np.shape(start) != joints:
        raise SchemaError(f"start has shape {np.shape(start)}; this robot's joint positions have {joints}.")
    arm_start, hand_start = (None, None) if start is None else (start[:arm], start[arm:])
    arm_pos, Ts_world_palm = _arm_path(retargeter, Ts_world_wanted, max_joint_step, progress, arm_start)
    p_palm_wanted = Ts_world_palm[:, None].inv().apply(p_world_wanted)
    floor = retargeter.solve_fingertips(p_palm_wanted)
    hand_pos = _hand_path(retargeter, p_palm_wanted, floor, hand_start)
    frames = retargeter.describe(arm_pos, hand_pos, Ts_world_palm, Ts_world_wanted, p_world_wanted, floor)
    steps = np.abs(np.diff(frames.joint_pos, axis=0)).max(axis=-1, initial=0.0)
    return replace(frames, ok=frames.ok & np.concatenate(([True], steps <= max_joint_step)))


def retarget_hand_path(
    retargeter: Retargeter,
    hand: HandTrajectory,
    progress: Progress = _silent,
    drop_jumps: bool = False,
    stretch: bool = False,
) -> RobotTrajectory:
    """Follow a recorded hand; frames in which it was lost are left out.

    Args:
        retargeter: of the robot.
        hand: what was recorded.
        progress: called with frames done and frames in all.
        drop_jumps: also leave out frames in which the hand, or then the robot, jumped (``timing.keep_steady``).
        stretch: give the robot more time where a joint would exceed its speed (``timing.stretch_time``).

    Raises:
        SchemaError: see ``retarget_path``; or the hand is lost in every frame.
    """
    kept = np.flatnonzero(~hand.lost)
    if not len(kept):
        raise SchemaError("The hand is lost in every frame: there is no path to follow.")
    if drop_jumps:
        kept = kept[keep_steady(hand.p_world_keypoints[kept], MAX_KEYPOINT_STEP)]
    path = retarget_path(retargeter, hand.p_world_keypoints[kept], hand.side, progress=progress)
    time, joint_pos, ok = hand.time[kept], path.joint_pos, path.ok
    if drop_jumps:
        steady = keep_steady(joint_pos, MAX_JOINT_STEP)
        # What is left has no jump any more, so only the palm decides.
        time, joint_pos, ok = time[steady], joint_pos[steady], _palm_reached(path)[steady]
    if stretch:
        time = stretch_time(time, joint_pos, retargeter.embodiment.velocity_limit)
    return path.robot_trajectory(hand.time[kept]).replace(time=time, joint_pos=joint_pos, ok=ok)


def _palm_reached(path: Retargeted) -> np.ndarray:
    """(T) whether the palm is where it was wanted."""
    return (path.palm_position_error <= PALM_POSITION) & (path.palm_rotation_error <= PALM_ROTATION)


def _following(solver_cfg: SolverCfg) -> SolverCfg:
    """One attempt, from where the last frame ended."""
    return replace(solver_cfg, restarts=0)


def _arm_path(
    retargeter: Retargeter, Ts_world_wanted: SE3, max_joint_step: float, progress: Progress, start: np.ndarray | None
) -> tuple[np.ndarray, SE3]:
    """Arm joints (T, A) of the track from ``start`` (A), or of the best one, and the palm poses they reach."""
    chain = retargeter.arm_chain
    if chain is None:
        return np.zeros((len(Ts_world_wanted), 0)), Ts_world_wanted
    palm = retargeter.embodiment.palm_frame
    follow = Solver(chain, poses=(palm,), cfg=_following(retargeter.cfg))
    if start is None:
        joint_pos = _first_solutions(retargeter, follow, Ts_world_wanted[:1])
    else:
        joint_pos = np.asarray(follow.solve(Ts_world_wanted[:1, None], guess=start[None]).joint_pos)
    tracks = [joint_pos]
    for frame in range(1, len(Ts_world_wanted)):
        Ts_world_target = SE3(np.broadcast_to(Ts_world_wanted.wxyz_xyz[frame], (len(joint_pos), 1, 7)))
        joint_pos = np.asarray(follow.solve(Ts_world_target, guess=joint_pos).joint_pos)
        tracks.append(joint_pos)
        progress(frame + 1, len(Ts_world_wanted))
    every = np.stack(tracks, axis=1)  # (S, T, A)
    best = _best_track(chain.forward(every, palm), every, Ts_world_wanted, max_joint_step)
    return every[best], chain.forward(every[best], palm)


def _first_solutions(retargeter: Retargeter, follow: Solver, Ts_world_first: SE3) -> np.ndarray:
    """Different solutions (S, A) of the first frame, the one found from home first; unreached ones only if no other."""
    chain = follow.chain
    home = retargeter.embodiment.home[: retargeter.embodiment.num_arm_joints]
    starts = np.concatenate((home[None], spread_starts(chain.lower, chain.upper, STARTS - 1, retargeter.cfg.seed)))
    Ts_world_target = SE3(np.broadcast_to(Ts_world_first.wxyz_xyz, (len(starts), 1, 7)))
    found = follow.solve(Ts_world_target, guess=starts)
    joint_pos, reached = np.asarray(found.joint_pos), np.asarray(found.reached)[:, 0]
    candidates = joint_pos[reached] if reached.any() else joint_pos[np.argsort(found.position_error[:, 0])][:1]
    different = [candidates[0]]
    for candidate in candidates[1:]:
        if len(different) < MAX_TRACKS and all(np.abs(candidate - other).max() > _SAME for other in different):
            different.append(candidate)
    return np.array(different)


def _best_track(Ts_world_palm: SE3, joint_pos: np.ndarray, Ts_world_wanted: SE3, max_joint_step: float) -> int:
    """The track with most frames reached without a jump; of these the one with the smallest largest step."""
    distance, angle = Ts_world_palm.distance(Ts_world_wanted)
    steps = np.abs(np.diff(joint_pos, axis=1)).max(axis=-1, initial=0.0)
    reached = (distance <= PALM_POSITION) & (angle <= PALM_ROTATION)
    reached[:, 1:] &= steps <= max_joint_step
    largest = steps.max(axis=-1, initial=0.0)
    return int(np.lexsort((largest, -reached.sum(axis=-1)))[0])


def _hand_path(
    retargeter: Retargeter, p_palm_wanted: np.ndarray, floor: Solution, start: np.ndarray | None
) -> np.ndarray:
    """Hand joints (T, H): each finger goes on from where it was, at first from ``start`` (H) or the best solution, or over
    to the solution of ``floor`` if that is better.
    """
    chain, tips = retargeter.hand_chain, retargeter.embodiment.fingertip_frames
    follow = Solver(chain, points=tips, cfg=_following(retargeter.cfg))
    moves = np.zeros((len(tips), len(chain.joint_names)), dtype=bool)  # (F, H) which joints move the finger
    for part in independent_parts(chain, tips, num_poses=0, together=False):
        moves[np.ix_(part.frames, part.joints)] = True
    path = [np.asarray(floor.joint_pos)[0] if start is None else start]
    for frame, wanted in enumerate(retargeter.hand_points(p_palm_wanted)[1:], 1):
        near = follow.solve(p_root_points=wanted, guess=path[-1])
        behind = np.asarray(near.position_error - floor.position_error[frame]) > _BETTER
        over = (behind[:, None] & moves).any(axis=0)
        step = np.where(over, np.asarray(floor.joint_pos)[frame], np.asarray(near.joint_pos)) - path[-1]
        path.append(path[-1] + np.clip(step, -MAX_HAND_STEP, MAX_HAND_STEP))
    return np.array(path)
