"""One human hand pose to one robot configuration, in the two steps of the method.

In:  keypoints (…, 21, 3) [m] in the world (the robot's base), an ``Embodiment``.   Out: ``Retargeted``, or a ``RobotPose``.
Not here: what is wanted (targets), paths without jumps (trajectory), the solver itself (solve).

Step 1 moves the arm: palm frame to the human's middle knuckle plus the embodiment's offset, with the human palm's
orientation. Step 2 moves the fingers: fingertips to the human's fingertips, the arm standing still.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from h2s2r_retarget.embodiment import Embodiment, load_embodiment
from h2s2r_retarget.kinematics import Chain, UrdfModel
from h2s2r_retarget.solve import Solution, Solver, SolverCfg
from h2s2r_retarget.targets import check_keypoints, palm_targets
from h2s2r_schemas.artifacts import HandPose, RobotPose, RobotTrajectory
from h2s2r_schemas.errors import H2S2RError, SchemaError
from h2s2r_schemas.se3 import SE3

#: [m] and [rad] within which a palm target counts as reached (requirement H11: 5 mm, 5°).
PALM_POSITION, PALM_ROTATION = 0.005, float(np.deg2rad(5.0))


class PalmUnreachableError(H2S2RError):
    """The arm cannot bring the palm where the human's was.

    Attributes:
        position_error: [m] what is left to go at the nearest configuration found.
        rotation_error: [rad] what is left to turn there.
    """

    def __init__(self, robot: str, position_error: float, rotation_error: float) -> None:
        super().__init__(
            f"{robot} misses the palm by {position_error * 1000:.0f} mm and {np.rad2deg(rotation_error):.0f}°; "
            f"{PALM_POSITION * 1000:.0f} mm and {np.rad2deg(PALM_ROTATION):.0f}° are allowed. "
            "Move the demonstration nearer to the robot's base, or give the robot another place."
        )
        self.position_error, self.rotation_error = position_error, rotation_error


@dataclass(frozen=True)
class Retargeted:
    """Robot configurations for a batch (…) of hands, and how close they come."""

    embodiment: Embodiment
    """Whose joints and fingertips these are."""
    joint_pos: np.ndarray
    """(…, J) [rad; m for a slide] in the order of ``embodiment.joint_names``, inside the limits."""
    Ts_world_palm: SE3
    """(…) palm reached."""
    palm_position_error: np.ndarray
    """(…) [m]."""
    palm_rotation_error: np.ndarray
    """(…) [rad]."""
    p_world_fingertips: np.ndarray
    """(…, F, 3) [m] fingertips reached."""
    fingertip_error: np.ndarray
    """(…, F) [m]."""
    fingertip_floor: np.ndarray
    """(…, F) [m] smallest error that this hand can reach from this palm."""
    at_limit: np.ndarray
    """(…, J) whether the joint stands at a limit."""
    ok: np.ndarray
    """(…) whether the palm is where it was wanted; of a path also whether no joint jumped since the frame before."""

    def robot_pose(self) -> RobotPose:
        """The one configuration as a message.

        Raises:
            SchemaError: this is a batch.
        """
        if self.joint_pos.ndim != 1:
            raise SchemaError(f"A RobotPose is one configuration; these are {self.joint_pos.shape[:-1]}.")
        spec = self.embodiment.spec()
        return RobotPose(
            robot_name=spec.name,
            robot_hash=spec.hash(),
            joint_names=spec.joint_names,
            joint_pos=self.joint_pos,
            at_limit=self.at_limit,
            wxyz_xyz_world_palm=self.Ts_world_palm.wxyz_xyz,
            palm_position_error=float(self.palm_position_error),
            palm_rotation_error=float(self.palm_rotation_error),
            fingertip_names=spec.fingertip_frames,
            p_world_fingertips=self.p_world_fingertips,
            fingertip_error=self.fingertip_error,
            fingertip_floor=self.fingertip_floor,
        )

    def robot_trajectory(self, time: np.ndarray) -> RobotTrajectory:
        """A path (T) as a message.

        Args:
            time: (T) [s].

        Raises:
            SchemaError: this is no path of that many frames.
        """
        spec = self.embodiment.spec()
        return RobotTrajectory(
            robot_name=spec.name,
            robot_hash=spec.hash(),
            joint_names=spec.joint_names,
            time=time,
            joint_pos=self.joint_pos,
            ok=self.ok,
        )


class Retargeter:
    """The two steps for one robot; made once, used for any number of hands.

    Args:
        embodiment: the robot.
        cfg: what the solver may spend.
    """

    def __init__(self, embodiment: Embodiment, cfg: SolverCfg | None = None) -> None:
        self.embodiment = embodiment
        self.cfg = cfg or SolverCfg()
        palm, tips = embodiment.palm_frame, embodiment.fingertip_frames
        self.arm_chain: Chain | None = None
        if embodiment.num_arm_joints:
            self.arm_chain = Chain(embodiment.model, (palm,), joint_names=embodiment.arm_joint_names)
            self._arm = Solver(self.arm_chain, poses=(palm,), cfg=self.cfg)
        root = _hand_root(embodiment.model, palm, tips)
        self.hand_chain = Chain(embodiment.model, (palm, *tips), root=root, joint_names=embodiment.hand_joint_names)
        self._hand = Solver(self.hand_chain, points=tips, cfg=self.cfg)
        self._arm_home = embodiment.home[: embodiment.num_arm_joints]
        self._hand_home = embodiment.home[embodiment.num_arm_joints :]

    def solve_palm(self, Ts_world_palm: SE3, guess: np.ndarray | None = None) -> Solution:
        """Step 1: arm joints that bring the palm to poses (…).

        Args:
            Ts_world_palm: (…) wanted.
            guess: (…, arm joints) [rad] where to start; the home position if none.

        Raises:
            SchemaError: the robot has no arm.
        """
        if self.arm_chain is None:
            raise SchemaError(f"{self.embodiment.name} has no arm: its palm is where its base is put.")
        return self._arm.solve(Ts_world_palm[..., None], guess=self._arm_home if guess is None else guess)

    def solve_fingertips(self, p_palm_fingertips: np.ndarray, guess: np.ndarray | None = None) -> Solution:
        """Step 2: hand joints that bring the fingertips to points (…, F, 3) [m] in the palm frame.

        Args:
            p_palm_fingertips: (…, F, 3) [m] wanted.
            guess: (…, hand joints) [rad; m] where to start; the home position if none.
        """
        return self._hand.solve(
            p_root_points=self.hand_points(p_palm_fingertips), guess=self._hand_home if guess is None else guess
        )

    def hand_points(self, p_palm_points: np.ndarray) -> np.ndarray:
        """Points (…, 3) [m] of the palm frame in the root of ``hand_chain``, where its solver wants them."""
        return self.hand_chain.forward(self._hand_home, self.embodiment.palm_frame)[..., None].apply(p_palm_points)

    def targets(self, keypoints: object, side: str | None = None) -> tuple[SE3, np.ndarray]:
        """What these hands want of this robot: palm poses (…) and fingertip points (…, F, 3) [m], in the world.

        Raises:
            SchemaError: keypoints that are no hand of this side (``targets.check_keypoints``), or a robot hand of the
                other side.
        """
        robot_side = self.embodiment.side
        side = side or ("right" if robot_side == "none" else robot_side)
        if robot_side not in ("none", side):
            raise SchemaError(
                f"A {side} human hand for {self.embodiment.name}, whose hand is a {robot_side} one. "
                f"Load the robot with side={side!r}, or mirror the recording."
            )
        points = check_keypoints(keypoints, side)
        Ts_world_palm = palm_targets(points, side, self.embodiment.palm_offset)
        return Ts_world_palm, self.embodiment.fingertip_targets(points)

    def retarget(self, keypoints: object, side: str | None = None) -> Retargeted:
        """Both steps for a batch of hands (…, 21, 3) [m], each for itself.

        Args:
            keypoints: in the world, which is the robot's base; in ``KEYPOINT_NAMES`` order.
            side: whose hand; the robot's own if none.

        Raises:
            SchemaError: see ``targets``.
        """
        Ts_world_wanted, p_world_wanted = self.targets(keypoints, side)
        if self.arm_chain is None:
            arm_pos = np.zeros((*Ts_world_wanted.batch, 0))
            return self._place(arm_pos, Ts_world_wanted, Ts_world_wanted, p_world_wanted)
        arm_pos = np.asarray(self.solve_palm(Ts_world_wanted).joint_pos)
        Ts_world_palm = self.arm_chain.forward(arm_pos, self.embodiment.palm_frame)
        return self._place(arm_pos, Ts_world_palm, Ts_world_wanted, p_world_wanted)

    def _place(
        self, arm_pos: np.ndarray, Ts_world_palm: SE3, Ts_world_wanted: SE3, p_world_wanted: np.ndarray
    ) -> Retargeted:
        """Step 2 with the palm where it came to stand."""
        p_palm_wanted = Ts_world_palm[..., None].inv().apply(p_world_wanted)
        hand = self.solve_fingertips(p_palm_wanted)
        return self.describe(arm_pos, np.asarray(hand.joint_pos), Ts_world_palm, Ts_world_wanted, p_world_wanted, hand)

    def describe(
        self,
        arm_pos: np.ndarray,
        hand_pos: np.ndarray,
        Ts_world_palm: SE3,
        Ts_world_wanted: SE3,
        p_world_wanted: np.ndarray,
        floor: Solution,
    ) -> Retargeted:
        """How close joint positions (…) come to what was wanted; ``floor`` is the best solve of the fingertips."""
        Ts_root_frames = self.hand_chain.forward(hand_pos)
        Ts_palm_tips = Ts_root_frames[..., :1].inv() @ Ts_root_frames[..., 1:]
        p_world_fingertips = Ts_world_palm[..., None].apply(Ts_palm_tips.translation)
        position_error, rotation_error = Ts_world_palm.distance(Ts_world_wanted)
        joint_pos = np.concatenate((arm_pos, hand_pos), axis=-1)
        error = np.linalg.norm(p_world_fingertips - p_world_wanted, axis=-1)
        return Retargeted(
            embodiment=self.embodiment,
            joint_pos=joint_pos,
            Ts_world_palm=Ts_world_palm,
            palm_position_error=np.asarray(position_error),
            palm_rotation_error=np.asarray(rotation_error),
            p_world_fingertips=p_world_fingertips,
            fingertip_error=error,
            fingertip_floor=np.minimum(np.asarray(floor.position_error), error),
            at_limit=self._at_limit(joint_pos),
            ok=(np.asarray(position_error) <= PALM_POSITION) & (np.asarray(rotation_error) <= PALM_ROTATION),
        )

    def _at_limit(self, joint_pos: np.ndarray) -> np.ndarray:
        lower, upper = self.embodiment.position_lower, self.embodiment.position_upper
        return (joint_pos <= lower + 1e-6) | (joint_pos >= upper - 1e-6)


def _hand_root(model: UrdfModel, palm: str, tips: tuple[str, ...]) -> str:
    """The link nearest to the palm from which palm and fingertips hang."""
    above = [joint.parent for joint in model.path(palm)] + [palm]
    for link in reversed(above):
        if all(any(joint.parent == link for joint in model.path(tip)) for tip in tips):
            return link
    return model.root


def retarget(
    keypoints: object,
    robot: str | Path | Embodiment = "iiwa14_allegro",
    side: str | None = None,
    cfg: SolverCfg | None = None,
) -> Retargeted:
    """One hand, or a path of a hand, to a robot: the whole package in one call.

    Args:
        keypoints: (21, 3) or (T, 21, 3) [m] in the robot's base, z up, in ``KEYPOINT_NAMES`` order. A path is followed
            without jumps (trajectory).
        robot: a name, a folder with ``robot.urdf`` and ``robot.toml``, or an ``Embodiment``.
        side: ``right`` or ``left``: whose hand. The robot is mirrored to it; None is the robot's own side.
        cfg: what the solver may spend.

    Raises:
        PalmUnreachableError: one hand whose palm the arm cannot reach; names the distance. Of a path, ``ok`` says where.
        SchemaError: keypoints that are no hand of this side, or no such robot.
    """
    embodiment = robot if isinstance(robot, Embodiment) else load_embodiment(robot, side)
    retargeter = Retargeter(embodiment, cfg)
    if np.ndim(keypoints) == 3:  # type: ignore[arg-type]
        from h2s2r_retarget.trajectory import retarget_path  # noqa: PLC0415 - which builds on this module

        return retarget_path(retargeter, keypoints, side)
    found = retargeter.retarget(keypoints, side)
    if not found.ok.all():
        raise PalmUnreachableError(embodiment.name, float(found.palm_position_error), float(found.palm_rotation_error))
    return found


def retarget_hand(hand: HandPose, embodiment: Embodiment, cfg: SolverCfg | None = None) -> RobotPose:
    """The robot pose that imitates a human hand pose.

    Raises:
        PalmUnreachableError: the arm cannot bring the palm there; names the distance.
        SchemaError: see ``Retargeter.targets``.
    """
    return retarget(hand.p_world_keypoints, embodiment, hand.side, cfg).robot_pose()
