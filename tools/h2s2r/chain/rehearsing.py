"""The stage in which the exported policy drives the emulated cell, zero-shot.

In:  ``RunCfg``, what ``export`` left.   Out: stage ``rehearse``: ``rehearsal.json``, ``episodes.npz``, ``rehearsal.mp4``.
Not here: rehearsing (h2s2r.rehearsal).

``rehearsal.json`` holds ``what`` it is in words, ``success`` (a share) with its Wilson ``interval``, how many ``episodes``, the
``seed`` of the first cell and the ``noise``, where the ``object_pose_from``, ``failures`` by kind, ``stopped`` (why, in words),
``server_faults`` by code, the ``largest_external_torque`` that the server felt on any joint of the arm [N·m],
``commands_accepted``, ``commands_refused`` by code, ``targets_clamped`` (joints whose target the server cut to its limits, summed
over the commands), ``policy_step_p50_ms`` and ``…_p99_ms`` (from a state to its command, by the wall), and ``each`` episode:
``seed``, ``success``, ``failure``, ``stopped``, ``position_error`` [m], ``rotation_error`` [rad], ``external_torque`` [N·m],
``seconds`` of wall time. Where the robot cannot be emulated there is ``no_rehearsal.txt`` alone.
"""

from __future__ import annotations

import json
import secrets
from importlib.metadata import version

from h2s2r.chain.config import Progress, RunCfg
from h2s2r.chain.episodes import save_episodes
from h2s2r.chain.files import EPISODES, NO_REHEARSAL, REHEARSAL, REHEARSAL_FILM
from h2s2r.chain.stage import Stage, Work
from h2s2r.cores import usable_cores
from h2s2r.rehearsal import RehearsalCfg, Rehearsed, rehearse
from h2s2r.rehearsal.config import WORDS, can_be_emulated
from h2s2r.rehearsal.episode import Episode
from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_rl.policy import TASK
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.codec import load, write_whole
from h2s2r_sim.view import FilmCfg, NoGraphicsError, save_film

#: Seeds of cells that are drawn lie from here on, above those of trainings, evaluations and benchmarks.
_DRAWN_FROM, _DRAWN_TO = 10_000_000, 1_000_000_000
_SEED = "seed.json"
#: A draft is enough to see what happens, and costs a few seconds.
_FILM = FilmCfg(size=(480, 360), shadow_size=512, oversampling=1, columns=1)


def hw_version() -> dict[str, str]:
    """Of the server, on which this stage alone depends."""
    return {"h2s2r-hw": version("h2s2r-hw")}


def rehearsing(cfg: RunCfg, progress: Progress) -> Stage:
    """The stage."""
    settings = {
        "robot": cfg.robot,
        "episodes": cfg.rehearsals,
        "seed": cfg.rehearsal_seed,
        "tracked": cfg.tracked,
        "server": hw_version(),
    }
    return Stage("rehearse", f"rehearses the policy, {WORDS}", _Rehearsing(cfg, progress), ("export",), settings)


class _Rehearsing:
    """The work of the stage.

    Args:
        cfg: what is asked for.
        progress: told of every episode.
    """

    def __init__(self, cfg: RunCfg, progress: Progress) -> None:
        self._cfg, self._progress = cfg, progress

    def __call__(self, work: Work) -> None:
        """Rehearse, write down, film."""
        policy = work.of("export")
        task = load(policy / TASK, TaskSpec)
        embodiment = load_embodiment(self._cfg.robot, task.side)
        objection = can_be_emulated(embodiment)
        if objection:
            (work.folder / NO_REHEARSAL).write_text(objection + "\n")
            return
        cfg = RehearsalCfg(
            self._cfg.rehearsals, self._seed(work), tracked=self._cfg.tracked, workers=min(len(usable_cores()), 4)
        )
        done: list[Episode] = []

        def tell(episode: Episode) -> None:
            done.append(episode)
            note = f"cell {episode.seed}: {'success' if episode.success else episode.failure or 'stopped'}"
            self._progress("rehearsing", len(done), cfg.episodes, note)

        self._progress("rehearsing", 0, cfg.episodes, f"from seed {cfg.seed}")
        found = rehearse(policy, self._cfg.robot, cfg, tell)
        write_whole(work.folder / REHEARSAL, json.dumps(found.record(), indent=1).encode() + b"\n")
        save_episodes([each.states for each in found.episodes if each.states is not None], work.folder / EPISODES)
        self._film(work, found, task)

    def _seed(self, work: Work) -> int:
        """As given; else drawn once, and the same where the stage was stopped and goes on."""
        if self._cfg.rehearsal_seed is not None:
            return self._cfg.rehearsal_seed
        path = work.folder / _SEED
        if not path.is_file():
            drawn = _DRAWN_FROM + secrets.randbelow(_DRAWN_TO - _DRAWN_FROM)
            write_whole(path, json.dumps({"seed": drawn}).encode() + b"\n")
        return int(json.loads(path.read_text())["seed"])

    def _film(self, work: Work, found: Rehearsed, task: TaskSpec) -> None:
        """Of the first episode that succeeded, else of the first that began."""
        begun = sorted((each for each in found.episodes if each.states is not None), key=lambda each: not each.success)
        if not begun or begun[0].states is None:
            return
        embodiment = load_embodiment(self._cfg.robot, task.side)
        try:
            save_film(
                task,
                embodiment,
                [begun[0].states],
                work.folder / REHEARSAL_FILM,
                _FILM,
                lambda done, total: self._progress("drawing", done, total, f"picture {done}"),
            )
        except NoGraphicsError as error:
            (work.folder / "no_film.txt").write_text(f"{error}\n")
