"""Other Python versions on this machine.

In:  a version.   Out: the path of an interpreter, or none.
Not here: installing one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


def find_python(version: str) -> str | None:
    """An interpreter of ``version`` (e.g. ``"3.8"``).

    Looked for in this order: the environment variable ``H2S2R_PYTHON_3_8``, ``python3.8`` on the PATH, pyenv, the one that
    runs this. Each must say itself that it has that version.
    """
    candidates = [os.environ.get(f"H2S2R_PYTHON_{version.replace('.', '_')}"), shutil.which(f"python{version}")]
    candidates += [str(path / "bin" / "python") for path in _pyenv_versions() if path.name.startswith(f"{version}.")]
    candidates.append(getattr(sys, "_base_executable", sys.executable))
    return next((path for path in candidates if path and _version(path) == version), None)


def _pyenv_versions() -> list[Path]:
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    return sorted((root / "versions").glob("*"), reverse=True)


def _version(interpreter: str) -> str:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([interpreter, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    except OSError:
        return ""
    return done.stdout.strip()
