"""Everything at once: cabinet, hand, both loops, gateway, guardian and logger in lock-step within one thread.

In:  settings, a folder for keys and log.   Out: ``Rehearsal``: its parts, clients of it, ends of parts.
Not here: what clients do (script), what is expected (cases).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_hw.bus.log import LOG_MARK, LOG_STATUS, LogAbout, Logger
from h2s2r_hw.bus.log.readiness import log_trouble, mark_log
from h2s2r_hw.bus.records import ARM_LOG, ARM_STATUS, HAND_LOG, HAND_STATUS, ORDERS, RESIDUAL, TARGET
from h2s2r_hw.bus.ring import Ring
from h2s2r_hw.bus.slots import Slot
from h2s2r_hw.clock.inline import Inline, Stage
from h2s2r_hw.config import ServerCfg
from h2s2r_hw.drivers.allegro import JOINT_NAMES as HAND_JOINTS
from h2s2r_hw.drivers.fri import JOINT_NAMES as ARM_JOINTS
from h2s2r_hw.drivers.fri.link import ArmLink
from h2s2r_hw.emulators.cabinet import CabinetCfg, QualityCfg
from h2s2r_hw.emulators.cell import CAN_CHANNEL, FRI_CHANNEL, Cell, CellCfg, Tap
from h2s2r_hw.emulators.plant import Plant
from h2s2r_hw.emulators.ports import UdpPort
from h2s2r_hw.emulators.rehearsal.logger import LoggerStage
from h2s2r_hw.emulators.rehearsal.plant import light_plant
from h2s2r_hw.emulators.rehearsal.wire import Wire
from h2s2r_hw.loops import ArmLoop, HandLoop, LoopSlots
from h2s2r_hw.processes.guardian import GUARDIAN_STATUS, Guardian
from h2s2r_hw.robots import load_robot
from h2s2r_hw.server.desk import Surroundings
from h2s2r_hw.server.gateway import Gateway
from h2s2r_hw.server.keys import KeyFolder
from h2s2r_hw.server.refusals import Refused, refuse
from h2s2r_hw.server.slots import GatewaySlots
from h2s2r_schemas.client import ClientKeys, RobotClient
from h2s2r_schemas.client.addresses import STATES, TO_SERVER, own_channels
from h2s2r_schemas.robots import RobotSpec

SECOND, MS = 1_000_000_000, 1_000_000
#: [s] between heartbeats of connections: they are the wall's, and a busy machine must not end connections in virtual time.
_NEVER = 3600.0
_NAMES = itertools.count()
#: Of the emulated cabinet: quality and COMMANDING_ACTIVE are reached within a fraction of a second.
QUICK = CabinetCfg(quality=QualityCfg(window=20, hysteresis=5, poor_windows=20), wait_answers=10, restart_after=0.3)
#: Which parts read which channel; all others are read by clients.
_READERS = {FRI_CHANNEL: ("cell", "arm"), CAN_CHANNEL: ("cell", "hand"), TO_SERVER: ("gateway",)}


@dataclass(frozen=True)
class RehearsalCfg:
    """What is rehearsed."""

    server: ServerCfg = field(default_factory=ServerCfg)
    """Settings of the server; addresses and folders are chosen here."""
    cell: CellCfg = field(default_factory=lambda: CellCfg(cabinet=QUICK))
    """The emulated devices and their faults."""
    robot: RobotSpec = field(default_factory=lambda: load_robot("iiwa14_allegro"))
    """Whose limits the server keeps: an iiwa with an Allegro hand, right or left."""
    free_bytes: Callable[[Path], int] | None = None
    """Room on the log's disk; the real one if not given."""
    file_bytes: int = 256 * 2**20
    """After which a new log file begins."""


class Group(Inline):
    """Tells of a message only those stages that read its channel: most of the time of a rehearsal would go into asking all."""

    def __init__(self, stages: list[Stage], readers: Mapping[str, tuple[str, ...]], parts: object) -> None:
        super().__init__(stages, patience=20.0)
        self._readers, self._parts = readers, parts

    def announce(self, sent: Mapping[str, int], sender: object) -> None:
        """Let whoever reads these channels know; stages read and answer at once, at this same moment."""
        for channel, count in sent.items():
            readers = self._readers.get(channel)
            if readers is None:
                self.tell_clients(channel, count, sender)
                continue
            for name in readers if count else ():
                stage: Stage = getattr(self._parts, name)
                if stage is not sender and stage in self.stages:
                    answered = stage.hear(channel, count, self.now_ns)
                    if answered:
                        self.announce(answered, stage)


class Rehearsal:
    """One server on one emulated cell. Use it in a ``with``.

    Args:
        folder: of its own: keys, log, addresses. Its path has to be short, as paths of sockets are.
        cfg: what is rehearsed.
        plant: what moves; a light one if not given.
        tap: told of everything on the wires.
        closed: told each log file that is complete.
        digest: whether all that is on the wires is hashed.
    """

    def __init__(
        self,
        folder: Path,
        cfg: RehearsalCfg | None = None,
        plant: Plant | None = None,
        tap: Tap | None = None,
        closed: Callable[[Path], None] = lambda path: None,
        digest: bool = True,
    ) -> None:
        self.folder, self.cfg = folder, cfg or RehearsalCfg()
        self.robot = self.cfg.robot
        self.plant = plant or light_plant(self.robot, ARM_JOINTS, HAND_JOINTS)
        self.log_folder = folder / "log"
        self.log_folder.mkdir(exist_ok=True)
        self.keys = KeyFolder(folder / "keys")
        if not (folder / "keys").exists():
            self.keys.make()
        cell, gateway = self.cfg.cell, self.cfg.server.gateway
        self.server = replace(
            self.cfg.server,
            arm=replace(self.cfg.server.arm, operation_modes=("T1", "AUT")),
            gateway=replace(gateway, address=f"ipc://{folder / 'door'}", keys=str(folder / "keys"), heartbeat=_NEVER),
        )
        self.slots = GatewaySlots.own()
        self.residual, self.log_status, self.guardian_status = Slot(RESIDUAL), Slot(LOG_STATUS), Slot(GUARDIAN_STATUS)
        self.marks = Ring(LOG_MARK, 64)
        seconds = self.server.log.ring_seconds
        self.arm_log = Ring(ARM_LOG, round(seconds * 1e3 / self.server.arm.send_period_ms))
        self.hand_log = Ring(HAND_LOG, round(seconds * 1e3 / self.server.hand.period_ms))
        self.link = ArmLink(("127.0.0.1", 0), ("127.0.0.1", 9))
        self.fri = UdpPort(("127.0.0.1", 0), self.link.address)
        self.link.connect(self.fri.address)
        self.wire = Wire()
        self.cell = Cell(cell, self.plant, self.fri, self.wire.port(), tap, digest)
        self.hand_port, self.guardian_port = self.wire.port(), self.wire.port()
        self.clients: list[RobotClient] = []
        self._tokens = itertools.count(4_000_000_000_000_000_007)
        self.arm = self.make_arm()
        self.hand = self.make_hand()
        self.logger = LoggerStage(self._make_logger(closed))
        self.gateway = self.make_gateway()
        self.guardian = Guardian(
            self.server.guardian,
            Slot(HAND_STATUS, self.slots.hand.buffer),
            self.guardian_status,
            self.guardian_port,
            lambda: self.end("hand"),
        )
        stages: list[Stage] = [self.cell, self.arm, self.hand, self.gateway, self.guardian, self.logger]
        self.group = Group(stages, _READERS, self)

    # ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _loop_slots(self, hand: bool) -> LoopSlots:
        own, other = (self.slots.hand, self.slots.arm) if hand else (self.slots.arm, self.slots.hand)
        dtypes = (HAND_STATUS, ARM_STATUS) if hand else (ARM_STATUS, HAND_STATUS)
        return LoopSlots(
            target=Slot(TARGET, self.slots.target.buffer),
            orders=Slot(ORDERS, self.slots.orders.buffer),
            residual=Slot(RESIDUAL, self.residual.buffer),
            peer=Slot(dtypes[1], other.buffer),
            status=Slot(dtypes[0], own.buffer),
            log=self.hand_log if hand else self.arm_log,
        )

    def make_arm(self) -> ArmLoop:
        """A new loop of the arm, as after a start."""
        return ArmLoop(self.server, self.robot, self.link, self._loop_slots(False))

    def make_hand(self) -> HandLoop:
        """A new loop of the hand."""
        return HandLoop(self.server, self.robot, self.hand_port, self._loop_slots(True))

    def make_gateway(self) -> Gateway:
        """A new gateway on the old slots."""

        def ready() -> Refused | None:
            trouble = log_trouble(self.log_status, self.now_ns)
            return refuse("no_log", trouble) if trouble else None

        return Gateway(
            self.server.gateway,
            self.server.motion,
            self.robot,
            True,
            1e3 / self.server.arm.send_period_ms,
            self.slots,
            Surroundings(ready, lambda text, now_ns: _ignore(mark_log(self.marks, text, now_ns)), has_residual=True),
            lambda: next(self._tokens),
        )

    def _make_logger(self, closed: Callable[[Path], None]) -> Logger:
        about = LogAbout(
            self.robot.name,
            self.robot.hash(),
            self.robot.joint_names,
            emulated=True,
            server=f"h2s2r-hw {version('h2s2r-hw')}",
            started="rehearsal",
        )
        free: dict[str, Any] = {} if self.cfg.free_bytes is None else {"free": self.cfg.free_bytes}
        return Logger(
            self.log_folder,
            about,
            self.arm_log,
            self.hand_log,
            self.log_status,
            self.server.log.reserve_bytes if free else 0,
            self.cfg.file_bytes,
            closed=closed,
            marks=self.marks,
            **free,
        )

    # ── time and life ───────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def now_ns(self) -> int:
        """[ns] of virtual time."""
        return self.group.now_ns if hasattr(self, "group") else 0

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.group.run(self.group.now_ns + round(seconds * SECOND))

    def end(self, part: str) -> None:
        """``arm``, ``hand``, ``gateway``, ``guardian``, ``logger``: from now on it does nothing any more, as after SIGKILL."""
        ended: Stage = getattr(self, part)
        if ended in self.group.stages:
            self.group.stages.remove(ended)
        if part == "gateway":
            self.gateway.close()

    def start(self, part: str) -> None:
        """``arm``, ``hand`` or ``gateway`` anew, after ``end``."""
        made: Stage = {"arm": self.make_arm, "hand": self.make_hand, "gateway": self.make_gateway}[part]()
        setattr(self, part, made)
        self.group.stages.append(made)

    def new_keys(self, name: str, operator: bool = False) -> ClientKeys:
        """Keys that are allowed."""
        return ClientKeys.load(self.keys.make_client(name, self.folder / name, operator))

    def client(self, operator: bool = False, keys: ClientKeys | None = None) -> RobotClient:
        """A client in lock-step, with keys of its own unless given."""
        name = f"client-{next(_NAMES)}"
        clock = self.group.clock((STATES, *own_channels(name)))
        made = RobotClient(keys or self.new_keys(name, operator), self.server.gateway.address, clock=clock, name=name)
        self.clients.append(made)
        return made

    def status(self, part: str) -> np.ndarray[Any, Any]:
        """The newest status of ``arm`` or ``hand``."""
        slot = Slot(ARM_STATUS, self.slots.arm.buffer) if part == "arm" else Slot(HAND_STATUS, self.slots.hand.buffer)
        slot.read()
        return slot.record

    def close(self) -> None:
        """End everything."""
        for client in self.clients:
            client.close()
        self.logger.logger.close(self.now_ns)
        self.gateway.close()
        self.link.close()
        self.fri.close()

    def __enter__(self) -> Rehearsal:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _ignore(_: object) -> None:
    """A remark that finds no room is lost."""
