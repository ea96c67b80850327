"""``h2s2r-hw serve``.

In:  the command line.   Out: a running server, a line for each event.
Not here: the processes (h2s2r_hw.processes).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from h2s2r_hw.config import ServerCfg
from h2s2r_hw.processes.runtime import default_folder
from h2s2r_hw.processes.serve import serve
from h2s2r_hw.processes.settings import read_settings, write_settings


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Add the verb."""
    verb = verbs.add_parser("serve", help="the robot server, until Ctrl-C or SIGTERM")
    verb.add_argument("--settings", type=Path, default=None, help="what differs from the defaults (JSON)")
    verb.add_argument("--show-settings", action="store_true", help="print all settings as JSON, and end")
    verb.add_argument("--robot", default="iiwa14_allegro", help="name of a robot, or a file of one")
    verb.add_argument("--runtime", type=Path, default=default_folder(), help="folder for shared memory")
    verb.add_argument("--residuals", type=Path, default=Path("residuals"), help="folder of learned corrections")
    verb.add_argument("--emulated", action="store_true", help="say to clients that no hardware is behind it")
    verb.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    cfg = ServerCfg() if chosen.settings is None else read_settings(chosen.settings)
    if chosen.show_settings:
        print(write_settings(cfg))
        return 0
    return serve(
        cfg,
        chosen.robot,
        chosen.runtime,
        chosen.emulated,
        chosen.residuals,
        lambda line: print(line, flush=True),
    )
