"""A day of the whole server in virtual time: does anything leak, drift or get lost?

In:  hours.   Out: one flat mapping of figures, also on the way there.
Not here: faults (cases). Physics are light; codecs, loops, gateway, encryption, log on disk are the server's own.

What is *sent* must be *replied* and *logged*: each datagram of the cabinet and each set of positions of the hand, each command,
each request, each state. Log files are read back as soon as they are complete, checked, and deleted.

Every ten minutes of virtual time all of it is compared, and the figures so far are kept: a run that is killed still says how many
hours it has shown. One that is asked to end ends in order, with everything read back, at however many hours there then are.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

import h2s2r_hw
import h2s2r_schemas
from h2s2r_hw.bus.log.reader import LogReport, read_about, read_file
from h2s2r_hw.emulators.rehearsal.whole import SECOND, Rehearsal, RehearsalCfg
from h2s2r_schemas.client import Session
from h2s2r_schemas.wire import RobotState

Figures = dict[str, float | int | str | bool]
_COMMAND_HZ = 60.0
#: [s] after which the client stops, goes home, and begins anew.
_CYCLE = 600.0
#: [rad] from home that counts as there: limits are kept by less.
_AT_HOME = 0.03
#: [s] between looks at memory, and between reports.
_LOOK, _TELL = 60.0, 600.0
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Soak:
    """One client that follows, stops, goes home and begins anew, for hours.

    Args:
        folder: of its own, with a short path.
        hours: of virtual time.
        seed: decides what is asked for.
        tell: told the figures so far, every ten minutes of virtual time.
        stop: whether to end before the hours are over.
    """

    def __init__(
        self, folder: Path, hours: float, seed: int, tell: Callable[[Figures], None], stop: Callable[[], bool]
    ) -> None:
        self._until, self._tell, self._rng, self._stop = hours * 3600.0, tell, np.random.default_rng(seed), stop
        self._report: LogReport | None = None
        self.rehearsal = Rehearsal(
            folder, replace(RehearsalCfg(), file_bytes=32 * 2**20), closed=self._check_file, digest=False
        )
        self._commands = self._cycles = 0
        self._memory: list[tuple[float, float]] = []
        self._began = time.perf_counter(), time.process_time()
        self._looked = self._told = 0.0

    def run(self) -> Figures:
        """Live, end, and say what was found."""
        whole = self.rehearsal
        with whole:
            whole.run(2.0)
            with Session(whole.client()) as session:
                while session.state.time < self._until and not self._stop():
                    self._cycle(session, min(_CYCLE, self._until - session.state.time))
            # What is on its way is answered and taken before anybody counts.
            whole.run(0.5)
            client = whole.clients[0]
            client.next_state()
            figures = self._figures()
        assert self._report is not None
        return figures | self._log_figures(self._report)

    def _cycle(self, session: Session, seconds: float) -> None:
        """Arm, follow a new path, disarm."""
        self._cycles += 1
        session.acquire()
        session.arm()
        robot = session.hello.robot
        session.ask("home")
        # A way of a millimetre is over before anybody sees that it was begun.
        session.wait(lambda state: _rests_at(state, robot.home), 60.0, "Being at home")
        begin, start = session.state.joint_pos_target.copy(), session.state.time
        reach = 0.2 * (robot.position_upper - robot.position_lower)
        phase = self._rng.uniform(0.0, 2.0 * np.pi, len(begin))
        slow = self._rng.uniform(0.05, 0.2, len(begin))
        middle = np.clip(begin, robot.position_lower + reach, robot.position_upper - reach)
        due = start
        while session.state.time < start + seconds - 15.0 and not self._stop():
            if session.state.time >= due - 1e-9:
                due += 1.0 / _COMMAND_HZ
                moved = session.state.time - start
                away = reach * np.sin(2.0 * np.pi * slow * moved + phase) * min(1.0, moved / 20.0)
                session.command(begin + (middle - begin) * min(1.0, moved / 20.0) + away)
                self._commands += 1
            session.next_state()
            self._look(session.state.time)
        session.ask("disarm")
        session.wait(lambda state: state.server_state == "ready", 10.0, "Disarming")
        session.release()

    def _look(self, now: float) -> None:
        if now - self._looked < _LOOK:
            return
        self._looked = now
        with open("/proc/self/statm", encoding="ascii") as stream:
            self._memory.append((now, int(stream.read().split()[1]) * _PAGE / 2**20))
        if now - self._told >= _TELL:
            self._told = now
            self._tell(self._figures())

    def _check_file(self, file: Path) -> None:
        """Read a log file that is complete, and delete it."""
        if self._report is None:
            self._report = LogReport(read_about(file))
        for _ in read_file(file, self._report):
            pass
        file.unlink()

    def _figures(self) -> Figures:
        whole = self.rehearsal
        arm, hand, gateway, cabinet = whole.arm, whole.hand, whole.gateway, whole.cell.cabinet
        now = whole.now_ns / SECOND
        wall, cpu = time.perf_counter() - self._began[0], time.process_time() - self._began[1]
        session, client = arm.session, whole.clients[0]
        status = whole.status("hand")
        figures: Figures = {
            "hours": now / 3600.0,
            "wall_hours": wall / 3600.0,
            "realtime_factor": now / wall,
            "cpu_per_second": cpu / now,
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            "cycles": self._cycles,
            "arm_datagrams_sent": cabinet.messages,
            "arm_datagrams_heard": session.received,
            "arm_answers_sent": session.sent,
            "arm_answers_heard": cabinet.answers,
            "arm_ticks": int(whole.status("arm")["number"]),
            "hand_sets_heard": hand.link.cycles,
            "hand_frames_sent": hand.link.sent,
            "hand_frames_heard": whole.cell.hand.frames,
            "hand_ticks": int(status["number"]),
            "commands_sent": self._commands,
            "commands_accepted": gateway.counters["accepted"],
            "states_lost": client.lost_states,
            "commands_unsent": client.unsent,
            "protocol_errors": cabinet.protocol_errors + len(whole.cell.hand.protocol_errors),
            "guard_holds": int(status["count_guard_holds"]) + int(whole.status("arm")["count_guard_holds"]),
            "faults": int(status["fault_number"]) + int(whole.status("arm")["fault_number"]),
            "guardian_trips": int(whole.guardian_status.record["trips"]),
            "log_lost": whole.arm_log.lost + whole.hand_log.lost,
            # Written, or in the ring on the way there; at the end, read back.
            "arm_ticks_logged": int(whole.log_status.record["arm_rows"]) + whole.arm_log.waiting,
            "hand_ticks_logged": int(whole.log_status.record["hand_rows"]) + whole.hand_log.waiting,
            "log_wrong": len(self._report.wrong) if self._report else 0,
            "log_gaps": len(self._report.gaps) if self._report else 0,
        }
        return figures | _slope(self._memory)

    def _log_figures(self, report: LogReport) -> Figures:
        arm, hand = (report.rows[kind] for kind in report.rows)
        return {
            "arm_ticks_logged": arm,
            "hand_ticks_logged": hand,
            "log_files": report.files,
            "log_wrong": len(report.wrong),
            "log_gaps": len(report.gaps),
        }


def _slope(memory: list[tuple[float, float]]) -> Figures:
    """[MiB] per hour of virtual time, by least squares over the second half; the first holds what is allocated once."""
    late = np.array(memory[len(memory) // 2 :])
    if len(late) < 3:
        return {}
    slope = float(np.polyfit(late[:, 0] / 3600.0, late[:, 1], 1)[0])
    return {"memory_mib": float(late[-1, 1]), "memory_slope_mib_per_hour": slope}


def _rests_at(state: RobotState, joint_pos: np.ndarray) -> bool:
    """Whether the robot holds there, as far as its limits let it."""
    return state.server_state == "hold" and bool(np.abs(state.joint_pos_target - joint_pos).max() < _AT_HOME)


#: Pairs that must be equal at the end.
EQUAL = (
    ("arm_datagrams_sent", "arm_datagrams_heard"),
    ("arm_datagrams_heard", "arm_answers_sent"),
    ("arm_answers_sent", "arm_answers_heard"),
    ("arm_ticks", "arm_ticks_logged"),
    ("hand_frames_sent", "hand_frames_heard"),
    ("hand_ticks", "hand_ticks_logged"),
    ("commands_sent", "commands_accepted"),
)
#: Figures that must be 0 at the end.
NONE = (
    "states_lost",
    "commands_unsent",
    "protocol_errors",
    "guard_holds",
    "faults",
    "guardian_trips",
    "log_lost",
    "log_wrong",
    "log_gaps",
)
#: [MiB/h] that memory may grow.
MOST_SLOPE = 1.0


def soak_failures(figures: Figures) -> list[str]:
    """What is not as it must be."""
    wrong = [
        f"{one} {figures[one]} != {other} {figures[other]}" for one, other in EQUAL if figures[one] != figures[other]
    ]
    wrong += [f"{name} is {figures[name]}, not 0" for name in NONE if figures[name]]
    # A slope over minutes says nothing.
    slope = figures.get("memory_slope_mib_per_hour", 0.0) if float(figures["hours"]) >= 2.0 else 0.0
    if isinstance(slope, float) and slope >= MOST_SLOPE:
        wrong.append(f"memory grows by {slope:.2f} MiB/h; less than {MOST_SLOPE} is allowed")
    return wrong


def run_soak(
    folder: Path,
    hours: float,
    seed: int,
    report: Path,
    tell: Callable[[str], None],
    stop: Callable[[], bool] = lambda: False,
) -> Figures:
    """Soak, and keep the figures in a file from the first ten minutes on.

    Args:
        folder: of its own, with a short path.
        hours: of virtual time.
        seed: decides what is asked for.
        report: the file (JSON).
        tell: told a line now and then.
        stop: whether to end before the hours are over.
    """

    def keep(figures: Figures) -> None:
        failures = soak_failures(figures)
        figures |= {"failures": len(failures), "failure": "; ".join(failures)}
        partial = report.with_suffix(".partial")
        partial.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
        os.replace(partial, report)
        wrong = f", but {figures['failure']}" if failures else ""
        tell(f"{figures['hours']:.2f} h at {figures['realtime_factor']:.1f} times real time{wrong}")

    about: Figures = {
        "command": f"h2s2r-hw soak --hours {hours:g} --seed {seed}",
        "sources": sources_hash(),
        "hours_asked": hours,
    }
    soak = Soak(folder, hours, seed, lambda figures: keep({**about, "finished": False, **figures}), stop)
    figures = {**about, "finished": True, **soak.run()}
    keep(figures)
    return figures


def sources_hash() -> str:
    """16 hexadecimal digits that change with any source file of the server and of what it is built on."""
    digest = hashlib.sha256()
    for package in (h2s2r_hw, h2s2r_schemas):
        folder = Path(str(package.__file__)).parent
        for path in sorted(folder.rglob("*.py")):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
