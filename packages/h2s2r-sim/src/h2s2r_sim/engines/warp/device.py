"""The libraries of the extra ``warp``, and where they compute.

In:  the name of a device.   Out: the device, or one error that says why not; ``wp`` and ``mjw`` for the modules beside this.
Not here: what is computed there (worlds).
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from h2s2r_sim.engine import EngineError

# By name, as neither has types, and the distribution of the first is not called as it is.
wp: Any = import_module("warp")
mjw: Any = import_module("mujoco_warp")
# Warp announces itself, and every kernel that it compiles, on standard output otherwise.
wp.config.log_level = wp.LOG_WARNING


def find_device(name: str) -> Any:
    """A Warp device.

    Args:
        name: ``cuda`` (the first GPU), ``cuda:N``, or ``cpu``, which is slow and there to compare with.

    Raises:
        EngineError: there is no such device here.
    """
    known = ["cpu", *(f"cuda:{index}" for index in range(wp.get_cuda_device_count()))]
    wanted = "cuda:0" if name == "cuda" else name
    if wanted in known:
        return wp.get_device(wanted)
    if wanted.startswith("cuda") and len(known) == 1:
        raise EngineError(
            "Engine 'warp' computes on a GPU, and there is no CUDA device here. Use engine 'mujoco', which is the faster one "
            "on a CPU; 'warp:cpu' is there to compare results with."
        )
    raise EngineError(f"There is no device {name!r} for engine 'warp'; there are: {', '.join(known)}.")
