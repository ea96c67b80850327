"""``h2s2r-hw selftest``.

In:  the command line.   Out: a line per check; 1 if one failed.
Not here: the checks (selftest).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from h2s2r_hw.config import ServerCfg
from h2s2r_hw.processes.settings import read_settings
from h2s2r_hw.selftest import run_selftest


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Add the verb."""
    verb = verbs.add_parser(
        "selftest", help="is this PC fit: permissions, clock, jitter at 200, 333 and 1000 Hz, cabinet, hand"
    )
    verb.add_argument("--settings", type=Path, default=None, help="the server's settings (JSON)")
    verb.add_argument("--seconds", type=float, default=10.0, help="of measuring, for each rate")
    verb.add_argument(
        "--no-devices", action="store_true", help="leave cabinet and hand alone, e.g. while a server runs"
    )
    verb.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> int:
    cfg = ServerCfg() if chosen.settings is None else read_settings(chosen.settings)
    failed = 0
    for check in run_selftest(cfg, chosen.seconds, not chosen.no_devices):
        print(check, flush=True)
        failed += not check.ok
    print(f"{failed} checks failed" if failed else "fit for the server")
    return 1 if failed else 0
