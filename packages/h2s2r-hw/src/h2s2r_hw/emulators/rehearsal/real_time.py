"""The server as its real processes on an emulated cell, by the wall clock: how it fares on this machine.

In:  how long, at which rates.   Out: figures: rates, pauses, delays, what was lost.
Not here: any judgement. A shared machine stands still for 100 ms now and then; what the server must do is judged in lock-step
(cases), and how punctual a PC is by ``h2s2r-hw selftest`` there.

``h2s2r-hw serve`` and ``h2s2r-hw emulate`` run as they would for an operator, clients connect with CURVE over TCP on loopback.
One client follows and stops; one is killed; one is frozen, and then sends at once what it had planned; from one the lease is
taken.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from h2s2r_hw.bus.log import inspect_log
from h2s2r_hw.emulators.rehearsal.watcher import Watcher
from h2s2r_hw.server.keys import KeyFolder
from h2s2r_schemas.client import ClientKeys, RobotClient
from h2s2r_schemas.errors import H2S2RError

Figures = dict[str, float | int | str]
#: [s] for processes to start, on a machine that does other things too.
_START = 120.0


@dataclass(frozen=True)
class RealTimeCfg:
    """One run."""

    seconds: float = 60.0
    """[s] that the first client follows."""
    send_period_ms: int = 5
    """[ms] of the cabinet's datagrams."""
    plant: str = "ideal"
    """What moves: ``ideal``, or ``twin`` with physics (extra ``emulator``)."""
    priority: int = 75
    """SCHED_FIFO of the emulated cell, which stands for devices that are never late; 0 for none. Below that of the loops."""
    loops: bool = True
    """Whether the server's processes ask for real-time priorities."""
    silence: float = 0.03
    """[s] of the hand's loop after which the guardian ends it."""


class Stage:
    """Server, cell, and whoever plays on it. Use it in a ``with``.

    Args:
        folder: of its own, with a short path.
        cfg: rates.
    """

    def __init__(self, folder: Path, cfg: RealTimeCfg) -> None:
        self.folder, self.cfg = folder, cfg
        keys = KeyFolder(folder / "keys")
        keys.make()
        self.keys = {
            name: keys.make_client(name, folder / name, operator=name == "operator") for name in ("operator", "a", "b")
        }
        self.address = f"tcp://127.0.0.1:{_port(socket.SOCK_STREAM)}"
        own, cabinet = _port(socket.SOCK_DGRAM), _port(socket.SOCK_DGRAM)
        # Others on this machine may rehearse too.
        choose = random.SystemRandom().randrange
        group = f"239.74.{choose(1, 255)}.{choose(1, 255)}"
        settings = folder / "settings.json"
        settings.write_text(json.dumps(self._settings(own, cabinet, group)), encoding="utf-8")
        cell = ["emulate", "--plant", cfg.plant, "--fri", f"127.0.0.1:{cabinet}", "--fri-client", f"127.0.0.1:{own}"]
        cell += ["--can-channel", group, "--send-period", str(cfg.send_period_ms), "--operation-mode", "AUT"]
        cell += ["--reopen-after", "1.0", "--priority", str(cfg.priority)]
        serve = ["serve", "--settings", str(settings), "--runtime", str(folder / "run"), "--emulated"]
        serve += ["--residuals", str(folder / "residuals")]
        self.cell, self.server = self._start("cell", *cell), self._start("serve", *serve)

    def _settings(self, own: int, cabinet: int, group: str) -> dict[str, object]:
        arm = {"own": ["127.0.0.1", own], "cabinet": ["127.0.0.1", cabinet], "send_period_ms": self.cfg.send_period_ms}
        found: dict[str, object] = {
            "arm": arm,
            "hand": {"can_interface": "udp_multicast", "can_channel": group},
            "gateway": {"address": self.address, "keys": str(self.folder / "keys")},
            "log": {"folder": str(self.folder / "log"), "reserve_bytes": 0},
            "guardian": {"silence": self.cfg.silence},
        }
        if not self.cfg.loops:
            found["realtime"] = {
                "arm_priority": 0,
                "hand_priority": 0,
                "guardian_priority": 0,
                "lock_memory": False,
            }
        return found

    def _start(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{name}.txt").open("wb") as said:
            command = [sys.executable, "-m", "h2s2r_hw.cli", *arguments]
            return subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)

    def said(self, name: str) -> str:
        """What ``cell`` or ``serve`` has said."""
        return (self.folder / f"{name}.txt").read_text(encoding="utf-8")

    def operator(self) -> RobotClient:
        """A client with an operator's key, once the server answers."""
        end = time.monotonic() + _START
        while True:
            for name, process in (("cell", self.cell), ("serve", self.server)):
                if process.poll() is not None:
                    raise H2S2RError(f"`{name}` ended with code {process.returncode}:\n{self.said(name)[-2000:]}")
            with contextlib.suppress(H2S2RError):
                return RobotClient(ClientKeys.load(self.keys["operator"]), self.address, timeout=5.0)
            if time.monotonic() > end:
                raise H2S2RError(f"The server did not answer within {_START:.0f} s:\n{self.said('serve')[-2000:]}")

    @contextlib.contextmanager
    def follower(self, name: str, seconds: float, force: bool = False) -> Generator[subprocess.Popen[bytes]]:
        """A client as a process; gone at the end."""
        out = self.folder / f"{name}.json"
        out.unlink(missing_ok=True)
        words = [self.address, str(self.keys[name]), str(seconds), str(out), "force" if force else "wait"]
        command = [sys.executable, "-m", "h2s2r_hw.emulators.rehearsal.follower", *words]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            yield process
        finally:
            with contextlib.suppress(OSError):
                process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()

    def found(self, name: str) -> Figures:
        """What a client that has ended by itself found out."""
        out = self.folder / f"{name}.json"
        return json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}

    def close(self) -> Figures:
        """End server and cell; figures of the log and of the cell."""
        found: Figures = {"serve_code": _end(self.server, signal.SIGTERM), "cell_code": _end(self.cell, signal.SIGTERM)}
        with contextlib.suppress(H2S2RError):
            report = inspect_log(self.folder / "log")
            found |= {"log_rows": sum(report.rows.values()), "log_lost": report.lost, "log_wrong": len(report.wrong)}
        return found

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *error: object) -> None:
        for process in (self.server, self.cell):
            _end(process, signal.SIGTERM)


def _end(process: subprocess.Popen[bytes], how: int) -> int:
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(60.0)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


def _port(kind: socket.SocketKind) -> int:
    """A free one on loopback; of TCP, where the next one is free too."""
    while True:
        with socket.socket(socket.AF_INET, kind) as first, socket.socket(socket.AF_INET, kind) as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


# ── scenes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _follows(stage: Stage, watch: Watcher) -> Figures:
    """Arm, follow, stop."""
    before = watch.ready()
    with stage.follower("a", stage.cfg.seconds) as client:
        watch.attend(lambda: client.poll() is not None, stage.cfg.seconds + 60.0)
    return stage.found("a") | watch.rates(before)


def _killed(stage: Stage, watch: Watcher) -> Figures:
    """A client dies while the robot follows it."""
    watch.ready()
    with stage.follower("a", 60.0) as client:
        if not watch.tracks(0.5):
            return watch.trouble()
        client.kill()
        return watch.stops()


def _frozen(stage: Stage, watch: Watcher) -> Figures:
    """A client stands still for 2 s, and then sends at once what it had planned."""
    before = watch.ready()
    with stage.follower("a", 60.0) as client:
        if not watch.tracks(0.5):
            return watch.trouble()
        client.send_signal(signal.SIGSTOP)
        found = watch.stops()
        watch.until(lambda: False, 2.0)
        accepted = watch.count("accepted")
        client.send_signal(signal.SIGCONT)
        watch.until(lambda: client.poll() is not None, 15.0)
        found["burst_accepted"] = watch.count("accepted") - accepted
        found |= watch.refused(before)
        return found | {"outcome": stage.found("a").get("outcome", "")}


def _taken_over(stage: Stage, watch: Watcher) -> Figures:
    """An operator's client takes the lease from one that follows, and follows itself."""
    watch.ready()
    with stage.follower("a", 60.0) as first:
        if not watch.tracks(0.5):
            return watch.trouble()
        epoch = watch.state.lease_epoch
        with stage.follower("operator", 3.0, force=True) as second:
            watch.attend(lambda: watch.state.lease_epoch not in (0, epoch), 60.0)
            began = time.monotonic()
            # The motion of the first one ends, then that of the second one begins.
            watch.attend(lambda: watch.state.server_state != "track", 5.0)
            watch.attend(lambda: watch.state.server_state == "track", 20.0)
            taken = time.monotonic() - began
            watch.attend(lambda: second.poll() is not None, 40.0)
        watch.until(lambda: first.poll() is not None, 15.0)
    ended = {f"second_{name}": value for name, value in stage.found("operator").items()}
    return {"follows_the_second_after_s": taken, "first_outcome": stage.found("a").get("outcome", "")} | ended


SCENES: dict[str, Callable[[Stage, Watcher], Figures]] = {
    "follow": _follows,
    "killed": _killed,
    "frozen": _frozen,
    "taken": _taken_over,
}


def rehearse(folder: Path, cfg: RealTimeCfg, tell: Callable[[str], None]) -> Figures:
    """Play all scenes, each with a server of its own; returns what was found, as ``scene.figure``.

    Args:
        folder: of its own, with a short path.
        cfg: rates.
        tell: told a line now and then.
    """
    figures: Figures = {"cores": os.cpu_count() or 0, "load": os.getloadavg()[0], "send_period_ms": cfg.send_period_ms}
    for name, play in SCENES.items():
        tell(f"{name}: {play.__doc__}")
        (folder / name).mkdir()
        found = _play(folder / name, cfg, play)
        figures |= {f"{name}.{each}": value for each, value in found.items()}
        tell("  " + ", ".join(f"{each} {_short(value)}" for each, value in found.items()))
    return figures


def _play(folder: Path, cfg: RealTimeCfg, play: Callable[[Stage, Watcher], Figures]) -> Figures:
    """One scene; where it cannot be played to its end, why."""
    found: Figures = {}
    with Stage(folder, cfg) as stage:
        try:
            began = time.monotonic()
            with stage.operator() as robot:
                found["answers_after_s"] = time.monotonic() - began
                watch = Watcher(robot)
                try:
                    found |= play(stage, watch)
                finally:
                    found |= watch.totals()
        except H2S2RError as error:
            found["failed"] = str(error)
        found |= stage.close()
        done = [line for line in stage.said("cell").splitlines() if line.startswith("emulated ") and "stalls" in line]
        found["cell"] = done[-1] if done else ""
        ended = [line for line in stage.said("serve").splitlines() if "silent for" in line or "was ended by" in line]
        if ended:
            found["serve_said"] = "; ".join(ended)
    return found


def _short(value: float | int | str) -> str:
    return f"{value:.4g}" if isinstance(value, (float, np.floating)) else str(value)
