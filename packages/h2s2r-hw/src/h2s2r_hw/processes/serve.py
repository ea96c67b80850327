"""A whole server, until it is told to end.

In:  settings.   Out: running processes; a line for each event.
Not here: the processes (child), how they are watched (supervisor), the command line (cli.serve).
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from h2s2r_hw.config import ServerCfg
from h2s2r_hw.processes.child import Told
from h2s2r_hw.processes.preflight import prepare
from h2s2r_hw.processes.runtime import ROLES, Runtime
from h2s2r_hw.processes.supervisor import Supervisor
from h2s2r_hw.robots import load_robot
from h2s2r_schemas.errors import H2S2RError

#: Libraries shall start no threads of their own in a loop's process.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def serve(
    cfg: ServerCfg, robot: str, folder: Path, emulated: bool, residuals: Path, tell: Callable[[str], None]
) -> int:
    """Run until SIGTERM or SIGINT; returns 0, or 1 if a loop or the guardian ended by itself.

    Args:
        cfg: settings.
        robot: name or file of the robot.
        folder: for shared memory.
        emulated: whether no hardware is behind it.
        residuals: folder of learned corrections.
        tell: told of every event.

    Raises:
        H2S2RError: another server uses the folder, there is no such robot, or something that it needs cannot be had (preflight).
    """
    load_robot(robot)
    _alone(folder)
    for remark in prepare(cfg):
        tell(remark)
    told_file = folder / "told.json"
    runtime = Runtime(folder, cfg, create=True)
    (folder / "pid").write_text(str(os.getpid()))
    settings = json.loads(json.dumps(asdict(cfg)))
    told = Told(settings, robot, emulated, str(residuals.resolve()), time.monotonic_ns())
    told_file.write_text(json.dumps(asdict(told)), encoding="utf-8")
    commands = {role: [sys.executable, "-m", "h2s2r_hw.processes.child", role, str(told_file)] for role in ROLES}
    supervisor = Supervisor(commands, tell, {**os.environ, **_ONE_THREAD})
    ended: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda got, frame: ended.append(got))
    supervisor.start()
    try:
        while not ended and supervisor.children:
            supervisor.watch(0.5)
    finally:
        supervisor.stop()
        runtime.remove()
        told_file.unlink(missing_ok=True)
        (folder / "pid").unlink(missing_ok=True)
    return 1 if supervisor.failed else 0


def _alone(folder: Path) -> None:
    """No server that lives has its memory there."""
    try:
        other = int((folder / "pid").read_text())
        os.kill(other, 0)
    except (OSError, ValueError):
        return
    raise H2S2RError(f"A server runs as process {other} with memory in {folder}: end it, or choose another --runtime.")
