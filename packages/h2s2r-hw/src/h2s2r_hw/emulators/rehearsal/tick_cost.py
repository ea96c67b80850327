"""What a tick of each loop costs in a process of its own, as on the robot PC.

In:  how long to follow.   Out: percentiles of CPU time [µs]; an error if any answer is not the rehearsal's.
Not here: the process (tick_process), what a loop meets (recording).

A rehearsal of 23 joints that follow commands under a correction that changes every 2 ms is recorded; then each loop meets
the same again, at the rates of the devices, in a process that does what it does in ``serve``: it waits on its socket, reads and
decodes, looks at slots in shared memory, moves, checks, answers, and writes status and log record. All of that, system calls
included, is counted, by CPU time of the thread, from one wait to the next. The answers are compared with the recorded ones byte
by byte. A CAN controller is not at hand: frames go through a socket pair, in SocketCAN's format.

Once, the loop and whoever plays its device take turns on one core, which nobody else gets where real-time priority is permitted:
as on a core that is kept for the loop. A wake-up across cores would cost a virtual machine tens of microseconds each, of which
a PC knows nothing. Once, both loops meet events at the rates of the devices and share a core, also with whatever else runs on
this machine in between, and wake-ups come from another core: ``paced``. ``echo`` is a process that only sends a part of each of
the arm's datagrams back: what this machine, as it is, takes for that alone.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np

from h2s2r_hw.bus import memory
from h2s2r_hw.bus.records import NUM_JOINTS
from h2s2r_hw.emulators.rehearsal.recording import Event, Recorder
from h2s2r_hw.emulators.rehearsal.residual_process import ResidualProcess
from h2s2r_hw.emulators.rehearsal.scene import Scene, settings
from h2s2r_hw.emulators.rehearsal.tick_process import ANSWER, ENDED, SHARED, TIME, WAITS
from h2s2r_hw.emulators.rehearsal.whole import SECOND
from h2s2r_hw.processes.runtime import Runtime
from h2s2r_schemas.errors import H2S2RError

#: [s] of following before ticks count: what is done once is done then.
_WARM = 1.0
_PATIENCE = 30.0
#: Of who plays a device: below the loop's own, which is at its message before the next one is sent.
_PLAYER_PRIORITY = 1
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def _swaying(since: float) -> np.ndarray:
    """(J) [rad] a correction that is another one each time, so many seconds [s] after it began."""
    return 0.005 * np.sin(since + np.arange(NUM_JOINTS))


def record(seconds: float) -> tuple[dict[str, list[Event]], int]:
    """All events of both loops, and the time [ns] from which ticks count."""
    with tempfile.TemporaryDirectory(prefix="ticks") as folder:
        scene = Scene(Path(folder), settings())
        recorders = {part: Recorder(scene.whole, part) for part in ("arm", "hand")}
        scene.tracking(1.0)
        scene.whole.group.stages.append(ResidualProcess(scene, _swaying, output=0, late_ms=0.0))
        from_ns = scene.whole.now_ns + round(_WARM * SECOND)
        scene.follow(_WARM + seconds, use_residual=True)
        scene.close()
    return {part: recorder.events for part, recorder in recorders.items()}, from_ns


class _Player:
    """The device and the rest of the server, for one loop."""

    def __init__(self, part: str, folder: Path, runtime: Runtime, cfg: str) -> None:
        self.part, self._runtime = part, runtime
        self._shared = memory.create(folder / f"{part}_player", SHARED).cast("q")
        self._passed = 1
        if part != "hand":
            self._end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._end.bind(("127.0.0.1", 0))
            device, given = str(self._end.getsockname()[1]), ()
        else:
            self._end, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
            device, given = str(theirs.fileno()), (theirs.fileno(),)
        self._end.settimeout(_PATIENCE)
        script = "import sys; from h2s2r_hw.emulators.rehearsal.tick_process import main; main(sys.argv[1:])"
        command = [sys.executable, "-c", script, part, str(folder), device, cfg]
        self.process = subprocess.Popen(
            command, env={**os.environ, **_ONE_THREAD}, stdout=subprocess.PIPE, pass_fds=given, text=True
        )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        if not said:
            raise H2S2RError(f"The {part}'s loop did not start (exit code {self.process.wait()}).")
        if part != "hand":
            self._end.connect(("127.0.0.1", int(said)))

    def play(self, event: Event) -> None:
        """Let the loop meet this, and wait until it is done with it.

        Raises:
            H2S2RError: it answered something else than it did in the rehearsal, or not at all.
        """
        for name, data in event.slots.items():
            self._runtime.slots[name].buffer[:] = data
        self._shared[TIME] = event.now_ns
        for message in event.messages or (b"",):
            self._end.send(message)
        try:
            answers = tuple(self._end.recv(2048) for _ in event.answers)
        except TimeoutError:
            raise H2S2RError(f"The {self.part}'s loop gave no answer at {event.now_ns * 1e-9:.3f} s.") from None
        if answers != event.answers:
            raise H2S2RError(f"The {self.part}'s loop answered something else at {event.now_ns * 1e-9:.3f} s.")
        self._passed += len(event.messages) or 1
        end = time.monotonic() + _PATIENCE
        while self._shared[WAITS] < self._passed and time.monotonic() < end:
            time.sleep(5e-5)
        for ring in self._runtime.rings.values():
            ring.skip(ring.waiting)

    def end(self) -> list[tuple[int, int]]:
        """Of all ticks: when they were [ns], and what they cost [ns]."""
        self._shared[ENDED] = 1
        self._end.send(b"")
        out, _ = self.process.communicate(timeout=_PATIENCE)
        self._end.close()
        return json.loads(out.splitlines()[-1])


def tick_costs(seconds: float, runs: int = 3) -> dict[str, float]:
    """Figures of so many seconds of following: ``arm_tick_p50_us`` and so on, of ``hand`` and ``echo`` too, and ``…_tick_paced``.

    Each is the best of so many runs, as neighbours on this machine only add to it.

    Raises:
        H2S2RError: a loop answered something else than in the rehearsal.
    """
    recorded, from_ns = record(seconds)
    echo = [
        Event(event.now_ns, {}, event.messages, tuple(each[:ANSWER] for each in event.messages))
        for event in recorded["arm"]
    ]
    found: list[dict[str, float]] = []
    for _ in range(runs):
        figures: dict[str, float] = {}
        for part, events in recorded.items():
            figures |= _figures(f"{part}_tick", _play({part: events}, paced=False)[part], from_ns)
        figures |= _figures("echo_tick", _play({"echo": echo}, paced=False)["echo"], from_ns)
        for part, costs in _play({**recorded, "echo": echo}, paced=True).items():
            figures |= _figures(f"{part}_tick_paced", costs, from_ns)
        found.append(figures)
    return {name: min(each[name] for each in found) for name in found[0]}


def _play(recorded: Mapping[str, list[Event]], paced: bool) -> dict[str, list[tuple[int, int]]]:
    """Costs of all ticks of these loops."""
    cfg, cores = settings().server, sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory(prefix="ticks") as folder:
        players: dict[str, _Player] = {}
        for part in recorded:
            # Each with memory of its own: here the other loop is only its recorded status.
            own = Path(folder) / part
            players[part] = _Player(part, own, Runtime(own, cfg, create=True), json.dumps(asdict(cfg)))
            os.sched_setaffinity(players[part].process.pid, cores[-1:])
        events = sorted(((event.now_ns, part, event) for part, each in recorded.items() for event in each), key=_when)
        start = time.monotonic()
        try:
            with _on_core(cores[0]) if paced else _on_core(cores[-1], os.SCHED_FIFO, _PLAYER_PRIORITY):
                for now_ns, part, event in events:
                    if paced:
                        time.sleep(max(0.0, start + now_ns * 1e-9 - time.monotonic()))
                    players[part].play(event)
            return {part: player.end() for part, player in players.items()}
        finally:
            for player in players.values():
                player.process.kill()
                player.process.wait()


@contextmanager
def _on_core(core: int, policy: int = os.SCHED_OTHER, priority: int = 0) -> Generator[None]:
    """Be on one core for a while, with this priority where that is permitted."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        with suppress(PermissionError):
            os.sched_setscheduler(0, policy, os.sched_param(priority))
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.sched_setaffinity(0, before)


def _figures(name: str, costs: list[tuple[int, int]], from_ns: int) -> dict[str, float]:
    counted = np.array([cost for when, cost in costs if when >= from_ns]) * 1e-3
    shares = (("p50", 50.0), ("p999", 99.9), ("max", 100.0))
    return {f"{name}_{which}_us": float(np.percentile(counted, share)) for which, share in shares}


def _when(event: tuple[int, str, Event]) -> int:
    return event[0]
