"""Where a hand meets an object: it reaches until something touches, then closes finger by finger.

In:  ``Hand``, ``ObjectModel`` and its pose.   Out: ``Hand`` in contact; distances [m].
Not here: forces; the object moves as the script says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import mujoco
import numpy as np

from h2s2r_schemas.artifacts import ObjectModel
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.demonstrate.hand.anatomy import DIGITS
from h2s2r_sim.demonstrate.hand.pose import Hand
from h2s2r_sim.demonstrate.hand.skeleton import clamped, joint_vector
from h2s2r_sim.demonstrate.script.grip import Grip
from h2s2r_sim.scene.bodies import add_shape

#: Joint angles [deg] that a digit closes towards.
_FIST = {"knuckle": 80.0, "middle": 95.0, "end": 60.0}
_THUMB_FIST = {"thumb_opposition": 88.0, "thumb_root": 10.0, "thumb_knuckle": 45.0, "thumb_end": 55.0}
#: [m] that flesh gives way, so that a touch looks like one.
_GIVE = 0.001
#: [m] that counts as there.
_CLOSE = 2e-5
#: [m] from any joint of a hand to the farthest point of a digit beyond it.
_LEVER = 0.13


class Surfaces:
    """Distances to an object, by MuJoCo's convex collision shapes.

    Args:
        model: the object; at ``T_world_object``.
        T_world_object: its pose in the world.
    """

    def __init__(self, model: ObjectModel, T_world_object: SE3) -> None:
        spec = mujoco.MjSpec()
        wxyz_xyz = T_world_object.wxyz_xyz
        body = spec.worldbody.add_body(name="object", pos=wxyz_xyz[4:], quat=wxyz_xyz[:4])
        for index, shape in enumerate(model.collision):
            add_shape(spec, body, shape, f"object/{index}")
        spec.worldbody.add_geom(name="ball", type=mujoco.mjtGeom.mjGEOM_SPHERE, size=[_BALL, 0.0, 0.0])
        self._model = spec.compile()
        self._data = mujoco.MjData(self._model)
        mujoco.mj_kinematics(self._model, self._data)
        self._ball = self._model.geom("ball").id
        self._parts = [geom for geom in range(self._model.ngeom) if geom != self._ball]

    def distance(self, points: np.ndarray, limit: float = 0.05) -> np.ndarray:
        """Distance (N) [m] of points (N, 3) in the world to the object, negative inside; at most ``limit``."""
        nearest = np.full(len(points), limit)
        for index, point in enumerate(points):
            self._data.geom_xpos[self._ball] = point
            for part in self._parts:
                found = mujoco.mj_geomDistance(self._model, self._data, part, self._ball, limit, None)
                nearest[index] = min(nearest[index], found + _BALL)
        return nearest


_BALL = 1e-4


def hand_distance(hand: Hand, surfaces: Surfaces, digits: tuple[str, ...] = ("palm", *DIGITS)) -> float:
    """[m] from the flesh of these digits to the object, negative where it is inside."""
    centres, radii = hand.flesh(*digits)
    return float((surfaces.distance(centres) - radii).min())


def take_hold(hand: Hand, grip: Grip, surfaces: Surfaces, T_world_object: SE3) -> Hand:
    """The hand that has reached for the object and closed on it.

    Args:
        hand: just before contact.
        grip: how; ``reach`` in the object's frame.
        surfaces: of the object at ``T_world_object``.
        T_world_object: where the object is.
    """
    way = T_world_object.rotate(grip.reach)
    wxyz = hand.T_world_palm.wxyz

    def reached(share: float) -> Hand:
        return hand.moved(SE3.from_parts(wxyz, hand.T_world_palm.translation + share * way))

    hand = reached(_until_touch(lambda share: hand_distance(reached(share), surfaces), float(np.linalg.norm(way))))
    for digit in grip.closes:
        hand = _closed(hand, digit, surfaces)
    return hand


def _closed(hand: Hand, digit: str, surfaces: Surfaces) -> Hand:
    """The hand with one digit bent until it touches; if it never would, the digit is left as it is."""
    fist = _THUMB_FIST if digit == "thumb" else {f"{digit}_{joint}": angle for joint, angle in _FIST.items()}
    goal = joint_vector({name: float(np.deg2rad(angle)) for name, angle in fist.items()})
    goal = np.where(goal != 0.0, np.maximum(goal, hand.joint_pos), hand.joint_pos)

    def bent(share: float) -> Hand:
        return replace(hand, joint_pos=clamped(hand.joint_pos + share * (goal - hand.joint_pos)))

    travel = _LEVER * hand.scale * float(np.abs(goal - hand.joint_pos).sum())
    share = _until_touch(lambda share: hand_distance(bent(share), surfaces, (digit,)), travel)
    return bent(share) if share < 1.0 else bent(0.35)


def _until_touch(distance: Callable[[float], float], travel: float) -> float:
    """The first share in [0, 1] at which a distance [m] falls to the skin's give; 1 if it never does.

    Nothing moves farther than ``travel`` [m] over the whole share, so a step by distance over travel cannot miss it.
    """
    share = 0.0
    while share < 1.0:
        room = distance(share) + _GIVE
        if room < _CLOSE:
            return share
        share += room / travel
    return 1.0
