"""Write the golden file of every message class that has none yet: ``python tests/golden/make.py``.

In:  ``h2s2r_schemas.testing`` (examples, recordings).   Out: ``NAME.vVERSION.h2s``, and a folder ``Demo.vVERSION``, here.
Not here: changing one that exists. A golden file is kept for ever: it stands for the files that users have.
"""

from __future__ import annotations

import sys
from pathlib import Path

from h2s2r_schemas.codec import save
from h2s2r_schemas.demo import DemoMeta
from h2s2r_schemas.testing.examples import examples
from h2s2r_schemas.testing.recordings import record_tiny


def make(folder: Path) -> list[str]:
    """Write what is missing in ``folder``; returns the names written. What exists is never touched."""
    written = []
    for name, message in examples().items():
        path = folder / f"{name}.v{message.version}.h2s"
        if not path.exists():
            save(message, path)
            written.append(path.name)
    recording = folder / f"Demo.v{DemoMeta.version}"
    if not recording.exists():
        record_tiny(recording)
        written.append(recording.name)
    return written


if __name__ == "__main__":
    sys.stdout.write("".join(f"{name}\n" for name in make(Path(__file__).parent)))
