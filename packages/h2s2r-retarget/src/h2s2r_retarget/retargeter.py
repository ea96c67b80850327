"""The two steps of the method for one robot, made once and used for any number of hands.

In:  an ``Embodiment``; keypoints (…, 21, 3) [m] in the world (the robot's base).   Out: ``Retargeted``.
Not here: what is wanted (targets), paths without jumps (trajectory), getting out of collisions (clearance), all of it in one
call (retarget).

Step 1 moves the arm: palm frame to the human's middle knuckle plus the embodiment's offset, with the human palm's
orientation. Step 2 moves the fingers: fingertips to the human's fingertips, the arm standing still.
"""

from __future__ import annotations

import numpy as np

from h2s2r_retarget.collision import CollisionModel, check_collisions, obstacles_of
from h2s2r_retarget.embodiment import Embodiment
from h2s2r_retarget.kinematics import Chain, UrdfModel
from h2s2r_retarget.result import PALM_POSITION, PALM_ROTATION, Retargeted
from h2s2r_retarget.solve import Solution, Solver, SolverCfg
from h2s2r_retarget.targets import check_keypoints, palm_targets
from h2s2r_schemas.artifacts import Scene
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3


class Retargeter:
    """The two steps for one robot; made once, used for any number of hands.

    Args:
        embodiment: the robot.
        cfg: what the solver may spend.
        scene: what stands around the robot; collisions with it are reported. None for the robot alone.
    """

    def __init__(self, embodiment: Embodiment, cfg: SolverCfg | None = None, scene: Scene | None = None) -> None:
        self.embodiment = embodiment
        self.collision_model = CollisionModel(embodiment)
        self.obstacles = () if scene is None else obstacles_of(scene)
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
        frames = self.hand_chain.forward(hand_pos)
        Ts_root_palm, Ts_root_tips = frames[..., :1], frames[..., 1:]
        Ts_palm_tips = Ts_root_palm.inv() @ Ts_root_tips
        p_world_fingertips = Ts_world_palm[..., None].apply(Ts_palm_tips.translation)
        position_error, rotation_error = Ts_world_palm.distance(Ts_world_wanted)
        joint_pos = np.concatenate((arm_pos, hand_pos), axis=-1)
        error = np.linalg.norm(p_world_fingertips - p_world_wanted, axis=-1)
        collisions = check_collisions(self.collision_model, joint_pos, self.obstacles)
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
            penetration=np.maximum(collisions.depth, collisions.tip_depth),
            colliding=np.where(
                (collisions.tip_depth > collisions.depth)[..., None], collisions.tip_pairs, collisions.pairs
            ),
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
