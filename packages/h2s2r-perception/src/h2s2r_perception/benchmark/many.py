"""Many recordings, one after the other or several at once, each kept when it is done; and the figures of all.

In:  folders with ``truth.h2s``, a folder to keep results in.   Out: a flat mapping of figures.
Not here: one recording (one), the real one (real).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

import h2s2r_perception
from h2s2r_perception.benchmark.one import measure_one
from h2s2r_perception.hand import judge as hand_judge
from h2s2r_perception.hand.mediapipe_hands import open_landmarker
from h2s2r_perception.track import judge as track_judge
from h2s2r_schemas.errors import H2S2RError, SchemaError

#: Frames by which first motion may be found early or late.
_NEAR = 3


def measure_all(
    folders: Sequence[Path],
    kept: Path,
    timed: Sequence[Path] = (),
    workers: int = 1,
    hand: bool = True,
    progress: Callable[[int, int, str], None] | None = None,
) -> dict[str, Any]:
    """Figures of a set of recordings.

    What is done is kept, one file per recording: an interrupted run goes on where it was. A change of this package's source
    makes all of it anew.

    Args:
        folders: recordings with truth.
        kept: folder for the results of each; it is made.
        timed: those of them on which the tracker is timed too.
        workers: how many are looked at at once.
        hand: whether to look for the hand.
        progress: called with recordings done, recordings in all, and the name of the last.

    Raises:
        SchemaError: no recordings, or one of them has no truth.
        H2S2RError: MediaPipe is not installed.
    """
    if not folders:
        raise SchemaError("No recording to measure: give at least one folder with truth.h2s.")
    if hand:
        open_landmarker().close()  # said now, not in every worker
    kept.mkdir(parents=True, exist_ok=True)
    code = _code()
    results = {folder.name: _read(kept / f"{folder.name}.json", code) for folder in folders}
    todo = [folder for folder in folders if results[folder.name] is None]
    done = len(folders) - len(todo)
    with ProcessPoolExecutor(max(1, workers), mp_context=get_context("spawn")) as pool:
        running = {pool.submit(_measure, folder, hand, folder in timed): folder for folder in todo}
        for future in as_completed(running):
            folder = running[future]
            results[folder.name] = future.result()
            _write(kept / f"{folder.name}.json", code, results[folder.name])
            done += 1
            if progress:
                progress(done, len(folders), folder.name)
    return figures({name: result for name, result in results.items() if result is not None})


def figures(results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Figures of what ``measure_one`` found in each recording; where it found nothing, all frames count as flagged."""
    paths = [
        track_judge.PathErrors(
            add=_array(each["add"]),
            rotation=_array(each["rotation"]),
            flagged=np.array(each["flagged"], bool),
            turned=bool(each["turned"]),
        )
        for each in results.values()
    ]
    found: dict[str, Any] = {"recordings": len(results), **track_judge.figures(paths)}
    found["start_pose_success"] = float(np.mean([each["start_right"] for each in results.values()]))
    # The instant is of no use without a hand: where none is told, it counts as not found.
    late = [None if "hand_refused" in each else each.get("first_motion_late") for each in results.values()]
    found["premanip_within_3"] = float(np.mean([one is not None and abs(one) <= _NEAR for one in late]))
    told = [one for one in late if one is not None]
    if told:
        found["premanip_late_mean_frames"] = float(np.mean(told))
        found["premanip_worst_frames"] = int(max(told, key=abs))
    found["premanip_refused"] = sum(one is None for one in late)
    found |= _hand_figures(results)
    found["see_s_per_10_s"] = 10 * float(np.mean([each["see_s"] / each["seconds"] for each in results.values()]))
    spent = np.concatenate(
        [np.zeros(0), *(np.array(each["track_ms"]) for each in results.values() if "track_ms" in each)]
    )
    if len(spent):
        found |= {"frames_per_s": 1e3 / float(spent.mean()), "track_p99_ms": float(np.percentile(spent, 99))}
    return found


def _hand_figures(results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    refused = [int(each["frames"]) for each in results.values() if "hand_refused" in each]
    hands = [
        {name: _array(values) for name, values in each["hand"].items()} for each in results.values() if "hand" in each
    ]
    if not hands:
        return {"hand_refused": len(refused)} if refused else {}
    for each in hands:
        for name in ("flagged", "flip", "wrong_side"):
            each[name] = each[name].astype(bool)
    off = [1e3 * each["premanip_hand"] for each in results.values() if "premanip_hand" in each]
    found: dict[str, Any] = dict(hand_judge.figures(hands))
    flagged, judged = found["hand_flagged"] * found["hand_frames"] + sum(refused), found["hand_frames"] + sum(refused)
    found |= {"hand_refused": len(refused), "hand_flagged": flagged / judged, "hand_frames": judged}
    found["hand_side_right"] = float(np.mean([bool(each.get("side_right")) for each in results.values()]))
    if off:
        found["premanip_hand_mean_mm"] = float(np.mean(off))
    return found


def _measure(folder: Path, hand: bool, speed: bool) -> dict[str, Any]:
    """In a process of its own, with a landmarker of its own: it keeps what it saw last."""
    landmarker = open_landmarker() if hand else None
    try:
        return measure_one(folder, landmarker, speed)
    finally:
        if landmarker is not None:
            landmarker.close()


def _code() -> str:
    """Of this package's source: results of other code are not those of this."""
    root = Path(next(iter(h2s2r_perception.__path__)))
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        # Commands and views change no result.
        if path.relative_to(root).parts[0] not in ("cli", "view", "benchmark"):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _read(file: Path, code: str) -> dict[str, Any] | None:
    if not file.is_file():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise H2S2RError(f"{file} is damaged: delete it, and it will be measured anew.") from error
    return content["result"] if content.get("code") == code else None


def _write(file: Path, code: str, result: Any) -> None:
    part = file.with_suffix(".part")
    part.write_text(json.dumps({"code": code, "result": result}), encoding="utf-8")
    part.replace(file)


def _array(values: Sequence[Any]) -> np.ndarray:
    return np.array([np.nan if each is None else each for each in values], float)
