"""``h2s2r-hw faults``: everything that goes wrong, and whether the server then does what is declared.

In:  which cases, how many random ticks and evaluations.   Out: one flat mapping of figures.
Not here: cases (cases), random motions and corrections (random_motion, random_residual), how they are played (pieces).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from h2s2r_hw.emulators.rehearsal.cases import CASES
from h2s2r_hw.emulators.rehearsal.judge import Case, Verdict
from h2s2r_hw.emulators.rehearsal.pieces import (
    EVALUATIONS_EACH,
    TICKS_EACH,
    Found,
    Kept,
    Piece,
    play_all,
    random_pieces,
)

#: What a whole run consists of.
TICKS, EVALUATIONS = 1_000_000, 10_000_000
#: Figures of cases that count commands which should not have been followed: old ones; of others than the lease's holder; over
#: connections that nobody may have; with numbers that are none; and whatever else is no command of the holder.
ACCEPTED = ("stale_accepted", "foreign_accepted", "unauthenticated_accepted", "nan_accepted", "bad_accepted")
#: Figures that must be 0.
NONE = (
    "faults_failed",
    *ACCEPTED,
    "case_limit_violations",
    "limit_violations",
    "limit_guard_holds",
    "residual_violations",
)
#: One or two of each class, for those who have half a minute.
FEW = (
    "01 killed at high speed",
    "02 frozen for 500 ms",
    "03 not a number",
    "04 step of 1 rad",
    "05 commands of half a second ago",
    "06 an old lease after a restart",
    "07 with an unknown key",
    "08 50 ms lost",
    "09 a second cabinet with forged datagrams",
    "10 safety stop 1",
    "11 the cabinet moves while it waits",
    "12 finger 2 is silent",
    "13 the hand's loop",
    "14 the disk fills while following",
    "15 good, then not a number",
    "16 the cabinet's clock jumps back",
    "17 the arm's loop stalls for 50 ms",
    "18 e-stop by the other in track",
)


def choose(text: str) -> list[Case]:
    """Cases whose title contains a text; all for an empty one."""
    return [case for case in CASES if text.lower() in case.title.lower()]


def run_faults(
    cases: list[Case],
    ticks: int = TICKS,
    evaluations: int = EVALUATIONS,
    seed: int = 0,
    tell: Callable[[str], None] = lambda text: None,
    workers: int = 1,
    keep: Path | None = None,
) -> dict[str, float | int]:
    """Figures of these cases, and of random motions and corrections.

    Args:
        cases: which.
        ticks: of the arm's loop under random orders; 0 for none.
        evaluations: of the clamp of corrections; 0 for none.
        seed: of what is random there. Cases have their own.
        tell: told a line or two of each piece as it is done.
        workers: processes that play pieces.
        keep: file for what is done, so that a run that was stopped goes on there; it is gone at the end.
    """
    by_title = {case.title: case for case in cases}
    pieces = [Piece("case", title) for title in by_title]
    pieces += random_pieces("motion", ticks, TICKS_EACH, seed)
    pieces += random_pieces("residual", evaluations, EVALUATIONS_EACH, seed)
    kept = Kept(keep)
    found = play_all(pieces, workers, kept, lambda piece, figures: tell(_told(piece, figures)))
    verdicts = [
        Verdict(by_title[piece.name], figures["figures"], figures["wrong"])
        for piece, figures in found.items()
        if piece.kind == "case"
    ]
    figures = _of_cases(verdicts)
    for kind in ("motion", "residual"):
        figures |= _together([figures for piece, figures in found.items() if piece.kind == kind])
    kept.forget()
    return figures


def _told(piece: Piece, found: Found) -> str:
    """What is said of a piece."""
    if piece.kind != "case":
        broken = {name: value for name, value in found.items() if name in NONE and value}
        return f"{'FAIL' if broken else 'ok  '}  random {piece.kind} {piece.name}"
    return "\n".join(
        [f"{'FAIL' if found['wrong'] else 'ok  '}  {piece.name}", *(f"      {each}" for each in found["wrong"])]
    )


def _of_cases(verdicts: list[Verdict]) -> dict[str, float | int]:
    figures: dict[str, float | int] = {
        "faults_total": len(verdicts),
        "faults_failed": sum(bool(verdict.wrong) for verdict in verdicts),
        "fault_classes": len({verdict.case.fault for verdict in verdicts}),
    }
    for name in ACCEPTED:
        figures[name] = sum(int(verdict.figures.get(name, 0)) for verdict in verdicts)
    figures["case_limit_violations"] = sum(int(verdict.figures.get("limit_violations", 0)) for verdict in verdicts)
    rests = [float(verdict.figures["rest_s"]) for verdict in verdicts if verdict.case.fault == 1 and verdict.figures]
    offs = [
        float(verdict.figures["off_s"]) for verdict in verdicts if verdict.case.title.startswith("13 the hand's loop")
    ]
    if rests:
        figures["killed_client_rest_s"] = max(rests)
    if offs:
        figures["killed_hand_loop_off_s"] = max(offs)
    return figures


def _together(found: list[Found]) -> dict[str, float | int]:
    """Sums of what was counted, and the worst of what was measured."""
    names = found[0] if found else {}
    return {
        name: (max if "worst" in name else sum)(each[name] for each in found)  # pyright: ignore[reportUnknownVariableType]
        for name in names
    }
