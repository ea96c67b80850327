"""The page in the browser gets every shape, in its place, and steps through episodes.

In:  tasks and robots.   Out: a viser server, asked without a browser.
Not here: pictures and films (test_view).
"""

from __future__ import annotations

import socket
import sys
import time
import urllib.request

import numpy as np
import pytest

from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.task import load_task
from h2s2r_sim.view import NoGraphicsError, Viewer, task_episode


@pytest.fixture(scope="module")
def lifted():
    task = load_task("plate_lift_rack")
    embodiment = load_embodiment("iiwa14_allegro", task.side)
    return task, embodiment, task_episode(task, embodiment)


@pytest.fixture
def viewer(lifted):
    pytest.importorskip("viser")
    task, embodiment, whole = lifted
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    viewer = Viewer(task, embodiment, [whole, whole.at(np.arange(5) / 30)], port=port)
    yield viewer
    viewer.stop()


def handles(viewer):
    """What is in the scene, by name."""
    return viewer._server.scene._handle_from_node_name


def control(viewer, label):
    """One of the page's controls."""
    every = viewer._server.gui._gui_input_handle_from_uuid.values()
    return next(each for each in every if each.label == label)


def test_the_page_is_served_with_every_shape(lifted, viewer):
    task, embodiment, _ = lifted
    with urllib.request.urlopen(f"http://localhost:{viewer.port}", timeout=10) as page:
        assert page.status == 200
    names = set(handles(viewer))
    for body in task.scene.bodies:
        assert {f"/scene/{body.name}/{index}" for index in range(len(body.shapes))} <= names
    assert {"/object/0", "/goal/0", "/anchors/object", "/anchors/goal", "/anchors/errors"} <= names
    assert handles(viewer)["/goal/0"].opacity < 1.0
    assert handles(viewer)["/object/0"].opacity is None
    robot = [name for name in names if name.startswith("/robot/") and name.count("/") == 3]
    assert len(robot) == sum(len(link.visual or link.collision) for link in embodiment.links.values())


def test_the_slider_moves_what_moves(lifted, viewer):
    _, embodiment, whole = lifted
    at = len(whole) - 3
    control(viewer, "step").value = at
    assert np.allclose(handles(viewer)["/goal"].position, whole.wxyz_xyz_world_goal[at, 4:])
    assert np.allclose(handles(viewer)["/goal"].wxyz, whole.wxyz_xyz_world_goal[at, :4])
    assert np.allclose(handles(viewer)["/object"].position, whole.wxyz_xyz_world_object[at, 4:])
    link = next(name for name in embodiment.links if f"/robot/{name}" in handles(viewer))
    there = embodiment.chain_of([link]).forward(whole.joint_pos[at]).translation[0]
    assert np.allclose(handles(viewer)[f"/robot/{link}"].position, there)
    assert control(viewer, "time [s]").value == f"{at * whole.dt:.2f}"


def test_another_episode_starts_at_its_beginning_and_ends_at_its_end(lifted, viewer):
    _, _, whole = lifted
    choice, slider = control(viewer, "episode"), control(viewer, "step")
    slider.value = len(whole) - 1
    choice.value = choice.options[1]
    assert slider.value == 0
    assert slider.max == 4
    assert np.allclose(handles(viewer)["/goal"].position, whole.wxyz_xyz_world_goal[0, 4:])


def test_playing_goes_on_by_itself(viewer):
    slider = control(viewer, "step")
    control(viewer, "play").value = True
    deadline = time.monotonic() + 20.0
    while slider.value < 3 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert slider.value >= 3


def test_what_cannot_be_shown_is_refused(lifted, monkeypatch):
    task, embodiment, whole = lifted
    with pytest.raises(SchemaError, match="23 joints of iiwa14_allegro"):
        Viewer(task, embodiment, [])
    monkeypatch.setitem(sys.modules, "viser", None)
    with pytest.raises(NoGraphicsError, match=r"viser.*h2s2r-sim\[view\]"):
        Viewer(task, embodiment, [whole])
