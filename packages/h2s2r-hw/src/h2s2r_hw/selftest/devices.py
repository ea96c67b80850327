"""Cabinet and hand, as far as one may ask without moving anything.

In:  settings.   Out: checks; each setting of the cabinet that disagrees, by name.
Not here: the server's own drivers (drivers, loops). Nothing is sent to the cabinet; the hand is only asked who it is.
"""

from __future__ import annotations

import socket
import time

from h2s2r_hw.config import ArmCfg, HandCfg
from h2s2r_hw.drivers.allegro import VERSIONS, decode_info, decode_serial, request_info, request_serial
from h2s2r_hw.drivers.allegro.frames import INFO, SERIAL, FrameError
from h2s2r_hw.drivers.can_port import CanPort, open_bus
from h2s2r_hw.drivers.fri import (
    NUM_JOINTS,
    DatagramError,
    FriVersion,
    MonitoringMessage,
    OperationMode,
    Quality,
    SafetyState,
    decode_monitoring,
)
from h2s2r_hw.drivers.fri.messages import MAX_DATAGRAM
from h2s2r_hw.selftest.check import Check

_PENDANT = "Change the FRI application on the cabinet, or this setting of the server: both must be the same."


def check_arm(cfg: ArmCfg, seconds: float = 2.0) -> list[Check]:
    """Listen to the cabinet for so long; it need not be answered."""
    where = f"{cfg.own[0]}:{cfg.own[1]}"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
        try:
            port.bind(cfg.own)
            port.connect(cfg.cabinet)
        except OSError as error:
            remedy = "Stop whatever uses the port (a server that runs?), or give this PC the address."
            return [Check("FRI socket", False, f"{where}: {error.strerror}", remedy)]
        heard = _listen(port, seconds)
    checks = [Check("FRI socket", True, f"{where}, connected to {cfg.cabinet[0]}:{cfg.cabinet[1]}")]
    if not heard:
        remedy = (
            "Start the FRI application on the pendant; check its peer address, the cable to the KONI port, and that this PC's "
            f"firewall lets UDP {cfg.own[1]} in."
        )
        return [*checks, Check("cabinet", False, f"silent for {seconds:g} s", remedy)]
    return checks + _judge(cfg, heard)


def _listen(port: socket.socket, seconds: float) -> list[tuple[float, bytes]]:
    """What came when [s]."""
    heard: list[tuple[float, bytes]] = []
    end = time.monotonic() + seconds
    while (remaining := end - time.monotonic()) > 0.0 and len(heard) < 500:
        port.settimeout(remaining)
        try:
            heard.append((time.monotonic(), port.recv(MAX_DATAGRAM)))
        except (TimeoutError, ConnectionError):
            continue
    return heard


def _judge(cfg: ArmCfg, heard: list[tuple[float, bytes]]) -> list[Check]:
    messages: dict[FriVersion, list[MonitoringMessage]] = {each: [] for each in FriVersion}
    for _, datagram in heard:
        for version, understood in messages.items():
            try:
                understood.append(decode_monitoring(datagram, version))
            except DatagramError:
                continue
    own = messages[FriVersion(cfg.version)]
    if not own:
        others = [version.value for version, understood in messages.items() if understood]
        found = f"{len(heard)} datagrams, none of FRI {cfg.version}; they are {' or '.join(others) or 'none of any version'}"
        return [Check("cabinet: arm.version", False, found, _PENDANT)]
    last, first = own[-1], own[0]
    lost = last.sequence - first.sequence + 1 - len(own)
    return [
        Check(
            "cabinet",
            lost <= 0.01 * len(own),
            f"{len(own)} messages, {max(0, lost)} missing",
            "Use a direct cable, no switch.",
        ),
        *_settings(cfg, last),
        *_states(cfg, last),
    ]


def _settings(cfg: ArmCfg, message: MonitoringMessage) -> list[Check]:
    """Each setting of the application that must be as configured here."""
    # Nothing is said of the client's mode before the application starts its motion.
    mode = message.client_command_mode.name.lower()
    pairs = (
        ("arm.version", cfg.version, cfg.version if _version_fits(cfg, message) else "another"),
        ("arm.send_period_ms", cfg.send_period_ms, message.send_period_ms),
        ("receive multiplier", 1, message.receive_multiplier),
        ("number of joints", NUM_JOINTS, message.num_joints),
        ("arm.mode", cfg.mode, cfg.mode if mode == "none" else mode),
    )
    return [
        Check(f"cabinet: {name}", said == wanted, f"{said}" + ("" if said == wanted else f", here {wanted}"), _PENDANT)
        for name, wanted, said in pairs
    ]


def _version_fits(cfg: ArmCfg, message: MonitoringMessage) -> bool:
    return FriVersion(cfg.version).commanded_pos_in_monitoring == bool(message.commanded_joint_pos)


def _states(cfg: ArmCfg, message: MonitoringMessage) -> list[Check]:
    mode = OperationMode(message.operation_mode).name
    safety = SafetyState(message.safety_state)
    return [
        Check(
            "cabinet: operation mode",
            mode in cfg.operation_modes,
            mode,
            f"Turn the key to one of {', '.join(cfg.operation_modes)}, or change arm.operation_modes.",
        ),
        Check(
            "cabinet: safety",
            safety == SafetyState.NORMAL_OPERATION,
            safety.name,
            "Release the e-stop and the enabling device's stop, acknowledge on the pendant.",
        ),
        Check("cabinet: quality", True, f"{Quality(message.quality).name} (nobody answered it during this test)"),
    ]


def check_hand(cfg: HandCfg, seconds: float = 1.0, port: CanPort | None = None) -> list[Check]:
    """Ask the hand who it is. ``port`` is the bus, where it is open already."""
    where = f"{cfg.can_interface} {cfg.can_channel}"
    try:
        bus = port or CanPort(open_bus(cfg.can_interface, cfg.can_channel))
    except Exception as error:  # noqa: BLE001 - whatever a CAN driver raises
        remedy = "Load the driver and set the interface up: ip link set can0 up type can bitrate 1000000."
        return [Check("CAN bus", False, f"{where}: {error}", remedy)]
    try:
        info, serial = _identity(bus, seconds)
    except Exception as error:  # noqa: BLE001 - likewise
        return [Check("CAN bus", False, f"{where}: {error}", "Check cable, terminators and bit rate.")]
    finally:
        if port is None:
            bus.close()
    checks = [Check("CAN bus", True, where)]
    if not info and not serial:
        found = f"no answer within {seconds:g} s"
        return [*checks, Check("hand", False, found, "Check its supply, the cable, both terminators, and 1 Mbit/s.")]
    return checks + _who(cfg, info, serial)


def _identity(bus: CanPort, seconds: float) -> tuple[str, str]:
    """``version side`` from the information, and the serial number; empty where it did not say."""
    bus.send(request_info())
    bus.send(request_serial())
    info = serial = ""
    end = time.monotonic() + seconds
    while (remaining := end - time.monotonic()) > 0.0 and not (info and serial):
        frame = bus.read(remaining)
        if frame is None or frame.remote or frame.error:
            continue
        try:
            if frame.identifier == INFO:
                said = decode_info(frame)
                info = f"v{said.hardware_version} {said.side}"
            elif frame.identifier == SERIAL:
                serial = decode_serial(frame)
        except FrameError:
            continue
    return info, serial


def _who(cfg: HandCfg, info: str, serial: str) -> list[Check]:
    sides = {"R": "right", "L": "left"}
    version, _, side = info.partition(" ")
    checks: list[Check] = []
    if version in VERSIONS:
        found = version + ("" if version == cfg.version else f", here {cfg.version}")
        checks.append(
            Check("hand: version", version == cfg.version, found, "Correct hand.version: units differ 17 times.")
        )
    side = side or sides.get(serial[3:4], "")
    found = f"{side or 'not said'}, serial {serial or 'not said'}" + ("" if side == cfg.side else f", here {cfg.side}")
    checks.append(Check("hand: side", side == cfg.side, found, "Correct hand.side, or connect the other hand."))
    return checks
