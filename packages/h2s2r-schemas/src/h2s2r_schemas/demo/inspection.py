"""What a recording is, in plain data.

In:  a folder.   Out: nested mappings; every picture is read and checked.
Not here: printing it (cli).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_schemas.codec.inspection import describe
from h2s2r_schemas.demo.folder import open_demo


def inspect_demo(folder: Path) -> dict[str, Any]:
    """What a recording is.

    Returns:
        ``what`` (``"Demo"``), ``schema``, ``version``, ``frames``, ``seconds``, from two frames on ``median_hz`` and
        ``longest_gap_s``, ``masks`` (how many frames have one, by name), ``sha256`` and ``fields`` (of its meta).

    Raises:
        SchemaError: it is not a valid recording, or one of its pictures is damaged.
    """
    demo = open_demo(folder)
    time, gaps = demo.meta.time, np.diff(demo.meta.time)
    rate = {"median_hz": 1.0 / float(np.median(gaps)), "longest_gap_s": float(gaps.max())} if len(gaps) else {}
    return {
        "what": "Demo",
        "schema": demo.meta.schema,
        "version": demo.meta.version,
        "frames": len(demo),
        "seconds": float(time[-1] - time[0]) if len(time) else 0.0,
        **rate,
        "masks": {name: len(demo.frames_with_mask(name)) for name in demo.meta.mask_names},
        "sha256": demo.hash(),
        "fields": describe(demo.meta),
    }
