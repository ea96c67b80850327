"""Which hand is emulated, and figures nobody publishes.

In:  nothing.   Out: ``HandCfg``.
Not here: units of the versions (drivers.allegro).
"""

from __future__ import annotations

from dataclasses import dataclass

from h2s2r_hw.drivers.allegro import VERSIONS
from h2s2r_schemas.errors import SchemaError


@dataclass(frozen=True)
class HandCfg:
    """One hand."""

    version: str = "v4"
    """``v4`` or ``v5``."""
    side: str = "right"
    """``right`` or ``left``."""
    kind: str = "A"
    """``A`` or ``B``: the two gearings of version 5, in its serial number."""
    firmware_version: int = 0x0100
    """What it says of its firmware."""
    answers_info: bool = True
    """Whether it answers a request for information; some firmware of version 5 does not."""
    ambient: float = 25.0
    """[°C] around it."""
    heating: float = 6.0
    """[°C/s] of a motor at its largest command. Ours."""
    cooling_time: float = 60.0
    """[s] time constant of cooling. Ours."""
    hot: float = 70.0
    """[°C] at which it switches its motors off and says so. Ours."""

    def __post_init__(self) -> None:
        if self.version not in VERSIONS or self.side not in ("right", "left") or self.kind not in ("A", "B"):
            raise SchemaError(
                f"A hand of version {self.version!r}, side {self.side!r}, kind {self.kind!r}; there are versions "
                f"{', '.join(VERSIONS)}, sides right and left, kinds A and B."
            )

    @property
    def serial(self) -> str:
        """Eight characters; the third says the kind and the fourth the side."""
        return f"EM{self.kind}{self.side[0].upper()}{self.version}00"
