"""Pixels without a display.

In:  ``Stage``.   Out: images (H, W, 3).
Not here: what is on the stage (stage), films (film).
"""

from __future__ import annotations

import importlib
import os
import platform
import subprocess
import sys
from functools import cache
from types import TracebackType
from typing import Any

import mujoco
import numpy as np

from h2s2r_sim.view.extra import NoGraphicsError, extra_module
from h2s2r_sim.view.stage import Stage

#: Ways to draw without a display, the better one first.
_BACKENDS = {"Linux": ("egl", "osmesa"), "Darwin": ("cgl", "glfw"), "Windows": ("glfw",)}


@cache
def offscreen_backend() -> str:
    """Which of MuJoCo's OpenGL contexts works here: that of ``MUJOCO_GL`` if it names one, else the first that does.

    Each is tried in a process of its own: a missing display or driver can end the one that asks.

    Raises:
        NoGraphicsError: none works.
    """
    chosen = os.environ.get("MUJOCO_GL", "").lower()
    named = chosen in {name for names in _BACKENDS.values() for name in names}
    candidates = (chosen,) if named else _BACKENDS.get(platform.system(), ("glfw",))
    for name in candidates:
        if _works(name):
            return name
    raise NoGraphicsError(
        f"No picture can be drawn here: OpenGL by {' or '.join(candidates)} does not work"
        f"{' (MUJOCO_GL asks for it)' if named else ''}. On Debian and Ubuntu: apt-get install libegl1 libgl1-mesa-dri, "
        "or libosmesa6. Everything but pictures works without."
    )


def _works(backend: str) -> bool:
    """Whether a picture of a few pixels can be made."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYOPENGL_PLATFORM", "MUJOCO_GL")}
    code = f"from mujoco.{backend} import GLContext as C; c = C(16, 16); c.make_current(); c.free()"
    tried = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, check=False)
    return tried.returncode == 0


class Painter:
    """Draws a stage. To be closed, or used in a ``with``.

    Args:
        stage: what is drawn.
        width: [px] of an image.
        height: [px].
        oversampling: how many pixels are drawn for one, along either side, against jagged edges.

    Raises:
        NoGraphicsError: nothing draws here; the message says what to install.
    """

    def __init__(self, stage: Stage, width: int = 640, height: int = 480, oversampling: int = 2) -> None:
        self.stage, self._oversampling = stage, oversampling
        self._image = extra_module("PIL.Image")
        width, height = oversampling * width, oversampling * height
        model = stage.scene.model
        model.vis.global_.offwidth, model.vis.global_.offheight = width, height
        self._rectangle = mujoco.MjrRect(0, 0, width, height)
        self._pixels = np.empty((height, width, 3), dtype=np.uint8)
        # Not mujoco.GLContext: that one was decided when mujoco was first imported, wherever that was.
        self._context: Any = importlib.import_module(f"mujoco.{offscreen_backend()}").GLContext(width, height)
        self._context.make_current()
        self._painter = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._painter)
        self._drawn = mujoco.MjvScene(model, model.ngeom + 256)
        self._drawn.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = False
        self._options = mujoco.MjvOption()
        self._camera = mujoco.MjvCamera()

    def paint(self) -> np.ndarray:
        """The stage as it is now: (H, W, 3) bytes, which are the caller's."""
        eye, camera = self.stage.camera, self._camera
        camera.lookat, camera.distance = eye.p_world_lookat, eye.distance
        camera.azimuth, camera.elevation = eye.azimuth, eye.elevation
        self._context.make_current()
        everything = mujoco.mjtCatBit.mjCAT_ALL
        scene, data = self.stage.scene, self.stage.data
        mujoco.mjv_updateScene(scene.model, data, self._options, None, camera, everything, self._drawn)
        self.stage.decorate(self._drawn)
        mujoco.mjr_render(self._rectangle, self._drawn, self._painter)
        mujoco.mjr_readPixels(self._pixels, None, self._rectangle, self._painter)
        picture = self._image.fromarray(self._pixels[::-1])
        return np.array(picture.reduce(self._oversampling) if self._oversampling > 1 else picture)

    def close(self) -> None:
        """Give the graphics memory back."""
        if self._context is not None:
            self._context.make_current()
            self._painter.free()
            self._context.free()
            self._context = None

    def __enter__(self) -> Painter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()
