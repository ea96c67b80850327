"""The PC: processor, kernel, clocks, disk.

In:  settings.   Out: checks.
Not here: lateness (jitter), devices (devices).
"""

from __future__ import annotations

import itertools
import platform
import shutil
import tempfile
import time
from pathlib import Path

from h2s2r_hw.config import LogCfg
from h2s2r_hw.selftest.check import Check


def check_machine(log: LogCfg) -> list[Check]:
    """Everything that needs no device."""
    return [_processor(), _kernel(), _governor(), _clock(), _memory(), _log(log)]


def _processor() -> Check:
    machine = platform.machine()
    return Check(
        "processor",
        machine in ("x86_64", "AMD64"),
        machine,
        "Slots between processes rely on the order of stores of x86-64; run the server on such a PC.",
    )


def _kernel() -> Check:
    """A kernel that is not for real time is no failure: lateness, which is measured, decides."""
    flag = Path("/sys/kernel/realtime")
    realtime = flag.exists() and flag.read_text().strip() == "1"
    return Check("kernel", True, f"{platform.release()}, {'PREEMPT_RT' if realtime else 'not PREEMPT_RT'}")


def _governor() -> Check:
    found = sorted(
        {path.read_text().strip() for path in Path("/sys/devices/system/cpu").glob("cpu*/cpufreq/scaling_governor")}
    )
    return Check(
        "governor",
        not found or found == ["performance"],
        ", ".join(found) or "not to be chosen here",
        "Set the governor of all cores to `performance`.",
    )


def _clock() -> Check:
    """Reads as fast as it can; the server uses the monotonic clock alone, which no time server sets."""
    steps = [time.monotonic_ns() for _ in range(20_000)]
    backwards = sum(later < earlier for earlier, later in itertools.pairwise(steps))
    info = time.get_clock_info("monotonic")
    return Check(
        "clock",
        backwards == 0 and info.monotonic and info.resolution <= 1e-6,
        f"monotonic, resolution {info.resolution * 1e9:.0f} ns, {(steps[-1] - steps[0]) / len(steps):.0f} ns a reading, "
        f"{backwards} steps back",
        "The monotonic clock of this machine goes backwards or is coarse: use another clock source (tsc).",
    )


def _memory() -> Check:
    folder = Path("/dev/shm")
    free = shutil.disk_usage(folder).free if folder.is_dir() else 0
    return Check(
        "shared memory",
        free >= 128 * 2**20,
        f"{free / 2**20:.0f} MiB free in {folder}",
        "The server's rings need up to 128 MiB there: mount it larger.",
    )


def _log(log: LogCfg) -> Check:
    folder = Path(log.folder)
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as probe:
            probe.write(bytes(4096))
        free = shutil.disk_usage(folder).free
    except OSError as error:
        remedy = "Make the folder, or name another as log.folder; without a log nothing can be armed."
        return Check("log folder", False, f"{folder} cannot be written to ({error.strerror})", remedy)
    spare = free - log.reserve_bytes
    return Check(
        "log folder",
        spare > 0,
        f"{folder}, {free / 2**30:.1f} GiB free: about {max(0, spare) / 1.7e9:.0f} hours of log",
        f"Less than the reserve of {log.reserve_bytes / 2**20:.0f} MiB is free: delete or move old logs.",
    )
