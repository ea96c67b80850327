"""Drawing a MuJoCo scene without a screen: colour once, identity and depth once.

In:  a model, a size.   Out: ``Offscreen``, whose passes give pixels.
Not here: what is in the scene (stage).

``mujoco.Renderer`` needs a third pass for depth, and its way to the graphics driver is settled when MuJoCo is imported.
"""

from __future__ import annotations

import importlib
from typing import Any

import mujoco
import numpy as np

from h2s2r_sim.view.offscreen import offscreen_backend


class Offscreen:
    """An invisible window on a model; ``close`` it.

    Args:
        model: whose ``vis.global_`` is at least as large.
        width: [px]
        height: [px]

    Raises:
        NoGraphicsError: nothing draws here; the message says what to install.
    """

    def __init__(self, model: mujoco.MjModel, width: int, height: int) -> None:
        self._model = model
        self._gl: Any = importlib.import_module(f"mujoco.{offscreen_backend()}").GLContext(width, height)
        self._gl.make_current()
        self.scene = mujoco.MjvScene(model, maxgeom=1000)
        self._options, self._camera = mujoco.MjvOption(), mujoco.MjvCamera()
        self._camera.type, self._camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, 0
        self._rect = mujoco.MjrRect(0, 0, width, height)
        self._shape = (height, width)
        self._window = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._window)
        self._window.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR

    def close(self) -> None:
        """Give the window back."""
        self._window.free()
        self._gl.free()

    def update(self, data: mujoco.MjData) -> None:
        """Take over where everything is, seen from the model's first camera."""
        everything = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(self._model, data, self._options, None, self._camera, everything, self.scene)

    def colour(self) -> np.ndarray:
        """(H, W, 3) uint8."""
        self._draw(identity=False)
        rgb = np.empty((*self._shape, 3), np.uint8)
        mujoco.mjr_readPixels(rgb, None, self._rect, self._window)
        return np.ascontiguousarray(rgb[::-1])

    def identity_and_depth(self) -> tuple[np.ndarray, np.ndarray]:
        """(H, W) which of ``scene.geoms`` by its ``segid`` + 1, 0 for none; and (H, W) float32 [m] along the axis."""
        self._draw(identity=True)
        rgb, near = np.empty((*self._shape, 3), np.uint8), np.empty(self._shape, np.float32)
        mujoco.mjr_readPixels(rgb, near, self._rect, self._window)
        red, green, blue = (rgb[::-1, :, channel].astype(np.int32) for channel in range(3))
        return red + 256 * (green + 256 * blue), self._metric(near[::-1])

    def depth(self) -> np.ndarray:
        """(H, W) float32 [m] along the axis."""
        self._draw(identity=True)
        near = np.empty(self._shape, np.float32)
        mujoco.mjr_readPixels(None, near, self._rect, self._window)
        return self._metric(near[::-1])

    def _draw(self, identity: bool) -> None:
        self._gl.make_current()
        flags = self.scene.flags
        flags[mujoco.mjtRndFlag.mjRND_SHADOW] = False
        flags[mujoco.mjtRndFlag.mjRND_SEGMENT] = flags[mujoco.mjtRndFlag.mjRND_IDCOLOR] = identity
        mujoco.mjr_render(self._rect, self.scene, self._window)

    def _metric(self, near: np.ndarray) -> np.ndarray:
        """Depth [m] from what the depth buffer holds: 1 at the near plane, 0 at the far one, linear in 1/depth between."""
        bounds, extent = self._model.vis.map, self._model.stat.extent
        first, last = 1 / (bounds.znear * extent), 1 / (bounds.zfar * extent)
        # 1/depth is at most 20, so single precision is off by less than a micrometre at one metre.
        return 1.0 / (np.float32(last) + near * np.float32(first - last))
