"""Hours of rehearsing, in pieces: played by several processes, told one by one, and kept when it is stopped.

In:  cases, random ticks and evaluations.   Out: the figures of each piece.
Not here: what a piece plays (judge, random_motion, random_residual), what all of them come to (faults).
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h2s2r_schemas
from h2s2r_hw.emulators.rehearsal.cases import CASES
from h2s2r_hw.emulators.rehearsal.judge import run_case
from h2s2r_hw.emulators.rehearsal.random_motion import random_motion
from h2s2r_hw.emulators.rehearsal.random_residual import random_residual
from h2s2r_schemas.codec import write_whole

Found = dict[str, Any]
#: Of random motions and corrections in one piece: some minutes at most.
TICKS_EACH, EVALUATIONS_EACH = 50_000, 1_000_000


@dataclass(frozen=True)
class Piece:
    """One that is played without a pause."""

    kind: str
    """``case``, ``motion`` or ``residual``."""
    name: str
    """Title of the case; what it is called otherwise."""
    amount: int = 0
    """Ticks or evaluations."""
    seed: int = 0
    """Of what is random."""

    @property
    def key(self) -> str:
        """Under which it is kept."""
        return f"{self.kind} {self.name} {self.amount} {self.seed}"

    def play(self) -> Found:
        """Its figures; of a case these, and what is not as declared."""
        if self.kind == "motion":
            return random_motion(self.amount, self.seed)
        if self.kind == "residual":
            return random_residual(self.amount, self.seed)
        (case,) = [case for case in CASES if case.title == self.name]
        verdict = run_case(case)
        return {"figures": verdict.figures, "wrong": verdict.wrong}


def random_pieces(kind: str, amount: int, each: int, seed: int) -> list[Piece]:
    """So many ticks or evaluations, in pieces with seeds of their own."""
    counts = [min(each, amount - done) for done in range(0, amount, each)]
    return [Piece(kind, f"{at + 1} of {len(counts)}", count, 1000 * seed + at) for at, count in enumerate(counts)]


class Kept:
    """Figures of pieces in a file, as long as the code is the same.

    Args:
        file: where; none to keep nothing.
    """

    def __init__(self, file: Path | None) -> None:
        self._file, self._code = file, _code() if file is not None else ""
        self._found: dict[str, Found] = {}
        if file is not None and file.exists():
            data = json.loads(file.read_text(encoding="utf-8"))
            if data["code"] == self._code:
                self._found = data["found"]

    def get(self, piece: Piece) -> Found | None:
        """Of a piece that was played before."""
        return self._found.get(piece.key)

    def put(self, piece: Piece, found: Found) -> None:
        """A piece was played."""
        self._found[piece.key] = found
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._file, json.dumps({"code": self._code, "found": self._found}).encode())

    def forget(self) -> None:
        """Everything was played to its end."""
        if self._file is not None:
            self._file.unlink(missing_ok=True)


def default_file() -> Path:
    """Where a benchmark keeps what it has found so far."""
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "h2s2r" / "bench-hw.json"


def _code() -> str:
    """Changes with every line of this package and of the one below it."""
    digest = hashlib.sha256()
    for module in (Path(__file__).parents[2], Path(h2s2r_schemas.__file__).parent):
        for path in sorted(module.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def play_all(pieces: list[Piece], workers: int, kept: Kept, tell: Callable[[Piece, Found], None]) -> dict[Piece, Found]:
    """Play what is not kept yet.

    Args:
        pieces: which.
        workers: processes; 1 for this one alone.
        kept: where figures are kept.
        tell: told of each piece, also of those that were kept.
    """
    found: dict[Piece, Found] = {}
    for piece in pieces:
        before = kept.get(piece)
        if before is not None:
            found[piece] = before
            tell(piece, before)
    for piece, figures in _play([piece for piece in pieces if piece not in found], workers):
        kept.put(piece, figures)
        found[piece] = figures
        tell(piece, figures)
    return found


def _play(pieces: list[Piece], workers: int) -> Iterator[tuple[Piece, Found]]:
    """Each as soon as it is played."""
    if workers <= 1 or len(pieces) <= 1:
        for piece in pieces:
            yield piece, piece.play()
        return
    # Processes that begin anew: sockets do not survive a fork.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        waiting = {pool.submit(piece.play): piece for piece in pieces}
        try:
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
