"""The faults of a stereo depth camera, each with a name; and two sets of them.

In:  nothing.   Out: ``DepthFaults``, ``D435``, ``NO_FAULTS``.
Not here: what they do to a picture (measure) and to time (shutter).
"""

from __future__ import annotations

from dataclasses import dataclass

from h2s2r_schemas.errors import SchemaError


@dataclass(frozen=True)
class DepthFaults:
    """What is wrong with measured depth; 0 switches a fault off."""

    baseline: float = 0.050
    """[m] between the two imagers; D435: 50 mm (data sheet 337029-005)."""
    focal_px: float = 424.0
    """[px] of the imagers at 848 px across 90°, the D435's best resolution (Grunnet-Jepsen et al., "Tuning depth cameras for
    best performance"): disparity is focal_px · baseline / depth."""
    disparity_noise_px: float = 0.0
    """[px] standard deviation of the disparity. The same guide: the RMS error of depth is depth² · this / (focal_px · baseline),
    and this is below 0.1, often 0.08, on a good target."""
    noise_width_px: float = 0.0
    """[px] of the colour picture over which the noise is alike (standard deviation of a Gaussian): stereo matches windows."""
    disparity_step_px: float = 0.0
    """[px] of the disparity's steps. D4xx cameras compute 1/32 px (Keselman et al., CVPR Workshops 2017)."""
    edge_mixing: float = 0.0
    """Share of the pixels beside a step in depth that get some depth between its two sides: flying pixels."""
    edge_step: float = 0.02
    """[m] from which a change between neighbouring pixels counts as such a step."""
    hole_share: float = 0.0
    """Share of the picture without measurement, in spots: no texture, glints."""
    hole_width_px: float = 4.0
    """[px] size of such spots."""
    grazing_cos: float = 0.0
    """Surfaces seen at a cosine below this to their normal are not measured."""
    shadows: bool = False
    """Whether strips that only one of the two imagers sees are not measured."""
    near: float = 0.0
    """[m] nothing is measured nearer; D435 at 848 by 480: 0.20 m or less."""
    far: float = 1e3
    """[m] nothing is measured farther."""
    offset_px: tuple[float, float] = (0.0, 0.0)
    """[px] right and down, in whole pixels, by which depth lies off the colour picture: an imperfect calibration."""
    delay: float = 0.0
    """[s] by which depth is taken later than colour."""
    time_jitter: float = 0.0
    """[s] standard deviation of when a frame is taken; at most a fifth of the time between two."""
    dropped: float = 0.0
    """Share of frames that are never delivered."""
    repeated: float = 0.0
    """Share of frames in which the one before is delivered again, with a new time stamp."""

    def __post_init__(self) -> None:
        for name in ("edge_mixing", "hole_share", "grazing_cos", "dropped", "repeated"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise SchemaError(
                    f"DepthFaults.{name} is {getattr(self, name)}; it is a share, at least 0 and below 1."
                )
        for name in ("baseline", "focal_px", "edge_step"):
            if getattr(self, name) <= 0.0:
                raise SchemaError(f"DepthFaults.{name} is {getattr(self, name)}; it must be above 0.")
        for name in ("disparity_noise_px", "noise_width_px", "disparity_step_px", "time_jitter"):
            if getattr(self, name) < 0.0:
                raise SchemaError(f"DepthFaults.{name} is {getattr(self, name)}; it must not be negative.")

    def depth_noise(self, depth: float) -> float:
        """[m] standard deviation of measured depth at a true depth [m], steps aside."""
        return depth * depth * self.disparity_noise_px / (self.focal_px * self.baseline)


#: A perfect camera.
NO_FAULTS = DepthFaults()

#: A RealSense D435 with depth aligned to colour, at 0.5 to 1 m. Noise and steps are the published ones; about 5 % of holes
#: were measured in a D435 recording of a hand with a mug; the shares of edges, drops and repeats, the offset and the delay
#: (colour and depth are not triggered together) are our estimates.
D435 = DepthFaults(
    disparity_noise_px=0.08,
    noise_width_px=1.5,
    disparity_step_px=1 / 32,
    edge_mixing=0.5,
    hole_share=0.01,
    grazing_cos=0.12,
    shadows=True,
    near=0.20,
    far=4.0,
    offset_px=(1.0, 0.0),
    delay=0.004,
    time_jitter=0.0005,
    dropped=0.003,
    repeated=0.003,
)
