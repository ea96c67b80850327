"""The policy's process, from the side of whoever starts it.

In:  the folder of an exported policy, a robot's name.   Out: ``PolicyProcess``.
Not here: what the process does (driver).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

from h2s2r_schemas.errors import H2S2RError

#: A network of a batch of one gains nothing from more, and cells beside it need the cores.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class PolicyProcess:
    """Runs one episode after the other. Use it in a ``with``.

    Args:
        policy: folder of the exported policy.
        robot: name or folder of its robot.

    Raises:
        H2S2RError: it cannot be loaded; what the process said is on stderr.
    """

    def __init__(self, policy: Path, robot: str) -> None:
        command = [sys.executable, "-m", "h2s2r.rehearsal.driver", str(policy), robot]
        environment = {**os.environ, **_ONE_THREAD, "PYTHONPATH": os.pathsep.join(each for each in sys.path if each)}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self._hear()

    def begin(self, job: dict[str, Any]) -> None:
        """Have an episode driven; the process waits for its turns then."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()

    def end(self) -> dict[str, Any]:
        """What it says of the episode: as ``driver``.

        Raises:
            H2S2RError: it died.
        """
        return self._hear()

    def close(self) -> None:
        """No more episodes."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(30.0)

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise H2S2RError(
                f"The policy's process ended with status {self._process.wait()}: see above what it said. Is the policy an "
                "exported one, made by this version?"
            )
        return json.loads(line)

    def __enter__(self) -> PolicyProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()
