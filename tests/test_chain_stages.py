"""Stages are done once, again when what they work from changed, and go on where they were stopped."""

from __future__ import annotations

from pathlib import Path

import pytest

from h2s2r.chain.stage import DONE, Stage, StageError, Told, Work, run_stages
from h2s2r_schemas.errors import SchemaError


def writes(name: str, text: str = "", needs: tuple[str, ...] = (), **settings: object) -> Stage:
    """A stage that leaves one file: its own text after those of the stages it needs."""

    def work(given: Work) -> None:
        before = "".join((given.of(other) / "out.txt").read_text() for other in needs)
        (given.folder / "out.txt").write_text(before + (text or name))

    return Stage(name, f"writes {name}", work, needs, settings)


CHAIN = [writes("see"), writes("train", needs=("see",)), writes("film", needs=("train",)), writes("note")]


def events(stages: list[Stage], folder: Path, start: str | None = None) -> dict[str, str]:
    """The last event of each stage."""
    told: list[Told] = []
    run_stages(stages, folder, told.append, start)
    return {each.stage.name: each.event for each in told}


def test_what_is_done_is_kept(tmp_path: Path) -> None:
    assert set(events(CHAIN, tmp_path).values()) == {"done"}
    assert (tmp_path / "film" / "out.txt").read_text() == "seetrainfilm"
    assert set(events(CHAIN, tmp_path).values()) == {"kept"}


def test_another_setting_redoes_the_stage_and_what_needs_it(tmp_path: Path) -> None:
    run_stages(CHAIN, tmp_path)
    changed = [CHAIN[0], writes("train", "TRAIN", ("see",), seed=1), *CHAIN[2:]]
    assert events(changed, tmp_path) == {"see": "kept", "train": "done", "film": "done", "note": "kept"}
    # A redone stage that makes the same leaves those after it as they are.
    assert events([CHAIN[0], writes("train", "TRAIN", ("see",), seed=2), *CHAIN[2:]], tmp_path)["film"] == "kept"


def test_from_a_stage_on_all_is_done_anew(tmp_path: Path) -> None:
    run_stages(CHAIN, tmp_path)
    assert events(CHAIN, tmp_path, "train") == {"see": "kept", "train": "done", "film": "done", "note": "done"}
    with pytest.raises(StageError, match="no stage 'learn'; there are: see, train, film, note"):
        run_stages(CHAIN, tmp_path, start="learn")


def test_a_file_changed_by_hand_is_kept_and_used(tmp_path: Path) -> None:
    run_stages(CHAIN, tmp_path)
    (tmp_path / "see" / "out.txt").write_text("corrected ")
    assert events(CHAIN, tmp_path) == {"see": "changed", "train": "done", "film": "done", "note": "kept"}
    assert (tmp_path / "film" / "out.txt").read_text() == "corrected trainfilm"


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"key": 3}'])
def test_a_lost_file_or_record_redoes_the_stage(tmp_path: Path, damage: str) -> None:
    run_stages(CHAIN, tmp_path)
    (tmp_path / "see" / DONE).write_text(damage)
    (tmp_path / "note" / "out.txt").unlink()
    assert events(CHAIN, tmp_path) == {"see": "done", "train": "kept", "film": "kept", "note": "done"}


def test_an_error_names_stage_cause_and_next_step_and_loses_nothing(tmp_path: Path) -> None:
    def fails(work: Work) -> None:
        (work.folder / "half.txt").write_text("half")
        raise SchemaError("The hand is never seen.")

    stages = [CHAIN[0], Stage("hand", "follows the hand", fails, ("see",)), *CHAIN[2:]]
    with pytest.raises(StageError, match=r"hand \(follows the hand\): The hand is never seen\. .* same command again"):
        run_stages(stages, tmp_path)
    assert (tmp_path / "see" / DONE).is_file() and not (tmp_path / "hand" / DONE).exists()
    assert not (tmp_path / "film").exists()


def test_a_stopped_stage_goes_on_unless_its_inputs_changed(tmp_path: Path) -> None:
    def stopped(work: Work) -> None:
        (work.folder / "checkpoint").write_text("half way")
        raise KeyboardInterrupt

    def goes_on(work: Work) -> None:
        found = work.folder / "checkpoint"
        (work.folder / "out.txt").write_text(found.read_text() if found.exists() else "from the start")

    for settings, expected in (({"seed": 0}, "half way"), ({"seed": 1}, "from the start")):
        with pytest.raises(KeyboardInterrupt):
            run_stages([Stage("train", "learns", stopped, (), {"seed": 0})], tmp_path, start="train")
        run_stages([Stage("train", "learns", goes_on, (), settings)], tmp_path)
        assert (tmp_path / "train" / "out.txt").read_text() == expected
