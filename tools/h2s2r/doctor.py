"""What is installed, what each optional part needs and under which licence, and what this machine has.

In:  this environment and machine.   Out: ``Line``s.
Not here: installing anything; a robot or its server (h2s2r-hw doctor, h2s2r-hw selftest).
"""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from h2s2r_hw.config import LogCfg
from h2s2r_hw.selftest.machine import check_machine
from h2s2r_perception.networks.doctor import examine
from h2s2r_sim.view import NoGraphicsError, offscreen_backend

PACKAGES = ("h2s2r-schemas", "h2s2r-retarget", "h2s2r-sim", "h2s2r-rl", "h2s2r-perception", "h2s2r-hw")
#: Optional parts: package, extra, what it is for, under which licence what it brings comes. Perception tells of its own.
_EXTRAS = (
    ("h2s2r-schemas", "client", "talk to a robot server", "BSD-3-Clause (libzmq: MPL-2.0)"),
    ("h2s2r-retarget", "fast", "a compiled kernel for single poses", "BSD-2-Clause (numba)"),
    ("h2s2r-retarget", "torch", "kinematics on tensors", "BSD-3-Clause and others (PyTorch), MIT (pytorch-kinematics)"),
    ("h2s2r-retarget", "view", "robot and hand in the browser", "MIT (viser), PSF-based (matplotlib)"),
    (
        "h2s2r-sim",
        "view",
        "films, and episodes in the browser",
        "BSD-3-Clause (PyAV; its FFmpeg: GPL-2.0+), MIT (viser)",
    ),
    ("h2s2r-sim", "demonstrate", "render recordings", "MIT-CMU (Pillow)"),
    ("h2s2r-sim", "warp", "physics on an NVIDIA GPU", "Apache-2.0 (Warp, MuJoCo Warp)"),
    (
        "h2s2r-rl",
        "train",
        "learn a policy",
        "BSD-3-Clause (rsl_rl) and others (PyTorch), MIT (TensorDict), Apache-2.0 (ONNX)",
    ),
    ("h2s2r-rl", "sweep", "experiments on many machines", "Apache-2.0 (Ray)"),
    ("h2s2r-hw", "emulator", "the emulated cell's physics", "Apache-2.0 (MuJoCo)"),
)


@dataclass(frozen=True)
class Line:
    """One thing that was looked at."""

    about: str
    """``package``, ``part``, ``machine`` or ``robot PC``."""
    name: str
    """Of it."""
    ready: bool
    """Whether it can be used now."""
    says: str
    """What is there, or what to do."""
    licence: str = ""
    """Under which it comes, where that is not ours."""


def look() -> Iterator[Line]:
    """Everything, as soon as it is known. Never fails: what cannot be looked at says why."""
    for name in PACKAGES:
        yield _package(name)
    for package, extra, use, licence in _EXTRAS:
        yield _extra(package, extra, use, licence)
    for finding in examine():
        yield Line("part", f"h2s2r-perception[{finding.name}]", finding.ready, finding.says, finding.licence)
    for name, question in (("computer", _computer), ("GPU", _gpu), ("pictures", _pictures), ("camera", _camera)):
        yield _asked(name, question)
    try:
        for check in check_machine(LogCfg()):
            yield Line("robot PC", check.name, check.ok, check.found if check.ok else f"{check.found} {check.remedy}")
    except Exception as error:  # noqa: BLE001 - a doctor who dies helps nobody
        yield Line("robot PC", "checks", False, f"could not be made: {error}")


def table(lines: Sequence[Line]) -> Table:
    """Lines for a terminal."""
    shown = Table("", "part", "what there is, or what to do; its licence", box=SIMPLE_HEAD)
    shown.columns[1].no_wrap, shown.columns[2].overflow = True, "fold"
    for before, line in zip([None, *lines], lines, strict=False):
        if before is None or before.about != line.about:
            shown.add_section()
            shown.add_row("", f"[bold]{line.about}", "")
        state = "[green]ready[/]" if line.ready else "[yellow]–[/]"
        licence = f" [dim]({escape(line.licence)})[/]" if line.licence else ""
        shown.add_row(state, escape(line.name), escape(line.says) + licence)
    return shown


def _package(name: str) -> Line:
    try:
        return Line("package", name, True, version(name), "Apache-2.0")
    except PackageNotFoundError:
        return Line("package", name, False, f"pip install {name}", "Apache-2.0")


def _extra(package: str, extra: str, use: str, licence: str) -> Line:
    name = f"{package}[{extra}]"
    try:
        needed = [Requirement(text) for text in requires(package) or ()]
    except PackageNotFoundError:
        return Line("part", name, False, f"{use}: pip install '{name}'", licence)
    wanted = [each for each in needed if each.marker is not None and each.marker.evaluate({"extra": extra})]
    missing = [fault for each in wanted if (fault := _fault(each))]
    if missing:
        return Line("part", name, False, f"{use}: {', '.join(missing)} missing: pip install '{name}'", licence)
    return Line("part", name, True, use, licence)


def _fault(requirement: Requirement) -> str:
    """What is missing of a requirement; empty if nothing is."""
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return requirement.name
    return "" if requirement.specifier.contains(found, prereleases=True) else f"{requirement} (here: {found})"


def _asked(name: str, question: Callable[[], tuple[bool, str]]) -> Line:
    try:
        ready, says = question()
    except Exception as error:  # noqa: BLE001 - as above
        return Line("machine", name, False, f"cannot be asked: {error}")
    return Line("machine", name, ready, says)


def _computer() -> tuple[bool, str]:
    free = shutil.disk_usage(os.curdir).free / 2**30
    system = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return True, f"{system}, {os.cpu_count()} cores, {free:.0f} GiB free here"


def _gpu() -> tuple[bool, str]:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return False, "no NVIDIA driver: everything runs on the CPU"
    asked = [tool, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=False)
    found = "; ".join(done.stdout.split("\n")).strip("; ")
    return done.returncode == 0 and bool(found), found or "an NVIDIA driver, but no GPU: " + done.stderr.strip()


def _pictures() -> tuple[bool, str]:
    try:
        return True, f"drawn by {offscreen_backend()}, without a display"
    except NoGraphicsError as error:
        return False, str(error)


def _camera() -> tuple[bool, str]:
    try:
        pyrealsense2 = importlib.import_module("pyrealsense2")  # an extra of h2s2r-perception
    except ImportError:
        return False, "no camera can be asked for: pip install 'h2s2r-perception[realsense]'; recordings need none"
    context = pyrealsense2.context()
    names = [device.get_info(pyrealsense2.camera_info.name) for device in context.query_devices()]
    return bool(names), ", ".join(names) or "none is plugged in; recordings need none"
