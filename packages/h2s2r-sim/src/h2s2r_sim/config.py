"""The configuration of an environment: one frozen dataclass of parts, each defined beside what it configures.

In:  nothing.   Out: ``EnvCfg``, and variants as functions.
Not here: tasks, robots and scenes (they are data).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.env.start.archive import ArchiveCfg
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.mdp.actions import ActionCfg
from h2s2r_sim.mdp.goal import GoalCfg
from h2s2r_sim.mdp.observations import ACTOR_TERMS
from h2s2r_sim.mdp.rewards import RewardCfg
from h2s2r_sim.mdp.terminations import TerminationCfg
from h2s2r_sim.perturbation import NONE, STANDARD, Perturbation
from h2s2r_sim.scene.options import SceneOptions


@dataclass(frozen=True)
class EnvCfg:
    """Everything about an environment that is neither task nor robot. The same for all tasks."""

    control_hz: float = 15.0
    """[Hz] of the policy."""
    scene: SceneOptions = field(default_factory=SceneOptions)
    """Time step, contacts and solver."""
    engine: str = "mujoco"
    """Physics engine by name."""
    num_threads: int = 2
    """CPU threads of the engine."""
    action: ActionCfg = field(default_factory=ActionCfg)
    """What an action means."""
    observation: tuple[tuple[str, dict[str, Sequence[int]]], ...] = ACTOR_TERMS
    """What the policy sees: terms of ``mdp.observations`` and their arguments."""
    reward: RewardCfg = field(default_factory=RewardCfg)
    """What is paid for."""
    termination: TerminationCfg = field(default_factory=TerminationCfg)
    """When to give up."""
    goal: GoalCfg = field(default_factory=GoalCfg)
    """How the goal moves."""
    start: StartCfg = field(default_factory=StartCfg)
    """Where episodes start."""
    archive: ArchiveCfg = field(default_factory=ArchiveCfg)
    """Whether some episodes start from states of earlier ones."""
    perturbation: Perturbation = STANDARD
    """How the simulated cell differs from the model."""
    dump_folder: Path | None = None
    """Where the moments before explosions are written; none to only count them."""

    def __post_init__(self) -> None:
        substeps = 1.0 / (self.control_hz * self.scene.sim_dt)
        if self.control_hz <= 0.0 or abs(substeps - round(substeps)) > 1e-6 or round(substeps) < 1:
            raise SchemaError(
                f"control_hz {self.control_hz} and sim_dt {self.scene.sim_dt} give {substeps:.3f} substeps a policy step; it "
                "must be a whole number, as 8 for 15 Hz and 1/120 s."
            )

    @property
    def decimation(self) -> int:
        """Substeps in a policy step."""
        return round(1.0 / (self.control_hz * self.scene.sim_dt))


def for_evaluation(cfg: EnvCfg) -> EnvCfg:
    """The same environment as it judges a policy: no help at the start, nothing that cuts a success short."""
    return replace(
        cfg,
        archive=replace(cfg.archive, share=0.0),
        start=replace(cfg.start, slid=0.0),
        termination=replace(cfg.termination, judged=True, hand_distance=None, hand_leave=None, stagger=False),
    )


#: What the method is compared with, one switch each; everything else stays.
ABLATIONS: dict[str, Callable[[EnvCfg], EnvCfg]] = {
    "fixed_target": lambda cfg: replace(cfg, goal=replace(cfg.goal, target="fixed")),
    "interpolated_target": lambda cfg: replace(cfg, goal=replace(cfg.goal, target="interpolated")),
    "downsampled_target": lambda cfg: replace(cfg, goal=replace(cfg.goal, target="downsampled")),
    "default_start": lambda cfg: replace(cfg, start=replace(cfg.start, kind="default")),
    "overhead_start": lambda cfg: replace(cfg, start=replace(cfg.start, kind="overhead")),
    "far_start": lambda cfg: replace(cfg, start=replace(cfg.start, kind="far")),
    "hand_reward": lambda cfg: replace(cfg, reward=replace(cfg.reward, hand_tracking=0.5)),
    "no_randomisation": lambda cfg: replace(cfg, perturbation=NONE),
}


def ablated(cfg: EnvCfg, name: str) -> EnvCfg:
    """The same environment but for one thing.

    Raises:
        SchemaError: there is no ablation of this name.
    """
    if name not in ABLATIONS:
        raise SchemaError(f"There is no ablation {name!r}; there are: {', '.join(ABLATIONS)}.")
    return ABLATIONS[name](cfg)
