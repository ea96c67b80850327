"""Start a whole emulated cell from one configuration, and let time pass for it.

In:  ``EmulationCfg``.   Out: ``Emulation``: what happened, in words and as a digest of all bytes on the wires.
Not here: the command line (cli).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field

from h2s2r_hw.clock import RealClock
from h2s2r_hw.drivers.can_port import CanPort, open_bus
from h2s2r_hw.emulators.cell import Cell, CellCfg
from h2s2r_hw.emulators.lockstep import Lockstep
from h2s2r_hw.emulators.plant import IdealPlant, Plant
from h2s2r_hw.emulators.ports import Address, UdpPort
from h2s2r_hw.emulators.realtime import run_realtime
from h2s2r_schemas.errors import H2S2RError, SchemaError

#: What a fresh line about the run is told to.
Tell = Callable[[str], None]
_FOR_EVER_NS = 2**62


@dataclass(frozen=True)
class EmulationCfg:
    """One emulated cell and how it is reached."""

    cell: CellCfg = field(default_factory=CellCfg)
    """Cabinet, hand, faults, seed."""
    plant: str = "twin"
    """What moves: ``twin`` (MuJoCo, extra ``emulator``) or ``ideal`` (no physics)."""
    task: str = "snackbox_push"
    """Name or file of the task whose scene and object surround the twin."""
    robot: str = "iiwa14_allegro"
    """Name or folder of the twin's robot."""
    start: str = "premanip"
    """Where the twin's robot stands at first, as h2s2r-sim names it: ``premanip``, ``default``, ``overhead``, ``far``."""
    perturb: str = "none"
    """How the twin differs from the model: a level, causes, or both: ``standard,payload=0.5``."""
    fri: Address = ("127.0.0.1", 30201)
    """Where the cabinet's socket is. On one machine not the client's port, which a real cabinet shares."""
    fri_client: Address = ("127.0.0.1", 30200)
    """Where the client listens."""
    can_interface: str = "udp_multicast"
    """python-can interface of the hand's bus."""
    can_channel: str = "239.74.163.2"
    """Its channel."""
    can_port: int = 43113
    """UDP port of ``udp_multicast``."""
    lockstep: Address | None = None
    """Where the clock of lock-step listens; none for real time."""
    participants: tuple[str, ...] = ()
    """Who must have joined before lock-step time starts."""
    seconds: float | None = None
    """[s] of the cell's time after which it ends; none for never."""
    patience: float = 60.0
    """[s] of wall time for participants to join, and for one turn of theirs."""

    def __post_init__(self) -> None:
        if self.plant not in ("twin", "ideal"):
            raise SchemaError(f"There is no plant {self.plant!r}; there are: twin, ideal.")
        if self.lockstep is not None and not self.participants:
            raise SchemaError("In lock-step, name the participants: time starts when all of them have joined.")


@dataclass(frozen=True)
class Emulation:
    """A run that is over."""

    seconds: float
    """[s] of the cell's time that passed."""
    digest: str
    """SHA-256 of all bytes on the wires with their times."""
    answers: int
    """Valid answers of the FRI client."""
    protocol_errors: int
    """Answers and frames that were none."""
    stalls: int
    """Times at which real time was not kept; 0 in lock-step."""


def make_plant(cfg: EmulationCfg) -> tuple[Plant, tuple[str, ...]]:
    """What moves, and which causes of the perturbation act elsewhere than in the cell.

    Raises:
        H2S2RError: the twin's extra is not installed, or task, robot or perturbation do not exist.
    """
    if cfg.plant == "ideal":
        if cfg.perturb != "none":
            raise SchemaError(f"--perturb {cfg.perturb} needs physics; the plant {cfg.plant!r} has none.")
        return IdealPlant(), ()
    try:
        from h2s2r_hw.emulators.cast import cast_twin  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError as error:
        raise H2S2RError(
            f"The physics of the emulated cell need the extra `emulator` ({error.name} is missing): pip install "
            "'h2s2r-hw[emulator]', or take the plant `ideal`."
        ) from None
    return cast_twin(cfg.task, cfg.robot, cfg.cell.hand.side, cfg.start, cfg.perturb, cfg.cell.seed)


def emulate(cfg: EmulationCfg, tell: Tell, stop: Callable[[], bool] = lambda: False) -> Emulation:
    """Let an emulated cell live; returns when its time is over, or everybody else has left lock-step.

    Args:
        cfg: what and where.
        tell: told where it can be reached, and of each event of the cabinet.
        stop: whether to end before its time is over.

    Raises:
        H2S2RError: an address that is taken, or what ``make_plant`` raises.
    """
    plant, elsewhere = make_plant(cfg)
    if elsewhere:
        tell(f"not here: {', '.join(elsewhere)} act where the policy runs")
    with ExitStack() as stack:
        try:
            fri = UdpPort(cfg.fri, cfg.fri_client)
            stack.callback(fri.close)
            bus = CanPort(open_bus(cfg.can_interface, cfg.can_channel, cfg.can_port))
            stack.callback(bus.close)
        except Exception as error:
            raise H2S2RError(f"The emulated cell cannot have its ports: {error}. Choose others.") from error
        cell = Cell(cfg.cell, plant, fri, bus)
        tell(f"emulated cabinet: FRI {cfg.cell.cabinet.version} at {fri.address[0]}:{fri.address[1]}")
        tell(f"emulated hand: {cfg.cell.hand.version} {cfg.cell.hand.side} on {cfg.can_interface} {cfg.can_channel}")
        until_ns = _FOR_EVER_NS if cfg.seconds is None else round(cfg.seconds * 1e9)
        stalls = _live(cfg, cell, fri, bus, until_ns, tell, stop)
    errors = cell.cabinet.protocol_errors + len(cell.hand.protocol_errors)
    return Emulation(cell.now_ns * 1e-9, cell.digest(), cell.cabinet.answers, errors, stalls)


def _live(
    cfg: EmulationCfg, cell: Cell, fri: UdpPort, bus: CanPort, until_ns: int, tell: Tell, stop: Callable[[], bool]
) -> int:
    """Time passes; returns how often it was not kept."""
    told = 0

    def tell_news() -> bool:
        nonlocal told
        for event in cell.cabinet.events[told:]:
            tell(f"{event.time_ns * 1e-9:9.3f} s  {event.code}: {event.text}")
        told = len(cell.cabinet.events)
        return stop()

    if cfg.lockstep is None:
        stalls = run_realtime(cell, fri, bus, RealClock(), until_ns, tell_news).stalls
    else:
        clock = Lockstep(cfg.lockstep, cfg.patience, lambda name: tell(f"{cell.now_ns * 1e-9:9.3f} s  {name} left"))
        try:
            tell(f"lock-step: {clock.address}, waiting for {', '.join(cfg.participants)}")
            clock.gather(cfg.participants)
            clock.run(cell, until_ns, tell_news)
        finally:
            clock.close()
        stalls = 0
    tell_news()
    return stalls
