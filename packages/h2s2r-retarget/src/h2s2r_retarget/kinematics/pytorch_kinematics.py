"""To and from chains of the pytorch-kinematics library (extra ``torch``).

In:  a ``pytorch_kinematics`` chain, or ours.   Out: the other.
Not here: running our own lines on tensors, which needs no conversion (motion).

pytorch-kinematics (0.10) orders joints by walking the tree depth first: map by ``get_joint_parameter_names()``, never
by place. It knows no mimic joints, and its URDF reader rounds fixed transforms to float32 (0.02 µm on an arm).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from h2s2r_retarget.kinematics.model import UrdfJoint, UrdfModel
from h2s2r_schemas.errors import SchemaError

if TYPE_CHECKING:
    from h2s2r_retarget.kinematics.chain import Chain


def to_model(chain: Any) -> UrdfModel:
    """Links and joints of a ``pytorch_kinematics`` ``Chain`` or ``SerialChain``.

    A revolute joint without limits is taken as continuous.
    """
    root = chain._root
    links, joints = [root.name], []
    waiting = [(root, child) for child in root.children]
    while waiting:
        parent, frame = waiting.pop(0)
        links.append(frame.name)
        joints.append(_joint(frame, parent.name))
        waiting.extend((frame, child) for child in frame.children)
    return UrdfModel("pytorch_kinematics chain", tuple(links), tuple(joints))


def _joint(frame: Any, parent: str) -> UrdfJoint:
    joint = frame.joint
    origin = np.eye(4)
    for part in (frame.link.offset, joint.offset):
        if part is not None:
            origin = origin @ part.get_matrix()[0].detach().cpu().numpy().astype(np.float64)
    axis = joint.axis.detach().cpu().numpy().astype(np.float64)
    lower, upper = (None, None) if joint.limits is None else (float(limit) for limit in joint.limits)
    return UrdfJoint(
        name=joint.name or f"{parent} to {frame.name}",
        kind="continuous" if joint.joint_type == "revolute" and joint.limits is None else joint.joint_type,
        parent=parent,
        child=frame.name,
        origin=origin,
        axis=axis / np.linalg.norm(axis),
        lower=lower,
        upper=upper,
        velocity=_largest(joint.velocity_limits),
        effort=_largest(joint.effort_limits),
    )


def _largest(limits: Any) -> float | None:
    return None if limits is None or limits[1] is None else float(limits[1])


def from_chain(chain: Chain, dtype: Any = None, device: Any = "cpu") -> Any:
    """The links between the chain's root and its frames as a ``pytorch_kinematics.Chain``.

    Raises:
        SchemaError: joints are coupled by mimic.
    """
    import pytorch_kinematics as pk  # noqa: PLC0415 - the extra torch
    import torch  # noqa: PLC0415

    model = chain.model
    needed = {joint.name for frame in chain.frames for joint in model.path(frame, chain.root)}
    mimics = [joint.name for joint in model.joints if joint.name in needed and joint.mimic is not None]
    if mimics:
        raise SchemaError(
            f"The joints {mimics} mimic others, and pytorch-kinematics has no mimic joints. Use this Chain on tensors: "
            "its own lines run on them."
        )

    def tree(link: str, joint: Any) -> Any:
        frame = pk.frame.Frame(link, pk.frame.Link(link), joint)
        below = [child for child in model.joints if child.parent == link and child.name in needed]
        frame.children = [tree(child.child, _pk_joint(pk, torch, child, chain.frozen)) for child in below]
        return frame

    root = tree(chain.root, pk.frame.Joint(dtype=torch.float64))
    return pk.Chain(root, dtype=torch.float64).to(dtype=dtype or torch.float64, device=device)


def _pk_joint(pk: Any, torch: Any, joint: UrdfJoint, frozen: dict[str, float]) -> Any:
    origin, kind = joint.origin, {"continuous": "revolute"}.get(joint.kind, joint.kind)
    if joint.name in frozen:
        origin, kind = origin @ _moved(joint, frozen[joint.name]), "fixed"
    offset = pk.Transform3d(matrix=torch.as_tensor(origin, dtype=torch.float64)[None], dtype=torch.float64)
    limits = None if joint.lower is None or joint.upper is None else (joint.lower, joint.upper)
    velocity, effort = (None if v is None else (-v, v) for v in (joint.velocity, joint.effort))
    return pk.frame.Joint(
        joint.name,
        offset=offset,
        joint_type=kind,
        axis=torch.as_tensor(joint.axis),
        dtype=torch.float64,
        limits=limits,
        velocity_limits=velocity,
        effort_limits=effort,
    )


def _moved(joint: UrdfJoint, position: float) -> np.ndarray:
    """What the joint at ``position`` [rad or m] does (4, 4), in its own frame."""
    moved = np.eye(4)
    if joint.kind == "prismatic":
        moved[:3, 3] = joint.axis * position
        return moved
    x, y, z = joint.axis
    skew = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    moved[:3, :3] += np.sin(position) * skew + (1 - np.cos(position)) * skew @ skew
    return moved
