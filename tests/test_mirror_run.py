"""A run that is mirrored makes the task of the other hand, of what the stages before left."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from run_folders import make_run

from h2s2r.chain.bundled import demo_cfg
from h2s2r.chain.config import RunCfg
from h2s2r.chain.learning import learning
from h2s2r.chain.seeing import seeing
from h2s2r.chain.stage import Stage, Work
from h2s2r.view.shown import shown_run
from h2s2r_perception.mirror import find_mirror
from h2s2r_schemas.artifacts import ObjectTrajectory, Scene, TaskSpec
from h2s2r_schemas.codec import load
from h2s2r_schemas.errors import SchemaError

CFG = replace(demo_cfg(seed=3, steps=4096), mirror=True)


def do(stages: list[Stage], name: str, chain: Path) -> None:
    (chain / name).mkdir(exist_ok=True)
    (stage,) = [stage for stage in stages if stage.name == name]
    stage.work(Work(chain / name, chain))


def silent(what: str, done: int, total: int, note: str) -> None:
    """Nobody watches."""


def test_a_mirrored_recording_gives_the_task_of_the_other_hand(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "task")
    do(learning(replace(CFG, mirror=False), silent), "task", folder)
    before = load(folder / "task" / "task.h2s", TaskSpec)
    do(seeing(CFG, silent), "mirror", folder)
    do(learning(CFG, silent), "task", folder)
    after = load(folder / "task" / "task.h2s", TaskSpec)
    assert (before.side, after.side) == ("right", "left")
    path, scene = load(folder / "track" / "path.h2s", ObjectTrajectory), load(folder / "scene" / "scene.h2s", Scene)
    mirror = find_mirror(path, scene)
    expected = mirror.points(before.reference.wxyz_xyz_world_object[:, 4:])
    np.testing.assert_allclose(after.reference.wxyz_xyz_world_object[:, 4:], expected, atol=2e-3)
    assert (after.object.mass, after.object.name) == (before.object.mass, before.object.name)
    np.testing.assert_allclose(after.p_object_keypoints, before.p_object_keypoints * (1.0, -1.0, 1.0), atol=5e-3)


def test_the_stage_is_there_only_where_it_is_asked_for() -> None:
    assert "mirror" in [stage.name for stage in seeing(CFG, silent)]
    plain = replace(CFG, mirror=False)
    assert "mirror" not in [stage.name for stage in seeing(plain, silent)]
    (task,) = [stage for stage in learning(CFG, silent) if stage.name == "task"]
    assert task.needs == ("mirror",)
    with pytest.raises(SchemaError, match="Only a recording is mirrored"):
        RunCfg(task="plate_push", mirror=True)


def test_it_is_shown_mirrored(tmp_path: Path) -> None:
    folder = make_run(tmp_path, "task")
    do(seeing(CFG, silent), "mirror", folder)
    (folder / "mirror" / "done.json").write_text('{"key": "", "files": {}, "seconds": 0.1}')
    text = (folder / "run.json").read_text().replace('"seen",', '"mirror",', 1)
    (folder / "run.json").write_text(text)
    run = shown_run(folder)
    assert run.mirror is not None and run.finding is not None and run.finding.hand is not None
    assert run.finding.hand.side == "left"
