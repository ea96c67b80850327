"""The report of a run, read as a person reads it: in a browser, on a phone and on a desk.

In:  folders of runs, done and half done.   Out: pages that show what is there, and say what is not.
Not here: the figures themselves (the stages), how a whole run goes (test_demo).
"""

from __future__ import annotations

import dataclasses
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageSequence
from run_folders import make_run

from h2s2r.chain.bundled import demo_cfg
from h2s2r.cli import app
from h2s2r.report import write_report
from h2s2r_schemas.errors import H2S2RError

SECTIONS = ["beside", "seen", "premanip", "retarget", "learning", "judged", "rehearsal", "repeat"]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report(make_run(tmp_path_factory.mktemp("run"), "rehearse"))


@pytest.fixture(params=[("phone", PHONE, "dark"), ("desk", DESK, "light")], ids=lambda each: each[0])
def page(request: pytest.FixtureRequest, browser: Any, report: Path) -> Any:
    _, viewport, scheme = request.param
    context = browser.new_context(viewport=viewport, color_scheme=scheme)
    page = context.new_page()
    page.told, page.asked = [], []
    page.on("console", lambda message: page.told.append(message.text))
    page.on("pageerror", lambda error: page.told.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(report.as_uri())
    page.wait_for_function("['human', 'robot'].every(id => document.getElementById(id).readyState >= 2)")
    yield page
    context.close()


def test_it_shows_every_part_within_the_screen_without_network_or_complaint(page: Any, report: Path) -> None:
    assert [section.get_attribute("id") for section in page.query_selector_all("section")] == SECTIONS
    assert page.inner_text(".verdict strong") == "75.0 %"
    assert "69.4 % to 79.9 %" in page.inner_text("header")
    assert "dropped <object>" in page.inner_text("#judged")
    rehearsal = page.inner_text("#rehearsal")
    assert "90.0 % of 10 episodes" in rehearsal and "12345678" in rehearsal and "1.2 ms" in rehearsal
    assert "zero-shot to the emulated robot" in page.inner_text("header")
    assert "--rehearsal-seed 12345678" in page.inner_text("#repeat .command")
    assert len(page.query_selector_all(".plot svg")) == 6
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    assert page.told == []
    assert all(url.startswith(report.parent.as_uri()) for url in page.asked)


def test_both_films_play_stop_and_are_scrubbed_together(page: Any) -> None:
    times = "['robot', 'human'].map(id => document.getElementById(id).currentTime)"
    ahead = float(page.get_attribute(".pair", "data-ahead"))
    page.evaluate("const s = document.getElementById('scrub'); s.value = 2; s.dispatchEvent(new Event('input'))")
    robot, human = page.evaluate(times)
    assert robot == pytest.approx(2.0, abs=0.01) and human == pytest.approx(2.0 - ahead, abs=0.01)
    assert page.inner_text("#clock") == "2.00 s"
    cursor = "parseFloat(document.querySelector('#beside .plot .cursor').getAttribute('x1'))"
    before = page.evaluate(cursor)
    page.click("#play")
    page.wait_for_function("document.getElementById('robot').currentTime > 2.3")
    page.click("#play")
    robot, human = page.evaluate(times)
    assert robot > 2.3 and robot - human == pytest.approx(ahead, abs=0.15)
    assert page.evaluate(cursor) > before
    assert page.evaluate("document.getElementById('robot').paused && document.getElementById('human').paused")


def test_letters_are_seen_on_their_ground(page: Any) -> None:
    channels = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.querySelector('section')).backgroundColor]"
        ".map(colour => colour.match(/\\d+/g).slice(0, 3).map(Number))"
    )
    ink, ground = (sum(each) / 3 for each in channels)
    assert abs(ink - ground) > 150
    assert page.evaluate("getComputedStyle(document.querySelector('.plot svg')).color") == page.evaluate(
        "getComputedStyle(document.body).color"
    )


@pytest.mark.parametrize(
    ("until", "there", "missing"),
    [("recording", [], "track"), ("seen", ["The recording, with"], "task"), ("train", ["While it explores"], "judge")],
)
def test_a_run_that_was_stopped_gives_what_there_is_and_says_what_is_missing(
    until: str, there: list[str], missing: str, tmp_path: Path
) -> None:
    text = write_report(make_run(tmp_path, until)).read_text(encoding="utf-8")
    assert "This run is not complete" in text
    said = text[text.index("Not done:") : text.index("What is done is kept")]
    assert f"<b>{missing}</b>" in said and f"<b>{until}</b>" not in said
    assert all(each in text for each in there)
    assert text.count("Not run.") == 1
    assert "h2s2r demo --seed 3 --steps 4096 --out" in text
    assert text.count("<section") == len(SECTIONS) + 1


@pytest.mark.parametrize(
    ("until", "said"), [("seen", "preset full, seed 5"), ("film", "9,000 policy steps, preset full, seed 5")]
)
def test_a_run_with_the_steps_of_its_preset_says_how_many_were_done(until: str, said: str, tmp_path: Path) -> None:
    cfg = dataclasses.replace(demo_cfg(seed=5), preset="full", steps=None)
    text = write_report(make_run(tmp_path, until, cfg)).read_text(encoding="utf-8")
    assert f"<b>Training</b> {said}<" in text


def test_damaged_files_count_as_missing(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    for damaged in ("track/path.h2s", "film/episodes.npz", "train/curve.jsonl", "judge/evaluation.json"):
        (folder / damaged).write_bytes(b"nothing of the kind")
    text = write_report(folder).read_text(encoding="utf-8")
    assert "a file is missing or damaged" in text and 'class="verdict"' not in text


@pytest.mark.parametrize("success", ["null", "0.5"])
def test_a_training_of_one_update_has_a_curve_too(success: str, tmp_path: Path) -> None:
    folder = make_run(tmp_path, "seen")
    (folder / "train").mkdir()
    (folder / "train" / "curve.jsonl").write_text(f'{{"steps": 4096, "success": {success}, "reward": 0.6}}\n')
    text = write_report(folder).read_text(encoding="utf-8")
    assert "While it explores" in text and "The training is not finished" in text


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(H2S2RError, match=r"not the folder of a run.*--out"):
        write_report(tmp_path)


def test_the_command_writes_it_and_every_file_it_names_is_beside_it(
    report: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(report.parent)
    picture = report.parents[2] / "both.webp"
    app.cli(prog="h2s2r", args=["report", str(report.parents[1]), "--picture", str(picture)])
    with Image.open(picture) as moving:
        assert len(list(ImageSequence.Iterator(moving))) > 5 and moving.size[0] > 2 * moving.size[1]
    assert capsys.readouterr().out.strip() == str(report)
    named = set(re.findall(r'(?:src|poster)="([^"]+)"', report.read_text(encoding="utf-8")))
    assert {"human.mp4", "robot_one.mp4", "seen.mp4", "robot.mp4", "instant.jpg"} <= named
    assert all((report.parent / name).is_file() for name in named)
