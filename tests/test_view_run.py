"""A run in the browser: the page is served, has what there is, and everything on it moves with one slider.

In:  folders of runs, done and half done.   Out: pages, asked by HTTP and opened in a browser.
Not here: how clouds, hands and robots look (tests of the packages' views).
"""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from run_folders import make_run

from h2s2r.chain.bundled import demo_cfg
from h2s2r.cli import app
from h2s2r.view import RunPage
from h2s2r.view.shown import shown_run
from h2s2r_schemas.errors import H2S2RError


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunPage]:
    page = RunPage(shown_run(make_run(tmp_path_factory.mktemp("run"), "rehearse")), port=free_port())
    yield page
    page.stop()


def handle(page: RunPage, name: str) -> Any:
    return page.server.scene._handle_from_node_name[name]


def test_the_page_is_served_and_moves_as_one(page: RunPage) -> None:
    with urllib.request.urlopen(f"http://localhost:{page.port}", timeout=10) as answer:
        assert answer.status == 200
    assert page.parts == ("reference", "policy", "recording")
    run = page._run
    assert run.task is not None and run.finding is not None and run.finding.path is not None
    page.time.value = 0.0
    page.draw()
    still = np.array(handle(page, "/reference/goal").position)
    page.time.value = run.starts + 2.0
    page.draw()
    goal, tracked = (np.array(handle(page, name).position) for name in ("/reference/goal", "/recording/object"))
    assert np.linalg.norm(goal - still) > 0.05
    # By the truth of the recording: what is tracked then is where the task wants it.
    assert np.linalg.norm(goal - tracked) < 0.02
    assert np.allclose(handle(page, "/policy/object").position, run.policy[0].wxyz_xyz_world_object[0, 4:])
    assert len(handle(page, "/recording/cloud").points) > 1000


def test_what_is_hidden_is_not_drawn(page: RunPage) -> None:
    part = page._parts["recording"]
    part.shown = False
    assert not handle(page, "/recording").visible
    part.shown = True
    assert handle(page, "/recording").visible


def test_a_browser_shows_it(page: RunPage, browser: Any) -> None:
    tab = browser.new_page(viewport={"width": 1000, "height": 700})
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.goto(f"http://localhost:{page.port}")
    # On two cores without a GPU, drawing the scene takes the browser most of its time.
    tab.wait_for_function(
        "names => names.every(name => document.body.innerText.includes(name))", arg=list(page.parts), timeout=240_000
    )
    assert tab.locator("canvas").count() >= 1
    assert complaints == []
    tab.close()


def test_half_a_run_is_half_shown(tmp_path: Path) -> None:
    run = shown_run(make_run(tmp_path / "begun", "track"))
    assert run.task is None and run.finding is not None and run.finding.hand is None and run.policy == ()
    task = demo_cfg("plate_push", seed=3, steps=4096)
    with pytest.raises(H2S2RError, match=r"neither a recording nor a task.*\n.*demo --task plate_push"):
        (tmp_path / "none" / "recording").mkdir(parents=True)
        make_run(tmp_path / "none", "recording", task)
        (tmp_path / "none" / "recording" / "done.json").unlink()
        shown_run(tmp_path / "none")


def test_the_command_says_where_and_ends_when_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = make_run(tmp_path, "track")
    app.cli(prog="h2s2r", args=["view", str(folder), "--port", str(free_port()), "--seconds", "0.2"])
    assert "shows recording" in capsys.readouterr().out
