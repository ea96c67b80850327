"""An emulated KUKA cabinet with one FRI application on it.

In:  configuration, a plant, faults.   Out: ``Cabinet``.
Not here: sockets and time (cell).
"""

from h2s2r_hw.emulators.cabinet.cabinet import Cabinet, CabinetEvent
from h2s2r_hw.emulators.cabinet.config import CabinetCfg
from h2s2r_hw.emulators.cabinet.quality import LAX, STRICT, QualityCfg

__all__ = ["LAX", "STRICT", "Cabinet", "CabinetCfg", "CabinetEvent", "QualityCfg"]
