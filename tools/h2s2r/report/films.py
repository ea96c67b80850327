"""Films as every browser plays them, cut to what is shown side by side.

In:  MP4 files of the stages.   Out: H.264 files that start at once and can be scrubbed.
Not here: drawing what is in them (h2s2r-perception's and h2s2r-sim's views).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

#: Pictures from one that stands alone to the next: scrubbing jumps to those.
_TOGETHER = 6
#: Times of pictures are whole milliseconds.
_CLOCK = Fraction(1, 1000)


def pictures(film: Path) -> Iterator[np.ndarray]:
    """(H, W, 3) bytes, one picture after the other."""
    with av.open(str(film)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def rate(film: Path) -> float:
    """[Hz] pictures a second."""
    with av.open(str(film)) as container:
        return float(container.streams.video[0].average_rate or 30)


def write_film(
    film: Path, shown: Iterator[np.ndarray] | Sequence[np.ndarray], times: Sequence[float] | np.ndarray
) -> Path:
    """Write pictures as H.264.

    Args:
        film: file to write, ending in .mp4.
        shown: (H, W, 3) bytes each; odd sides lose a pixel.
        times: [s] when each is shown, growing.
    """
    first: np.ndarray | None = None
    with av.open(str(film), "w", options={"movflags": "faststart"}) as container:
        options = {"crf": "24", "preset": "veryfast", "g": str(_TOGETHER)}
        stream = container.add_stream("libx264", rate=_usual(times), options=options)
        stream.pix_fmt, stream.codec_context.time_base = "yuv420p", _CLOCK
        for pixels, time in zip(shown, times, strict=True):
            if first is None:
                first = pixels
                stream.height, stream.width = (side - side % 2 for side in pixels.shape[:2])
            even = np.ascontiguousarray(pixels[: stream.height, : stream.width])
            frame = av.VideoFrame.from_ndarray(even, format="rgb24")
            frame.pts, frame.time_base = round(1000 * (time - times[0])), _CLOCK
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return film


def convert(source: Path, film: Path) -> Path:
    """The whole of a film, as browsers play it."""
    return _rewritten(source, film, list(pictures(source)))


def one_tile(source: Path, film: Path, width: int, height: int) -> Path:
    """The upper left [px] of a film of several episodes: the first of them."""
    return _rewritten(source, film, [picture[:height, :width] for picture in pictures(source)])


def _rewritten(source: Path, film: Path, shown: Sequence[np.ndarray]) -> Path:
    rate_hz = rate(source)
    return write_film(film, shown, [index / rate_hz for index in range(len(shown))])


def _usual(times: Sequence[float] | np.ndarray) -> Fraction:
    steps = np.diff(np.asarray(times, dtype=np.float64))
    return Fraction(1.0 / float(np.median(steps)) if len(steps) else 30.0).limit_denominator(1000)
