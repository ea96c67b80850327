"""What a run was asked to do, in its folder: for the report, and to have it done again.

In:  ``RunCfg``, its stages.   Out: ``run.json``.
Not here: what the stages did (their own done.json).
"""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from h2s2r.chain.bundled import BUNDLED_OBJECT
from h2s2r.chain.config import RunCfg
from h2s2r.chain.files import RUN
from h2s2r.chain.stage import Stage
from h2s2r_schemas.codec import write_whole
from h2s2r_sim.demonstrate import BUNDLED

#: What may be asked of every run.
_ASKED = ("robot", "preset", "engine", "seed", "steps", "rehearsal_seed", "tracked")


def write_record(cfg: RunCfg, folder: Path, stages: Sequence[Stage], versions: Mapping[str, str]) -> None:
    """Leave what is asked for in the folder, before any of it is done."""
    folder.mkdir(parents=True, exist_ok=True)
    record = {
        "name": cfg.name,
        "command": command(cfg, folder),
        "settings": {key: value for key, value in dataclasses.asdict(cfg).items() if value is not None},
        "stages": [[stage.name, stage.does] for stage in stages],
        "versions": {**versions, "python": platform.python_version()},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
    }
    write_whole(folder / RUN, json.dumps(record, indent=1, default=str).encode() + b"\n")


def command(cfg: RunCfg, folder: Path) -> list[str]:
    """The command that does this run, whatever was typed."""
    words = [*(["uv", "run"] if "UV" in os.environ else []), "h2s2r"]
    if cfg.recording is None or (cfg.recording == BUNDLED and cfg.object == BUNDLED_OBJECT):
        words += ["demo", *([] if cfg.task is None else ["--task", cfg.task])]
        asked = {name: getattr(cfg, name) for name in _ASKED}
    else:
        words += ["run", str(cfg.recording)]
        frames = None if cfg.frames is None else f"{cfg.frames[0]}:{cfg.frames[1]}"
        names = ("object", "mass", "scene", "fps", "mirror", *_ASKED)
        asked = {"frames": frames, **{name: getattr(cfg, name) for name in names}}
    words += [word for name, value in asked.items() for word in _option(name, value)]
    return [*words, "--out", str(folder)]


def _option(name: str, value: Any) -> list[str]:
    default = getattr(RunCfg, name, None)
    if isinstance(value, bool):
        return [f"--{_spelled(name)}"] if value else []
    return [] if value in (None, default) else [f"--{_spelled(name)}", str(value)]


def _spelled(name: str) -> str:
    return name.replace("_", "-")
