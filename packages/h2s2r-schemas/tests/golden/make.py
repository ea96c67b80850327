"""Write the golden file of every message class that has none yet: ``python tests/golden/make.py``.

In:  ``h2s2r_schemas.testing.examples``.   Out: ``NAME.vVERSION.h2s`` beside this script.
Not here: changing one that exists. A golden file is kept for ever: it stands for the files that users have.
"""

from pathlib import Path

from h2s2r_schemas.codec import save
from h2s2r_schemas.testing.examples import examples

if __name__ == "__main__":
    for name, message in examples().items():
        path = Path(__file__).parent / f"{name}.v{message.version}.h2s"
        if not path.exists():
            save(message, path)
