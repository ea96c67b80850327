"""Learn a policy: rsl_rl's PPO in our environment, watched, and saved as it goes.

In:  a task and a robot.   Out: an ``Actor`` and ``policy.pt``, its checkpoint.
Not here: PPO (rsl_rl), how well the policy does (evaluate).
"""

from __future__ import annotations

import contextlib
import io
import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import torch
from rsl_rl.runners import OnPolicyRunner

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_rl.config import TrainCfg, fast
from h2s2r_rl.train.actor import Actor, torch_threads
from h2s2r_rl.train.algorithm import rsl_rl_config
from h2s2r_rl.train.checkpoint import load_checkpoint, save_checkpoint
from h2s2r_rl.train.curriculum import env_cfg_at, next_share, stalled
from h2s2r_rl.train.progress import Progress
from h2s2r_rl.train.purpose import purpose
from h2s2r_rl.train.resume import WEIGHTS, Done, begin_stretch, content_of, restore, seed_torch
from h2s2r_rl.train.rsl_rl_env import RslRlVecEnv, Tally
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.contracts import VecEnv
from h2s2r_schemas.errors import H2S2RError, SchemaError
from h2s2r_sim.env.environment import Environment
from h2s2r_sim.env.make import make_env
from h2s2r_sim.task import load_task

#: Name of the checkpoint in the folder of a training.
CHECKPOINT = "policy.pt"
#: Iterations before a checkpoint whose episodes decide how much of the perturbations comes next.
_RECENT = 5
#: Makes the environment for a share of the perturbations, in (0, 1], and a stretch between two checkpoints, counted from 0.
EnvAt = Callable[[float, int], VecEnv]


class TrainingError(H2S2RError):
    """Training cannot go on: something is no number any more, or a checkpoint cannot be written."""


def train(
    task: TaskSpec | str | Path,
    robot: Embodiment | str | Path = "iiwa14_allegro",
    cfg: TrainCfg | None = None,
    folder: str | Path | None = None,
    watch: Callable[[Progress], None] = lambda progress: None,
    resume: bool = False,
) -> Actor:
    """Train a policy. The same configuration gives the same weights on the same CPU, however often it was stopped and resumed.

    Args:
        task: a task, the name of a bundled one, or where one is.
        robot: an embodiment, a name or a folder, as ``make_env`` takes it.
        cfg: how.
        folder: where checkpoints are written, made if need be; none to write none.
        watch: called after each iteration.
        resume: go on from the checkpoint in ``folder``, if there is one.

    Raises:
        SchemaError, EngineError, StartError: from making the environment.
        SchemaError: the checkpoint is damaged, or of another task, robot or configuration.
        TrainingError: a loss or an observation is no number, or a checkpoint cannot be written; the last one is whole.
        OSError: the folder cannot be made.
    """
    cfg = cfg or fast()
    spec = task if isinstance(task, TaskSpec) else load_task(task)

    def env_at(share: float, stretch: int) -> VecEnv:
        return make_env(spec, robot, cfg.num_envs, env_cfg_at(cfg, share, stretch))

    return learn(env_at(cfg.first_share, 0), cfg, folder, watch, resume, env_at)


def learn(
    env: VecEnv,
    cfg: TrainCfg,
    folder: str | Path | None = None,
    watch: Callable[[Progress], None] = lambda progress: None,
    resume: bool = False,
    env_at: EnvAt | None = None,
) -> Actor:
    """Train a policy in any environment that keeps the contract; else as ``train``.

    Args:
        env: to learn in; of ``cfg.num_envs`` environments. ``cfg.env`` is not looked at.
        cfg: how.
        folder: as for ``train``.
        watch: as for ``train``.
        resume: as for ``train``.
        env_at: the environment of each stretch between two checkpoints, from the share of the perturbations, in (0, 1], and the
            number of the stretch, from 0; none for always the same one.
    """
    if env.num_envs != cfg.num_envs:
        raise SchemaError(
            f"The environment has {env.num_envs} environments, the configuration num_envs {cfg.num_envs}."
        )
    path = None if folder is None else Path(folder) / CHECKPOINT
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    with torch_threads(cfg.torch_threads):
        return _Training(env, cfg, path, watch, env_at).run(resume)


class _Training:
    """One training: what its iterations share."""

    def __init__(
        self,
        env: VecEnv,
        cfg: TrainCfg,
        path: Path | None,
        watch: Callable[[Progress], None],
        env_at: EnvAt | None,
    ) -> None:
        self._env, self._cfg, self._path, self._watch, self._env_at = env, cfg, path, watch, env_at
        self._adapter = RslRlVecEnv(env, cfg.reward_scale, cfg.seed)
        self._runner = self._fresh(0)
        self._purpose = purpose(env, self._adapter.get_observations()["actor"].shape[-1])
        self._iterations = -(-cfg.steps // (cfg.num_envs * cfg.steps_per_iteration))
        """Of one set of weights."""
        self._done = Done(0, 0.0, 0.0, cfg.first_share if env_at else 1.0)

    def _fresh(self, restarts: int) -> OnPolicyRunner:
        """A runner with weights nobody has trained, others after each restart."""
        seed_torch(self._cfg.seed, WEIGHTS, restarts)
        # rsl_rl prints the networks it builds; only a command line prints here.
        with contextlib.redirect_stdout(io.StringIO()):
            runner = OnPolicyRunner(self._adapter, rsl_rl_config(self._cfg), log_dir=None, device="cpu")
        set_exploration(runner, self._cfg, self._env)
        return runner

    def run(self, resume: bool) -> Actor:
        """Go on to the end."""
        if resume and self._path is not None and self._path.exists():
            self._done = restore(self._runner, load_checkpoint(self._path), self._purpose, self._cfg)
        before, began, cpu_began = self._done, time.perf_counter(), time.process_time()
        interval = self._cfg.checkpoint_interval
        # Of a stretch, never more: one that is resumed has no other.
        recent: deque[Tally] = deque(maxlen=min(_RECENT, interval))
        while (iteration := self._done.iterations + 1) <= self._last:
            if (iteration - 1) % interval == 0:
                stretch = (iteration - 1) // interval
                env = self._env_at(self._done.share, stretch) if self._env_at else None
                begin_stretch(self._runner, self._adapter, self._cfg, stretch, env)
            tally, took = self._iterate(iteration)
            recent.append(tally)
            seconds = before.seconds + time.perf_counter() - began
            cpu_seconds = before.cpu_seconds + time.process_time() - cpu_began
            self._done = replace(self._done, iterations=iteration, seconds=seconds, cpu_seconds=cpu_seconds)
            told = self._progress(tally, took)
            if iteration % interval == 0 and self._env_at:
                self._widen(success_of(recent))
            if iteration % interval == 0 or iteration == self._last:
                self._save()
            self._watch(told)
        return Actor(self._runner.alg.get_policy().eval(), self._purpose)

    @property
    def _last(self) -> int:
        """The iteration with which the training ends."""
        return self._done.began + self._iterations

    def _behind(self, iteration: int) -> float:
        """How much of the training of the present weights is behind after an iteration, in [0, 1]."""
        return (iteration - self._done.began) / self._iterations

    def _widen(self, success: float) -> None:
        """More of the perturbations in the next stretch if enough succeeded; other weights if that never happened."""
        done, behind = self._done, self._behind(self._done.iterations)
        share = next_share(self._cfg, done.share, success, behind)
        self._done = replace(done, share=share)
        if stalled(self._cfg, share, behind) and done.restarts < self._cfg.restarts:
            self._done = replace(self._done, began=done.iterations, restarts=done.restarts + 1)
            self._runner = self._fresh(self._done.restarts)

    def _iterate(self, iteration: int) -> tuple[Tally, float]:
        """What happened in an iteration, and the seconds it took."""
        tally = self._adapter.tally = Tally()
        _set_learning_rate(self._runner, self._cfg, self._behind(iteration - 1))
        started = time.perf_counter()
        try:
            self._runner.learn(1)
        except ValueError as error:  # what rsl_rl's check of observations and rewards raises
            raise TrainingError(f"Iteration {iteration}: {error} The last checkpoint is whole.") from error
        except (MemoryError, torch.OutOfMemoryError) as error:
            raise TrainingError(
                f"Iteration {iteration}: out of memory with {self._cfg.num_envs} environments. The last checkpoint is whole: "
                "train with fewer (--num-envs), in another folder."
            ) from error
        if not all(bool(torch.isfinite(weights).all()) for weights in self._runner.alg.get_policy().parameters()):
            raise TrainingError(
                f"After iteration {iteration} the policy's weights are no numbers any more. The last checkpoint is whole; a "
                "lower learning_rate is the first thing to try."
            )
        return tally, time.perf_counter() - started

    def _save(self) -> None:
        if self._path is None:
            return
        try:
            save_checkpoint(self._path, content_of(self._runner, self._purpose, self._cfg, self._done))
        except OSError as error:
            raise TrainingError(
                f"The checkpoint of iteration {self._done.iterations} cannot be written: {error}. The one before is whole: make "
                "room, and resume."
            ) from error

    def _progress(self, tally: Tally, took: float) -> Progress:
        done = self._done
        return Progress(
            iteration=done.iterations,
            iterations=self._last,
            steps=done.iterations * self._cfg.num_envs * self._cfg.steps_per_iteration,
            success=success_of([tally]),
            reward=tally.reward / max(tally.steps, 1),
            steps_per_s=tally.steps / took,
            seconds=done.seconds,
            cpu_seconds=done.cpu_seconds,
            action_std=float(self._runner.alg.get_policy().output_std.detach().mean()),
        )


def success_of(tallies: Iterable[Tally]) -> float:
    """Share of the whole episodes that succeeded, NaN where none ended."""
    episodes = sum(each.episodes for each in tallies)
    return sum(each.successes for each in tallies) / episodes if episodes else float("nan")


def set_exploration(runner: OnPolicyRunner, cfg: TrainCfg, env: VecEnv) -> None:
    """Let the hand explore more, or less, than the arm."""
    if cfg.init_std_hand is None or not isinstance(env, Environment):
        return
    (spread,) = (
        value for name, value in runner.alg.get_policy().named_parameters() if name == "distribution.log_std_param"
    )
    with torch.no_grad():
        spread[env.actions.num_arm_actions :] = math.log(cfg.init_std_hand)


def _set_learning_rate(runner: OnPolicyRunner, cfg: TrainCfg, done: float) -> None:
    """Constant at first, then linearly to a tenth: the last policy should not depend on the last batch."""
    fallen = (done - cfg.rate_falls_from) / (1.0 - cfg.rate_falls_from)
    rate = cfg.learning_rate * min(1.0, 1.0 - 0.9 * fallen)
    runner.alg.learning_rate = rate
    for group in runner.alg.optimizer.param_groups:
        group["lr"] = rate
