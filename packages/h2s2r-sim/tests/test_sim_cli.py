"""``h2s2r-sim``: tasks and robots by name, films and text out; what cannot be done is one line.

In:  command lines.   Out: text, files, exit status.
Not here: the work itself (test_view, test_environment …).
"""

from __future__ import annotations

import threading
import urllib.request

import numpy as np
import pytest

from h2s2r_retarget.embodiment import embodiment_names, load_embodiment
from h2s2r_sim import view as eyes
from h2s2r_sim.cli import main
from h2s2r_sim.env import check as checking
from h2s2r_sim.task import load_task, task_names


def test_tasks_lists_tasks_and_robots(capsys):
    assert main(["tasks"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in (*task_names(), *embodiment_names()))
    assert "0.41 kg" in text


def test_check_of_a_sound_task_finds_nothing(capsys):
    assert main(["check", "snackbox_pivot", "--robot", "iiwa14_leap"]) == 0
    text = capsys.readouterr().out
    assert "210 x 160 x 60 mm, 0.411 kg" in text
    assert "snackbox_pivot with iiwa14_leap: nothing found." in text


def test_check_says_what_is_wrong(capsys, monkeypatch):
    monkeypatch.setattr(checking, "DEEPEST", 1e-6)
    assert main(["check", "plate_push"]) == 1
    text = capsys.readouterr().out
    assert "! things are 0.0 mm inside each other though nothing is pushed" in text
    assert "1 found." in text


def test_a_report_agrees_with_the_task():
    task = load_task("snackbox_push")
    report = checking.check_task(task, load_embodiment("iiwa14_allegro", task.side))
    # The straight line of the task is 25 cm with a turn of 20°, run through without going back.
    assert report.distance == pytest.approx(0.25, abs=0.002)
    assert np.rad2deg(report.turn) == pytest.approx(20.0, abs=0.5)
    assert report.duration == task.reference.duration
    assert 0.5 < report.usable_starts <= 1.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "snackbox"], "There is no task 'snackbox'. Give one of pitcher_pour"),
        (["check", "snackbox_push", "--robot", "panda"], "iiwa14_allegro, iiwa14_leap, iiwa14_umi"),
        (["check", "snackbox_push", "--engine", "bullet"], "There is no engine 'bullet'; there are: mujoco"),
        (["video", "snackbox_push", "--out", "film.gif"], "its name ends in .mp4"),
        (["video", "snackbox_push", "--moves", "still", "--episodes", "0"], "0 episodes of 1 environments"),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments, said, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("h2s2r-sim: ")
    assert said in error
    assert "\n" not in error


def test_video_writes_a_film(tmp_path, capsys):
    pytest.importorskip("av")
    try:
        eyes.offscreen_backend()
    except eyes.NoGraphicsError as error:
        pytest.skip(str(error))
    out = tmp_path / "x.mp4"
    arguments = ["--moves", "random", "--episodes", "1", "--draft", "--out", str(out)]
    assert main(["video", "snackbox_push", *arguments]) == 0
    assert out.read_bytes()[4:8] == b"ftyp"
    assert f"written: {out}" in capsys.readouterr().out


def test_view_serves_a_page(monkeypatch, capsys):
    pytest.importorskip("viser")
    pages = []

    class Pressed(threading.Event):
        """Somebody looks at the page, then presses Ctrl-C."""

        def wait(self, timeout=None):
            said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("look at")]
            where = said[0].split()[2]
            with urllib.request.urlopen(where, timeout=10) as page:
                pages.append(page.status)
            raise KeyboardInterrupt

    monkeypatch.setattr("h2s2r_sim.cli.Event", Pressed)
    assert main(["view", "snackbox_push", "--port", "18231"]) == 0
    assert pages == [200]
