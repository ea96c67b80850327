"""How the robot does it: where it touches the object, beside where the human did, and how far it left the human's way.

In:  a policy, a task, a robot.   Out: ``ContactPicture``: contacts and fingertips in the object's frame, over successes.
Not here: drawing it (pictures), whether it succeeds (judge).

The human's fingertips are those just before contact, carried along by the object; where the task has the whole hand path,
those of each moment.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_retarget.embodiment import Embodiment, load_embodiment
from h2s2r_rl.evaluate.judge import Acts, judge
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.config import EnvCfg, for_evaluation
from h2s2r_sim.engines.mujoco.touch import Toucher
from h2s2r_sim.engines.mujoco.worlds import MujocoEngine
from h2s2r_sim.env.environment import Environment
from h2s2r_sim.env.human import human_path
from h2s2r_sim.env.make import make_env

#: [s] after the first contact, and before the end, whose links count as the first and the last grasp.
WINDOW = 0.5
#: Share of the successful episodes in which a link touches, from which on it belongs to a grasp.
USUAL = 0.5


@dataclass(frozen=True)
class ContactPicture:
    """What successful episodes showed."""

    episodes: int
    """How many succeeded, of those that were watched."""
    p_object_human: np.ndarray
    """(F, 3) [m] the human's fingertips just before contact, of the fingers that the robot has."""
    p_object_contact: np.ndarray
    """(C, 3) [m] contacts of the robot at all steps."""
    links: tuple[str, ...]
    """(C) which link touched."""
    first_links: dict[str, float]
    """Links that touch within ``WINDOW`` after the first contact, and in which share of the episodes."""
    last_links: dict[str, float]
    """The same within ``WINDOW`` before the end."""
    contact_distance: float
    """[m] mean distance of a contact from the nearest fingertip of the human; NaN without contacts."""
    fingertip_distance: np.ndarray
    """(T) [m] mean distance of the robot's fingertips from the human's, by policy step; NaN where no episode is."""

    @property
    def grasp_changed(self) -> bool:
        """Whether the links that usually touch at the end are others than those that usually touch at first."""
        return usual(self.first_links) != usual(self.last_links)


def usual(links: Mapping[str, float]) -> set[str]:
    """The links that touch in at least ``USUAL`` of the episodes."""
    return {link for link, share in links.items() if share >= USUAL}


def watch_contacts(
    policy: Acts,
    task: TaskSpec,
    robot: Embodiment | str | Path,
    cfg: EnvCfg,
    episodes: int = 32,
    seed: int = 1_000_000,
) -> ContactPicture:
    """Watch a policy's contacts.

    Args:
        policy: to be watched.
        task: of the policy.
        robot: of the policy.
        cfg: its environment; of the engine ``mujoco``.
        episodes: how many; those that fail are left out.
        seed: of the episodes.

    Raises:
        SchemaError: another engine.
    """
    embodiment = robot if isinstance(robot, Embodiment) else load_embodiment(robot, task.side)
    env = make_env(task, embodiment, min(episodes, 32), for_evaluation(cfg))
    if not isinstance(env.engine, MujocoEngine):
        raise SchemaError(f"Contacts are watched in the engine 'mujoco'; this environment has {cfg.engine!r}.")
    watcher = _Watcher(env, env.engine)
    judge(policy, env, episodes, seed, look=watcher)
    return watcher.picture()


class _Watcher:
    """Looks at every step; keeps what belongs to successes."""

    def __init__(self, env: Environment, engine: MujocoEngine) -> None:
        self._env, self._toucher = env, Toucher(engine)
        self._human = human_path(env.task, env.embodiment, env.path)
        # Of each running episode: fingertip distances, and contacts with their step.
        self._distances: list[list[float]] = [[] for _ in range(env.num_envs)]
        self._contacts: list[list[tuple[int, str, np.ndarray]]] = [[] for _ in range(env.num_envs)]
        self._kept: list[tuple[list[float], list[tuple[int, str, np.ndarray]]]] = []

    def __call__(self, terminated: np.ndarray, truncated: np.ndarray, extras: Any) -> None:
        ended = terminated | truncated
        distance = self._fingertip_distance()
        for env_id in range(self._env.num_envs):
            if ended[env_id]:
                if extras["success"][env_id]:
                    self._kept.append((self._distances[env_id], self._contacts[env_id]))
                self._distances[env_id], self._contacts[env_id] = [], []
                continue
            step = len(self._distances[env_id])
            self._distances[env_id].append(float(distance[env_id]))
            touch = self._toucher.touch(env_id)
            self._contacts[env_id] += [
                (step, link, point) for link, point in zip(touch.links, touch.p_object_contact, strict=True)
            ]

    def _fingertip_distance(self) -> np.ndarray:
        """(N) [m] mean distance of the robot's fingertips from the human's now."""
        env = self._env
        wanted = self._human[env.episodes.goal_index]
        if env.task.hand is None:
            T_world_object = SE3(env.now.state.wxyz_xyz_world_object[:, None])
            wanted = T_world_object.apply(human_fingertips(env.task, env.embodiment)[None])
        return np.linalg.norm(env.now.frames[1] - wanted, axis=-1).mean(-1)

    def picture(self) -> ContactPicture:
        """What was kept."""
        window = round(WINDOW / self._env.control_dt)
        human = human_fingertips(self._env.task, self._env.embodiment)
        contacts = [each for _, episode in self._kept for each in episode]
        points = np.array([point for _, _, point in contacts]).reshape(-1, 3)
        first, last = Counter[str](), Counter[str]()
        for distances, episode in self._kept:
            begin = min((step for step, _, _ in episode), default=0)
            first.update({link for step, link, _ in episode if step <= begin + window})
            last.update({link for step, link, _ in episode if step >= len(distances) - window})
        count = len(self._kept)
        longest = max((len(distances) for distances, _ in self._kept), default=0)
        padded = np.full((count, longest), np.nan)
        for row, (distances, _) in zip(padded, self._kept, strict=True):
            row[: len(distances)] = distances
        nearest = np.linalg.norm(points[:, None] - human, axis=-1).min(-1) if len(points) else np.array([np.nan])
        return ContactPicture(
            episodes=count,
            p_object_human=human,
            p_object_contact=points,
            links=tuple(link for _, link, _ in contacts),
            first_links={link: n / count for link, n in sorted(first.items())},
            last_links={link: n / count for link, n in sorted(last.items())},
            contact_distance=float(nearest.mean()),
            fingertip_distance=np.nanmean(padded, 0) if count else np.zeros(0),
        )


def human_fingertips(task: TaskSpec, embodiment: Embodiment) -> np.ndarray:
    """(F, 3) [m] the human's fingertips just before contact, in the object's frame, of the fingers that the robot has."""
    return np.asarray(embodiment.fingertip_targets(task.p_object_keypoints[None]))[0]
