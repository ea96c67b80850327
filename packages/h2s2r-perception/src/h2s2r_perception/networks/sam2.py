"""Masks through a recording by SAM 2, in this process (extra [sam2], weights of the user's).

In:  ``Demo``, a prompt per thing in one frame.   Out: masks (H, W) by name, frame by frame.
Not here: masks without a network (segment), the weights.

SAM 2 (Apache-2.0) looks at a whole video at once; its frames are put into a temporary folder as it wants them.
"""

from __future__ import annotations

import importlib
import importlib.util
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from h2s2r_perception.frames import decode_all
from h2s2r_perception.networks.exchange import NetworkError
from h2s2r_schemas.demo import Demo

#: Configurations that come with the package, by a part of the weights' file name.
CONFIGS = {
    "tiny": "sam2.1_hiera_t",
    "small": "sam2.1_hiera_s",
    "base_plus": "sam2.1_hiera_b+",
    "large": "sam2.1_hiera_l",
}


@dataclass(frozen=True)
class Prompt:
    """Where a thing is in one frame: a box, points on it, or a mask."""

    frame: int
    """Of the recording."""
    box: tuple[float, float, float, float] | None = None
    """[px] left, top, right, bottom."""
    points: tuple[tuple[float, float], ...] = ()
    """[px] (u, v) on the thing."""
    mask: np.ndarray | None = None
    """(H, W) bool; alone, without box and points."""


@dataclass(frozen=True)
class Masks:
    """What SAM 2 sees in one frame."""

    index: int
    """Of the frame in the recording."""
    masks: Mapping[str, np.ndarray]
    """(H, W) bool by name; all false where the thing is not seen."""
    scores: Mapping[str, float]
    """0 to 1 by name: mean probability over the mask; 0 for an empty one."""


class Sam2:
    """The network, loaded once.

    Args:
        weights: checkpoint of SAM 2.1, e.g. ``sam2.1_hiera_tiny.pt``; none builds it untrained, for a trial of the machinery.
        config: name of its configuration; by the weights' file name if empty.
        device: of torch; a GPU if there is one and this is empty.
        edge: [px] to which pictures are scaled inside; the weights were trained at 1024, less is faster and coarser.

    Raises:
        NetworkError: the extra is not installed, no such file, a configuration that is not known, or one of other weights.
    """

    def __init__(self, weights: Path | None, config: str = "", device: str = "", edge: int = 1024) -> None:
        for module in ("torch", "torchvision", "sam2"):
            if importlib.util.find_spec(module) is None:
                raise NetworkError(f"{module} is not installed: pip install 'h2s2r-perception[sam2]' (brings torch).")
        if weights is not None and not weights.is_file():
            raise NetworkError(f"{weights} is no file. Get a checkpoint of SAM 2.1 from its authors and give its path.")
        if not config:
            fitting = [name for part, name in CONFIGS.items() if weights is not None and part in weights.name]
            config = fitting[0] if fitting else ("" if weights is not None else CONFIGS["tiny"])
        if config not in CONFIGS.values():
            raise NetworkError(
                f"Which SAM 2 these weights are of is not known ({config!r}): give {', '.join(CONFIGS.values())}."
            )
        import torch  # noqa: PLC0415 - extra

        build: Any = importlib.import_module("sam2.build_sam").build_sam2_video_predictor
        self._torch: Any = torch
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        checkpoint = None if weights is None else str(weights)
        try:
            self._network = build(
                f"configs/sam2.1/{config}.yaml",
                checkpoint,
                self._device,
                hydra_overrides_extra=[f"++model.image_size={edge}"],
            )
        except (RuntimeError, KeyError, EOFError, OSError) as error:
            raise NetworkError(f"{weights} does not load as {config}: {error or 'other layers than it has'}") from error

    def segment(
        self, demo: Demo, prompts: Mapping[str, Prompt], frames: tuple[int, int] | None = None
    ) -> Iterator[Masks]:
        """Follow things through a recording, forward from their prompts and then backward to the beginning.

        Args:
            demo: the recording.
            prompts: by the name that the masks shall have; at least one.
            frames: first and last frame; all if none.

        Raises:
            NetworkError: no prompt, or one that says nothing, or is outside the frames or the picture.
        """
        first, last = (0, len(demo) - 1) if frames is None else frames
        camera = demo.meta.calibration.color
        _check(prompts, first, last, camera.width, camera.height)
        with tempfile.TemporaryDirectory() as folder, self._torch.inference_mode():
            for frame in decode_all(demo, first, last):
                path = Path(folder) / f"{frame.index - first:05d}.jpg"
                cv2.imwrite(str(path), frame.rgb[..., ::-1], (cv2.IMWRITE_JPEG_QUALITY, 95))
            state = self._network.init_state(folder, offload_video_to_cpu=True)
            for number, prompt in enumerate(prompts.values()):
                self._add(state, prompt, prompt.frame - first, number)
            start = min(prompt.frame for prompt in prompts.values()) - first
            names = list(prompts)
            for reverse in (False, True):
                for index, ids, logits in self._network.propagate_in_video(state, start, reverse=reverse):
                    if not (reverse and index == start):
                        yield _masks(index + first, [names[i] for i in ids], logits.float().cpu().numpy())

    def _add(self, state: Any, prompt: Prompt, frame: int, number: int) -> None:
        if prompt.mask is not None:
            self._network.add_new_mask(state, frame, number, prompt.mask)
            return
        points = np.asarray(prompt.points, np.float32).reshape(-1, 2)
        self._network.add_new_points_or_box(
            state,
            frame,
            number,
            points=points if len(points) else None,
            labels=np.ones(len(points), np.int32) if len(points) else None,
            box=None if prompt.box is None else np.asarray(prompt.box, np.float32),
        )


def _masks(index: int, names: list[str], logits: np.ndarray) -> Masks:
    masks = {name: one[0] > 0 for name, one in zip(names, logits, strict=True)}
    scores = {
        name: float((1.0 / (1.0 + np.exp(-one[0][masks[name]]))).mean()) if masks[name].any() else 0.0
        for name, one in zip(names, logits, strict=True)
    }
    return Masks(index, masks, scores)


def _check(prompts: Mapping[str, Prompt], first: int, last: int, width: int, height: int) -> None:
    if not prompts:
        raise NetworkError("Nothing to follow: give a prompt for at least one thing.")
    for name, prompt in prompts.items():
        if not first <= prompt.frame <= last:
            raise NetworkError(f"The prompt for {name} is in frame {prompt.frame}; {first} to {last} are followed.")
        corners = list(prompt.points)
        if prompt.box is not None:
            corners += [prompt.box[:2], prompt.box[2:]]
            if not (prompt.box[0] < prompt.box[2] and prompt.box[1] < prompt.box[3]):
                raise NetworkError(f"The box for {name} is {prompt.box}; it is left, top, right, bottom.")
        if not all(0 <= u <= width and 0 <= v <= height for u, v in corners):
            raise NetworkError(f"The prompt for {name} lies outside the picture of {width}×{height} px.")
        if prompt.mask is not None and (corners or prompt.mask.shape != (height, width) or not prompt.mask.any()):
            raise NetworkError(
                f"The mask for {name} is empty, not of {height}×{width}, or comes with a box or points: give it alone."
            )
        if prompt.mask is None and not corners:
            raise NetworkError(f"The prompt for {name} says nothing: give a box, points or a mask.")
