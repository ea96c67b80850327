"""The process that evaluates the learned correction, so that a slow model never delays an answer.

In:  what the loops and the gateway say, files of models.   Out: ``RESIDUAL``, not yet bounded.
Not here: its bounds (motion.residual), whether it is applied (part).

Another model is loaded while the one before goes on acting; the loops let the one fade into the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from h2s2r_hw.bus.records import JOINT_NAMES, NUM_ARM, NUM_JOINTS
from h2s2r_hw.bus.slots import Slot
from h2s2r_hw.clock import Clock
from h2s2r_hw.config import ServerCfg
from h2s2r_hw.motion.network import Network
from h2s2r_schemas.artifacts.policies import ResidualSpec
from h2s2r_schemas.codec import load
from h2s2r_schemas.errors import H2S2RError, SchemaError
from h2s2r_schemas.robots import RobotSpec

#: [ns] between two looks.
_LOOK_NS = 1_000_000
_TORQUE = 1
_MEASURED = ("joint_pos", "joint_vel", "joint_torque", "joint_pos_target")


class ResidualLoop:
    """Looks every millisecond, and evaluates at each tick of the part that the model corrects: of the arm, or, where it
    corrects fingers alone, of the hand.

    Args:
        cfg: of the server.
        robot: whose hash a model must have.
        folder: where the model of number 3 is the file ``3.h2s``.
        orders, arm, hand: slots, read.
        out: slot of ``RESIDUAL``, written.
        warn: told of a model that is refused, or larger than usual.
    """

    def __init__(
        self,
        cfg: ServerCfg,
        robot: RobotSpec,
        folder: Path,
        orders: Slot,
        arm: Slot,
        hand: Slot,
        out: Slot,
        warn: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._cfg, self._hash, self._folder, self._warn = cfg, robot.hash(), folder, warn
        self._orders, self._arm, self._hand, self._out = orders, arm, hand, out
        self._network: Network | None = None
        self._asked = 0
        self._places = np.zeros(0, dtype=np.int64)
        self._scale = np.ones(0)
        self._clock = arm
        self._ticked = -1
        self._due_ns = 0

    def run(self, clock: Clock, stop: Callable[[], bool]) -> None:
        """Look until ``stop()``."""
        while not stop():
            self.act(clock.now_ns())
            clock.wait_until(self._due_ns)

    def next_event_ns(self) -> int:
        """[ns] when it wants to look next."""
        return self._due_ns

    def hear(self, channel: str, count: int, now_ns: int) -> Mapping[str, int]:
        """Nothing that is sent concerns it."""
        return {}

    def act(self, now_ns: int) -> Mapping[str, int]:
        """Look."""
        self._due_ns = now_ns + _LOOK_NS
        if self._orders.read() > 0 and int(self._orders.record["residual_number"]) != self._asked:
            self._load(int(self._orders.record["residual_number"]))
        if self._network is not None and self._arm.read() > 0 and self._hand.read() > 0:
            tick = int(self._clock.record["number"])
            if tick != self._ticked:
                self._ticked = tick
                self._evaluate(self._network)
        return {}

    def _load(self, number: int) -> None:
        """The model of a number; the one before stays where it cannot be had."""
        self._asked, record = number, self._out.record
        if number == 0:
            self._network = None
            record["residual_number"], record["values"] = 0, 0.0
        else:
            try:
                self._take(load_network(self._folder, number, self._hash, self._cfg))
                record["residual_number"] = number
            except (H2S2RError, OSError) as error:
                self._warn(f"Residual {number} is refused: {error}")
                record["refused"] = number
        self._write()

    def _take(self, network: Network) -> None:
        """Map its joints by name, and its output to what each part takes."""
        spec, arm_torque = network.spec, self._cfg.arm.mode == "torque"
        places = np.array([JOINT_NAMES.index(name) for name in spec.joint_names], dtype=np.int64)
        of_arm, torque = places < NUM_ARM, spec.output == "joint_torque"
        if network.warning:
            self._warn(f"Residual {spec.name} may be {spec.clamp_fraction:.0%} of a limit; 15 % is usual.")
        self._network, self._places = network, places
        self._clock = self._arm if of_arm.any() else self._hand
        # In position mode a torque on the arm becomes an offset, by the cabinet's stiffness.
        scale = np.ones(NUM_JOINTS)
        if torque and not arm_torque:
            scale[:NUM_ARM] = 1.0 / np.array(self._cfg.residual.stiffness)
        self._scale = scale[places]
        record = self._out.record
        record["arm_output"], record["hand_output"] = int(torque and arm_torque) * _TORQUE, int(torque) * _TORQUE
        record["clamp_fraction"] = spec.clamp_fraction

    def _evaluate(self, network: Network) -> None:
        arm, hand, places = self._arm.record, self._hand.record, self._places
        features: dict[str, Any] = {name: np.concatenate((arm[name], hand[name]))[places] for name in _MEASURED}
        features["joint_pos_error"] = features["joint_pos_target"] - features["joint_pos"]
        values, gain = network.evaluate(features)
        record = self._out.record
        record["values"] = 0.0
        record["values"][places] = values * self._scale
        record["gain"], record["time_ns"] = gain, self._clock.record["time_ns"]
        self._write()

    def _write(self) -> None:
        self._out.record["number"] += 1
        self._out.write()


def load_network(folder: Path, number: int, robot_hash: str, cfg: ServerCfg) -> Network:
    """The model of a number.

    Raises:
        H2S2RError: there is none, or it is not for this robot as it is driven; the message says why.
        OSError: its file cannot be read.
    """
    network = Network(load(folder / f"{number}.h2s", ResidualSpec), robot_hash, cfg.residual)
    spec = network.spec
    unknown = [name for name in spec.joint_names if name not in JOINT_NAMES]
    if unknown:
        raise SchemaError(
            f"The correction {spec.name} is for {', '.join(unknown)}; joints are {', '.join(JOINT_NAMES)}."
        )
    moves_arm = any(JOINT_NAMES.index(name) < NUM_ARM for name in spec.joint_names)
    if cfg.arm.mode == "torque" and spec.output != "joint_torque" and moves_arm:
        raise SchemaError(f"The correction {spec.name} moves the arm's targets; in torque mode it takes joint_torque.")
    return network
