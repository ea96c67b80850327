"""``segment``: masks of object and hand through a recording by SAM 2, into a copy of it.

In:  a ``Demo``, weights, a box per thing.   Out: a ``Demo`` with those masks.
Not here: the network (networks.sam2).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from h2s2r_perception.cli.values import Verbs
from h2s2r_schemas.demo import DemoWriter, open_demo
from h2s2r_schemas.errors import SchemaError


def run(chosen: argparse.Namespace) -> int:
    """A copy of a recording with masks."""
    from h2s2r_perception.networks.sam2 import Prompt, Sam2  # noqa: PLC0415

    demo = open_demo(chosen.demo)
    if demo.meta.calibration.color.distortion.any():
        raise SchemaError(
            "SAM 2's masks are of pictures without lens distortion; these have some. Rectify the recording first."
        )
    prompts = {name: Prompt(chosen.frame, box=box) for name, box in chosen.thing}
    network = Sam2(chosen.weights, chosen.config, chosen.device)
    masks: dict[int, dict[str, np.ndarray]] = {}
    for found in network.segment(demo, prompts):
        masks[found.index] = dict(found.masks)
    names = tuple(dict.fromkeys((*demo.meta.mask_names, *prompts)))
    with DemoWriter(chosen.out, demo.meta.replace(mask_names=names)) as writer:
        for frame in demo:
            new = {name: _encoded(mask) for name, mask in masks.get(frame.index, {}).items()}
            writer.append(frame.time, frame.rgb, frame.depth, {**frame.masks, **new})
    print(f"written: {chosen.out}, masks of {', '.join(prompts)} in {len(masks)} frames")
    return 0


def _encoded(mask: np.ndarray) -> bytes:
    return cv2.imencode(".png", mask.astype(np.uint8) * 255)[1].tobytes()


def _thing(text: str) -> tuple[str, tuple[float, float, float, float]]:
    name, _, corners = text.partition("=")
    try:
        left, top, right, bottom = (float(value) for value in corners.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=LEFT,TOP,RIGHT,BOTTOM in pixels") from error
    return name, (left, top, right, bottom)


def add(verbs: Verbs) -> None:
    """Its arguments."""
    segment = verbs.add_parser("segment", help="masks through a recording by SAM 2 (extra [sam2], your weights)")
    segment.add_argument("demo", type=Path, help="folder of the recording")
    segment.add_argument(
        "thing", type=_thing, nargs="+", metavar="NAME=LEFT,TOP,RIGHT,BOTTOM", help="a thing and its box in --frame"
    )
    segment.add_argument("--weights", type=Path, required=True, help="checkpoint of SAM 2.1")
    segment.add_argument("--config", default="", help="its configuration, if the weights' name does not say")
    segment.add_argument("--device", default="", help="of torch; a GPU if there is one")
    segment.add_argument("--frame", type=int, default=0, help="in which the boxes are")
    segment.add_argument("--out", type=Path, required=True, help="folder of the copy")
    segment.set_defaults(run=run)
