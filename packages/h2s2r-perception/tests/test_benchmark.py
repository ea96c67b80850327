"""The figures: from numbers made by hand, and from one small recording with truth."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from recordings_for_tests import BOX, Push, record_push

from h2s2r_perception.benchmark import many, one
from h2s2r_perception.benchmark.many import figures, measure_all
from h2s2r_perception.benchmark.one import measure_one
from h2s2r_schemas.artifacts import Scene, SceneBody, Shape
from h2s2r_schemas.codec import save
from h2s2r_schemas.demo import DemoTruth, truth_path
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3

IDENTITY = (1.0, 0, 0, 0, 0, 0, 0)


def result(add, late, start=True, **more):
    count = len(add)
    return {
        "add": add,
        "rotation": [None if each is None else 0.01 for each in add],
        "flagged": [each is None for each in add],
        "turned": False,
        "start_right": start,
        "frames": count,
        "seconds": 5.0,
        "see_s": 10.0,
        **({} if late is None else {"first_motion_late": late}),
        **more,
    }


def test_figures_count_what_is_flagged_false_late_and_refused():
    found = figures(
        {
            "a": result([0.001, 0.003, None, 0.002], 2, track_ms=[10.0, 20.0]),
            "b": result([0.002, 0.03, 0.002, 0.002], -4, start=False),
            "c": result([0.002] * 4, None, premanip_refused="nothing moves"),
        }
    )
    assert found["recordings"] == 3 and found["frames"] == 12
    assert found["flagged_percent"] == pytest.approx(100 / 12)
    assert found["false_poses"] == 1
    assert found["start_pose_success"] == pytest.approx(2 / 3)
    assert found["premanip_within_3"] == pytest.approx(1 / 3)
    assert found["premanip_worst_frames"] == -4 and found["premanip_refused"] == 1
    assert found["frames_per_s"] == pytest.approx(1000 / 15)
    assert found["see_s_per_10_s"] == pytest.approx(20.0)


def test_a_hand_that_is_refused_counts_as_flagged_and_as_no_instant():
    hand = {"mean": [0.01] * 4, "fingertip": [0.02] * 4, "flagged": [False] * 4, "flip": [False] * 4}
    hand["wrong_side"] = [False] * 4
    seen = result([0.001] * 4, 0, hand=hand, side_right=True)
    found = figures({"a": seen, "b": result([0.001] * 12, 0, hand_refused="which hand?")})
    assert found["hand_refused"] == 1 and found["hand_flagged"] == pytest.approx(12 / 16)
    assert found["hand_mean_mm"] == pytest.approx(10.0) and found["hand_side_right"] == pytest.approx(0.5)
    assert found["premanip_within_3"] == pytest.approx(0.5) and found["premanip_refused"] == 1


class Nobody:
    def find(self, rgb):
        return []

    def follow(self):
        return self

    def close(self):
        pass


def test_a_recording_is_compared_with_its_truth(tmp_path, monkeypatch):
    folder = tmp_path / "push"
    demo, path, hand = record_push(folder, Push(frames=24, begins=11))
    with pytest.raises(SchemaError, match="no truth"):
        measure_one(folder, None)
    table = SceneBody(name="table", shapes=(Shape(kind="box", size=(1, 1, 0.04)),), wxyz_xyz_world_body=IDENTITY)
    truth = DemoTruth(
        object=BOX,
        scene=Scene(name="push", wxyz_xyz_world_table=IDENTITY, bodies=(table,)),
        object_trajectory=path,
        hand_trajectory=hand,
        contact_frame=9,
        first_motion_frame=12,
    )
    save(truth, truth_path(folder))
    # A tracker that is 3 mm off throughout, knows nothing of frame 20, and began a decimetre off.
    T_camera_world = demo.meta.calibration.T_world_camera.inv()
    off = SE3.from_parts(np.array((1.0, 0, 0, 0)), np.array((0.003, 0.0, 0.0)))
    T_start_off = SE3.from_parts(np.array((1.0, 0, 0, 0)), np.array((0.1, 0.0, 0.0)))
    track = SimpleNamespace(
        time=path.time,
        Ts_camera_object=T_camera_world @ off @ path.Ts_world_object,
        confidence=np.where(np.arange(24) == 20, 0.0, 0.9),
        lost=np.arange(24) == 20,
        first=0,
        start=SimpleNamespace(T_camera_object=T_camera_world @ T_start_off @ path.Ts_world_object[3]),
        start_frame=3,
    )
    monkeypatch.setattr(one, "track_in_camera", lambda *given: track)
    found = json.loads(json.dumps(measure_one(folder, Nobody())))
    assert found["frames"] == 24 and found["add"][20] is None and found["flagged"].count(True) == 1
    assert found["add"][5] == pytest.approx(0.003, abs=1e-4)
    assert not found["start_right"] and abs(found["first_motion_late"]) <= 3
    assert "0 of frames" in found["hand_refused"]


def test_what_was_measured_is_kept_and_goes_on(tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    kept = tmp_path / "kept"
    kept.mkdir()
    for folder in folders:
        many._write(kept / f"{folder.name}.json", many._code(), result([0.001] * 3, 1))
    told = []
    found = measure_all(folders, kept, hand=False, progress=lambda *step: told.append(step))
    assert found["recordings"] == 2 and found["add_mean_mm"] == pytest.approx(1.0) and not told
    many._write(kept / "two.json", "of other code", result([0.001] * 3, 1))
    with pytest.raises(SchemaError, match="no truth"):
        measure_all(folders, kept, hand=False)
    with pytest.raises(SchemaError, match="No recording"):
        measure_all([], kept)
