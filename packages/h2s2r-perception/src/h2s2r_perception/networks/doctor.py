"""What is installed for which part, what is missing, and under whose licence it comes.

In:  this environment, folders of network servers.   Out: ``Finding``s.
Not here: installing anything.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from h2s2r_perception.networks.exchange import Exchange, NetworkError


@dataclass(frozen=True)
class Finding:
    """One part."""

    name: str
    """Of the part."""
    ready: bool
    """Whether it can be used now."""
    says: str
    """What is there, or what to do."""
    licence: str
    """Under which it, and its weights, come."""


#: Parts in this process: name, modules it needs, distribution, extra, what is needed besides, licence.
_HERE = (
    ("mediapipe", ("mediapipe",), "mediapipe", "mediapipe", "", "Apache-2.0, models in the wheel"),
    (
        "sam2",
        ("torch", "torchvision", "sam2"),
        "sam2",
        "sam2",
        "a checkpoint of SAM 2.1, given by its path",
        "Apache-2.0, code and weights",
    ),
    ("realsense", ("pyrealsense2",), "pyrealsense2", "realsense", "a camera, or its file", "Apache-2.0"),
    ("live", ("zmq",), "pyzmq", "live", "", "BSD-3-Clause (libzmq: MPL-2.0)"),
    ("view", ("viser",), "viser", "view", "", "MIT"),
    ("scan", ("coacd", "fast_simplification"), "coacd", "scan", "", "MIT"),
)
#: Networks in their own environment: name, repository, weights, licence.
_THERE = (
    (
        "foundationpose",
        "NVlabs/FoundationPose",
        "2023-10-28-18-33-37 and 2024-01-11-20-02-45 under weights/",
        "NVIDIA source licence: research and evaluation only",
    ),
    (
        "hamer",
        "geopavlakos/hamer",
        "its checkpoint and MANO_RIGHT.pkl under _DATA/",
        "MIT; MANO: own licence, non-commercial research",
    ),
)


def examine(folders: Sequence[Path] = ()) -> list[Finding]:
    """Every part of the package that needs more than the base install.

    Args:
        folders: of exchanges in which network servers may run.
    """
    return [*(_here(*part) for part in _HERE), *(_there(*part, folders) for part in _THERE)]


def _here(name: str, modules: tuple[str, ...], distribution: str, extra: str, besides: str, licence: str) -> Finding:
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        return Finding(name, False, f"{', '.join(missing)} missing: pip install 'h2s2r-perception[{extra}]'", licence)
    if name == "realsense":
        try:
            importlib.import_module("pyrealsense2")
        except ImportError as error:
            return Finding(name, False, f"installed, but does not load: {error}; it needs libusb-1.0-0", licence)
    version = importlib.metadata.version(distribution)
    return Finding(name, True, f"{distribution} {version}{f'; needs {besides}' if besides else ''}", licence)


def _there(name: str, repository: str, weights: str, licence: str, folders: Sequence[Path]) -> Finding:
    for folder in folders:
        try:
            Exchange(folder, name)
        except NetworkError:
            continue
        return Finding(name, True, f"served at {folder}", licence)
    server = Path(__file__).with_name("server.py")
    return Finding(
        name,
        False,
        f"not served. Install github.com/{repository} as its authors say, with {weights}; then, with its Python: "
        f"python {server} {name} --repository REPOSITORY --folder FOLDER",
        licence,
    )
