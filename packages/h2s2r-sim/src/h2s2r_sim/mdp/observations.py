"""What the policy sees: terms by name, each a function of what the robot knows at this moment.

In:  ``Seen``: joints, the object as last seen, the goal, the last action.   Out: observations (N, O).
Not here: noise and delay (env.camera), what only the critic knows (critic).

The environment runs this with a batch of N, the runner with a batch of one. Normalisation belongs to the policy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from h2s2r_schemas import arrays
from h2s2r_schemas.arrays import Array
from h2s2r_schemas.artifacts import ObsTerm
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.mdp.body import Body
from h2s2r_sim.mdp.goal import GoalPath
from h2s2r_sim.mdp.tracking import Placed


@dataclass(frozen=True)
class Seen:
    """What N robots know now."""

    body: Body
    """The robot."""
    path: GoalPath
    """The goal's."""
    joint_pos: Array
    """(N, J) [rad; m] measured."""
    frames: tuple[Array, Array]
    """Palm (N, 4, 4) and fingertips (N, F, 3) in the world [m]: ``body.frames(joint_pos)``."""
    joint_vel: Array
    """(N, J) [rad/s; m/s] measured."""
    joint_pos_target: Array
    """(N, J) [rad; m] last sent."""
    placed: Placed
    """(N) the object as last seen."""
    p_world_anchors_past: Array
    """(N, L, K, 3) [m] anchor points as seen at this step and at the L - 1 steps before, newest first."""
    object_age: Array
    """(N) [s] since the picture was taken that ``placed`` is from."""
    goal_index: Array
    """(N) of the goal clock."""
    last_action: Array
    """(N, A) in [-1, 1]."""


def remembered(p_world_anchors_past: Array, p_world_anchors: Array) -> Array:
    """The memory (N, L, K, 3) one step later, with the newest anchor points (N, K, 3) in front."""
    return arrays.concatenate((p_world_anchors[:, None], p_world_anchors_past[:, :-1]), 1)


def joint_pos(seen: Seen) -> Array:
    """(N, J) joint positions, from -1 at the lower limit to 1 at the upper."""
    middle, half = (
        arrays.like(seen.body.joint_middle, seen.joint_pos),
        arrays.like(seen.body.joint_half, seen.joint_pos),
    )
    return (seen.joint_pos - middle) / half


def joint_vel(seen: Seen) -> Array:
    """(N, J) joint velocities [rad/s; m/s]."""
    return seen.joint_vel


def joint_lead(seen: Seen) -> Array:
    """(N, J) how far the last target leads the measured joint [rad; m]: feels force, as gains are finite."""
    return seen.joint_pos_target - seen.joint_pos


def palm(seen: Seen) -> Array:
    """(N, 9) palm position [m] and the first two columns of its rotation, in the world."""
    matrices, _ = seen.frames
    return arrays.concatenate((matrices[:, :3, 3], matrices[:, :3, 0], matrices[:, :3, 1]), -1)


def fingertips(seen: Seen) -> Array:
    """(N, F·3) fingertips from the object's origin [m], world axes."""
    _, p_world_fingertips = seen.frames
    offset = p_world_fingertips - seen.placed.wxyz_xyz_world_object[:, None, 4:]
    return offset.reshape(offset.shape[0], -1)


def object_pose(seen: Seen) -> Array:
    """(N, 9) object position [m] and the first two columns of its rotation, in the world."""
    rotation = seen.placed.rotation
    return arrays.concatenate((seen.placed.wxyz_xyz_world_object[:, 4:], rotation[..., 0], rotation[..., 1]), -1)


def object_age(seen: Seen) -> Array:
    """(N, 1) [s] age of the newest object pose."""
    return seen.object_age[:, None]


def object_motion(seen: Seen, steps: Sequence[int] = (1, 2, 3)) -> Array:
    """(N, len(steps)·K·3) anchor points as seen so many steps ago, from where they are seen now [m]."""
    past = arrays.take(seen.p_world_anchors_past, list(steps), 1)
    moved = past - seen.placed.p_world_anchors[:, None]
    return moved.reshape(moved.shape[0], -1)


def goal_anchors(seen: Seen, ahead: Sequence[int] = (0, 5, 15)) -> Array:
    """(N, len(ahead)·K·3) anchor points where the goal has them so many steps ahead, from where they are seen now [m]."""
    index = seen.goal_index[:, None] + arrays.like(ahead, seen.goal_index)
    left = seen.path.anchors(index, seen.joint_pos) - seen.placed.p_world_anchors[:, None]
    return left.reshape(left.shape[0], -1)


def phase(seen: Seen) -> Array:
    """(N, 1) how much of the reference is behind, in [0, 1]."""
    return arrays.like(seen.path.phase(seen.goal_index), seen.joint_pos)[:, None]


def last_action(seen: Seen) -> Array:
    """(N, A) the action before this observation."""
    return seen.last_action


TERMS: dict[str, Callable[..., Array]] = {
    term.__name__: term
    for term in (
        joint_pos, joint_vel, joint_lead, palm, fingertips, object_pose, object_age, object_motion, goal_anchors, phase,
        last_action,
    )
}  # fmt: skip

#: Terms that say nothing of where the object is: the same for those who see it and those who know.
OBJECT_FREE = (joint_pos, joint_vel, joint_lead, palm, phase, last_action)

#: What a policy sees unless told otherwise: only what a real cell has.
ACTOR_TERMS: tuple[tuple[str, dict[str, Sequence[int]]], ...] = (
    ("joint_pos", {}),
    ("joint_lead", {}),
    ("palm", {}),
    ("fingertips", {}),
    ("object_pose", {}),
    ("object_age", {}),
    ("object_motion", {"steps": (1, 2, 3)}),
    ("goal_anchors", {"ahead": (0, 5, 15)}),
    ("phase", {}),
    ("last_action", {}),
)


def memory_length(terms: Sequence[tuple[str, dict[str, Sequence[int]]]]) -> int:
    """L: how many steps ``Seen`` must remember for these terms."""
    steps = [max(arguments.get("steps", (1, 2, 3))) for name, arguments in terms if name == "object_motion"]
    return 1 + max(steps, default=0)


def observe(
    seen: Seen, terms: Sequence[tuple[str, dict[str, Sequence[int]]]], shared: dict[str, Array] | None = None
) -> Array:
    """The observation (N, O): all terms side by side.

    Args:
        seen: what is observed.
        terms: names and arguments.
        shared: terms of ``OBJECT_FREE`` by name, of the same robots at the same moment: they are not worked out again, and
            those worked out here are put in.

    Raises:
        SchemaError: an unknown term.
    """
    return arrays.concatenate(values(seen, terms, shared), -1)


def values(
    seen: Seen, terms: Sequence[tuple[str, dict[str, Sequence[int]]]], shared: dict[str, Array] | None = None
) -> list[Array]:
    """The terms (N, …) one by one, as for ``observe``."""
    shared = {} if shared is None else shared
    found = []
    for name, arguments in terms:
        value = shared.get(name)
        if value is None:
            term = _term(name)
            value = term(seen, **arguments)
            if term in OBJECT_FREE:
                shared[name] = value
        found.append(value)
    return found


def layout(seen: Seen, terms: Sequence[tuple[str, dict[str, Sequence[int]]]]) -> tuple[ObsTerm, ...]:
    """The terms with their sizes, as stored in ``PolicySpec.obs_layout``."""
    return tuple(
        ObsTerm(
            name=name,
            size=int(_term(name)(seen, **arguments).shape[-1]),
            arguments={key: list(value) for key, value in arguments.items()},
        )
        for name, arguments in terms
    )


def terms_of(obs_layout: Sequence[ObsTerm]) -> tuple[tuple[str, dict[str, Sequence[int]]], ...]:
    """The terms of a stored layout."""
    return tuple((term.name, dict(term.arguments)) for term in obs_layout)


def _term(name: str) -> Callable[..., Array]:
    if name not in TERMS:
        raise SchemaError(f"There is no observation {name!r}; there are: {', '.join(TERMS)}.")
    return TERMS[name]
