"""A recording, wherever it comes from, is opened in a world that is level on the table.

In:  recordings with and without a place of their camera.   Out: what later stages open.
Not here: how a place is found (h2s2r-perception).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from h2s2r.chain.bundled import demo_cfg
from h2s2r.chain.seeing import open_recording, seeing
from h2s2r.chain.stage import Work
from h2s2r_schemas.demo import DemoWriter, open_demo
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.demonstrate import BUNDLED

CFG = demo_cfg(seed=3, steps=4096)


def opened(recording: Path, chain: Path, fps: float | None = None) -> Work:
    work = Work(chain / "recording", chain)
    work.folder.mkdir(parents=True, exist_ok=True)
    seeing(replace(CFG, recording=recording, fps=fps), lambda *_: None)[0].work(work)
    return work


def test_one_whose_camera_has_a_place_is_opened_where_it_is(tmp_path: Path) -> None:
    work = opened(BUNDLED, tmp_path)
    assert open_recording(work).meta.calibration.calibrated
    assert [path.name for path in work.folder.iterdir()] == ["where.json"]
    with pytest.raises(SchemaError, match=r"leave the frame rate \(15.0/s\) out"):
        opened(BUNDLED, tmp_path, 15.0)


def test_one_whose_camera_has_none_gets_a_level_world(tmp_path: Path) -> None:
    demo = open_demo(BUNDLED)
    nowhere = demo.meta.calibration.replace(wxyz_xyz_world_camera=None, calibrated=False)
    with DemoWriter(tmp_path / "mine", demo.meta.replace(calibration=nowhere)) as writer:
        for frame in islice(demo, 3):
            writer.append(frame.time, frame.rgb, frame.depth)
    opened(tmp_path / "mine", tmp_path / "chain")
    # Once more, as after it was stopped in the middle.
    found = open_recording(opened(tmp_path / "mine", tmp_path / "chain"))
    calibration = found.meta.calibration
    assert len(found) == 3 and not calibration.calibrated
    # Which way is up for the camera is what the true place says too.
    up, true_up = (
        each.T_world_camera.inv().rotate(np.array([0.0, 0.0, 1.0])) for each in (calibration, demo.meta.calibration)
    )
    assert np.degrees(np.arccos(np.clip(up @ true_up, -1.0, 1.0))) < 2.0
