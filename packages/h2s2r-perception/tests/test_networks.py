"""Networks behind their doors: the file protocol with a server that speaks it, the real calls in order, SAM 2 untrained.

In:  stand-ins for the networks' own modules, with their real names and signatures; a made recording.   Out: poses, hands, masks.
Not here: how good the networks are.
"""

import importlib.util
import json
import sys
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace

import cv2
import numpy as np
import pytest
import trimesh
from scenes_for_tests import Box, faces_rgb, look_at, render

from h2s2r_perception.frames import project
from h2s2r_perception.networks import doctor, server
from h2s2r_perception.networks.exchange import Exchange, NetworkError, read_folder, write_folder
from h2s2r_perception.networks.foundationpose import FoundationPoseTracker
from h2s2r_perception.networks.hamer import HamerHands, place_in_camera
from h2s2r_perception.networks.sam2 import Prompt, Sam2
from h2s2r_schemas.artifacts import Calibration, ObjectModel, Shape
from h2s2r_schemas.demo import DemoMeta, DemoWriter, open_demo
from h2s2r_schemas.se3 import SE3

SIZE = np.array([0.16, 0.07, 0.10])
T_WORLD_CAMERA = look_at(np.array([0.05, -0.5, 0.4]), (0.0, 0.0, 0.03))
T_WORLD_OBJECT = SE3.exp(np.array([0.0, 0.02, 0.05, 0, 0, 0.3]))
CALLS = []


@pytest.fixture
def serving(tmp_path):
    """Starts the real server loop in a thread, round a network of one's own; stops it afterwards."""
    stop, threads = threading.Event(), []

    def start(name, network, operations):
        folder = tmp_path / f"exchange-{name}"
        thread = threading.Thread(
            target=server.serve, args=(folder, name, network, operations, lambda: not stop.is_set()), daemon=True
        )
        thread.start()
        threads.append(thread)
        while not (folder / "server.json").is_file():
            thread.join(0.005)
        return folder

    yield start
    stop.set()
    for thread in threads:
        thread.join(5)


class Adder:
    def add(self, values, arrays):
        return {"note": values["note"]}, {"sum": arrays["a"] + arrays["b"]}

    def fail(self, values, arrays):
        raise RuntimeError("CUDA out of memory")


def test_a_request_gets_its_reply_and_an_error_its_words(serving):
    folder = serving("adder", Adder(), ("add", "fail"))
    exchange = Exchange(folder, "adder")
    for count in range(3):
        reply = exchange.ask("add", {"note": f"n{count}"}, {"a": np.arange(4.0), "b": np.full(4, count)})
        assert reply.values["note"] == f"n{count}" and reply.arrays["sum"].tolist() == [
            count,
            1 + count,
            2 + count,
            3 + count,
        ]
    with pytest.raises(NetworkError, match="could not fail: RuntimeError: CUDA out of memory"):
        exchange.ask("fail")
    with pytest.raises(NetworkError, match="no operation 'divide'; there are add, fail"):
        exchange.ask("divide")
    assert exchange.ask("add", {"note": ""}, {"a": np.zeros(1), "b": np.ones(1)}).arrays["sum"].tolist() == [1.0]
    assert sorted(path.name for path in folder.iterdir()) == ["server.json"]


def test_nobody_there_or_somebody_else(tmp_path):
    with pytest.raises(NetworkError, match="No server for hamer"):
        Exchange(tmp_path, "hamer")
    (tmp_path / "server.json").write_text(json.dumps({"protocol": 1, "network": "foundationpose"}))
    with pytest.raises(NetworkError, match="hamer with protocol 1 is wanted"):
        Exchange(tmp_path, "hamer")
    silent = Exchange(tmp_path, "foundationpose")
    with pytest.raises(NetworkError, match=r"did not answer 'track' within 0\.05 s"):
        silent.ask("track", timeout=0.05)
    assert not list(tmp_path.glob("request-*"))
    (tmp_path / "reply-000001").mkdir()
    with pytest.raises(NetworkError, match="cannot be read"):
        silent.ask("track", timeout=1.0)


def test_nothing_pickled_is_read(tmp_path):
    write_folder(tmp_path / "message", {"ok": True}, {"a": np.zeros(3)})
    np.save(tmp_path / "message" / "bad.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        read_folder(tmp_path / "message")


# ── FoundationPose ───────────────────────────────────────────────────────────────────────────────────────────────────


class StandInPose:
    """``estimater.FoundationPose`` with its real signature: answers the truth, then what the test says."""

    off = 0.0

    def __init__(
        self,
        model_pts,
        model_normals,
        symmetry_tfs=None,
        mesh=None,
        scorer=None,
        refiner=None,
        glctx=None,
        debug=0,
        debug_dir="debug",
    ):
        CALLS.append(("FoundationPose", len(model_pts), len(model_normals), mesh is not None, scorer, refiner, glctx))

    def register(self, K, rgb, depth, ob_mask, ob_id=None, glctx=None, iteration=5):
        assert rgb.dtype == np.uint8 and depth.dtype == np.float32 and ob_mask.dtype == bool and K.shape == (3, 3)
        assert 0.2 < np.median(depth[ob_mask]) < 1.0  # metres
        CALLS.append(("register", iteration))
        return (T_WORLD_CAMERA.inv() @ T_WORLD_OBJECT).as_matrix()

    def track_one(self, rgb, depth, K, iteration, extra=None):
        CALLS.append(("track_one", iteration))
        shifted = SE3.exp(np.array([StandInPose.off, 0, 0, 0, 0, 0])) @ T_WORLD_CAMERA.inv() @ T_WORLD_OBJECT
        return shifted.as_matrix().astype(np.float32)


def box_model():
    shape = Shape(kind="box", size=SIZE)
    square = SIZE**2
    return ObjectModel(
        name="box",
        visual=(shape,),
        collision=(shape,),
        mass=0.3,
        center_of_mass=np.zeros(3),
        inertia=np.diag(0.3 / 12 * (square.sum() - square)),
    )


def module(monkeypatch, name, **contents):
    made = ModuleType(name)
    made.__dict__.update(contents)
    monkeypatch.setitem(sys.modules, name, made)
    return made


def test_foundationpose_is_called_as_its_demo_calls_it(serving, monkeypatch, tmp_path):
    CALLS.clear()
    monkeypatch.setattr(StandInPose, "off", 0.0)
    monkeypatch.chdir(tmp_path)
    module(
        monkeypatch,
        "estimater",
        FoundationPose=StandInPose,
        ScorePredictor=lambda: "scorer",
        PoseRefinePredictor=lambda: "refiner",
    )
    module(monkeypatch, "nvdiffrast")
    module(monkeypatch, "nvdiffrast.torch", RasterizeCudaContext=lambda: "context")
    made, operations = server.NETWORKS["foundationpose"]
    folder = serving("foundationpose", made(tmp_path, ""), operations)
    box = Box(tuple(SIZE), T_WORLD_OBJECT, faces_rgb(1))
    frame, masks = render([box], T_WORLD_CAMERA)
    tracker = FoundationPoseTracker(box_model(), folder)
    with pytest.raises(NetworkError, match="no pixel with depth"):
        tracker.register(frame, np.zeros_like(masks["object"]))
    first = tracker.register(frame, masks["object"])
    T_camera_object = T_WORLD_CAMERA.inv() @ T_WORLD_OBJECT
    assert not first.lost and first.confidence > 0.9 and first.T_camera_object.distance(T_camera_object)[0] < 1e-6
    assert not tracker.track(frame).lost
    monkeypatch.setattr(StandInPose, "off", 0.25)
    gone = tracker.track(frame)
    assert gone.lost and gone.confidence == 0.0  # the network says no loss: depth does
    assert [call[0] for call in CALLS] == ["FoundationPose", "register", "track_one", "track_one"]
    assert CALLS[0][3:] == (True, "scorer", "refiner", "context") and CALLS[1] == ("register", 5) and CALLS[2][1] == 2


def test_foundationpose_wants_a_mesh_first(serving, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    module(
        monkeypatch, "estimater", FoundationPose=StandInPose, ScorePredictor=lambda: 0, PoseRefinePredictor=lambda: 0
    )
    module(monkeypatch, "nvdiffrast")
    module(monkeypatch, "nvdiffrast.torch", RasterizeCudaContext=lambda: 0)
    made, operations = server.NETWORKS["foundationpose"]
    folder = serving("foundationpose", made(tmp_path, ""), operations)
    with pytest.raises(NetworkError, match="ask setup first"):
        Exchange(folder, "foundationpose").ask("track", None, {"K": np.eye(3), "rgb": np.eye(3), "depth": np.eye(3)})


# ── HaMeR ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def hand_shape():
    """Something hand-sized with 778 vertices and 21 keypoints about its wrist."""
    ball = trimesh.creation.icosphere(4, 1.0)
    vertices = np.asarray(ball.vertices)[np.linspace(0, len(ball.vertices) - 1, 778).astype(int)] * (0.05, 0.09, 0.02)
    keypoints = np.stack((np.linspace(-0.04, 0.04, 21), np.linspace(-0.08, 0.08, 21), np.zeros(21)), 1)
    return vertices, keypoints


@pytest.mark.requirement("H10")
@pytest.mark.parametrize("side", ["right", "left"])
def test_a_hand_lands_where_depth_says(serving, side):
    vertices, keypoints = hand_shape()
    mirror = np.array([1.0 if side == "right" else -1.0, 1, 1])
    bare, _ = render([], T_WORLD_CAMERA)
    camera, centre = bare.camera, np.array([0.03, -0.02, 0.45])
    ball = trimesh.creation.icosphere(5, 1.0)
    surface = np.asarray(ball.vertices) * (0.05, 0.09, 0.02) * mirror + centre
    depth = bare.depth.copy()
    u, v = np.rint(project(camera, surface)).astype(int).T
    behind = np.full(depth.shape, np.inf)
    np.minimum.at(behind, (v, u), surface[:, 2])
    behind = cv2.erode(behind.astype(np.float32), np.ones((3, 3)))
    depth = np.where(np.isfinite(behind), behind, depth).astype(np.float32)
    from dataclasses import replace

    frame = replace(bare, depth=depth)
    box = np.array([u.min(), v.min(), u.max(), v.max()], float)
    size = 2.0 * max(box[2] - box[0], box[3] - box[1])
    middle = (box[:2] + box[2:]) / 2
    asked = []

    class Network:
        """Sees the hand 4 cm too far, as a network that knows no depth does."""

        def predict(self, values, arrays):
            asked.append(arrays)
            far = centre + (0, 0, 0.04)
            scale = 2 * camera.fx / (size * far[2])
            tx = far[0] - (middle[0] - camera.cx) * far[2] / camera.fx
            ty = far[1] - (middle[1] - camera.cy) * far[2] / camera.fy
            crop = np.array([[scale, tx * mirror[0], ty]])
            found = {"camera": crop, "centre": middle[None], "size": np.array([size])}
            return {}, {**found, "keypoints": keypoints[None], "vertices": vertices[None]}

    hands = HamerHands(serving("hamer", Network(), ("predict",)))
    hand = hands.look(frame, box, side)
    assert asked[0]["right"].tolist() == [1.0 if side == "right" else 0.0] and asked[0]["boxes"].shape == (1, 4)
    assert np.abs(hand.p_camera_keypoints - (keypoints * mirror + centre)).max() < 0.008
    assert 0.02 < hand.moved < 0.06 and hand.residual < 0.006
    for wrong, says in [((box, "both"), "left or right"), ((box[::-1], side), "left, top, right, bottom")]:
        with pytest.raises(NetworkError, match=says):
            hands.look(frame, *wrong)
    with pytest.raises(NetworkError, match="measured points on the hand"):
        hands.look(replace(frame, depth=0 * frame.depth), box, side)


def test_the_crop_camera_is_taken_with_the_true_focal_length():
    """A point of the hand's middle projects to where the crop has it, whatever the principal point."""
    camera = render([], T_WORLD_CAMERA)[0].camera.replace(cx=170.0, cy=110.0)
    place = place_in_camera(np.array([8.0, 0.0, 0.0]), np.array([200.0, 80.0]), 120.0, camera, "right")
    assert project(camera, place) == pytest.approx([200.0, 80.0]) and place[2] == pytest.approx(2 * camera.fx / 960)
    with pytest.raises(NetworkError, match="more than 0"):
        place_in_camera(np.array([0.0, 0.0, 0.0]), np.array([0.0, 0.0]), 120.0, camera, "right")


def test_hamer_is_called_as_its_demo_calls_it(monkeypatch, tmp_path):
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    seen = {}

    class Dataset(torch.utils.data.Dataset):
        def __init__(self, cfg, img_cv2, boxes, right, rescale_factor=2.5, train=False, **kwargs):
            seen.update(cfg=cfg, blue=int(img_cv2[0, 0, 0]), rescale=rescale_factor)
            self.boxes, self.right = boxes, right

        def __len__(self):
            return len(self.boxes)

        def __getitem__(self, i):
            box = self.boxes[i]
            return {
                "img": np.zeros((3, 4, 4), np.float32),
                "box_center": (box[:2] + box[2:]) / 2,
                "box_size": float((box[2:] - box[:2]).max()),
                "right": self.right[i],
            }

    class Model:
        def to(self, device):
            return self

        def eval(self):
            return self

        def __call__(self, batch):
            count = len(batch["img"])
            return {
                "pred_keypoints_3d": torch.zeros(count, 21, 3),
                "pred_vertices": torch.zeros(count, 778, 3),
                "pred_cam": torch.ones(count, 3),
            }

    module(monkeypatch, "hamer")
    loaded = {}
    module(
        monkeypatch,
        "hamer.models",
        DEFAULT_CHECKPOINT="default.ckpt",
        load_hamer=lambda path: (loaded.update(path=path), (Model(), "cfg"))[1],
    )
    module(monkeypatch, "hamer.datasets")
    module(monkeypatch, "hamer.datasets.vitdet_dataset", ViTDetDataset=Dataset)
    module(monkeypatch, "hamer.utils", recursive_to=lambda batch, device: batch)
    network = server.Hamer(tmp_path, "")
    rgb = np.zeros((48, 64, 3), np.uint8)
    rgb[..., 2] = 77
    boxes = np.array([[2, 4, 22, 14], [30, 10, 50, 40]], np.float32)
    _, found = network.predict({}, {"rgb": rgb, "boxes": boxes, "right": np.array([1.0, 0.0], np.float32)})
    assert loaded == {"path": "default.ckpt"} and seen == {"cfg": "cfg", "blue": 77, "rescale": 2.0}
    shapes = {name: array.shape for name, array in found.items()}
    assert shapes == {
        "keypoints": (2, 21, 3),
        "vertices": (2, 778, 3),
        "camera": (2, 3),
        "centre": (2, 2),
        "size": (2,),
    }
    assert found["centre"].tolist() == [[12, 9], [40, 25]] and found["size"].tolist() == [20, 30]


def test_the_server_needs_nothing_of_ours():
    """It runs in an old environment in which only NumPy is sure to be."""
    import ast

    tree = ast.parse(Path(server.__file__).read_text(), feature_version=(3, 8))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} - set(sys.stdlib_module_names) == {"numpy"}


# ── SAM 2 ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def recording(folder, frames=3):
    writer = None
    for index in range(frames):
        box = Box(tuple(SIZE), SE3.exp(np.array([0.01 * index, 0, 0, 0, 0, 0])) @ T_WORLD_OBJECT, faces_rgb(1))
        frame, masks = render([box], T_WORLD_CAMERA, index, 0.1 * index)
        if writer is None:
            calibration = Calibration(color=frame.camera, depth=frame.camera)
            meta = DemoMeta(name="made", calibration=calibration, depth_unit=0.001, licence="CC0-1.0")
            writer = DemoWriter(folder, meta).__enter__()
        counts = np.round(frame.depth * 1000).astype(np.uint16)
        writer.append(frame.time, *(cv2.imencode(".png", one)[1].tobytes() for one in (frame.rgb[..., ::-1], counts)))
    writer.__exit__(None, None, None)
    return open_demo(folder), masks["object"]


def test_sam2_that_cannot_be_loaded(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sam2" else SimpleNamespace())
    with pytest.raises(NetworkError, match="sam2 is not installed"):
        Sam2(None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: SimpleNamespace())
    with pytest.raises(NetworkError, match="is no file"):
        Sam2(tmp_path / "absent_tiny.pt")
    (tmp_path / "mine.pt").write_bytes(b"")
    with pytest.raises(NetworkError, match=r"give sam2\.1_hiera_t"):
        Sam2(tmp_path / "mine.pt")


@pytest.mark.parametrize(
    ("prompts", "says"),
    [
        ({}, "Nothing to follow"),
        ({"cup": Prompt(9, box=(0, 0, 9, 9))}, "in frame 9; 0 to 2"),
        ({"cup": Prompt(0)}, "says nothing"),
        ({"cup": Prompt(0, box=(9, 0, 2, 9))}, "left, top, right, bottom"),
        ({"cup": Prompt(0, points=((400, 10),))}, "outside the picture"),
        ({"cup": Prompt(0, mask=np.zeros((240, 320), bool))}, "empty"),
    ],
)
def test_a_prompt_with_a_mistake(prompts, says, tmp_path):
    demo, _ = recording(tmp_path / "demo")
    network = object.__new__(Sam2)  # checked before the network is needed
    with pytest.raises(NetworkError, match=says):
        next(network.segment(demo, prompts))


@pytest.mark.slow
@pytest.mark.requirement("H05")
def test_sam2_untrained_runs_on_the_cpu(tmp_path):
    """Random weights: what it says means nothing; that frames, prompts and masks go through, in both directions, does."""
    pytest.importorskip("sam2")
    pytest.importorskip("torchvision")
    demo, mask = recording(tmp_path / "demo")
    network = Sam2(None, device="cpu", edge=256)
    prompts = {"object": Prompt(1, box=(80.0, 60.0, 200.0, 160.0)), "thing": Prompt(1, mask=mask)}
    found = list(network.segment(demo, prompts))
    assert [masks.index for masks in found] == [1, 2, 0]
    for masks in found:
        assert set(masks.masks) == {"object", "thing"}
        assert all(one.shape == (240, 320) and one.dtype == bool for one in masks.masks.values())
        assert all(0.0 <= score <= 1.0 for score in masks.scores.values())
    # A mask that was given is kept in its own frame, but for the network's resampling.
    kept = found[0].masks["thing"]
    assert (kept & mask).sum() / (kept | mask).sum() > 0.9


# ── doctor ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_doctor_says_what_is_there_what_is_missing_and_the_licence(serving, monkeypatch):
    folder = serving("hamer", Adder(), ("add",))
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sam2" else real(name))
    found = {finding.name: finding for finding in doctor.examine([folder])}
    assert set(found) == {"mediapipe", "sam2", "realsense", "live", "view", "scan", "foundationpose", "hamer"}
    assert not found["sam2"].ready and "sam2 missing: pip install 'h2s2r-perception[sam2]'" in found["sam2"].says
    assert found["hamer"].ready and "MANO" in found["hamer"].licence
    assert not found["foundationpose"].ready and "server.py foundationpose" in found["foundationpose"].says
    assert "research and evaluation only" in found["foundationpose"].licence
