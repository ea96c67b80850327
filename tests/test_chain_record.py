"""What a run was asked for is kept in its folder, as the command that asks for the same again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from h2s2r import cli
from h2s2r.chain.bundled import demo_cfg
from h2s2r.chain.config import RunCfg
from h2s2r.chain.record import command, write_record
from h2s2r.chain.stage import Stage
from h2s2r_rl.config import fast

OWN = RunCfg(recording=Path("my mug"), object=Path("mug.obj"), mass=0.37)


@pytest.mark.parametrize(
    "cfg",
    [
        demo_cfg(),
        demo_cfg(steps=fast().steps),
        demo_cfg(preset="full", engine="warp:cuda:1"),
        demo_cfg("plate_push"),
        demo_cfg(rehearsal_seed=9_240_001, tracked=True),
        demo_cfg("plate_push", robot="iiwa14_leap", seed=3, steps=4096),
        OWN,
        replace(OWN, mirror=True),
        replace(OWN, frames=(53, 88), fps=15.0, scene=Path("scene.toml"), seed=7, steps=1000),
    ],
)
def test_the_command_asks_for_the_same_again(cfg: RunCfg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[RunCfg, Path]] = []
    monkeypatch.setattr(cli, "_run", lambda cfg, out, *_: asked.append((cfg, out)))
    monkeypatch.delenv("UV", raising=False)
    words = command(cfg, tmp_path)
    assert words[0] == "h2s2r"
    cli.app.cli(prog="h2s2r", args=words[1:])
    assert asked == [(cfg, tmp_path)]
    monkeypatch.setenv("UV", "/usr/bin/uv")
    assert command(cfg, tmp_path)[:3] == ["uv", "run", "h2s2r"]


def test_the_record_is_there_before_any_work_and_can_be_read(tmp_path: Path) -> None:
    write_record(OWN, tmp_path / "new", [Stage("see", "sees", lambda work: None)], {"h2s2r-sim": "0.1.0"})
    record = json.loads((tmp_path / "new" / "run.json").read_text())
    assert record["stages"] == [["see", "sees"]]
    assert record["settings"]["mass"] == 0.37 and record["settings"]["recording"] == "my mug"
    assert record["versions"]["h2s2r-sim"] == "0.1.0" and "python" in record["versions"]
