"""A whole recording: object found without help, both directions of time, the real recording against its labels."""

from __future__ import annotations

import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from recordings_for_tests import BOX as MODEL
from recordings_for_tests import SIZE, T_WORLD_CAMERA
from scenes_for_tests import CAMERA, Ball, Box, faces_rgb, render

from h2s2r_perception.cli import main
from h2s2r_perception.track import offline
from h2s2r_perception.track.config import TrackCfg
from h2s2r_perception.track.offline import search_what_moves, track_in_camera, track_object
from h2s2r_perception.track.smooth import smooth_path
from h2s2r_perception.track.surface import load_mesh, object_mesh, surface_of
from h2s2r_perception.track.together import agree, began_wrong, follows_another, found_less, shows_less
from h2s2r_perception.track.tracker import Tracked
from h2s2r_schemas.artifacts import Calibration, ObjectTrajectory, Symmetry
from h2s2r_schemas.codec import load, save
from h2s2r_schemas.demo import DemoMeta, DemoWriter, open_demo
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3


def write_demo(folder, frames=22, with_object=True, placed=True):
    """A box that is pushed 8 cm and turned 40° by balls which come, push, and go; and its true poses in the world."""
    calibration = Calibration(
        color=CAMERA, depth=CAMERA, wxyz_xyz_world_camera=T_WORLD_CAMERA.wxyz_xyz if placed else None
    )
    meta = DemoMeta(
        name="push",
        calibration=calibration,
        depth_unit=0.001,
        licence="CC0-1.0",
        mask_names=("object",),
        time_measured=True,
    )
    poses = []
    with DemoWriter(folder, meta) as writer:
        for index in range(frames):
            share = float(np.clip((index - 6) / 9, 0.0, 1.0))
            smooth = share * share * (3 - 2 * share)
            T_world_box = SE3.from_parts((1, 0, 0, 0), (0.08 * smooth, 0.0, SIZE[2] / 2)) @ SE3.exp(
                (0, 0, 0, 0, 0, 0.7 * smooth)
            )
            away = 0.03 * max(0, 4 - index) + 0.03 * max(0, index - 17)
            hand = [
                Ball(0.022, T_world_box.apply(np.array((-0.1 - away, 0.03 * k - 0.03, 0.03))), (205, 150, 125))
                for k in range(3)
            ]
            things = [*hand, *([Box(SIZE, T_world_box, faces_rgb(3))] if with_object else [])]
            frame, masks = render(things, T_WORLD_CAMERA, index, noise_px=0.05)
            colour = cv2.imencode(".png", frame.rgb[..., ::-1])[1].tobytes()
            depth = cv2.imencode(".png", np.round(frame.depth / 0.001).astype(np.uint16))[1].tobytes()
            shown = (
                {"object": cv2.imencode(".png", masks["object"].astype(np.uint8) * 255)[1].tobytes()}
                if with_object
                else {}
            )
            writer.append(index / 30, colour, depth, shown if index == 2 else {})
            poses.append(T_world_box.wxyz_xyz)
    return open_demo(folder), SE3(np.array(poses))


@pytest.mark.requirement("H06")
@pytest.mark.parametrize("mask", [None, "object"])
def test_a_push_is_tracked_without_help(tmp_path, mask):
    demo, Ts_world_truth = write_demo(tmp_path / "demo")
    steps = []
    found = track_object(demo, MODEL, mask=mask, progress=lambda done, total: steps.append((done, total)))
    assert found.object_name == "box" and not found.lost.any() and (found.confidence > 0.5).all()
    place, angle = found.Ts_world_object.distance(Ts_world_truth)
    # Half a turn of a box is not seen in depth.
    flipped = np.abs(np.rad2deg(angle) - 180) < 90
    assert flipped.all() or not flipped.any()
    off = np.abs(np.rad2deg(angle) - 180 * flipped)
    assert place.mean() < 0.003 and place.max() < 0.006 and off.max() < 3.0
    assert steps[-1] == (44, 44) or steps[-1][0] >= 40


def test_of_two_things_alike_the_one_that_moves_is_the_object():
    """Two boxes of one size; only the depth of a later picture, in which a ball hides a part of the other, tells them apart."""
    still = Box(SIZE, SE3.from_parts((1, 0, 0, 0), (0.08, -0.12, SIZE[2] / 2)), faces_rgb(3), "still")
    before = Box(SIZE, SE3.from_parts((1, 0, 0, 0), (-0.08, 0.08, SIZE[2] / 2)), faces_rgb(3))
    after = Box(SIZE, SE3.from_parts((1, 0, 0, 0), (-0.2, 0.2, SIZE[2] / 2)), faces_rgb(3))
    hand = Ball(0.03, np.array((0.1, -0.2, 0.05)), (205, 150, 125))
    frame, masks = render([still, before], T_WORLD_CAMERA, 0, noise_px=0.05)
    later, _ = render([still, after, hand], T_WORLD_CAMERA, 9, noise_px=0.05)
    surface = surface_of(object_mesh(MODEL), "box")
    start = search_what_moves(frame, surface, TrackCfg(), {0: frame.depth, 9: later.depth})
    assert (start.mask & masks["object"]).sum() > 0.8 * start.mask.sum()
    place, _ = (T_WORLD_CAMERA @ start.T_camera_object).distance(before.T_world_box)
    assert place < 0.005


def test_a_thing_that_never_moves_is_not_begun_from_where_the_object_is_hidden(monkeypatch):
    """In frames in which nothing of the object is seen, something beside it may look more like it than itself elsewhere."""
    still, moves = np.zeros((2, 60, 80), bool)
    still[40:50, 60:70] = True
    scores = {}

    def frame_of(demo, index):
        """A table at 1 m, a thing that stands on it, and one that goes by, and is hidden half-way."""
        depth = np.ones((60, 80))
        depth[still] = 0.9
        seen = np.roll(moves, index, axis=1) if not 15 <= index <= 30 else np.zeros_like(moves)
        depth[seen] = 0.9
        scores[index] = (0.74, seen) if seen.any() else (0.85, still)
        return SimpleNamespace(index=index, depth=depth)

    def search(frame, surface, cfg):
        score, mask = scores[frame.index]
        return [SimpleNamespace(score=score, mask=mask), SimpleNamespace(score=0.5, mask=still)]

    moves[10:20, 5:15] = True
    monkeypatch.setattr(offline, "_frame", frame_of)
    monkeypatch.setattr(offline, "search", search)
    (frame, start), *others = offline._find(None, SURFACE, TrackCfg(), 0, 44, None)
    assert start.score == 0.74 and not 15 <= frame <= 30
    assert [each.score for _, each in others[:3]] == [0.85] * 3, "the others by their score"
    found = [(frame, SimpleNamespace(score=score)) for frame, score in ((0, 0.4), (9, 0.85))]
    assert offline._best_first(found, {0: 1.0, 9: 0.0})[0][0] == 9, "what moves hardly looks like the object"
    assert offline._best_first(found, {0: 0.4, 9: 0.0})[0][0] == 9, "and does not move either"


def passed(path, lost=(), consistency=1.0, seen=0.5):
    """A pass over frames in which the object is at (T, 3) [m]."""
    consistency = np.broadcast_to(consistency, len(path))
    return {
        index: Tracked(
            T_camera_object=SE3.from_parts((1, 0, 0, 0), p),
            lost=index in lost,
            confidence=0.0 if index in lost else seen,
            fit=SimpleNamespace(consistency=consistency[index], quality=consistency[index] * seen),
        )
        for index, p in enumerate(path)
    }


def agreed(one, other):
    """Where the object is (T, 3) [m], NaN where lost, and how sure that is (T), by two passes."""
    found = [[each[index] for index in sorted(each)] for each in (one, other)]
    Ts, confidence, lost = agree(*found, SURFACE, Symmetry())
    assert np.array_equal(lost, np.isnan(Ts.wxyz_xyz).all(-1)) and np.array_equal(lost, confidence == 0)
    return Ts.translation, confidence


SURFACE = surface_of(object_mesh(MODEL), "box")
RIGHT = np.array([0.0, 0.0, 0.8]) + np.linspace(0.0, 0.1, 20)[:, None] * (1.0, 0.0, 0.0)
WRONG = RIGHT + np.where(np.arange(20) < 15, 0.05, 0.0)[:, None] * (0.0, 1.0, 0.0)


def test_of_two_passes_the_one_is_believed_that_less_speaks_against():
    # The wrong one shows more of itself, and for a while nothing speaks against it; then much does.
    doubtful = np.where(np.arange(20) < 4, 0.97, 0.6)
    wrong = passed(WRONG, consistency=doubtful, seen=0.9)
    for pair in ((passed(RIGHT), wrong), (wrong, passed(RIGHT))):
        found, confidence = agreed(*pair)
        np.testing.assert_allclose(found, RIGHT, atol=1e-9)
        assert (confidence[:15] == 0.25).all() and (confidence[15:] == 0.9).all()


def test_a_pass_that_was_refuted_does_not_fill_the_gaps_of_the_other():
    wrong = passed(WRONG, consistency=0.6)
    found, _ = agreed(passed(RIGHT, lost=range(6, 10)), wrong)
    assert np.array_equal(np.isnan(found).all(-1), np.isin(np.arange(20), range(6, 10)))
    # Nobody contradicts it where it is alone: then it does.
    found, _ = agreed(passed(RIGHT, lost=range(15)), passed(WRONG))
    np.testing.assert_allclose(found, WRONG, atol=1e-9)


def test_two_passes_that_contradict_each_other_alike_are_both_flagged():
    found, _ = agreed(passed(RIGHT), passed(WRONG, consistency=0.95))
    assert np.array_equal(np.isnan(found).all(-1), np.arange(20) < 15)


def test_a_pass_that_began_from_a_wrong_pose_is_told():
    right = passed(RIGHT, lost=range(3))

    def told(one, other):
        return began_wrong(one, other, SURFACE, Symmetry())

    wrong = passed(WRONG, consistency=0.6, seen=1.0)
    assert (told(right, wrong), told(wrong, right)) == ("second", "first")
    assert told(right, passed(WRONG, consistency=0.85)) == "", "not sure enough"
    assert told(right, passed(RIGHT, lost=range(3, 17), consistency=0.6)) == "", "it lost the object, but was on it"
    assert told(right, passed(WRONG, range(20))) == "", "nothing to compare"


@pytest.mark.parametrize("scores", [(0.9, 0.8), (0.8, 0.9)])
def test_a_pass_that_began_wrong_does_not_stand_in_for_the_other(scores):
    """Neither where it is found better first nor where second; what it says elsewhere still counts as a contradiction."""
    right = passed(RIGHT, lost=range(6, 10))
    wrong = passed(WRONG + (0.0, 0.05, 0.0), consistency=np.where(np.arange(20) < 17, 0.6, 1.0))
    starts = [
        SimpleNamespace(T_camera_object=each[0].T_camera_object, score=score)
        for each, score in zip((right, wrong), scores, strict=True)
    ]
    passes = SimpleNamespace(
        first=0,
        last=19,
        surface=SURFACE,
        likeness=lambda frame, start, known, symmetry: start.T_camera_object,
        both_ways=lambda frame, T_camera_object: right if T_camera_object is starts[0].T_camera_object else wrong,
        back=lambda frame, found: pytest.fail("no pass is made anew"),
    )
    finds = sorted([(0, starts[0]), (19, starts[1])], key=lambda find: -find[1].score)
    two = offline._two_passes(passes, finds, Symmetry())
    assert two.refuted and two.one is right and (two.start_frame, two.start) == (0, starts[0])
    assert [index for index, each in two.other.items() if each.lost] == [6, 7, 8, 9]
    assert all(two.other[index].T_camera_object is wrong[index].T_camera_object for index in wrong)


def test_a_pass_that_shows_less_is_told_where_it_contradicts_the_other():
    right, less = passed(RIGHT, seen=0.5), passed(WRONG, lost=range(7), seen=0.6)
    assert shows_less(right, less, SURFACE, Symmetry())
    assert not shows_less(less, right, SURFACE, Symmetry()), "only the second, which began from what scored less"
    assert not shows_less(right, passed(WRONG, seen=0.45), SURFACE, Symmetry()), "not sure enough"
    assert not shows_less(right, passed(RIGHT, lost=range(10)), SURFACE, Symmetry()), (
        "it lost the object, but was on it"
    )


@pytest.mark.parametrize("lost", [(), (0, 1, 2, 3)])
def test_a_pass_that_follows_a_thing_that_stands_beside_the_object_is_told(lost):
    surface = surface_of(object_mesh(MODEL), "box")
    pushed = np.array([0.0, 0.0, 0.8]) + np.linspace(0.0, 0.1, 20)[:, None] * (1.0, 0.0, 0.0)
    beside = np.array([0.4, 0.0, 0.8]) + 0.001 * np.random.default_rng(0).standard_normal((20, 3))
    assert follows_another(passed(pushed, lost), passed(beside), surface) == "second"
    assert follows_another(passed(beside), passed(pushed, lost), surface) == "first"
    assert follows_another(passed(pushed), passed(pushed + 0.02), surface) == "", "the same thing, seen differently"
    assert follows_another(passed(pushed), passed(pushed + (0.0, 0.4, 0.0)), surface) == "", "both move"
    assert follows_another(passed(pushed, range(20)), passed(beside), surface) == "", "nothing to compare"


def test_of_two_passes_the_one_is_of_the_object_that_was_found_there_again():
    moves = RIGHT + np.where(np.arange(20) < 15, 0.15, 0.1)[:, None] * (0.0, 1.0, 0.0)
    one, other = passed(RIGHT), passed(moves)

    def found(frame: int, path: np.ndarray, score: float) -> tuple[int, SimpleNamespace]:
        return frame, SimpleNamespace(T_camera_object=SE3.from_parts((0, 0, 0, 1), path[frame]), score=score)

    finds = [found(19, RIGHT, 0.9), found(9, moves, 0.8), found(3, RIGHT, 0.4), found(5, moves + 0.05, 0.7)]
    assert (
        found_less(one, other, SURFACE, Symmetry(), finds) == "second"
        and found_less(other, one, SURFACE, Symmetry(), finds) == "first"
    )
    assert found_less(one, other, SURFACE, Symmetry(), finds[:2]) == "", "each where it was found once"
    assert found_less(one, passed(moves, consistency=0.9), SURFACE, Symmetry(), finds) == "second"
    assert found_less(other, passed(RIGHT, consistency=0.9), SURFACE, Symmetry(), finds) == "", "more speaks against it"
    assert found_less(one, passed(RIGHT + 0.02), SURFACE, Symmetry(), finds) == "", "the same thing, seen differently"
    still = np.tile(RIGHT[9] + (0.0, 0.0, 0.15), (20, 1))
    often = [found(9, RIGHT, 0.9), *(found(frame, still, 0.8) for frame in (0, 4, 14, 19))]
    assert found_less(one, passed(still), SURFACE, Symmetry(), often) == "", "a thing that stays is found everywhere"
    assert found_less(one, passed(RIGHT, lost=range(20)), SURFACE, Symmetry(), finds) == "", "nothing to compare"


def test_a_part_of_a_recording_keeps_its_times(tmp_path):
    demo, _ = write_demo(tmp_path / "demo")
    found = track_object(demo, MODEL, frames=(3, 8))
    assert np.array_equal(found.time, demo.meta.time[3:9])
    with pytest.raises(SchemaError, match="0 to 21"):
        track_object(demo, MODEL, frames=(3, 22))


def test_the_command_tracks(tmp_path, capsys):
    demo, _ = write_demo(tmp_path / "demo", 10)
    save(MODEL, tmp_path / "box.h2s")
    arguments = ["track", str(demo.folder), str(tmp_path / "box.h2s"), "--out", str(tmp_path / "path.h2s")]
    assert main([*arguments, "--frames", "1:4"]) == 0
    assert "4 frames, 0 lost" in capsys.readouterr().out
    found = load(tmp_path / "path.h2s")
    assert isinstance(found, ObjectTrajectory) and len(found.time) == 4
    assert main(["track", str(demo.folder), str(tmp_path / "path.h2s"), "--out", str(tmp_path / "other.h2s")]) == 2
    assert "ObjectModel is wanted" in capsys.readouterr().err


def test_what_cannot_be_tracked_is_said(tmp_path):
    demo, _ = write_demo(tmp_path / "empty", 2, with_object=False)
    with pytest.raises(SchemaError, match="not found in any"):
        track_object(demo, MODEL)
    unplaced, _ = write_demo(tmp_path / "unplaced", 2, placed=False)
    with pytest.raises(SchemaError, match="does not say where the camera is"):
        track_object(unplaced, MODEL)


def test_smoothing_lowers_noise_but_keeps_motion_and_losses():
    rng, time = np.random.default_rng(0), np.arange(60) / 30
    true = np.where(time < 1, 0.0, 0.15 * (time - 1))
    noise = rng.normal(0, 0.001, (60, 3))
    lost = np.zeros(60, bool)
    lost[20] = True
    values = np.array(SE3.from_parts((1, 0, 0, 0), np.stack((true, 0 * true, 0 * true), 1) + noise).wxyz_xyz)
    values[lost] = np.nan
    smoothed = smooth_path(time, SE3(values), lost)
    assert np.isnan(smoothed.wxyz_xyz[20]).all() and np.isfinite(smoothed.wxyz_xyz[~lost]).all()
    still, moving = (time < 0.9) & ~lost, (time > 1.1) & (time < 1.9)
    assert smoothed.translation[still].std(axis=0).max() < 0.75 * noise[still].std(axis=0).max()
    assert np.abs(smoothed.translation[moving, 0] - true[moving]).mean() < np.abs(noise[moving, 0]).mean()
    assert abs((smoothed.translation[moving, 0] - values[moving, 4]).mean()) < 2e-4


@pytest.mark.slow
def test_the_real_recording_is_tracked_or_flagged(mug_real):
    source, demo = mug_real
    labels = json.loads((source / "labels.json").read_text())
    found = track_in_camera(demo, surface_of(load_mesh(source / "mug.obj"), "mug"))
    assert found.lost.mean() < 0.15
    for label in labels["mug_centre"]:
        if not found.lost[label["frame"]]:
            apart = np.linalg.norm(found.Ts_camera_object.translation[label["frame"]] - label["p_camera_mug"])
            assert apart < 0.02, label
