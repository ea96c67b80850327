"""The three contracts: what a robot, a policy and a batched environment promise.

In:  nothing.   Out: the protocols ``Robot``, ``Policy``, ``VecEnv``; their docstrings are the law.
Not here: checks that an implementation keeps them (testing), implementations (sim, rl, hw, client).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from h2s2r_schemas.arrays import Array
from h2s2r_schemas.artifacts.policies import PolicySpec
from h2s2r_schemas.robots import RobotSpec
from h2s2r_schemas.wire import Hello, Reply, Request, RobotCommand, RobotState


class Robot(Protocol):
    """One robot, simulated, emulated or real: the caller cannot tell which, except by ``hello().emulated``.

    - ``hello()`` is the same at any time; its ``robot`` gives the joint order of every array.
    - Time is the robot's. ``next_state()`` waits until the robot's clock has moved on and returns a state whose ``time`` and
      ``sequence`` are larger than those of any state returned before. In virtual time, that call is what makes time pass.
    - ``joint_pos`` is in [rad] ([m] for sliding joints) and lies within the limits of ``hello().robot`` up to 2 % of their
      range; arrays of a state are never changed after it was returned.
    - ``request()`` answers every request with a reply that repeats its ``sequence``; a refusal has code, cause and remedy,
      and changes nothing.
    - ``command()`` hands a command over and returns at once. A command is accepted only under the current lease, with a
      ``sequence`` above the last accepted one, the robot's hash, and when armed; whether it was, ``next_state()`` tells:
      ``command_sequence`` if accepted, ``last_refusal`` and ``counters`` if not. No refused command moves a joint.
    - Following: under a valid stream of commands at a reachable, constant target, ``joint_pos`` goes there and stays.
    - Silence: without commands for longer than ``hello().lease_ttl`` the robot stops moving and the lease is free.
    """

    def hello(self) -> Hello: ...

    def request(self, request: Request) -> Reply: ...

    def command(self, command: RobotCommand) -> None: ...

    def next_state(self) -> RobotState: ...


class Policy(Protocol):
    """A policy that acts on batches of observations.

    - ``act(obs)`` takes (N, O) in the layout of ``spec.obs_layout`` and returns (N, A) actions in [-1, 1], finite, float32 or
      float64; it never changes ``obs``. The first call after ``reset()`` fixes N.
    - It is deterministic: the same observations since the last ``reset()`` give the same actions, bit for bit.
    - ``reset()`` forgets everything; ``reset(env_ids)`` forgets these rows only and leaves the memory of others untouched.
    - Rows do not see each other: a row's actions do not depend on what the other rows are.
    """

    @property
    def spec(self) -> PolicySpec: ...

    def reset(self, env_ids: Sequence[int] | None = None) -> None: ...

    def act(self, obs: Array) -> Array: ...


class VecEnv(Protocol):
    """N environments stepped together.

    - ``reset(seed)`` starts all episodes anew and returns observations; the same seed gives the same bytes afterwards for
      the same actions. ``step(action)`` takes (N, ``num_actions``) and returns ``obs, reward, terminated, truncated, extras``.
    - ``obs`` is ``{"actor": (N, O), "critic": (N, C)}``, finite. Returned arrays are the caller's: a later step does not
      change them, and changing them does not change the environment. ``action`` is not changed.
    - ``reward`` (N) is finite; ``terminated`` and ``truncated`` (N) are booleans, never both true for one environment.
    - An environment that ended is reset within the same step: its ``obs`` is the first of the new episode, and
      ``extras["final_obs"]`` holds the last of the old one for those rows. ``extras["failure"]`` (N) holds the index of the
      failure kind in ``failure_kinds`` for those that terminated, -1 elsewhere; ``extras["success"]`` (N) is true only where
      an episode ended in success.
    - ``robot`` gives the order of joints wherever they appear.
    """

    @property
    def num_envs(self) -> int: ...

    @property
    def num_actions(self) -> int: ...

    @property
    def robot(self) -> RobotSpec: ...

    @property
    def failure_kinds(self) -> tuple[str, ...]: ...

    def reset(self, seed: int | None = None) -> dict[str, Array]: ...

    def step(self, action: Array) -> tuple[dict[str, Array], Array, Array, Array, Mapping[str, Any]]: ...
