"""Episodes as an MP4, without a display.

In:  task, embodiment, ``EpisodeStates``.   Out: an H.264 file.
Not here: collecting the states (episodes), how it looks (stage, look).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from h2s2r_retarget.embodiment import Embodiment
from h2s2r_schemas.artifacts import TaskSpec
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.view.episodes import EpisodeStates
from h2s2r_sim.view.extra import extra_module
from h2s2r_sim.view.offscreen import Painter
from h2s2r_sim.view.stage import Stage

#: Colours of captions: how it ended, and what is behind the words.
_SUCCESS, _FAILURE, _PLAIN, _BAND = (126, 226, 168), (255, 148, 120), (240, 240, 240), (24, 28, 34)
#: Called with frames drawn and frames in all.
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class FilmCfg:
    """How a film looks. Drawing takes most of the time: about 0.08 CPU-seconds a tile with the defaults, 0.02 for a
    draft, in software.
    """

    fps: int = 24
    """[Hz] of the film; states in between are interpolated."""
    size: tuple[int, int] = (640, 480)
    """[px] width and height of one tile; even numbers."""
    columns: int = 2
    """Episodes side by side; 1 shows them one after the other."""
    hold: float = 0.7
    """[s] the last picture stays."""
    shadow_size: int = 1024
    """[px] of the lamp's shadow map; 0 for no shadow."""
    oversampling: int = 2
    """Pixels drawn for one, along either side, against jagged edges."""

    def __post_init__(self) -> None:
        even = all(side > 0 and side % 2 == 0 for side in self.size)
        if not even or min(self.fps, self.columns, self.oversampling) < 1 or min(self.hold, self.shadow_size) < 0:
            raise SchemaError(
                f"This film cannot be made: {self}. Sizes are even and positive, fps, columns and oversampling at least 1."
            )


#: No shadow, jagged edges: for a quick look.
DRAFT = FilmCfg(shadow_size=0, oversampling=1)


def save_film(
    task: TaskSpec,
    embodiment: Embodiment,
    episodes: Sequence[EpisodeStates],
    path: str | Path,
    cfg: FilmCfg | None = None,
    progress: Progress | None = None,
) -> Path:
    """Film episodes: tiled side by side and played at once, or one after the other.

    Args:
        task: what was done.
        embodiment: by whom.
        episodes: what happened, of this robot and this task.
        path: file to write, ending in .mp4; its folder is made if it is not there.
        cfg: how it looks.
        progress: told after every frame.

    Returns:
        The path.

    Raises:
        NoGraphicsError: nothing on this machine draws without a display; the message says what to install.
        SchemaError: no episode, another robot's, or another ending of the file's name.
    """
    cfg, path = cfg or FilmCfg(), Path(path)
    joints = len(embodiment.joint_names)
    if path.suffix != ".mp4" or not episodes or any(each.joint_pos.shape[1] != joints for each in episodes):
        raise SchemaError(
            f"{path} cannot be made of {len(episodes)} episodes: its name ends in .mp4, there is at least one, and "
            f"each has the {joints} joints of {embodiment.name}."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    reels = [list(episodes)] if cfg.columns > 1 else [[each] for each in episodes]
    total = sum(len(_times(reel, cfg)) for reel in reels)
    stage = Stage(task, embodiment, cfg.shadow_size)
    with Painter(stage, *cfg.size, oversampling=cfg.oversampling) as painter:
        # Written under another name: a film that was interrupted is not taken for a whole one.
        unfinished = path.with_suffix(".part.mp4")
        columns, rows = _grid(len(reels[0]), cfg)
        with _Writer(unfinished, cfg.fps, columns * cfg.size[0], rows * cfg.size[1]) as writer:
            for done, frame in enumerate((frame for reel in reels for frame in _frames(painter, reel, cfg)), start=1):
                writer.write(frame)
                if progress is not None:
                    progress(done, total)
        unfinished.replace(path)
    return path


def picture(
    task: TaskSpec, embodiment: Embodiment, episode: EpisodeStates, time: float, cfg: FilmCfg | None = None
) -> np.ndarray:
    """One instant [s] of an episode: (H, W, 3) bytes.

    Raises:
        NoGraphicsError: as ``save_film``.
    """
    cfg = cfg or FilmCfg()
    with Painter(Stage(task, embodiment, cfg.shadow_size), *cfg.size, oversampling=cfg.oversampling) as painter:
        return _tile(painter, episode.at(np.array([time])), 0, cfg)


def _grid(tiles: int, cfg: FilmCfg) -> tuple[int, int]:
    """Columns and rows of so many tiles."""
    columns = min(cfg.columns, tiles)
    return columns, -(-tiles // columns)


def _times(reel: Sequence[EpisodeStates], cfg: FilmCfg) -> np.ndarray:
    """Times (S) [s] of the pictures of episodes that are shown at once."""
    duration = max(episode.duration for episode in reel) + cfg.hold
    return np.arange(int(np.ceil(duration * cfg.fps)) + 1) / cfg.fps


def _frames(painter: Painter, reel: Sequence[EpisodeStates], cfg: FilmCfg) -> Iterator[np.ndarray]:
    times = _times(reel, cfg)
    columns, rows = _grid(len(reel), cfg)
    width, height = cfg.size
    frame = np.full((rows * height, columns * width, 3), _BAND, dtype=np.uint8)
    still = [1 + int(np.ceil(episode.duration * cfg.fps)) for episode in reel]
    episodes = [episode.at(times) for episode in reel]
    for index in range(len(times)):
        for place, episode in enumerate(episodes):
            if index <= still[place]:
                row, column = height * (place // columns), width * (place % columns)
                frame[row : row + height, column : column + width] = _tile(painter, episode, index, cfg)
        yield frame


def _tile(painter: Painter, episode: EpisodeStates, index: int, cfg: FilmCfg) -> np.ndarray:
    """One episode at one of its states, with its title below."""
    poses = episode.wxyz_xyz_world_object[index], episode.wxyz_xyz_world_goal[index]
    painter.stage.place(episode.joint_pos[index], *poses)
    pixels = painter.paint()
    if not episode.title:
        return pixels
    width, height = cfg.size
    band = max(18, height // 18)
    pixels[-band:] = (0.25 * pixels[-band:] + 0.75 * np.array(_BAND)).astype(np.uint8)
    image = extra_module("PIL.Image").fromarray(pixels)
    colour = _PLAIN if episode.success is None else _SUCCESS if episode.success else _FAILURE
    # A letter is about half as wide as it is high: long titles become smaller.
    font = extra_module("PIL.ImageFont").load_default(size=min(0.6 * band, 1.9 * width / len(episode.title)))
    draw = extra_module("PIL.ImageDraw").Draw(image)
    draw.text((width // 2, height - band // 2), episode.title, colour, font, anchor="mm")
    return np.asarray(image)


class _Writer:
    """An H.264 file in colours that every player knows."""

    def __init__(self, path: Path, fps: int, width: int, height: int) -> None:
        av = self._av = extra_module("av")
        self._file = av.open(str(path), "w", options={"movflags": "faststart"})
        self._stream = self._file.add_stream("libx264", rate=Fraction(fps), options={"crf": "21", "preset": "veryfast"})
        self._stream.pix_fmt, self._stream.width, self._stream.height = "yuv420p", width, height

    def write(self, frame: np.ndarray) -> None:
        self._file.mux(self._stream.encode(self._av.VideoFrame.from_ndarray(frame, format="rgb24")))

    def __enter__(self) -> _Writer:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._file.mux(self._stream.encode(None))
        self._file.close()
