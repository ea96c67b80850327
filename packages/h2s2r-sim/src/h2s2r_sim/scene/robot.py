"""Put a robot into a MuJoCo model description.

In:  an embodiment: links, joints, gains, limits, pairs of links that may overlap.   Out: bodies, position servos, sites.
Not here: the numbers themselves (the robot's folder), the rest of the scene (world).

Built from the same links and shapes that retargeting computes with, not by MuJoCo's URDF import, so that both see one robot.
"""

from __future__ import annotations

import mujoco
import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_retarget.kinematics import UrdfJoint
from h2s2r_schemas.artifacts import Shape
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.scene.bodies import COLLISION_GROUP, VISUAL_GROUP, add_shape, set_contact, set_inertia
from h2s2r_sim.scene.options import SceneOptions

#: Before the names of everything that belongs to the robot.
PREFIX = "robot/"
_JOINTS = {
    "revolute": mujoco.mjtJoint.mjJNT_HINGE,
    "continuous": mujoco.mjtJoint.mjJNT_HINGE,
    "prismatic": mujoco.mjtJoint.mjJNT_SLIDE,
}


def add_robot(spec: mujoco.MjSpec, embodiment: Embodiment, options: SceneOptions) -> None:
    """Add a robot with its root link at the world's origin.

    Everything is named ``robot/`` and the name of the link or joint; geoms also carry a number. Its weight is compensated.
    A link that is only a frame on another, without matter, gets no body of its own.

    Raises:
        SchemaError: a joint of a kind that cannot be simulated.
    """
    model = embodiment.model
    hand_links = _links_below(embodiment, embodiment.hand_root)
    # Where each link is: a body, and the link's frame in it.
    places = {model.root: (spec.worldbody.add_body(name=PREFIX + model.root), SE3.identity())}
    waiting = [model.root]
    while waiting:
        link = waiting.pop(0)
        body, T_body_link = places[link]
        _add_link(spec, body, embodiment, link, options, in_hand=link in hand_links)
        for joint in (each for each in model.joints if each.parent == link):
            T_body_child = T_body_link @ SE3.from_matrix(joint.origin)
            if _is_frame(embodiment, joint):
                places[joint.child] = (body, T_body_child)
            else:
                child = body.add_body(name=PREFIX + joint.child, pos=T_body_child.translation, quat=T_body_child.wxyz)
                places[joint.child] = (child, SE3.identity())
                if joint.movable:
                    _add_joint(
                        spec, child, joint, options.hand_armature if link in hand_links else options.arm_armature
                    )
            waiting.append(joint.child)
    for frame in (embodiment.palm_frame, *embodiment.fingertip_frames):
        body, T_body_frame = places[frame]
        body.add_site(
            name=PREFIX + frame, pos=T_body_frame.translation, quat=T_body_frame.wxyz, size=[0.005] * 3, group=4
        )
    _add_exclusions(spec, embodiment)
    _add_servos(spec, embodiment)


def _is_frame(embodiment: Embodiment, joint: UrdfJoint) -> bool:
    """Whether the joint's child is only a frame on its parent, without matter: a body for it would cost time in every step."""
    matter = embodiment.links[joint.child]
    capsules = [each for each in embodiment.collision_capsules if each[0] == joint.child]
    return not (joint.movable or matter.mass or matter.visual or matter.collision or capsules)


def _links_below(embodiment: Embodiment, root: str) -> set[str]:
    """A link and all that hang from it."""
    below, waiting = {root}, [root]
    while waiting:
        link = waiting.pop()
        children = [joint.child for joint in embodiment.model.joints if joint.parent == link]
        below.update(children)
        waiting += children
    return below


def _add_link(
    spec: mujoco.MjSpec, body: mujoco.MjsBody, embodiment: Embodiment, link: str, options: SceneOptions, in_hand: bool
) -> None:
    """Mass and shapes of one link."""
    matter = embodiment.links[link]
    body.gravcomp = 1.0
    if matter.mass > 0.0:
        set_inertia(body, matter.mass, matter.center_of_mass, matter.inertia)
    if options.visuals:
        for index, shape in enumerate(matter.visual):
            add_shape(spec, body, shape, f"{PREFIX}{link}/visual/{index}")
    replaced = tuple(_capsule(each) for each in embodiment.collision_capsules if each[0] == link)
    for index, shape in enumerate(replaced or matter.collision):
        geom = add_shape(spec, body, shape, f"{PREFIX}{link}/collision/{index}")
        set_contact(geom, options.hand_friction if in_hand else options.arm_friction, options)
        geom.group = COLLISION_GROUP if options.visuals and matter.visual else VISUAL_GROUP


def _capsule(capsule: tuple[str, tuple[float, ...], tuple[float, ...], float]) -> Shape:
    """A capsule of robot.toml as a shape in its link's frame."""
    _, start, end, radius = capsule
    along = np.subtract(end, start)
    length = float(np.linalg.norm(along))
    quat = np.zeros(4)
    mujoco.mju_quatZ2Vec(quat, along / length if length > 0 else np.array([0.0, 0.0, 1.0]))
    place = SE3.from_parts(quat, np.add(start, end) / 2)
    kind, size = ("capsule", (radius, length, 0.0)) if length > 0 else ("sphere", (radius, 0.0, 0.0))
    return Shape(kind=kind, size=np.array(size), wxyz_xyz=place.wxyz_xyz)


def _add_joint(spec: mujoco.MjSpec, body: mujoco.MjsBody, joint: UrdfJoint, armature: float) -> None:
    if joint.kind not in _JOINTS:
        raise SchemaError(
            f"Joint {joint.name!r} is {joint.kind}; a simulated robot has {', '.join(_JOINTS)} and fixed joints."
        )
    added = body.add_joint(name=PREFIX + joint.name, type=_JOINTS[joint.kind], axis=joint.axis, armature=armature)
    if joint.kind != "continuous" and joint.lower is not None and joint.upper is not None:
        added.limited, added.range = 1, [joint.lower, joint.upper]
    if joint.mimic is not None:
        spec.add_equality(
            type=mujoco.mjtEq.mjEQ_JOINT,
            name1=PREFIX + joint.name,
            name2=PREFIX + joint.mimic.joint,
            data=[joint.mimic.offset, joint.mimic.multiplier] + [0.0] * 10,
        )


def _add_exclusions(spec: mujoco.MjSpec, embodiment: Embodiment) -> None:
    """Pairs of links that are not tested: those declared, and the base with what turns on it.

    MuJoCo itself leaves out a body and its parent, but not where the parent stands still, as the base does.
    """
    model = embodiment.model
    still = {model.root}
    for joint in model.joints:
        if not joint.movable and joint.parent in still:
            still.add(joint.child)
    on_base = [(joint.parent, joint.child) for joint in model.joints if joint.movable and joint.parent in still]
    for a, b in dict.fromkeys((*embodiment.collision_exclusions, *embodiment.collision_never, *on_base)):
        if spec.body(PREFIX + a) is None or spec.body(PREFIX + b) is None:
            continue  # only a frame: nothing of it can collide
        spec.add_exclude(bodyname1=PREFIX + a, bodyname2=PREFIX + b)


def _add_servos(spec: mujoco.MjSpec, embodiment: Embodiment) -> None:
    """One position servo per commanded joint: torque = kp (target - position) - kd velocity, within the torque limit."""
    for index, name in enumerate(embodiment.joint_names):
        kp, kd, limit = (float(each[index]) for each in (embodiment.kp, embodiment.kd, embodiment.torque_limit))
        servo = spec.add_actuator(
            name=PREFIX + name,
            target=PREFIX + name,
            trntype=mujoco.mjtTrn.mjTRN_JOINT,
            gaintype=mujoco.mjtGain.mjGAIN_FIXED,
            biastype=mujoco.mjtBias.mjBIAS_AFFINE,
        )
        servo.gainprm = [kp, *[0.0] * 9]
        servo.biasprm = [0.0, -kp, -kd, *[0.0] * 7]
        servo.forcelimited, servo.forcerange = 1, [-limit, limit]
        servo.ctrllimited = 1
        servo.ctrlrange = [float(embodiment.position_lower[index]), float(embodiment.position_upper[index])]
