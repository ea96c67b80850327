"""The three contracts: what a robot, a policy and a batched environment promise.

In:  nothing.   Out: the protocols ``Robot``, ``Policy``, ``VecEnv``; their docstrings are the law.
Not here: checks that an implementation keeps them (testing), implementations (sim, rl, hw, client).

Each clause has a name in bold. ``check_robot``, ``check_policy`` and ``check_vec_env`` of ``h2s2r_schemas.testing`` judge an
implementation clause by clause, and a ``ContractError`` names the one that it breaks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from h2s2r_schemas.arrays import Array
from h2s2r_schemas.artifacts.policies import PolicySpec
from h2s2r_schemas.artifacts.tasks import TaskSpec
from h2s2r_schemas.robots import RobotSpec
from h2s2r_schemas.wire import Hello, Reply, Request, RobotCommand, RobotState


class Robot(Protocol):
    """One robot, simulated, emulated or real: the caller cannot tell which, except by ``hello().emulated``.

    A method raises ``RobotFault`` when the robot cannot be reached, and never because of what was asked or commanded.
    *Armed* means that ``server_state`` is ``hold`` or ``track``.

    - **hello**: ``hello()`` is the same at any time. Its ``robot`` gives the joint order of every array. The slowest and the
      fastest stream of commands satisfy 0 < ``command_hz[0]`` ≤ ``command_hz[1]``, and ``lease_ttl`` is longer than the
      slowest period. ``emulated`` is true only where no hardware moves: checks then dare more.
    - **state**: every state carries the hash of that robot and one value per joint in each array. Arrays of a state are never
      changed after it was returned.
    - **time**: time is the robot's. ``next_state()`` waits until the robot's clock has moved on and returns a state whose
      ``time`` and ``sequence`` are larger than those of any state returned before, as a rule (in the median) no later than
      the slowest period of commands after it. In virtual time, that call is what makes time pass.
    - **limits**: ``joint_pos`` lies within the limits up to 2 % of their range. Whatever is commanded, ``joint_pos_target``
      lies within them, and while armed it moves no faster than ``velocity_limit`` (between two states, over the difference
      of their times and one period of ``control_hz``): a target further away is approached so, or refused.
    - **velocity**: ``joint_vel`` is the rate of change of ``joint_pos``: over a motion, its integral agrees in sign, and in
      size within a factor of two.
    - **request**: ``request()`` answers every request with a reply that repeats its ``sequence`` and whose ``time`` is on the
      clock of the states (to 1 s). A refusal has code, cause and remedy, and changes nothing.
    - **lease**: at most one session holds the lease; others who ask for it are refused. Each lease has a larger epoch than
      those before, and sequence numbers of commands start anew under it. States carry its epoch, 0 when it is free. An
      accepted command or ``renew_lease`` keeps it for another ``lease_ttl``; ``release_lease`` frees it. ``renew_lease``,
      ``release_lease``, ``arm``, ``disarm`` and ``home`` are refused without its epoch and token.
    - **arm**: ``arm`` leads to armed, which can take a while, and ``disarm`` ends it; where that is so already, they are done
      and change nothing. Whenever the robot is armed, ``joint_pos_target`` begins at ``joint_pos`` (to 2 % of the range).
    - **verdict**: ``command()`` hands a command over and returns at once; within ``lease_ttl`` a state tells what became of
      it. Accepted: ``command_sequence`` reaches its ``sequence``. Refused: ``last_refusal`` is the code, and ``counters``
      under that code has grown.
    - **refusal**: a command is refused when its epoch or token is not that of the current lease, its ``sequence`` is not above
      the last one accepted under that lease, its robot hash is another robot's, it has a wrong number of joints, the robot
      is not armed, or it is older than ``lease_ttl`` by ``client_time`` (measured against the youngest command of the lease).
      No refused command moves a joint or keeps the lease, and valid ones are accepted after it.
    - **fault**: nothing that a client sends latches a fault; a fault shows in every state until it is acknowledged.
    - **follow**: under a valid stream of commands at a reachable, constant target, the joints go there and stay. Between two
      such targets each joint's ``joint_pos`` and ``joint_pos_target`` change as commanded, to a fifth of the change, and no
      other joint moves.
    - **silence**: without an accepted command or a renewal for longer than ``lease_ttl`` the lease is free and the robot
      stands still, under its own control; so it is at the latest after twice that time.
    - **estop**: ``estop`` needs no lease and is never refused. Afterwards ``server_state`` is ``estop``, and the robot comes to
      rest (joints without power may sink) and refuses commands, until ``reset_estop``, which needs the lease to be free.

    Not to be seen through this contract: a joint order, sign or unit that is wrong in the same way in the limits, commands
    and states (compare with the robot's own display), and frames, as only joints occur here.
    """

    def hello(self) -> Hello: ...

    def request(self, request: Request) -> Reply: ...

    def command(self, command: RobotCommand) -> None: ...

    def next_state(self) -> RobotState: ...


class Policy(Protocol):
    """A policy that acts on batches of observations.

    - **spec**: ``spec`` is the same at any time and gives O (the sizes of ``obs_layout`` added up) and A (``num_actions``).
    - **actions**: ``act(obs)`` takes (N, O) float32 or float64 in the layout of ``spec.obs_layout``, not normalised, and
      returns (N, A) actions, float32 or float64, finite and in [-1, 1] for any finite observation.
    - **batch**: the first call after ``reset()`` fixes N, which may be any number from 1; another N before the next
      ``reset()`` raises ``ContractError``.
    - **arrays**: ``act`` never changes ``obs``. What the caller does with ``obs`` or with returned actions afterwards changes
      nothing in the policy, and no later call changes actions already returned.
    - **determinism**: the same observations since the last ``reset()`` give the same actions, bit for bit.
    - **reset**: ``reset()`` forgets everything; ``reset(env_ids)`` forgets these rows only and leaves the memory of others
      untouched; with no rows in it, it forgets nothing.
    - **rows**: rows do not see each other: a row's actions do not depend on what the other rows are (to 1e-5, as rounding may
      differ between batches).
    """

    @property
    def spec(self) -> PolicySpec: ...

    def reset(self, env_ids: Sequence[int] | None = None) -> None: ...

    def act(self, obs: Array) -> Array: ...


class VecEnv(Protocol):
    """N environments of one task, stepped together.

    - **attributes**: ``num_envs`` (2 or more for the check to see anything), ``num_actions``, ``robot``, ``task`` and
      ``failure_kinds`` (some of ``artifacts.FAILURE_KINDS``) never change. ``robot`` gives the order of joints wherever they
      appear.
    - **obs**: observations are ``{"actor": (N, O), "critic": (N, C)}``, floating and finite, always of these sizes.
    - **step**: ``step(action)`` takes (N, ``num_actions``) and returns ``obs, reward, terminated, truncated, extras``.
      ``reward`` (N) is floating and finite; ``terminated`` and ``truncated`` (N) are booleans, never both true for one
      environment. Terminated means failed; truncated means over without having failed, so that what would have come next
      still has a value.
    - **arrays**: all returned arrays are the caller's: a later step does not change them, and changing them changes nothing
      in the environment. ``action`` is not changed, and may be by the caller afterwards.
    - **seed**: ``reset(seed)`` starts all episodes anew and returns observations; everything afterwards is the same, byte for
      byte, for the same seed and actions, in any environment made alike. ``reset()`` starts them anew and goes on drawing.
      Where anything is drawn at all, another seed gives other episodes, and so does another ``reset()``.
    - **end**: an environment that ended is reset within the same step: its ``obs`` is the first of the new episode, and
      ``extras["final_obs"]`` (as ``obs``; other rows are anything finite) is the last of the old one. It is there in every
      step in which an environment ended.
    - **outcome**: ``extras["failure"]`` (N, whole numbers) is the index of the failure in ``failure_kinds`` for environments
      that terminated, -1 elsewhere; ``extras["success"]`` (N, boolean) is true only for some that were truncated. Both are
      there in every step.
    - **object**: ``extras["wxyz_xyz_world_object"]`` (N, 7) is there in every step: the true object pose in the *world*, at
      the end of the old episode for an environment that ended. After the first step of an episode it is near the path of
      ``task.reference`` (to 0.3 m); at a success it is at its end within ``SUCCESS``, symmetry-aware.
    - **rows**: environments do not see each other, and every array has them in the same order: within a step, an action
      changes nothing but its own row, and observations of a row follow each other from the first of an episode on.

    Not to be seen through this contract: what single numbers in an observation mean.
    """

    @property
    def num_envs(self) -> int: ...

    @property
    def num_actions(self) -> int: ...

    @property
    def robot(self) -> RobotSpec: ...

    @property
    def task(self) -> TaskSpec: ...

    @property
    def failure_kinds(self) -> tuple[str, ...]: ...

    def reset(self, seed: int | None = None) -> dict[str, Array]: ...

    def step(self, action: Array) -> tuple[dict[str, Array], Array, Array, Array, Mapping[str, Any]]: ...
