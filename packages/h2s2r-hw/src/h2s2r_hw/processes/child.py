"""One process of a server: ``python -m h2s2r_hw.processes.child ROLE FILE``.

In:  its role, a file that says what the supervisor was told.   Out: it does its work until SIGTERM, or its supervisor's end.
Not here: who starts and watches it (supervisor, serve), the work itself (loops, server, bus.log, guardian).
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from h2s2r_hw.bus.log import LogAbout, Logger
from h2s2r_hw.bus.log.readiness import log_trouble, mark_log
from h2s2r_hw.bus.slots import Slot
from h2s2r_hw.clock import RealClock
from h2s2r_hw.config import ServerCfg
from h2s2r_hw.drivers.can_port import CanPort
from h2s2r_hw.drivers.fri.link import ArmLink
from h2s2r_hw.drivers.socketcan import open_port
from h2s2r_hw.loops import ArmLoop, HandLoop, LoopSlots
from h2s2r_hw.loops.residual import ResidualLoop, load_network
from h2s2r_hw.processes.guardian import Guardian
from h2s2r_hw.processes.realtime import ask_for, die_with_parent
from h2s2r_hw.processes.runtime import Runtime
from h2s2r_hw.processes.settings import changed
from h2s2r_hw.robots import load_robot
from h2s2r_hw.server.desk import Surroundings
from h2s2r_hw.server.gateway import Gateway
from h2s2r_hw.server.refusals import Refused, refuse
from h2s2r_hw.server.slots import GatewaySlots
from h2s2r_hw.states import State
from h2s2r_schemas.errors import H2S2RError

_LOG_NS = 100_000_000
#: [ns] that the arm gets to come to rest when it is ended.
_REST_NS = 3_000_000_000
_MOVING = (State.TRACK, State.SOFT_STOP, State.HOMING)


@dataclass(frozen=True)
class Told:
    """What the supervisor was told."""

    settings: dict[str, object]
    """Of the server, as ``write_settings`` writes them."""
    robot: str
    """Name or file of the robot."""
    emulated: bool
    """Whether no hardware is behind it."""
    residuals: str
    """Folder of learned corrections."""
    start_ns: int
    """``time.monotonic_ns()`` at time 0 of the server."""


class Process:
    """What all roles share.

    Args:
        told: what the supervisor was told.
        folder: of the shared memory.
    """

    def __init__(self, told: Told, folder: Path) -> None:
        self.told, self.cfg = told, changed(ServerCfg(), told.settings, "settings")
        self.robot, self.clock = load_robot(told.robot), RealClock(told.start_ns)
        self.runtime = Runtime(folder, self.cfg)
        self.ended_ns: int | None = None
        signal.signal(signal.SIGTERM, self._end)
        # Ctrl-C reaches the supervisor too, which ends us in its order.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        die_with_parent(signal.SIGTERM)

    def _end(self, *_: object) -> None:
        self.ended_ns = self.clock.now_ns()

    def ended(self) -> bool:
        """Whether it shall end."""
        return self.ended_ns is not None

    def slot(self, name: str) -> Slot:
        """A slot of the server."""
        return self.runtime.slots[name]

    def loop_slots(self, own: str, other: str) -> LoopSlots:
        """Those of one loop."""
        return LoopSlots(
            target=self.slot("target"),
            orders=self.slot("orders"),
            residual=self.slot("residual"),
            peer=self.slot(f"{other}_status"),
            status=self.slot(f"{own}_status"),
            log=self.runtime.rings[f"{own}_log"],
        )

    def hurry(self, priority: int, core: int | None) -> None:
        """Become a real-time process, and say what was not granted."""
        for granted in ask_for(priority, core, self.cfg.realtime.lock_memory):
            say(str(granted))

    # ── roles ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def arm(self) -> None:
        """Answers the cabinet; ended, it comes to rest first."""
        link = ArmLink(self.cfg.arm.own, self.cfg.arm.cabinet)
        loop = ArmLoop(self.cfg, self.robot, link, self.loop_slots("arm", "hand"))
        self.hurry(self.cfg.realtime.arm_priority, self.cfg.realtime.arm_core)

        def stop() -> bool:
            ended = self.ended_ns
            moving = loop.part.state in _MOVING
            return ended is not None and (not moving or self.clock.now_ns() - ended > _REST_NS)

        loop.run(self.clock, stop)
        link.close()

    def hand(self) -> None:
        """Answers the hand; ended, it switches it off."""
        process = self.slot("hand_process")
        process.record["process"], process.record["time_ns"] = os.getpid(), self.clock.now_ns()
        process.write()
        port = self._bus()
        loop = HandLoop(self.cfg, self.robot, port, self.loop_slots("hand", "arm"))
        self.hurry(self.cfg.realtime.hand_priority, self.cfg.realtime.hand_core)
        loop.run(self.clock, self.ended)
        process.record["ending"] = 1
        process.write()
        port.close()

    def guardian(self) -> None:
        """Guards the hand; ended, or without a supervisor, it switches it off."""
        port, process = self._bus(), self.slot("hand_process")
        status = self.slot("guardian_status")

        def end() -> None:
            end_loop(process)
            if not self.ended() and not (process.read() > 0 and int(process.record["ending"])):
                silent = int(status.record["silence_ns"]) * 1e-6
                say(f"the hand's loop was silent for {silent:.0f} ms: it is ended, and the hand is switched off")

        guardian = Guardian(self.cfg.guardian, self.slot("hand_status"), status, port, end)
        self.hurry(self.cfg.realtime.guardian_priority, self.cfg.realtime.hand_core)
        while not self.ended():
            guardian.act(self.clock.now_ns())
            self.clock.wait_until(guardian.next_event_ns())
        guardian.trip()
        for _ in range(self.cfg.guardian.repeats):
            guardian.act(self.clock.now_ns())
            self.clock.wait_until(guardian.next_event_ns())
        port.close()

    def gateway(self) -> None:
        """Serves clients."""
        marks, status = self.runtime.rings["log_marks"], self.slot("log_status")

        def ready() -> Refused | None:
            trouble = log_trouble(status, self.clock.now_ns())
            return refuse("no_log", trouble) if trouble else None

        def mark(text: str, now_ns: int) -> None:
            mark_log(marks, text, now_ns)

        slots = GatewaySlots(
            self.slot("target"), self.slot("orders"), self.slot("arm_status"), self.slot("hand_status")
        )
        gateway = Gateway(
            self.cfg.gateway,
            self.cfg.motion,
            self.robot,
            self.told.emulated,
            1e3 / self.cfg.arm.send_period_ms,
            slots,
            Surroundings(ready, mark, has_residual=True, residual_trouble=self._residual_trouble),
        )
        gateway.serve(self.clock, self.ended)
        gateway.close()

    def _residual_trouble(self, number: int) -> str:
        try:
            load_network(Path(self.told.residuals), number, self.robot.hash(), self.cfg)
        except (H2S2RError, OSError) as error:
            return str(error)
        return ""

    def logger(self) -> None:
        """Writes the log."""
        about = LogAbout(
            self.robot.name,
            self.robot.hash(),
            self.robot.joint_names,
            emulated=self.told.emulated,
            server=f"h2s2r-hw {version('h2s2r-hw')}",
            started=f"{time.strftime('%Y%m%dT%H%M%S')}p{os.getpid()}",
        )
        rings = self.runtime.rings
        logger = Logger(
            Path(self.cfg.log.folder),
            about,
            rings["arm_log"],
            rings["hand_log"],
            self.slot("log_status"),
            self.cfg.log.reserve_bytes,
            marks=rings["log_marks"],
        )
        while not self.ended():
            now_ns = self.clock.now_ns()
            logger.step(now_ns)
            self.clock.wait_until(now_ns + _LOG_NS)
        logger.close(self.clock.now_ns())

    def residual(self) -> None:
        """Evaluates learned corrections."""
        slots = [self.slot(name) for name in ("orders", "arm_status", "hand_status", "residual")]
        ResidualLoop(self.cfg, self.robot, Path(self.told.residuals), *slots, warn=say).run(self.clock, self.ended)

    def _bus(self) -> CanPort:
        return open_port(self.cfg.hand.can_interface, self.cfg.hand.can_channel)


def end_loop(process: Slot) -> None:
    """Kill the hand's loop, if the process that it said it is still is one of this server."""
    if process.read() <= 0:
        return
    number = int(process.record["process"])
    try:
        words = Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")
        if b"hand" in words and any(b"h2s2r_hw.processes" in word for word in words):
            os.kill(number, signal.SIGKILL)
    except OSError:
        # It is gone already.
        return


def say(text: str) -> None:
    """A line to whoever reads the server's output."""
    sys.stderr.write(f"{sys.argv[1] if len(sys.argv) > 1 else 'server'}: {text}\n")
    sys.stderr.flush()


def main(arguments: Sequence[str]) -> int:
    """Be one process; returns its exit code."""
    try:
        return _be(*arguments)
    except (H2S2RError, OSError) as error:
        say(str(error))
        return 2
    finally:
        # What was kept from the collector is let go in order, so that libraries have nothing to say about it at the end.
        gc.unfreeze()
        gc.collect()


def _be(role: str, file: str) -> int:
    process = Process(Told(**json.loads(Path(file).read_text(encoding="utf-8"))), Path(file).parent)
    roles: dict[str, Callable[[], None]] = {
        "arm": process.arm,
        "hand": process.hand,
        "guardian": process.guardian,
        "gateway": process.gateway,
        "logger": process.logger,
        "residual": process.residual,
    }
    roles[role]()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
