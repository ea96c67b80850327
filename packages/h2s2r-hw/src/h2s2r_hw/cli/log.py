"""``h2s2r-hw log inspect`` and ``h2s2r-hw log export``.

In:  the command line.   Out: text; 1 for a log with something missing.
Not here: the work itself (bus.log).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from h2s2r_hw.bus.log import LogReport, export_log, inspect_log
from h2s2r_hw.bus.log.export import PARTS


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Add the verb."""
    verb = verbs.add_parser("log", help="look into a log, or export it as a MotionLog")
    kinds = verb.add_subparsers(required=True)
    inspect = kinds.add_parser("inspect", help="what is in a log, and whether anything is missing")
    inspect.add_argument("log", type=Path, help="a file of the log, or the folder of the only one")
    inspect.set_defaults(run=_inspect)
    export = kinds.add_parser("export", help="write a MotionLog file")
    export.add_argument("log", type=Path, help="a file of the log, or the folder of the only one")
    export.add_argument("out", type=Path, help="the file to write")
    export.add_argument("--part", choices=PARTS, default="robot", help="every tick of one device, or all joints")
    export.add_argument("--outcome", choices=("unknown", "success", "failure"), default="unknown", help="how it ended")
    export.set_defaults(run=_export)


def _inspect(chosen: argparse.Namespace) -> int:
    report = inspect_log(chosen.log)
    print("\n".join(_lines(report)))
    return 0 if report.lossless else 1


def _lines(report: LogReport) -> list[str]:
    about = report.about
    lines = [f"{about.robot_name} ({about.robot_hash}){', emulated' if about.emulated else ''}, by {about.server}"]
    lines += [f"{report.files} files, {report.seconds:.3f} s, {'closed' if report.ended else 'not closed'}"]
    for kind, count in report.rows.items():
        if count:
            lines.append(f"{kind.name.lower()}: {count} ticks, {report.first[kind]} to {report.last[kind]}")
    lines += [f"GAP: {gap.ticks} ticks of the {gap.part.name.lower()} from {gap.first} on" for gap in report.gaps]
    lines += [f"WRONG: {each}" for each in report.wrong]
    lines += [f"mark: {each}" for each in report.marks]
    if report.restarts:
        lines.append(f"a loop was started anew {report.restarts} times")
    lines.append("every tick is there" if report.lossless else f"{report.lost} ticks are known to be missing")
    return lines


def _export(chosen: argparse.Namespace) -> int:
    rows = export_log(chosen.log, chosen.out, chosen.part, chosen.outcome)
    print(f"{chosen.out}: {rows} rows of the {chosen.part}")
    return 0
