"""The other side of the exchange: runs FoundationPose or HaMeR in their own environment. Needs nothing of h2s2r.

In:  requests in a folder (protocol: exchange.py).   Out: replies there.
Not here: the networks, which their authors give under their own licences, and their weights.

Start it with the Python of the network's environment, from anywhere::

    python server.py foundationpose --repository FoundationPose --folder exchange
    python server.py hamer --repository hamer --weights hamer_ckpts/checkpoints/hamer.ckpt --folder exchange

Runs on Python 3.8. Imports of the networks go by name, since they exist only there.
"""

# ruff: noqa: UP006, UP032, UP035 - what those ask for does not exist in Python 3.8

from __future__ import annotations

import argparse
import importlib
import json
import os
import shutil
import sys
import time
import traceback
from pathlib import Path
from typing import Any, Callable, Dict, Tuple

import numpy as np

PROTOCOL = 1
Arrays = Dict[str, np.ndarray]
Answer = Tuple[Dict[str, Any], Arrays]


class FoundationPose:
    """NVlabs/FoundationPose: ``setup`` with a mesh [m], ``register`` with a mask, ``track`` from frame to frame."""

    def __init__(self, repository: Path, weights: str) -> None:
        sys.path.insert(0, str(repository))
        os.chdir(repository)  # it looks for weights/ beside its code
        self._estimater = importlib.import_module("estimater")
        self._trimesh = importlib.import_module("trimesh")
        self._dr = importlib.import_module("nvdiffrast.torch")
        self._scorer, self._refiner = self._estimater.ScorePredictor(), self._estimater.PoseRefinePredictor()
        self._context = self._dr.RasterizeCudaContext()
        self._pose: Any = None

    def setup(self, values: Dict[str, Any], arrays: Arrays) -> Answer:
        """A mesh: ``vertices`` (V, 3) [m], ``faces`` (F, 3), optionally ``rgb`` (V, 3) uint8 and ``symmetries`` (S, 4, 4)."""
        mesh = self._trimesh.Trimesh(arrays["vertices"], arrays["faces"], process=False)
        if "rgb" in arrays:
            mesh.visual.vertex_colors = arrays["rgb"]
        self._pose = self._estimater.FoundationPose(
            model_pts=mesh.vertices,
            model_normals=mesh.vertex_normals,
            symmetry_tfs=arrays.get("symmetries"),
            mesh=mesh,
            scorer=self._scorer,
            refiner=self._refiner,
            glctx=self._context,
        )
        return {}, {}

    def register(self, values: Dict[str, Any], arrays: Arrays) -> Answer:
        """``K`` (3, 3), ``rgb`` (H, W, 3) uint8, ``depth`` (H, W) [m], ``mask`` (H, W) bool to ``T_camera_object`` (4, 4)."""
        found = self._ready().register(
            K=arrays["K"],
            rgb=arrays["rgb"],
            depth=arrays["depth"],
            ob_mask=arrays["mask"],
            iteration=int(values.get("iterations", 5)),
        )
        return {}, {"T_camera_object": np.asarray(found, np.float64).reshape(4, 4)}

    def track(self, values: Dict[str, Any], arrays: Arrays) -> Answer:
        """The same without a mask, from the pose of the frame before."""
        found = self._ready().track_one(
            rgb=arrays["rgb"], depth=arrays["depth"], K=arrays["K"], iteration=int(values.get("iterations", 2))
        )
        return {}, {"T_camera_object": np.asarray(found, np.float64).reshape(4, 4)}

    def _ready(self) -> Any:
        if self._pose is None:
            raise ValueError("no mesh yet: ask setup first")
        return self._pose


class Hamer:
    """geopavlakos/hamer, from hand boxes that the asking side gives: its own person detector is not needed."""

    def __init__(self, repository: Path, weights: str) -> None:
        sys.path.insert(0, str(repository))
        os.chdir(repository)  # it looks for _DATA/ beside its code
        self._torch = importlib.import_module("torch")
        models = importlib.import_module("hamer.models")
        self._dataset = importlib.import_module("hamer.datasets.vitdet_dataset").ViTDetDataset
        self._to_device = importlib.import_module("hamer.utils").recursive_to
        self._model, self._cfg = models.load_hamer(weights or models.DEFAULT_CHECKPOINT)
        self._device = "cuda" if self._torch.cuda.is_available() else "cpu"
        self._model = self._model.to(self._device).eval()

    def predict(self, values: Dict[str, Any], arrays: Arrays) -> Answer:
        """``rgb`` (H, W, 3) uint8, ``boxes`` (B, 4) [px] left, top, right, bottom, ``right`` (B) 0 or 1.

        Back: per box ``keypoints`` (B, 21, 3) and ``vertices`` (B, 778, 3) [m] about the wrist, of a right hand (a left one is
        mirrored back by the asking side), ``camera`` (B, 3) s, tx, ty of the crop, ``centre`` (B, 2) and ``size`` (B) [px] of it.
        """
        bgr = np.ascontiguousarray(arrays["rgb"][..., ::-1])
        scale = float(values.get("rescale", 2.0))
        found = self._dataset(self._cfg, bgr, arrays["boxes"], arrays["right"], rescale_factor=scale)
        loader = self._torch.utils.data.DataLoader(found, batch_size=8, shuffle=False, num_workers=0)
        parts: Dict[str, list] = {name: [] for name in ("keypoints", "vertices", "camera", "centre", "size")}
        for batch in loader:
            on_device = self._to_device(batch, self._device)
            with self._torch.no_grad():
                out = self._model(on_device)
            for name, value in (
                ("keypoints", out["pred_keypoints_3d"]),
                ("vertices", out["pred_vertices"]),
                ("camera", out["pred_cam"]),
                ("centre", on_device["box_center"]),
                ("size", on_device["box_size"]),
            ):
                parts[name].append(value.float().cpu().numpy())
        return {}, {name: np.concatenate(blocks) for name, blocks in parts.items()}


NETWORKS = {"foundationpose": (FoundationPose, ("setup", "register", "track")), "hamer": (Hamer, ("predict",))}


def answer(network: Any, operations: Tuple[str, ...], request: Path) -> Answer:
    """What a request gets; an error becomes a reply too."""
    try:
        values = json.loads((request / "values.json").read_text(encoding="utf-8"))
        arrays = {path.stem: np.load(str(path), allow_pickle=False) for path in sorted(request.glob("*.npy"))}
        if values["operation"] not in operations:
            raise ValueError("no operation {!r}; there are {}".format(values["operation"], ", ".join(operations)))
        said, found = getattr(network, values["operation"])(values, arrays)
        return {"ok": True, **said}, found
    except Exception as error:  # noqa: BLE001 - whatever the network raises, the asking side must hear it
        traceback.print_exc()
        return {"ok": False, "error": "{}: {}".format(type(error).__name__, error)}, {}


def serve(folder: Path, name: str, network: Any, operations: Tuple[str, ...], going: Callable[[], bool]) -> None:
    """Answer requests in ``folder`` for as long as ``going()``."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in list(folder.glob("request-*")) + list(folder.glob("reply-*")):
        shutil.rmtree(str(old), ignore_errors=True)
    ready = folder / "server.json.part"
    ready.write_text(json.dumps({"protocol": PROTOCOL, "network": name, "version": sys.version}), encoding="utf-8")
    ready.replace(folder / "server.json")
    try:
        while going():
            waiting = sorted(folder.glob("request-??????"))
            for request in waiting:
                values, arrays = answer(network, operations, request)
                part = folder / (request.name.replace("request", "reply") + ".part")
                part.mkdir()
                for key, array in arrays.items():
                    np.save(str(part / (key + ".npy")), np.ascontiguousarray(array), allow_pickle=False)
                (part / "values.json").write_text(json.dumps(values), encoding="utf-8")
                shutil.rmtree(str(request), ignore_errors=True)
                part.replace(folder / request.name.replace("request", "reply"))
            if not waiting:
                time.sleep(0.005)
    finally:
        (folder / "server.json").unlink()


def main() -> None:
    """Load the network, then serve until interrupted."""
    parser = argparse.ArgumentParser(
        description="Runs a network for h2s2r-perception, in the network's own environment."
    )
    parser.add_argument("network", choices=sorted(NETWORKS))
    parser.add_argument(
        "--repository", type=Path, required=True, help="the network's checkout, installed as its authors say"
    )
    parser.add_argument("--weights", default="", help="checkpoint, if it is not where the authors put it")
    parser.add_argument("--folder", type=Path, required=True, help="for requests and replies; both sides see it")
    chosen = parser.parse_args()
    folder = chosen.folder.resolve()
    weights = str(Path(chosen.weights).resolve()) if chosen.weights else ""
    made, operations = NETWORKS[chosen.network]
    network = made(chosen.repository.resolve(), weights)
    try:
        serve(folder, chosen.network, network, operations, lambda: True)
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")


if __name__ == "__main__":
    main()
