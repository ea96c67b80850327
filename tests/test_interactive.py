"""A run pauses where a person may correct, and what was corrected stays with it.

In:  answers, as typed or piped.   Out: corrections in the folder, and the stages that had to be done again.
Not here: what the stages make of a correction in minutes of work (test_demo has the stages).
"""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from run_folders import quick_stages

from h2s2r import cli
from h2s2r.chain import run
from h2s2r.chain.asking import Question, ask_along
from h2s2r.chain.bundled import demo_cfg
from h2s2r.chain.corrections import Corrections, load_corrections, save_corrections
from h2s2r.chain.learning import moved
from h2s2r.chain.seeing import hand_in_frame, seeing
from h2s2r.chain.stage import StageError, Told
from h2s2r_schemas.codec import load
from h2s2r_schemas.demo import DemoTruth, truth_path
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.demonstrate import BUNDLED, task_from_truth

CFG = demo_cfg(seed=3, steps=4096)


def asked_with(*answers: str) -> tuple[list[Question], object]:
    """Somebody who gives these answers, one after the other, and what was asked."""
    questions, left = [], list(answers)

    def ask(question: Question) -> str:
        questions.append(question)
        return left.pop(0)

    return questions, ask


def test_it_shows_a_picture_and_takes_a_correction(tmp_path: Path) -> None:
    questions, ask = asked_with("frame 20", "accept", "accept")
    told: list[Told] = []
    cfg = ask_along(CFG, tmp_path, quick_stages, told.append, ask)  # pyright: ignore[reportArgumentType]
    assert cfg.corrections == Corrections(frame=20) == load_corrections(tmp_path)
    first, second, third = questions
    assert "first moves at 2.00 s" in first.text and "right hand" in first.text and "A person chose" in second.text
    assert [q.picture and q.picture.name for q in questions] == ["frame_000018.png", "frame_000020.png", None]
    assert first.picture is not None and first.picture.stat().st_size > 10_000
    assert "turn DEGREES" not in first.answers and "turn DEGREES" in third.answers
    done = [each.stage.name for each in told if each.event == "done"]
    assert done.count("premanip") == 2 and done.count("track") == done.count("retarget") == 1


def test_what_cannot_be_said_is_asked_again_and_stop_keeps_what_is_done(tmp_path: Path) -> None:
    questions, ask = asked_with("frame twenty", "turn 30", "what?", "stop")
    with pytest.raises(StageError, match="Stopped before what comes after premanip"):
        ask_along(CFG, tmp_path, quick_stages, lambda told: None, ask)  # pyright: ignore[reportArgumentType]
    refusals = [question.refused for question in questions]
    assert "none of: accept, stop, frame N" in refusals[1] and "cannot be said here" in refusals[2]
    assert load_corrections(tmp_path) == Corrections()
    assert (tmp_path / "premanip" / "done.json").is_file() and not (tmp_path / "task").exists()


def test_a_stage_that_fails_is_asked_about_too(tmp_path: Path) -> None:
    questions, ask = asked_with("frame 100000", "frame 20", "accept", "accept")
    cfg = ask_along(CFG, tmp_path, quick_stages, lambda told: None, ask)  # pyright: ignore[reportArgumentType]
    assert "not seen in frame 100000" in questions[1].text and questions[1].picture is not None
    assert cfg.corrections.frame == 20
    _, ask = asked_with("frame 100000", "accept")
    with pytest.raises(StageError, match="not seen in frame 100000"):
        ask_along(CFG, tmp_path / "other", quick_stages, lambda told: None, ask)  # pyright: ignore[reportArgumentType]


def test_answers_may_be_piped_and_what_nobody_answers_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "stages_of", lambda cfg, progress: quick_stages(cfg))
    monkeypatch.setattr("sys.stdin", io.StringIO("frame 21\n"))
    monkeypatch.setattr(cli.webbrowser, "open", lambda url: pytest.fail("nothing is opened without a display"))
    for display in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(display, raising=False)
    words = ["run", str(CFG.recording), "--object", str(CFG.object), "--out", str(tmp_path)]
    assert cli.app.cli(prog="h2s2r", args=[*words, "--interactive"]) == 0
    said = capsys.readouterr().out
    assert f"Look at: {tmp_path / 'asked' / 'frame_000018.png'}" in said and "frame N " in said
    # Later runs of the same folder keep what was corrected, asked or not.
    assert cli.app.cli(prog="h2s2r", args=words) == 0
    assert "A person chose" in capsys.readouterr().out


def test_corrections_decide_what_is_done_again() -> None:
    def changed(corrections: Corrections) -> list[str]:
        stages = [seeing(replace(CFG, corrections=each), lambda *_: None) for each in (Corrections(), corrections)]
        return [one.name for one, other in zip(*stages, strict=True) if one.settings != other.settings]

    assert changed(Corrections(frame=20)) == ["premanip", "seen"]
    assert changed(Corrections(side="left")) == ["hand"]
    assert changed(Corrections(mask="mug")) == ["track"]


def test_words_become_corrections_and_a_damaged_file_is_refused(tmp_path: Path) -> None:
    said = Corrections().corrected("left").corrected("mask mug").corrected("turn 30").corrected("turn -10")
    said = said.corrected("shift 0.1 -0.05").corrected("shift 0 0.01")
    assert said == Corrections(side="left", mask="mug", turn=20.0, shift=(0.1, -0.04))
    save_corrections(said, tmp_path)
    assert load_corrections(tmp_path) == said
    (tmp_path / "corrections.json").write_text('{"side": "up"}')
    with pytest.raises(SchemaError, match="holds no corrections"):
        load_corrections(tmp_path)


def test_a_placed_task_turns_about_its_object_and_moves() -> None:
    task = task_from_truth(BUNDLED)
    T_chosen_new = moved(task, 90.0, (0.1, -0.2))
    start = task.reference.Ts_world_object[0].translation
    np.testing.assert_allclose(T_chosen_new.apply(start), start + (0.1, -0.2, 0.0), atol=1e-12)
    np.testing.assert_allclose(T_chosen_new.rotate(np.array([1.0, 0.0, 0.0])), [0.0, 1.0, 0.0], atol=1e-12)


def test_a_hand_that_is_not_seen_is_refused_with_where_it_is() -> None:
    hand = load(truth_path(BUNDLED), DemoTruth).hand_trajectory
    pose = hand_in_frame(hand, 15, 5)
    assert pose.time == hand.time[10] and pose.side == hand.side
    with pytest.raises(SchemaError, match=r"not seen in frame 4; it is in \d+ of frames 5 to"):
        hand_in_frame(hand, 4, 5)
