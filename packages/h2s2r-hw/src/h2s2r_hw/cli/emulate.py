"""``h2s2r-hw emulate``.

In:  the command line.   Out: text.
Not here: the work itself (emulators).
"""

from __future__ import annotations

import argparse
import signal
from dataclasses import replace

from h2s2r_hw.drivers.allegro import VERSIONS
from h2s2r_hw.drivers.fri import FriVersion, OperationMode
from h2s2r_hw.emulators.cabinet import CabinetCfg
from h2s2r_hw.emulators.cell import CellCfg
from h2s2r_hw.emulators.faults import FRI_FAULTS, HAND_FAULTS, parse_faults
from h2s2r_hw.emulators.hand import HandCfg
from h2s2r_hw.emulators.ports import Address
from h2s2r_hw.emulators.start import EmulationCfg, emulate
from h2s2r_hw.processes.realtime import ask_for
from h2s2r_schemas.errors import SchemaError

#: [s] after which somebody at a pendant would start the application again.
_REOPEN = 3.0


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise SchemaError(f"{text!r} is no address; write HOST:PORT.")
    return host, int(port)


def _emulate(chosen: argparse.Namespace) -> int:
    """A whole emulated cell, until its time is over or Ctrl-C."""
    cabinet = CabinetCfg(
        version=chosen.fri_version,
        send_period_ms=chosen.send_period,
        receive_multiplier=chosen.receive_multiplier,
        mode=chosen.mode,
        operation_mode=chosen.operation_mode,
        active_time=chosen.active_time,
        reopen_after=_REOPEN if chosen.reopen_after is None and not chosen.lockstep else chosen.reopen_after,
    )
    cell = CellCfg(cabinet, HandCfg(chosen.hand_version, chosen.side), parse_faults(chosen.faults), chosen.seed)
    cfg = EmulationCfg(
        cell=cell,
        plant=chosen.plant,
        task=chosen.task,
        robot=chosen.robot,
        start=chosen.start,
        perturb=chosen.perturb,
        fri=_address(chosen.fri),
        fri_client=_address(chosen.fri_client),
        can_interface=chosen.can_interface,
        can_channel=chosen.can_channel,
        can_port=chosen.can_port,
        seconds=chosen.seconds,
        patience=chosen.patience,
    )
    for granted in ask_for(chosen.priority, None, lock_memory=True) if chosen.priority else ():
        print(granted, flush=True)
    if chosen.lockstep:
        names = tuple(name for name in chosen.participants.split(",") if name)
        cfg = replace(cfg, lockstep=_address(chosen.lockstep), participants=names)
    ended: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda got, frame: ended.append(got))
    try:
        done = emulate(cfg, lambda line: print(line, flush=True), lambda: bool(ended))
    except KeyboardInterrupt:
        return 130
    finally:
        signal.signal(signal.SIGTERM, before)
    print(
        f"emulated {done.seconds:.3f} s: {done.answers} answers, {done.protocol_errors} protocol errors, {done.stalls} stalls\n"
        f"digest: {done.digest}"
    )
    return 0


def _faults_help() -> str:
    lines = ["faults, as KIND[=VALUE[/VALUE]]@START[:END] in seconds, separated by commas:"]
    lines += [f"  {kind:<18} {about}" for kind, about in {**FRI_FAULTS, **HAND_FAULTS}.items()]
    return "\n".join(lines)


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]
    """Add the verb."""
    verb = verbs.add_parser(
        "emulate",
        help="an emulated KUKA cabinet and an emulated Allegro hand on real sockets",
        epilog=_faults_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_cell(verb)
    _add_wires(verb)
    verb.set_defaults(run=_emulate)


def _add_cell(verb: argparse.ArgumentParser) -> None:
    """What is emulated."""
    add, cell = verb.add_argument, EmulationCfg()
    add(
        "--plant",
        choices=("twin", "ideal"),
        default=cell.plant,
        help="physics (extra `emulator`), or none (default: twin)",
    )
    add("--task", default=cell.task, help="whose scene and object are simulated")
    add("--robot", default=cell.robot, help="name or folder of the robot")
    add("--start", default=cell.start, help="where the robot stands at first: premanip, default, overhead, far")
    add(
        "--perturb",
        default=cell.perturb,
        help="how the cell differs from the model, e.g. standard or standard,payload=0.5",
    )
    add("--faults", default="", help="what goes wrong when, e.g. drop=0.1@2:4,silent_finger=2@6; the list is below")
    add("--seed", type=int, default=0, help="decides everything random")
    add("--seconds", type=float, default=None, help="of the cell's time, after which it ends")


def _add_wires(verb: argparse.ArgumentParser) -> None:
    """How the devices are set up and reached."""
    add, cell, cabinet = verb.add_argument, EmulationCfg(), CabinetCfg()
    versions = [each.value for each in FriVersion]
    add("--fri-version", choices=versions, default=cabinet.version, help="generation of the FRI")
    add("--fri", default="127.0.0.1:30201", help="HOST:PORT of the cabinet")
    add("--fri-client", default="127.0.0.1:30200", help="HOST:PORT of the FRI client")
    add("--send-period", type=int, default=cabinet.send_period_ms, help="[ms] of the FRI")
    add(
        "--receive-multiplier",
        type=int,
        default=cabinet.receive_multiplier,
        help="every how many-th message is answered",
    )
    add("--mode", choices=("position", "torque"), default=cabinet.mode, help="what the FRI client commands")
    add("--operation-mode", choices=list(OperationMode.__members__), default=cabinet.operation_mode, help="the key")
    add("--active-time", type=float, default=None, help="[s] after which the application ends its motion")
    add(
        "--reopen-after",
        type=float,
        default=None,
        help=f"[s] after which a closed session is opened again (default: {_REOPEN:g}; in lock-step, never)",
    )
    add("--hand-version", choices=list(VERSIONS), default="v4", help="version of the hand")
    add("--side", choices=("right", "left"), default="right", help="of the hand")
    add("--can-interface", default=cell.can_interface, help="python-can interface of the hand's bus")
    add("--can-channel", default=cell.can_channel, help="channel of that interface")
    add("--can-port", type=int, default=cell.can_port, help="UDP port of udp_multicast")
    add("--lockstep", default="", metavar="HOST:PORT", help="virtual time, whose clock listens here; else real time")
    add("--priority", type=int, default=0, help="SCHED_FIFO of the cell, which stands for devices that are never late")
    add("--participants", default="", metavar="NAME,NAME", help="who must join before lock-step time starts")
    add(
        "--patience",
        type=float,
        default=cell.patience,
        help="[s] of wall time for all to join, and for one turn of theirs",
    )
