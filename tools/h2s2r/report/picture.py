"""Human and robot in step as one moving picture, for a page that plays no films.

In:  the films of a report.   Out: an animated WebP.
Not here: making those films (page).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from h2s2r.report import films
from h2s2r_schemas.errors import H2S2RError

#: [Hz] of the picture, [px] of either half.
_RATE, _SIZE = 8.0, (400, 300)


def save_picture(report: Path, human: str, robot: str, ahead: float, file: Path) -> Path:
    """Write it.

    Args:
        report: folder of the report.
        human: name of the human's film in it.
        robot: name of the robot's.
        ahead: [s] of the robot's film when the human's begins.
        file: file to write, ending in .webp.

    Raises:
        H2S2RError: another ending.
    """
    if file.suffix != ".webp":
        raise H2S2RError(f"{file} cannot be written as a moving picture: its name ends in .webp.")
    shown = [(list(films.pictures(report / name)), films.rate(report / name)) for name in (human, robot)]
    duration = max(len(pictures) / rate_hz for pictures, rate_hz in shown)
    frames = []
    for time in np.arange(0.0, duration, 1.0 / _RATE):
        pair = Image.new("RGB", (2 * _SIZE[0] + 4, _SIZE[1]), "white")
        for place, ((pictures, rate_hz), late) in enumerate(zip(shown, (ahead, 0.0), strict=True)):
            index = int(np.clip(round((time - late) * rate_hz), 0, len(pictures) - 1))
            half = Image.fromarray(pictures[index]).resize(_SIZE, Image.Resampling.LANCZOS)
            pair.paste(half, (place * (_SIZE[0] + 4), 0))
        frames.append(pair)
    file.parent.mkdir(parents=True, exist_ok=True)
    frames[0].save(
        file, save_all=True, append_images=frames[1:], duration=round(1000 / _RATE), loop=0, quality=62, method=4
    )
    return file
