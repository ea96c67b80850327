"""The hand's model, its fit, its side and its flags, on a synthetic hand and on the bundled rendered recording."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from scenes_for_tests import CAMERA

from h2s2r_perception.frames import RGBDFrame, decode
from h2s2r_perception.hand import mediapipe_hands
from h2s2r_perception.hand.anatomy import CAPSULES, LIMITS, POINT_RADII, SHAPE_NAMES, USUAL
from h2s2r_perception.hand.chain import solve_chain
from h2s2r_perception.hand.config import HandCfg
from h2s2r_perception.hand.doubt import doubtful, leaps, outvoted
from h2s2r_perception.hand.evidence import PATCH, POINTS, Evidence
from h2s2r_perception.hand.finder import Finder
from h2s2r_perception.hand.fit import first_guess, fit_singly, fit_together, judged
from h2s2r_perception.hand.follow import Follower
from h2s2r_perception.hand.judge import figures, judge
from h2s2r_perception.hand.landmarks import Landmarks
from h2s2r_perception.hand.looks import Looks, Mirrored, look_twice
from h2s2r_perception.hand.neighbours import fit_from_neighbours
from h2s2r_perception.hand.path import fit_path, track_hand
from h2s2r_perception.hand.search import find_all
from h2s2r_perception.hand.side import decide_side
from h2s2r_perception.hand.skeleton import Posture, keypoints, posed, rotation, rotation_vector
from h2s2r_schemas.artifacts import Calibration
from h2s2r_schemas.codec import load
from h2s2r_schemas.demo import Demo, DemoMeta, DemoTruth, DemoWriter, open_demo, truth_path
from h2s2r_schemas.errors import H2S2RError, SchemaError

BUNDLED = Path(__file__).parents[2] / "h2s2r-sim/src/h2s2r_sim/assets/recordings/snackbox_push"
SHAPE = np.array([0.06, -0.03, 0.02, 0.04, 0.05, -0.03, 0.02, -0.04, 0.05])


def moving_hand(frames: int = 12) -> Posture:
    """A right hand that comes nearer, turns and closes; seen from its back."""
    s = np.linspace(0.0, 1.0, frames)[:, None]
    facing = np.array([[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]])
    turn = rotation(s * np.array([0.3, 0.5, 0.2]) + np.array([0.5, -0.4, 0.3])) @ facing
    wrist = np.array([0.03, 0.02, 0.75]) + s * np.array([-0.05, 0.04, -0.06])
    bent = np.clip(USUAL + s * np.deg2rad(20.0), *LIMITS.T)
    return Posture(wrist, turn, np.broadcast_to(bent, (frames, 21)).copy())


def seen_by_camera(posture: Posture, seed: int = 0) -> Evidence:
    """Evidence as a camera would give it: points on the near side of the flesh, landmarks with 3 mm of noise."""
    rng = np.random.default_rng(seed)
    points, frames = keypoints(posture, SHAPE), len(posture)
    radii = POINT_RADII * np.exp(SHAPE[0] + SHAPE[SHAPE_NAMES.index("thickness")])
    which, s = rng.integers(len(CAPSULES), size=(frames, 4 * POINTS)), rng.uniform(size=(frames, 4 * POINTS, 1))
    i, j, at = CAPSULES[which, 0], CAPSULES[which, 1], np.arange(frames)[:, None]
    axis = (1 - s) * points[at, i] + s * points[at, j]
    out = rng.normal(size=axis.shape)
    along = points[at, j] - points[at, i]
    out -= (out * along).sum(-1, keepdims=True) / (along * along).sum(-1, keepdims=True) * along
    out /= np.linalg.norm(out, axis=-1, keepdims=True)
    skin = axis + out * ((1 - s) * radii[i][..., None] + s * radii[j][..., None])
    near = (out * axis).sum(-1) < -0.3 * np.linalg.norm(axis, axis=-1)
    chosen = np.argsort(~near, axis=1, kind="stable")[:, :POINTS]
    p_camera = skin[at, chosen] + rng.normal(0, 0.002, (frames, POINTS, 3))
    middle = points[:, [0, 1, 5, 9, 13, 17]].mean(axis=1)
    return Evidence(
        index=np.arange(frames),
        rays=points[:, :21, :2] / points[:, :21, 2:] + rng.normal(0, 0.004, (frames, 21, 2)),
        p_local=points[:, :21] - middle[:, None] + rng.normal(0, 0.008, (frames, 21, 3)),
        p_camera=p_camera,
        is_point=near[at, chosen],
        patch=np.full((frames, PATCH, PATCH), np.inf),
        patch_from=np.full((frames, 2), -0.3),
        patch_step=np.full(frames, 0.6 / PATCH),
        middle=middle + np.array([0.0, 0.0, 0.01]),
        right=np.full(frames, 0.9),
    )


def at_30_hz(evidence: Evidence) -> np.ndarray:
    """(T) [s] of its frames."""
    return np.arange(len(evidence)) / 30.0


def fitted(evidence: Evidence) -> tuple[str, np.ndarray]:
    """Side and errors (T, 21) [m] after the whole fit."""
    cfg, time = HandCfg(), at_30_hz(evidence)
    sided = decide_side(evidence, time, cfg)
    fit = fit_together(sided.evidence, time, sided.fit, cfg)
    mirror = np.array([-1.0, 1.0, 1.0]) if sided.side == "left" else 1.0
    return sided.side, fit.points()[:, :21] * mirror


def test_derivatives_are_those_of_the_points():
    rng = np.random.default_rng(1)
    posture = Posture(rng.normal(size=(3, 3)), rotation(rng.normal(size=(3, 3))), 0.5 * rng.normal(size=(3, 21)))
    now, step = posed(posture, SHAPE), 1e-6
    for number in range(27):
        ahead = np.zeros((3, 27))
        ahead[:, number] = step
        slope = (keypoints(posture.moved(ahead), SHAPE) - keypoints(posture.moved(-ahead), SHAPE)) / (2 * step)
        np.testing.assert_allclose(now.by_posture[..., number], slope, atol=1e-8)
    for number in range(len(SHAPE_NAMES)):
        ahead = np.zeros(len(SHAPE_NAMES))
        ahead[number] = step
        slope = (keypoints(posture, SHAPE + ahead) - keypoints(posture, SHAPE - ahead)) / (2 * step)
        np.testing.assert_allclose(now.by_shape[..., number], slope, atol=1e-8)


def test_rotation_vectors_turn_back_into_themselves():
    vectors = np.random.default_rng(2).uniform(-1.7, 1.7, size=(50, 3))  # all shorter than half a turn
    np.testing.assert_allclose(rotation_vector(rotation(vectors)), vectors, atol=1e-9)


def test_the_hand_is_of_usual_size():
    straight = Posture(np.zeros((1, 3)), np.eye(3)[None], np.zeros((1, 21)))
    points = keypoints(straight, np.zeros(len(SHAPE_NAMES)))[0]
    assert 0.17 < np.linalg.norm(points[12]) < 0.20  # wrist to the end of the middle finger's bones
    assert 0.05 < np.linalg.norm(points[5] - points[17]) < 0.07
    assert points[4, 0] > points[8, 0] > points[20, 0]  # thumb, index, little finger


@pytest.mark.parametrize("frames", [1, 2, 3, 6])
def test_chain_solves_what_the_whole_matrix_does(frames):
    rng = np.random.default_rng(frames)
    n = 4
    first, second = rng.normal(size=(frames - 1, n)), rng.normal(size=(max(frames - 2, 0), n))
    blocks = np.stack([m @ m.T + 20 * np.eye(n) for m in rng.normal(size=(frames, n, n))])
    whole = np.zeros((frames * n, frames * n))
    for t in range(frames):
        whole[t * n : t * n + n, t * n : t * n + n] = blocks[t]
        for back, ties in ((1, first), (2, second)):
            if t >= back:
                rows, columns = slice(t * n, t * n + n), slice((t - back) * n, (t - back) * n + n)
                whole[rows, columns] = whole[columns, rows] = np.diag(ties[t - back])
    right = rng.normal(size=(frames, n, 3))
    found = solve_chain(blocks, first, second, right)
    np.testing.assert_allclose(found.reshape(-1, 3), np.linalg.solve(whole, right.reshape(-1, 3)), atol=1e-9)


@pytest.mark.requirement("H10")
@pytest.mark.parametrize("side", ["right", "left"])
def test_a_hand_of_other_proportions_is_found_and_its_side(side):
    posture = moving_hand()
    evidence, truth = seen_by_camera(posture), keypoints(posture, SHAPE)[:, :21]
    if side == "left":
        evidence, truth = evidence.mirrored(), truth * np.array([-1.0, 1.0, 1.0])
    found, points = fitted(evidence)
    assert found == side
    error = np.linalg.norm(points - truth, axis=-1)
    assert error.mean() < 0.008 and error.max() < 0.03


def test_depth_overrules_a_network_that_names_the_wrong_side():
    evidence = seen_by_camera(moving_hand())
    evidence.right[:] = 0.35
    assert fitted(evidence)[0] == "right"


def test_a_side_that_cannot_be_told_is_not_guessed():
    one = seen_by_camera(moving_hand())
    evidence = in_frames(list(range(0, len(one), 2)), one, one.mirrored())
    with pytest.raises(SchemaError, match="do not tell a left hand from a right one"):
        decide_side(evidence, at_30_hz(evidence), HandCfg())
    assert decide_side(evidence, at_30_hz(evidence), HandCfg(), "left").side == "left"


def in_frames(at: list[int], one: Evidence, other: Evidence) -> Evidence:
    """The one in frames ``at``, the other in the rest; numbered as the other is."""
    return replace(one.where(np.isin(np.arange(len(one)), at), other), index=other.index)


def test_fingers_counted_from_the_other_end_are_read_as_the_hand_of_the_recording():
    """What a network does that takes a right hand for a left one."""
    posture = moving_hand()
    right = seen_by_camera(posture)
    mistaken = replace(right.from_other_end(), right=np.full(len(right), 0.1))
    evidence = in_frames([4, 5, 6], mistaken, right)
    sided = decide_side(evidence, at_30_hz(evidence), HandCfg())
    assert sided.side == "right" and not sided.contradicts.any()
    error = np.linalg.norm(sided.fit.points()[:, :21] - keypoints(posture, SHAPE)[:, :21], axis=-1).mean(axis=1)
    assert error.max() < 0.015


def test_the_side_is_that_which_explains_more_where_most_frames_name_the_other():
    right = seen_by_camera(moving_hand(30))
    mistaken = replace(right.from_other_end(), right=np.full(len(right), 0.1))
    evidence = in_frames(list(range(8, 26)), mistaken, right)
    sided = decide_side(evidence, at_30_hz(evidence), HandCfg())
    assert sided.side == "right" and not sided.contradicts.any()


def other_hand_of_the_person() -> Evidence:
    """A left hand, 45 cm beside the right one."""
    posture = moving_hand()
    posture.wrist[:, 0] += 0.4
    return seen_by_camera(posture).mirrored()


def test_the_other_hand_of_a_person_contradicts_the_recording_of_the_one():
    evidence = in_frames([4, 5], other_hand_of_the_person(), seen_by_camera(moving_hand()))
    sided = decide_side(evidence, at_30_hz(evidence), HandCfg())
    assert sided.side == "right"
    assert np.flatnonzero(sided.contradicts).tolist() == [4, 5]


def test_a_fit_that_began_badly_ends_where_its_neighbours_do():
    """A hand seen along its palm, which the network has turned over: depth alone does not bring it back."""
    evidence, cfg, shape = seen_by_camera(moving_hand()), HandCfg(), np.zeros(len(SHAPE_NAMES))
    truth = keypoints(moving_hand(), SHAPE)[:, :21]
    turned = first_guess(evidence)
    turned.turn[5:8] = turned.turn[5:8] @ np.diag([-1.0, 1.0, -1.0])
    fit = fit_singly(evidence, turned, shape, replace(cfg, first_steps=0), from_scratch=True)
    before = np.linalg.norm(fit.points()[:, :21] - truth, axis=-1).mean(axis=1)
    assert before[5:8].min() > 0.03 > before[:5].max()
    again = fit_from_neighbours(evidence, fit, at_30_hz(evidence), fit.cost > cfg.fits_well, cfg)
    assert np.linalg.norm(again.points()[:, :21] - truth, axis=-1).mean(axis=1).max() < 0.015
    assert (again.cost <= fit.cost).all()


def test_a_flipped_frame_is_flagged():
    evidence, cfg = seen_by_camera(moving_hand()), HandCfg()
    sided = decide_side(evidence, at_30_hz(evidence), cfg)
    sided.fit.posture.turn[6] = sided.fit.posture.turn[6] @ np.diag([-1.0, 1.0, -1.0])
    assert np.flatnonzero(leaps(sided.fit, np.arange(len(evidence)) / 30.0, cfg)).tolist() == [6]


def test_a_hand_beside_what_was_measured_is_flagged():
    evidence, cfg = seen_by_camera(moving_hand()), HandCfg()
    time = np.arange(len(evidence)) / 30.0
    posture = moving_hand()
    posture.wrist[6] += np.array([0.0, 0.0, 0.05])
    assert np.flatnonzero(doubtful(judged(evidence, posture, SHAPE, cfg), time, cfg)).tolist() == [6]


def test_a_frame_among_flagged_ones_is_flagged_and_one_flagged_frame_takes_no_other_with_it() -> None:
    time, doubted = np.arange(60) / 30.0, np.zeros(60, bool)
    doubted[20:50] = True
    doubted[[30, 31, 40]] = False  # by chance
    doubted[5] = True
    flagged = outvoted(doubted, time, HandCfg())
    assert flagged[20:50].all()
    assert flagged[:20].tolist() == doubted[:20].tolist()
    assert not flagged[50:].any()
    assert not outvoted(np.zeros(1, bool), np.zeros(1), HandCfg()).any()


class OneHand:
    """A landmarker that finds a hand where its picture is red, and none elsewhere."""

    def __init__(self, local: np.ndarray | None = None) -> None:
        self.local, self.sizes = local, []

    def find(self, rgb: np.ndarray) -> list[Landmarks]:
        self.sizes.append(rgb.shape[:2])
        v, u = np.nonzero((rgb[..., 0] > 200) & (rgb[..., 1] < 60))
        if len(u) < 20:
            return []
        corners = np.stack([np.linspace(u.min(), u.max(), 21), np.linspace(v.min(), v.max(), 21)], axis=-1)
        return [Landmarks(corners, self.local, 0.9)]

    def follow(self) -> "OneHand":
        return self

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def bundled():
    if not BUNDLED.is_dir():
        pytest.skip("the bundled recording is h2s2r-sim's: it is there in a checkout")
    demo = open_demo(BUNDLED)
    return demo, load(truth_path(BUNDLED), DemoTruth)


def test_what_a_part_of_the_picture_shows_is_told_in_pixels_of_the_whole(bundled):
    frame = decode(bundled[0][0], bundled[0].meta.calibration, bundled[0].meta.depth_unit)
    rgb, depth = np.zeros_like(frame.rgb), np.full_like(frame.depth, 0.8)
    rgb[100:140, 200:250, 0] = 255
    painted = replace(frame, rgb=rgb, depth=depth)
    landmarker = OneHand()
    finder = Finder(landmarker)
    first, second = finder.find(painted), finder.find(painted)
    assert len(set(landmarker.sizes)) == 2  # all of the picture, then the part where the hand was
    for found in (first, second):
        np.testing.assert_allclose(found.pixels[[0, -1]], [[200, 100], [249, 139]], atol=2.0)
    assert Finder(OneHand()).find(replace(painted, depth=5 * depth)) is None  # a hand two feet across


class Choosy(OneHand):
    """A landmarker that sees only bright hands with the fingers up, and tells where the wrist is."""

    def find(self, rgb: np.ndarray) -> list[Landmarks]:
        self.sizes.append(rgb.shape[:2])
        hand, wrist = rgb[..., 0] > 200, rgb[..., 1] > 200
        if hand.sum() < 20 or wrist.sum() < 20:
            return []
        tips, root = (np.array(np.nonzero(each))[::-1].mean(axis=1) for each in (hand, wrist))
        if tips[1] > root[1] or abs(tips[0] - root[0]) > abs(tips[1] - root[1]):
            return []
        share = np.linspace(0.0, 1.0, 21)[:, None]
        return [Landmarks(root + share * (tips - root), np.tile([0.0, -1.0, 0.5], (21, 1)), 0.9)]


@pytest.mark.parametrize(("fingers", "local"), [((200, 230), (1.0, 0.0)), ((140, 170), (-1.0, 0.0))])
def test_a_dark_hand_that_does_not_point_up_is_found_at_a_second_look(bundled, fingers, local):
    frame = decode(bundled[0][0], bundled[0].meta.calibration, bundled[0].meta.depth_unit)
    rgb, depth = np.zeros_like(frame.rgb), np.full_like(frame.depth, 0.8)
    # The wrist around (185, 120), the fingers to the right or left of it, both dark.
    rgb[105:136, fingers[0] : fingers[1] + 1, 0], rgb[105:136, 172:199, 1] = 170, 170
    dark, towards = replace(frame, rgb=rgb, depth=depth), np.sign(local[0])
    before = Landmarks(np.array([185.0, 120.0]) + np.linspace(0, 1, 21)[:, None] * [towards * 60, 0.0], None, 0.9)
    assert Choosy().find(rgb) == []
    found = Finder(Choosy()).near(dark, before)
    assert found is not None
    np.testing.assert_allclose(found.pixels[0], [185.0, 120.0], atol=1.5)
    np.testing.assert_allclose(found.pixels[-1], [np.mean(fingers), 120.0], atol=1.5)
    np.testing.assert_allclose(found.p_local[0], [*local, 0.5], atol=1e-9)


def test_a_hand_that_is_lost_for_a_moment_is_looked_for_where_it_was(bundled):
    seen, landmarker = painted(bundled), OneHand()
    finder = Finder(landmarker)
    assert finder.find(seen) is not None
    assert finder.find(replace(seen, rgb=np.zeros_like(seen.rgb), time=seen.time + 0.1)) is None
    landmarker.sizes.clear()
    assert finder.find(replace(seen, time=seen.time + 0.5)) is not None and len(landmarker.sizes) == 1
    landmarker.sizes.clear()
    assert finder.find(replace(seen, time=seen.time + 3.0)) is not None
    assert landmarker.sizes == [seen.rgb.shape[:2]]  # longer ago: all of the picture


class Blind(OneHand):
    """A landmarker that finds a hand only beside something blue; but one that it follows, wherever it goes."""

    def __init__(self, follows: bool = False) -> None:
        super().__init__()
        self.follows, self.knows, self.opened = follows, False, []

    def find(self, rgb: np.ndarray) -> list[Landmarks]:
        if not (self.knows or (rgb[..., 2] > 200).any()):
            return []
        found = super().find(rgb)
        self.knows = self.follows and bool(found)
        return found

    def follow(self) -> "Blind":
        self.opened.append(Blind(follows=True))
        return self.opened[-1]


def film(folder: Path, blue: range, hand: range) -> Demo:
    """Twelve frames: in some a red hand that goes 6 px to the right a frame, 0.8 m away, in some something blue beside it."""
    calibration = Calibration(color=CAMERA, depth=CAMERA, wxyz_xyz_world_camera=(1, 0, 0, 0, 0, 0, 0))
    meta = DemoMeta(name="film", calibration=calibration, depth_unit=0.001, licence="CC0-1.0", time_measured=True)
    depth = cv2.imencode(".png", np.full((CAMERA.height, CAMERA.width), 800, np.uint16))[1].tobytes()
    with DemoWriter(folder, meta) as writer:
        for index in range(12):
            rgb, left = np.zeros((CAMERA.height, CAMERA.width, 3), np.uint8), 100 + 6 * index
            rgb[130:190, left : left + 70 * (index in hand), 0] = 255
            rgb[130:190, left + 70 : left + 70 + 10 * (index in blue), 2] = 255
            writer.append(index / 30, cv2.imencode(".png", rgb[..., ::-1])[1].tobytes(), depth)
    return open_demo(folder)


def test_a_hand_is_followed_into_frames_in_which_nobody_would_find_it(tmp_path):
    demo, landmarker = film(tmp_path / "film", blue=range(6, 8), hand=range(1, 11)), Blind()
    found = find_all(demo, landmarker, 0, 11)
    assert sorted(found) == list(range(1, 11))
    for index, looks in found.items():
        place = ray_of(decode(demo[index], demo.meta.calibration, 0.001), 134.5 + 6 * index, 159.5)
        np.testing.assert_allclose(looks.as_right.rays.mean(axis=(0, 1)), place, atol=5e-3)
    assert looks.as_left.right[0] == pytest.approx(0.1)  # the look in a mirror, which says "right" there too
    assert find_all(film(tmp_path / "none", blue=range(0), hand=range(12)), Blind(), 0, 11) == {}


def test_a_hand_is_followed_for_itself(bundled):
    frame = painted(bundled)
    where = Finder(OneHand()).find(frame)
    frame.rgb[300:360, 200:270, 0] = 255  # another one, below
    for seen in Follower(OneHand()).look(frame, where):
        assert seen is not None
        np.testing.assert_allclose(seen.pixels.min(axis=0), [200.0, 100.0], atol=1.0)
        np.testing.assert_allclose(seen.pixels.max(axis=0), [269.0, 159.0], atol=1.0)
    assert Follower(NoHand()).look(frame, where) == (None, None)


class NoHand(OneHand):
    """A landmarker that finds none."""

    def find(self, rgb: np.ndarray) -> list[Landmarks]:
        return []


def test_no_hand_is_one_clear_error(bundled):
    with pytest.raises(SchemaError, match="A hand is seen in 0 of frames 3 to 8"):
        track_hand(bundled[0], NoHand(), frames=(3, 8))


class Sided(OneHand):
    """A landmarker that takes a hand with green on its left for a right one, and counts its landmarks from there."""

    def find(self, rgb: np.ndarray) -> list[Landmarks]:
        hands = super().find(rgb)
        if not hands or np.nonzero(rgb[..., 1] > 200)[1].mean() < hands[0].pixels[:, 0].mean():
            return hands
        column, row = hands[0].pixels.T
        return [replace(hands[0], right=0.2, pixels=np.stack((column[::-1], row), axis=-1))]


def painted(bundled) -> RGBDFrame:
    """A red hand with green on its left, 0.8 m away."""
    frame = decode(bundled[0][0], bundled[0].meta.calibration, bundled[0].meta.depth_unit)
    rgb, depth = np.zeros_like(frame.rgb), np.full_like(frame.depth, 0.8)
    rgb[100:160, 200:270, 0], rgb[100:160, 180:199, 1] = 255, 255
    return replace(frame, rgb=rgb, depth=depth)


@pytest.mark.parametrize("kind", [OneHand, Sided])
def test_a_look_in_the_mirror_speaks_for_the_other_side_or_agrees(bundled, kind):
    frame, landmarker = painted(bundled), kind()
    seen = Finder(landmarker).find(frame)
    looks = look_twice(frame, seen, Finder(Mirrored(landmarker)))
    if kind is Sided:  # it sees what it saw: one look, less sure than the surer of the two
        assert looks.as_left is looks.as_right and looks.as_left.right[0] == pytest.approx(0.85)
        np.testing.assert_allclose(looks.as_left.rays.mean(axis=(0, 1)), ray_of(frame, 234.5, 129.5), atol=2e-3)
    else:  # it says "right" whatever it is shown
        assert looks.as_right.right[0] == pytest.approx(0.9) and looks.as_left.right[0] == pytest.approx(0.1)
        assert looks.as_left.rays[0, 0, 0] > looks.as_left.rays[0, 20, 0]
        assert looks.as_right.rays[0, 0, 0] < looks.as_right.rays[0, 20, 0]


def ray_of(frame: RGBDFrame, u: float, v: float) -> tuple[float, float]:
    camera = frame.camera
    return (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy


def test_a_clip_is_of_the_same_hand_as_the_rest_of_its_recording(bundled):
    """Four frames in which everything speaks for the wrong hand: alone they would be believed."""
    right = seen_by_camera(moving_hand())
    wrong = other_hand_of_the_person()
    every = {index: Looks(right[[index]], right[[index]]) for index in range(len(right))}
    clip = {index: Looks(wrong[[index]], wrong[[index]]) for index in range(4)}
    assert fit_path(bundled[0], clip, frames=(0, 3)).side == "left"
    rest = {index: every[index] for index in range(4, len(right))}
    with pytest.raises(SchemaError, match="another one than in the rest of the recording, a right hand"):
        fit_path(bundled[0], clip, frames=(0, 3), elsewhere=rest)
    path = fit_path(bundled[0], clip | rest, frames=(0, len(right) - 1))
    # One that is next to the wrong ones may be flagged with them, and one for its fit.
    assert path.side == "right" and path.lost[:4].all() and path.lost[4:].sum() <= 2 and not path.lost[6:].any()


@pytest.mark.requirement("H10")
def test_bundled_recording_by_mediapipe(bundled):
    pytest.importorskip("mediapipe")
    demo, truth = bundled
    landmarker = mediapipe_hands.open_landmarker()
    found = find_all(demo, landmarker, 20, 39)
    landmarker.close()
    path = fit_path(demo, found, frames=(0, len(demo) - 1))
    assert not path.lost[20:40].any() and path.lost[:20].all() and path.lost[40:].all()
    measured = figures([judge(path, truth, demo.meta.calibration)])
    assert path.side == truth.hand_trajectory.side
    assert measured["hand_mean_mm"] < 15 and measured["hand_fingertip_mm"] < 22
    assert measured["hand_flips_unflagged"] == 0 and measured["hand_wrong_side_unflagged"] == 0


def test_judge_sees_flips_and_wrong_sides(bundled):
    demo, truth = bundled
    true = truth.hand_trajectory
    perfect = figures([judge(true, truth, demo.meta.calibration)])
    assert perfect["hand_mean_mm"] == 0 and perfect["hand_flips_unflagged"] == 0 and perfect["hand_flagged"] == 0
    other = true.replace(side="left" if true.side == "right" else "right")
    assert figures([judge(other, truth, demo.meta.calibration)])["hand_wrong_side_unflagged"] == perfect["hand_frames"]
    turned = 2 * true.p_world_keypoints.mean(axis=1, keepdims=True) - true.p_world_keypoints
    turned = turned.copy()
    turned[..., [5, 17], :] = turned[..., [17, 5], :]
    flips = judge(true.replace(p_world_keypoints=turned), truth, demo.meta.calibration)["flip"]
    assert flips.all()


def test_a_missing_mediapipe_names_the_extra(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(mediapipe_hands, "import_module", missing)
    with pytest.raises(H2S2RError, match=r"pip install 'h2s2r-perception\[mediapipe\]'"):
        mediapipe_hands.open_landmarker()


def test_a_mediapipe_without_models_asks_for_them(monkeypatch, tmp_path):
    class Newer:
        __version__ = "1.2.2"

    monkeypatch.setattr(mediapipe_hands, "import_module", lambda name: Newer)
    with pytest.raises(H2S2RError, match=r"hand_landmarker\.task"):
        mediapipe_hands.open_landmarker()
    with pytest.raises(H2S2RError, match="is not a file"):
        mediapipe_hands.open_landmarker(tmp_path / "none.task")
