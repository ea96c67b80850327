"""The seeded targets every solver of the benchmark is given.

In:  an ``Embodiment``, a seed.   Out: ``PoseProblems`` for its arm, ``TipProblems`` for its hand, and plain URDFs of both.
Not here: solving them (ours, peers), the closest any configuration comes (floor).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from h2s2r_retarget.benchmark.human import human_keypoints
from h2s2r_retarget.embodiment import Embodiment
from h2s2r_retarget.kinematics import Chain, parse_xml

#: What counts as success: closer than this, and inside the limits.
POSITION_SUCCESS, ROTATION_SUCCESS = 1e-3, np.deg2rad(0.5)
#: [rad or m] how far outside its limits a joint may be before that counts as a violation.
LIMIT_SLACK = 1e-9


@dataclass(frozen=True)
class PoseProblems:
    """N reachable poses for the palm of a robot arm."""

    urdf: str
    """The arm alone, down to the palm, without shapes."""
    frame: str
    """The palm's link."""
    joint_names: tuple[str, ...]
    """(J) the arm's joints."""
    home: np.ndarray
    """(J) [rad] where every solver starts."""
    matrices: np.ndarray
    """(N, 4, 4) wanted poses of the frame in the root [m]."""

    @cached_property
    def chain(self) -> Chain:
        """Judge of all solvers; its forward kinematics are held to MuJoCo's and pinocchio's in the tests."""
        return Chain.from_urdf(self.urdf, [self.frame], joint_names=self.joint_names)

    def solved(self, joint_pos: np.ndarray) -> np.ndarray:
        """Which of the poses (N) are reached by joint positions (N, J) inside the limits."""
        found = self.chain.matrices(joint_pos)[:, 0]
        distance = np.linalg.norm(found[:, :3, 3] - self.matrices[:, :3, 3], axis=-1)
        trace = np.einsum("nij,nij->n", found[:, :3, :3], self.matrices[:, :3, :3])
        angle = np.arccos(np.clip(0.5 * (trace - 1.0), -1.0, 1.0))
        inside = outside_limits(self.chain, joint_pos).sum(-1) == 0
        return (distance < POSITION_SUCCESS) & (angle < ROTATION_SUCCESS) & inside


@dataclass(frozen=True)
class TipProblems:
    """N sets of F fingertip positions for a robot hand: reachable ones, then those of human hands."""

    urdf: str
    """The hand alone, from the palm, without shapes."""
    frames: tuple[str, ...]
    """(F) the fingertips' links."""
    joint_names: tuple[str, ...]
    """(J) the hand's joints."""
    points: np.ndarray
    """(N, F, 3) [m] wanted positions in the palm frame."""
    num_reachable: int
    """How many of the first problems are reachable."""

    @cached_property
    def chain(self) -> Chain:
        """Judge of all solvers."""
        return Chain.from_urdf(self.urdf, self.frames, joint_names=self.joint_names)

    def distances(self, joint_pos: np.ndarray) -> np.ndarray:
        """(N, F) [m] from the fingertips at joint positions (N, J) to where they should be."""
        found = self.chain.matrices(joint_pos)[:, :, :3, 3]
        return np.linalg.norm(found - self.points[: len(joint_pos)], axis=-1)


def outside_limits(chain: Chain, joint_pos: np.ndarray) -> np.ndarray:
    """Which joints (N, J) are outside their limits."""
    return (joint_pos < chain.lower - LIMIT_SLACK) | (joint_pos > chain.upper + LIMIT_SLACK)


def pose_problems(robot: Embodiment, num: int, seed: int) -> PoseProblems:
    """``num`` palm poses at arm joints drawn evenly from their limits."""
    names = robot.arm_joint_names
    urdf = plain_urdf(robot.urdf, robot.model.root, (robot.palm_frame,))
    chain = Chain.from_urdf(urdf, [robot.palm_frame], joint_names=names)
    joint_pos = np.random.default_rng(seed).uniform(chain.lower, chain.upper, (num, len(names)))
    home = robot.home[: robot.num_arm_joints]
    return PoseProblems(urdf, robot.palm_frame, names, home, chain.matrices(joint_pos)[:, 0])


def tip_problems(robot: Embodiment, num_reachable: int, num_human: int, seed: int) -> TipProblems:
    """Fingertips at hand joints drawn evenly from their limits, then fingertips of human hands (see ``human``)."""
    names, frames = robot.hand_joint_names, robot.fingertip_frames
    urdf = plain_urdf(robot.urdf, robot.palm_frame, frames)
    chain = Chain.from_urdf(urdf, frames, joint_names=names)
    rng = np.random.default_rng(seed)
    joint_pos = rng.uniform(chain.lower, chain.upper, (num_reachable, len(names)))
    reachable = chain.matrices(joint_pos)[:, :, :3, 3]
    # The palm frame stands at the middle knuckle plus the palm offset.
    human = robot.fingertip_targets(human_keypoints(num_human, rng)) - robot.palm_offset
    return TipProblems(urdf, frames, names, np.concatenate([reachable, human]), num_reachable)


def plain_urdf(urdf: str, root: str, tips: tuple[str, ...]) -> str:
    """The part of a URDF from ``root`` out to ``tips``: links, joints and masses, without shapes."""
    from xml.etree import ElementTree  # noqa: PLC0415 - not needed to import the package

    robot = parse_xml(urdf)
    chain = Chain.from_urdf(urdf, tips, root=root)
    joints = {joint.name: joint for tip in tips for joint in chain.model.path(tip, root)}
    links = {root} | {joint.child for joint in joints.values()}
    for element in list(robot):
        name = element.get("name")
        if element.tag == "joint" and name in joints:
            continue
        if element.tag != "link" or name not in links:
            robot.remove(element)
            continue
        for part in list(element):
            if part.tag != "inertial":
                element.remove(part)
    return ElementTree.tostring(robot, encoding="unicode")
