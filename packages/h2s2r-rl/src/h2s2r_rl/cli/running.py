"""``h2s2r-rl run``: one policy, once, on a robot.

In:  the command line.   Out: text, a rollout; 1 for a run that did not succeed, 2 for what cannot be done.
Not here: the loop (runner), the server (h2s2r-hw), the tracker (h2s2r-perception).
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from h2s2r_retarget.embodiment import Embodiment, load_embodiment
from h2s2r_rl.cli.app import app
from h2s2r_rl.cli.verbs import Noise, PolicyPath, loaded
from h2s2r_rl.policy import NetworkPolicy
from h2s2r_rl.runner import Newest, RunCfg, RunResult, run_policy
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.client import ClientKeys, ObjectSubscriber, RobotClient
from h2s2r_schemas.client.objects import DEFAULT_OBJECT_ADDRESS
from h2s2r_schemas.codec import save
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.perturbation import LEVELS
from h2s2r_sim.robot import SimRobot, SimRobotCfg


@app.command(name="run")
def run(
    policy: PolicyPath,
    /,
    robot: str = "sim",
    keys: Path | None = None,
    objects: str = DEFAULT_OBJECT_ADDRESS,
    object_keys: Path | None = None,
    embodiment: str = "iiwa14_allegro",
    seed: int = 0,
    noise: Noise = "standard",
    out: Path = Path("rollout.h2s"),
    dry_run: bool = False,
) -> int:
    """Let a policy do its task once, and write down what happened.

    Args:
        policy: which one.
        robot: sim: a simulated robot and camera; or the address of a robot server, tcp://HOST:PORT.
        keys: of a server: the folder made by h2s2r-hw keys client NAME.
        objects: of a server: where a tracker says where the object is.
        object_keys: a folder of keys for that; none where the tracker is on this machine.
        embodiment: which robot it is, by name or folder.
        seed: of the simulated cell.
        noise: how far the simulated cell is from what is expected.
        out: the Rollout.
        dry_run: look, think and write down, but never command.
    """
    acting, task = loaded(policy)
    body, cfg = load_embodiment(embodiment, task.side), RunCfg(dry_run=dry_run)
    if robot == "sim":
        cell = SimRobot(task, body, SimRobotCfg(start=StartCfg(pool=1), perturbation=LEVELS[noise]), seed)
        result = run_policy(
            acting, cell, cell.object_state, task, body, cfg, lambda: cell.wxyz_xyz_world_object, seed=seed
        )
    else:
        result = _on_server(acting, task, body, cfg, robot, keys, objects, object_keys)
    save(result.rollout, out)
    rollout = result.rollout
    known = {True: "success", False: "no success", None: "ran to its end"}
    outcome = "stopped: " + result.stopped if result.stopped else known[rollout.success]
    print(f"{outcome}; {rollout.time[-1] - rollout.time[0]:.1f} s of the robot's time; written: {out}")
    return 0 if dry_run or (rollout.success is not False and not result.stopped) else 1


def _on_server(
    policy: NetworkPolicy,
    task: TaskSpec,
    embodiment: Embodiment,
    cfg: RunCfg,
    address: str,
    keys: Path | None,
    objects: str,
    object_keys: Path | None,
) -> RunResult:
    """On a robot behind a server, emulated or real; only a person knows whether it succeeded."""
    if keys is None:
        raise SchemaError(
            f"A robot server lets in nobody without keys: make them on its PC with `h2s2r-hw keys client NAME`, and name "
            f"their folder by --keys. ({address!r} counts as a server's address; a simulated robot is called sim.)"
        )
    tracker = None if object_keys is None else ClientKeys.load(object_keys)
    with RobotClient(ClientKeys.load(keys), address) as client, closing(ObjectSubscriber(objects, tracker)) as heard:
        return run_policy(policy, client, Newest(heard), task, embodiment, cfg)
