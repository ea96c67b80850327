"""How a policy is trained: one frozen dataclass, the same for every task and robot.

In:  nothing.   Out: ``TrainCfg``, its presets ``fast`` and ``full``.
Not here: the environment's configuration (h2s2r_sim.config), rsl_rl's own form of these numbers (train.algorithm).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.mdp.terminations import TerminationCfg


@dataclass(frozen=True)
class TrainCfg:
    """Numbers with which pushing was learned on two CPU cores; sources are our own trials unless said otherwise."""

    steps: int = 500_000
    """Policy steps over all environments, with the same weights: a training that begins anew has them once more."""
    num_envs: int = 128
    """N environments stepped together."""
    steps_per_iteration: int = 32
    """Steps of each environment between two updates of the policy."""
    seed: int = 0
    """Of everything that is drawn."""
    env: EnvCfg = field(default_factory=EnvCfg)
    """The environment."""
    hidden: tuple[int, ...] = (256, 128)
    """Widths of the layers of actor and critic, each."""
    memory: int = 0
    """Units of the LSTM that the actor has in front of its layers; 0 for an actor that remembers nothing. The critic, which
    sees the state, never has one. Of 64, 128 and 256 the second learned best in our trials of a pivot."""
    init_std: float = 0.3
    """Standard deviation of the first actions, which lie in [-1, 1]; of those that move the arm, where the hand has its own."""
    init_std_hand: float | None = None
    """The same of the actions that move the hand's joints; none for ``init_std``."""
    first_share: float = 1.0
    """Share of each perturbation that the training begins with; 1 to begin with all of it."""
    widen_by: float = 0.25
    """By how much that share grows, with a checkpoint, once ``widen_above`` of the episodes succeed."""
    widen_above: float = 0.4
    """Share of successes, while exploring, from which on the perturbations grow."""
    first_slid: float = 0.0
    """Share of the episodes that begin with the object slid along its reference, as ``StartCfg.slid``, until the perturbations
    widen for the first time: so what comes after pushing is worth something before pushing is learned. They never count as
    successes."""
    first_limit: float | None = None
    """[m] anchor-point error at which episodes end at ``first_share``; with the share it grows to what the environment has, so
    that at first nothing is worth much but following, and at last mending is learned too. None for the environment's from the
    beginning."""
    wide_from: float = 0.6
    """How much of the training may be behind, in [0, 1], before it meets all perturbations whatever the success."""
    restart_at: float = 1.0
    """How much of the training may be behind, in (0, 1], before one that never succeeded enough to meet more begins anew, with
    other weights; 1 for never. Whether a box is ever tipped is a matter of luck in the first minutes, and a policy that has found
    another way to be paid keeps to it."""
    restarts: int = 2
    """How often at most."""
    physics_factor: float = 1.0
    """How many times wider than in the environment's perturbations friction and mass are drawn, up to a share of 0.9: a policy is
    judged where all of them are at their worst together, too, and that is rarely drawn."""
    stiff_turns: bool = False
    """Whether, once it meets all perturbations, every second stretch between checkpoints has MuJoCo's exact cone, with friction
    three times as stiff as the normal. Where it is always soft, fingers and objects creep, and policies come to need it."""
    learning_rate: float = 1e-3
    """Of Adam; constant at first, then falling to a tenth. A rate steered by the change of the policy fell to its floor in our
    trials."""
    rate_falls_from: float = 0.5
    """How much of the training is behind when it begins to fall, in [0, 1)."""
    gamma: float = 0.97
    """Discount per policy step: a horizon of 33 steps, or 2.2 s."""
    gae_lambda: float = 0.95
    """Of the generalised advantage estimate."""
    epochs: int = 5
    """Passes over the data of an iteration."""
    mini_batches: int = 8
    """Updates in a pass."""
    clip: float = 0.2
    """By which share an action's probability may change in an iteration."""
    max_grad_norm: float = 1.0
    """Longer gradients are shortened to this."""
    reward_scale: float = 0.05
    """Rewards are multiplied by it for the learner, which has no normalisation of returns: without it nothing was learned."""
    torch_threads: int = 1
    """CPU threads of the networks, while training: more of them only wait for each other at this size."""
    checkpoint_interval: int = 25
    """Iterations between checkpoints, which a training that is stopped loses at most. All episodes begin anew with each one, so
    that a training that is resumed goes on exactly as one that was never stopped."""

    def __post_init__(self) -> None:
        counts = (
            "steps",
            "num_envs",
            "steps_per_iteration",
            "epochs",
            "mini_batches",
            "torch_threads",
            "checkpoint_interval",
        )
        for name in counts:
            if getattr(self, name) < 1:
                raise SchemaError(f"{name} is {getattr(self, name)}; it must be at least 1.")
        if min(self.memory, self.restarts) < 0 or not 0 <= self.seed < 2**32:
            raise SchemaError(
                f"memory {self.memory} and restarts {self.restarts} are at least 0, and seed {self.seed} in [0, 2³²)."
            )
        for name in ("init_std", "physics_factor", "learning_rate", "max_grad_norm", "reward_scale"):
            if not getattr(self, name) > 0.0:
                raise SchemaError(f"{name} is {getattr(self, name)}; it must be above 0.")
        if not 0.0 <= self.rate_falls_from < 1.0:
            raise SchemaError(f"rate_falls_from is {self.rate_falls_from}; it lies in [0, 1).")
        if self.init_std_hand is not None and not self.init_std_hand > 0.0:
            raise SchemaError(f"init_std_hand is {self.init_std_hand}; it must be above 0, or none.")
        if not (0.0 < self.gamma < 1.0 and 0.0 <= self.gae_lambda <= 1.0):
            raise SchemaError(f"gamma {self.gamma} lies between 0 and 1, gae_lambda {self.gae_lambda} in [0, 1].")
        # With memory, a mini-batch holds whole episodes: environments are divided, not steps.
        divided = self.num_envs if self.memory else self.num_envs * self.steps_per_iteration
        if divided % self.mini_batches:
            raise SchemaError(
                f"{self.num_envs} environments times {self.steps_per_iteration} steps do not divide into "
                f"{self.mini_batches} mini-batches{' of whole environments' if self.memory else ''}; choose a number that "
                f"divides {divided}."
            )
        self._check_beginning()

    def _check_beginning(self) -> None:
        """Check what is different at first."""
        for name in ("first_share", "restart_at"):
            if not 0.0 < getattr(self, name) <= 1.0:
                raise SchemaError(f"{name} is {getattr(self, name)}; it lies in (0, 1].")
        if not 0.0 <= self.first_slid <= 1.0:
            raise SchemaError(f"first_slid is {self.first_slid}; it lies in [0, 1].")
        if self.first_limit is not None and not 0.0 < self.first_limit <= self.env.termination.anchor_error:
            raise SchemaError(
                f"first_limit {self.first_limit} m lies above 0 and not above the environment's anchor_error, "
                f"{self.env.termination.anchor_error} m."
            )
        if self.first_share == 1.0 and (self.first_limit is not None or self.first_slid):
            raise SchemaError(
                f"first_limit {self.first_limit} m and first_slid {self.first_slid} have no effect with first_share 1: they "
                "change as the share grows. Give none and 0, or a smaller share."
            )

    def as_data(self) -> dict[str, Any]:
        """Everything in here that decides what is learned, as plain data."""
        data = plain(asdict(self))
        # Neither changes what is computed.
        for name in ("num_threads", "dump_folder"):
            del data["env"][name]
        return data


def plain(value: Any) -> Any:
    """Dictionaries, lists, numbers and text, whatever ``value`` is made of."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(each) for each in value]
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)


def fast() -> TrainCfg:
    """For a laptop, and the default: minutes on two CPU cores.

    An LSTM, as in the published method: what the camera sees is noisy and late. With 128 units it learns a pivot sooner than
    with 256. At first an episode ends where the object is 3 cm off, for one in which nothing is tipped must not be worth half of
    a good one, unless the reference has moved further within 1 s, for what is grasped is lifted late and askew at first; or where
    the hand is 7 cm further from it than at the start, for staying away is paid as long as nothing should move. Half of the
    episodes begin with the object slid along its reference, for one that is pushed in any old way cannot be tipped any more; all
    parts of the reference are met at once. Perturbations begin at a quarter and grow with success, and without any by the
    middle of the training it begins anew; friction and mass are drawn wider than they are judged, and at last friction is stiff
    in turns. What each of them did is in docs/decisions/learning-to-grasp.md.
    """
    env = EnvCfg(termination=TerminationCfg(slack_decay=0.05, lag=1.0, hand_leave=0.07, stagger=True))
    return TrainCfg(
        env=env, steps=640_000, memory=128, epochs=4, mini_batches=8, checkpoint_interval=12, init_std=0.25, init_std_hand=0.5,
        first_share=0.25, first_limit=0.03, first_slid=0.5, wide_from=0.85, restart_at=0.5, physics_factor=1.5, stiff_turns=True,
    )  # fmt: skip


def full() -> TrainCfg:
    """For what has to be grasped: more steps, and a learning rate that falls earlier, as success stands until it does.

    Friction and mass are drawn as they are judged, and friction is never stiff: a grasp of a plate's rim, 86 % without the two,
    had 59 % with them.
    """
    return replace(fast(), steps=1_600_000, rate_falls_from=0.4, physics_factor=1.0, stiff_turns=False)


PRESETS: dict[str, Callable[[], TrainCfg]] = {"fast": fast, "full": full}
