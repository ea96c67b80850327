"""Palm axes that do not fit the fingertips, thumbs on the wrong side, fingertips that cannot get anywhere.

In:  ``Embodiment``.   Out: ``Finding`` s, from hand postures drawn at random within the limits (seeded).
Not here: overlapping shapes (touching).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from h2s2r_retarget.check.grasping_hand import grasping_hand
from h2s2r_retarget.embodiment import Embodiment, Finding
from h2s2r_schemas.artifacts import KEYPOINT_NAMES

_POSTURES = 4096
#: [m] a fingertip that moves less over all postures does not move.
_STILL = 0.002
#: [m] a fingertip that stays farther than this from where a human hand about to grasp has it is of little use.
_FAR = 0.06
#: [m] a thumb that stays farther than this from every finger cannot oppose it.
_OPPOSED = 0.04


def hand_findings(embodiment: Embodiment) -> Iterator[Finding]:
    """Everything about palm and fingertips."""
    yield from _arm_findings(embodiment)
    tips = _postures(embodiment)
    for index, tip in enumerate(embodiment.fingertip_frames):
        if np.ptp(tips[:, index], axis=0).max() < _STILL:
            cause = "No joint of [hand] moves it in the palm frame."
            remedy = "Choose a link on a finger, or check the limits of its joints."
            yield Finding("tips", f"fingertip {tip}", cause, remedy)
    yield from _axis_findings(embodiment, tips)
    yield from _thumb_findings(embodiment, tips)
    yield from _reach_findings(embodiment, tips)


def _arm_findings(embodiment: Embodiment) -> Iterator[Finding]:
    chain = embodiment.chain
    rng = np.random.default_rng(0)
    joint_pos = rng.uniform(embodiment.position_lower, embodiment.position_upper, (32, len(embodiment.joint_names)))
    jacobian = chain.jacobian(joint_pos)[:, 0]
    moved = np.abs(jacobian[..., embodiment.num_arm_joints :]).max(axis=(0, 1)) > 1e-9
    if moved.any():
        names = [name for name, moves in zip(embodiment.hand_joint_names, moved, strict=True) if moves]
        cause = f"The joints {names} of [hand] move it."
        yield Finding(
            "palm", f"palm frame {embodiment.palm_frame}", cause, "Choose a link before them, or put them in [arm]."
        )
    if embodiment.num_arm_joints:
        rank = int(np.linalg.matrix_rank(jacobian[..., : embodiment.num_arm_joints], tol=1e-6).max())
        if rank < 6:
            cause = f"Its {embodiment.num_arm_joints} joints move the palm in {rank} of 6 directions."
            remedy = "Palm poses will be met only in part; add the joints that are missing, if there are any."
            yield Finding("arm", "[arm]", cause, remedy, "warning")


def _postures(embodiment: Embodiment) -> np.ndarray:
    """Fingertips (N, F, 3) [m] in the palm frame, home first; the thumb of a left hand is on its own side."""
    rng = np.random.default_rng(0)
    joint_pos = rng.uniform(embodiment.position_lower, embodiment.position_upper, (_POSTURES, len(embodiment.home)))
    joint_pos[:, : embodiment.num_arm_joints] = embodiment.home[: embodiment.num_arm_joints]
    joint_pos[0] = embodiment.home
    Ts_world_frame = embodiment.chain.forward(joint_pos)
    tips = Ts_world_frame[:, :1].inv().apply(Ts_world_frame.translation[:, 1:])
    return tips * [1.0, -1.0, 1.0] if embodiment.side == "left" else tips


def _axis_findings(embodiment: Embodiment, tips: np.ndarray) -> Iterator[Finding]:
    subject = f"palm frame {embodiment.palm_frame}"
    centre = tips.mean(axis=0)
    fingers = ~_is_thumb(embodiment)
    if centre[:, 0].mean() < 0:
        cause = f"Fingertips are {centre[:, 0].mean():.3f} m along its x axis on average: behind the palm."
        yield Finding("palm-axes", subject, cause, "x must point out of the palm, the way the fingers close.")
    across = _across(embodiment)
    forward = tips[0, fingers, 2].mean() if fingers.any() else 0.0
    if fingers.sum() > 1 and forward < 0:
        cause = f"The fingers' tips are {forward:.3f} m along its z axis at home: towards the wrist."
        yield Finding("palm-axes", subject, cause, "z must point from the wrist to the fingers.")
    if fingers.sum() > 1 and embodiment.side != "none":
        order = across[fingers] - across[fingers].mean()
        if order @ centre[fingers, 1] < 0:
            cause = (
                f"On a {embodiment.side} hand the index finger comes before the ring finger; here it is the other way."
            )
            remedy = "The hand is of the other side, its fingertips are mixed up, or y (= z × x) points the wrong way."
            yield Finding("palm-axes", subject, cause, remedy)


def _thumb_findings(embodiment: Embodiment, tips: np.ndarray) -> Iterator[Finding]:
    thumb = _is_thumb(embodiment)
    if thumb.sum() != 1 or thumb.all():
        return
    subject = f"fingertip {embodiment.fingertip_frames[int(np.argmax(thumb))]}"
    apart = np.linalg.norm(tips[:, thumb] - tips[:, ~thumb], axis=-1).min()
    if apart > _OPPOSED:
        cause = f"In {_POSTURES} postures the thumb came no nearer than {apart:.3f} m to any other fingertip."
        yield Finding("tips", subject, cause, "Check the thumb's origins, axes and limits.", "warning")
    mean_thumb, mean_fingers = tips[:, thumb].mean(axis=(0, 1)), tips[:, ~thumb].mean(axis=(0, 1))
    if embodiment.side == "none":
        if mean_thumb[2] > mean_fingers[2]:
            cause = "The thumb's finger is farther along z of the palm than the other."
            yield Finding("thumb", subject, cause, "Swap the two fingertips, or turn the palm frame by 180° about x.")
    elif mean_thumb[1] < mean_fingers[1]:
        cause = f"It is on the side of the little finger of a {embodiment.side} hand: mirrored."
        remedy = "Set side to that of the URDF's hand, check the thumb's origin, or y of the palm frame (= z × x)."
        yield Finding("thumb", subject, cause, remedy)


def _reach_findings(embodiment: Embodiment, tips: np.ndarray) -> Iterator[Finding]:
    targets = embodiment.fingertip_weights @ grasping_hand()
    wanted = targets - (
        embodiment.palm_offset * [1.0, -1.0, 1.0] if embodiment.side == "left" else embodiment.palm_offset
    )
    missing = np.linalg.norm(tips - wanted, axis=-1).min(axis=0)
    for tip, distance in zip(embodiment.fingertip_frames, missing, strict=True):
        if distance > _FAR:
            cause = f"It stays {distance:.3f} m or more from where a human hand about to grasp has it."
            remedy = "Check palm.offset, the palm frame, units and limits."
            yield Finding("tips", f"fingertip {tip}", cause, remedy, "warning")


def _is_thumb(embodiment: Embodiment) -> np.ndarray:
    """(F) whether a fingertip follows the thumb."""
    keys = [name.startswith("thumb") for name in KEYPOINT_NAMES]
    return embodiment.fingertip_weights[:, keys].sum(axis=1) > 0.5


def _across(embodiment: Embodiment) -> np.ndarray:
    """(F) [m] how far on the index side a hand about to grasp has each fingertip."""
    return (embodiment.fingertip_weights @ grasping_hand())[:, 1]
