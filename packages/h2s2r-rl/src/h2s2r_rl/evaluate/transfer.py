"""Whether what was learned holds in physics it was not learned in: the transfer check.

In:  a policy, a task, a robot.   Out: an ``Evaluation`` for each other physics, and all of them at once, beside the nominal one.
Not here: noise of the camera (conditions), a real robot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_rl.evaluate.fresh import evaluate
from h2s2r_rl.evaluate.judge import Acts, Evaluation
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.config import EnvCfg

#: [s] by which pictures are later than in training.
LATER = 0.03
#: ± share of friction and mass.
OFF = 0.3

#: A task and its environment, in other physics.
Change = Callable[[TaskSpec, EnvCfg], tuple[TaskSpec, EnvCfg]]


def _scene(**options: object) -> Change:
    def change(task: TaskSpec, cfg: EnvCfg) -> tuple[TaskSpec, EnvCfg]:
        return task, replace(cfg, scene=replace(cfg.scene, **options))  # type: ignore[arg-type]

    return change


def _half_step(task: TaskSpec, cfg: EnvCfg) -> tuple[TaskSpec, EnvCfg]:
    return task, replace(cfg, scene=replace(cfg.scene, sim_dt=0.5 * cfg.scene.sim_dt))


def _later(task: TaskSpec, cfg: EnvCfg) -> tuple[TaskSpec, EnvCfg]:
    noise = cfg.perturbation
    return task, replace(cfg, perturbation=noise.replace(camera_delay=noise.camera_delay + LATER))


def _corner(friction: float, mass: float) -> Change:
    """Every coefficient of friction and the object's mass off by these shares, and none of them drawn any more."""

    def change(task: TaskSpec, cfg: EnvCfg) -> tuple[TaskSpec, EnvCfg]:
        thing, scene = task.object, cfg.scene
        thing = thing.replace(
            mass=(1.0 + mass) * thing.mass, inertia=(1.0 + mass) * thing.inertia, friction=(1.0 + friction) * thing.friction
        )  # fmt: skip
        around = tuple(body.replace(friction=(1.0 + friction) * body.friction) for body in task.scene.bodies)
        scene = replace(
            scene, hand_friction=(1.0 + friction) * scene.hand_friction, arm_friction=(1.0 + friction) * scene.arm_friction
        )  # fmt: skip
        noise = cfg.perturbation.replace(friction=0.0, mass=0.0)
        changed = task.replace(object=thing, scene=task.scene.replace(bodies=around))
        return changed, replace(cfg, scene=scene, perturbation=noise)

    return change


def _all(*changes: Change) -> Change:
    def change(task: TaskSpec, cfg: EnvCfg) -> tuple[TaskSpec, EnvCfg]:
        for each in changes:
            task, cfg = each(task, cfg)
        return task, cfg

    return change


def _converged(impratio: float) -> Change:
    """MuJoCo's exact cone, friction so many times as stiff as the normal, and a solver that is let run until it has converged."""
    return _scene(cone="elliptic", impratio=impratio, iterations=100, ls_iterations=100)


#: With 3 friction is as stiff as it should be, and as `fast` trains in turns; with 10 it is as nobody has trained.
_CONVERGED, _STIFFER = _converged(3.0), _converged(10.0)

CHECKS: dict[str, Change] = {
    "other_integrator": _scene(integrator="implicit"),
    "elliptic_cone": _CONVERGED,
    "stiffer_friction": _STIFFER,
    "half_step": _half_step,
    "slippery_and_heavy": _corner(-OFF, OFF),
    "sticky_and_light": _corner(OFF, -OFF),
    "later_pictures": _later,
    "everything": _all(_scene(integrator="implicit"), _CONVERGED, _half_step, _corner(-OFF, OFF), _later),
}


@dataclass(frozen=True)
class Transfer:
    """The nominal figure and those in other physics."""

    nominal: Evaluation
    """In the physics of the training."""
    checks: dict[str, Evaluation]
    """By name, as in ``CHECKS``."""

    @property
    def drop(self) -> float:
        """By how much the worst of them is below the nominal figure, as a share of episodes; below 0 if none is worse."""
        return self.nominal.success - min(each.success for each in self.checks.values())


def check_transfer(
    policy: Acts,
    task: TaskSpec,
    robot: Embodiment | str | Path,
    cfg: EnvCfg,
    episodes: int = 256,
    seed: int = 1_000_000,
    checks: Sequence[str] = tuple(CHECKS),
    nominal: Evaluation | None = None,
    progress: Callable[[str], None] = lambda name: None,
) -> Transfer:
    """Judge a policy in other physics, on the same episodes.

    Args:
        policy: to be judged.
        task: of the policy.
        robot: of the policy.
        cfg: its environment.
        episodes: how many for each check.
        seed: of the episodes, the same for all.
        checks: names of ``CHECKS``, at least one.
        nominal: where it is known already; measured here otherwise.
        progress: told the name of each check as it begins.

    Raises:
        SchemaError: no check, or one that does not exist.
    """
    unknown = [name for name in checks if name not in CHECKS]
    if unknown or not checks:
        raise SchemaError(
            f"Checks {list(checks)}: there is no {', '.join(unknown) or 'check'}; there are: {', '.join(CHECKS)}."
        )
    found: dict[str, Evaluation] = {}
    if nominal is None:
        progress("nominal")
        nominal = evaluate(policy, task, robot, cfg, episodes, seed)
    for name in checks:
        progress(name)
        there, physics = CHECKS[name](task, cfg)
        found[name] = evaluate(policy, there, robot, physics, episodes, seed)
    return Transfer(nominal, found)
