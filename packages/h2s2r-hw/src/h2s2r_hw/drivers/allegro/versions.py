"""What differs between versions 4 and 5 of the hand: the same identifiers, other units.

In:  nothing.   Out: ``HandVersion``, and what a hand says of itself.
Not here: frames. A wrong version gives 17 times the position, so it is configured and checked, never guessed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from h2s2r_schemas.errors import SchemaError

#: In the order of their numbers on the bus. (The vendor calls the ring finger pinky.)
FINGERS = ("index", "middle", "ring", "thumb")
#: (16) joints in the order of fingers, base to tip; the names are those of the robot's URDF.
JOINT_NAMES = tuple(f"{finger}_joint_{joint}" for finger in FINGERS for joint in range(4))


@dataclass(frozen=True)
class HandVersion:
    """Units and limits of one version; a joint stands in the order of ``JOINT_NAMES``."""

    name: str
    """``"v4"`` or ``"v5"``."""
    position_unit: float
    """[rad] of one count of the encoder."""
    torque_unit: float
    """[1/(N·m)] units of the command per newton metre: PWM (v4) or mA (v5)."""
    command_limit: tuple[int, ...]
    """(16) largest command that we send, either way."""
    temperature_bytes: int
    """In one temperature frame: v4 drivers read one 32-bit number, v5 drivers a byte per joint. Unverified: check on hardware."""
    sends_errors: bool
    """Whether it has frames that name an error and a motor."""

    def torque_limit(self) -> tuple[float, ...]:
        """(16) [N·m] that ``command_limit`` is."""
        return tuple(limit / self.torque_unit for limit in self.command_limit)


#: 12 V. Limits of the vendor's drivers: index, middle and ring alike, then the thumb.
V4 = HandVersion(
    name="v4",
    position_unit=math.radians(333.3) / 65536.0,
    torque_unit=1200.0,
    command_limit=(375, 675, 450, 285) * 3 + (525, 405, 270, 270),
    temperature_bytes=4,
    sends_errors=False,
)

#: 240 mA on every joint, but half of it on the second joints of the fingers, which one of the two types gears twice as high:
#: drivers contradict each other about which type, so the smaller current is used on either.
V5 = HandVersion(
    name="v5",
    position_unit=math.radians(0.088),
    torque_unit=1430.0,
    command_limit=(240, 120, 240, 240) * 3 + (240, 240, 240, 240),
    temperature_bytes=4,
    sends_errors=True,
)

VERSIONS = {each.name: each for each in (V4, V5)}


def hand_version(name: str) -> HandVersion:
    """A version by its name.

    Raises:
        SchemaError: there is no such version.
    """
    if name not in VERSIONS:
        raise SchemaError(f"There is no hand version {name!r}; there are: {', '.join(VERSIONS)}.")
    return VERSIONS[name]


class HandInfo(NamedTuple):
    """What a hand says of itself."""

    hardware_version: int
    firmware_version: int
    side: str
    """``"right"`` or ``"left"``."""
    temperature: int
    """[°C]."""
    servo_on: bool
    over_temperature: bool
    communication_fault: bool
    """Between the parts of the hand itself."""
