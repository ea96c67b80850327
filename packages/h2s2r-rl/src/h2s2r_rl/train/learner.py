"""Learn a policy: rsl_rl's PPO in our environment, watched, and saved as it goes.

In:  a task and a robot.   Out: an ``Actor`` and ``policy.pt``, its checkpoint.
Not here: PPO (rsl_rl), how well the policy does (evaluate).
"""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from rsl_rl.runners import OnPolicyRunner

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_rl.config import TrainCfg
from h2s2r_rl.train.actor import Actor
from h2s2r_rl.train.algorithm import actor_config, rsl_rl_config
from h2s2r_rl.train.checkpoint import save_checkpoint
from h2s2r_rl.train.rsl_rl_env import RslRlVecEnv, Tally
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.contracts import VecEnv
from h2s2r_schemas.errors import H2S2RError
from h2s2r_sim.env.make import make_env

#: Name of the checkpoint in the folder of a training.
CHECKPOINT = "policy.pt"


class TrainingError(H2S2RError):
    """Training cannot go on: the learner produced something that is no number."""


@dataclass(frozen=True)
class Progress:
    """Where a training is after an iteration."""

    iteration: int
    """How many are done."""
    iterations: int
    """How many there will be."""
    steps: int
    """Policy steps so far, over all environments."""
    success: float
    """Share of the episodes that ended in this iteration and succeeded, while exploring; NaN if none ended."""
    reward: float
    """Mean per step in this iteration."""
    steps_per_s: float
    """In this iteration."""
    seconds: float
    """[s] since the first iteration began."""


def train(
    task: TaskSpec | str | Path,
    robot: Embodiment | str | Path = "iiwa14_allegro",
    cfg: TrainCfg | None = None,
    folder: str | Path | None = None,
    watch: Callable[[Progress], None] = lambda progress: None,
) -> Actor:
    """Train a policy. The same configuration gives the same weights on the same CPU.

    Args:
        task: a task, the name of a bundled one, or where one is.
        robot: an embodiment, a name or a folder, as ``make_env`` takes it.
        cfg: how.
        folder: where checkpoints are written, made if need be; none to write none.
        watch: called after each iteration.

    Raises:
        SchemaError, EngineError, StartError: from making the environment.
        TrainingError: a loss or an observation is no number; the last checkpoint is whole.
        OSError: the folder cannot be written to.
    """
    cfg = cfg or TrainCfg()
    return learn(make_env(task, robot, cfg.num_envs, cfg.env), cfg, folder, watch)


def learn(
    env: VecEnv,
    cfg: TrainCfg,
    folder: str | Path | None = None,
    watch: Callable[[Progress], None] = lambda progress: None,
) -> Actor:
    """Train a policy in any environment that keeps the contract; else as ``train``.

    Args:
        env: to learn in; ``cfg.env`` and ``cfg.num_envs`` are not looked at.
        cfg: how.
        folder: as for ``train``.
        watch: as for ``train``.
    """
    path = None if folder is None else Path(folder) / CHECKPOINT
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    with _threads(cfg.torch_threads):
        return _learn(env, cfg, path, watch)


def _learn(env: VecEnv, cfg: TrainCfg, path: Path | None, watch: Callable[[Progress], None]) -> Actor:
    runner, adapter = _runner(env, cfg)
    iterations = -(-cfg.steps // (env.num_envs * cfg.steps_per_iteration))
    began = time.perf_counter()
    for iteration in range(1, iterations + 1):
        adapter.tally = Tally()
        _set_learning_rate(runner, cfg, (iteration - 1) / iterations)
        started = time.perf_counter()
        _iterate(runner, iteration)
        now = time.perf_counter()
        if path is not None and (iteration % cfg.checkpoint_interval == 0 or iteration == iterations):
            save_checkpoint(path, _content(runner, env, cfg, iteration))
        watch(_progress(adapter.tally, env, cfg, (iteration, iterations), now - started, now - began))
    return Actor(runner.alg.get_policy().eval())


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _iterate(runner: OnPolicyRunner, iteration: int) -> None:
    try:
        runner.learn(1)
    except ValueError as error:  # what rsl_rl's check of observations and rewards raises
        raise TrainingError(f"Iteration {iteration}: {error} The last checkpoint is whole.") from error
    if not all(bool(torch.isfinite(weights).all()) for weights in runner.alg.get_policy().parameters()):
        raise TrainingError(
            f"After iteration {iteration} the policy's weights are no numbers any more. The last checkpoint is whole; a lower "
            "learning_rate is the first thing to try."
        )


def _runner(env: VecEnv, cfg: TrainCfg) -> tuple[OnPolicyRunner, RslRlVecEnv]:
    torch.manual_seed(cfg.seed)
    adapter = RslRlVecEnv(env, cfg.reward_scale, cfg.seed)
    # rsl_rl prints the networks it builds; only a command line prints here.
    with contextlib.redirect_stdout(io.StringIO()):
        runner = OnPolicyRunner(adapter, rsl_rl_config(cfg), log_dir=None, device="cpu")
    return runner, adapter


def _set_learning_rate(runner: OnPolicyRunner, cfg: TrainCfg, done: float) -> None:
    """Constant for the first half, then linearly to a tenth: the last policy should not depend on the last batch."""
    rate = cfg.learning_rate * min(1.0, 1.0 - 0.9 * (2.0 * done - 1.0))
    runner.alg.learning_rate = rate
    for group in runner.alg.optimizer.param_groups:
        group["lr"] = rate


def _content(runner: OnPolicyRunner, env: VecEnv, cfg: TrainCfg, iteration: int) -> dict:
    return {
        "task_name": env.task.name,
        "robot_name": env.robot.name,
        "robot_hash": env.robot.hash(),
        "num_obs": runner.env.get_observations()["actor"].shape[-1],
        "num_actions": env.num_actions,
        "iteration": iteration,
        "actor": actor_config(cfg),
        "training": {name: value for name, value in asdict(cfg).items() if name != "env"},
        "state": runner.alg.save(),
    }


def _progress(
    tally: Tally, env: VecEnv, cfg: TrainCfg, iteration: tuple[int, int], took: float, seconds: float
) -> Progress:
    return Progress(
        iteration=iteration[0],
        iterations=iteration[1],
        steps=iteration[0] * env.num_envs * cfg.steps_per_iteration,
        success=tally.successes / tally.episodes if tally.episodes else float("nan"),
        reward=tally.reward / max(tally.steps, 1),
        steps_per_s=tally.steps / took,
        seconds=seconds,
    )
