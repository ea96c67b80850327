"""Contacts of the robot beside the human's fingertips."""

from dataclasses import replace

import numpy as np
import pytest

from h2s2r_rl.evaluate.conditions import Cell, Condition
from h2s2r_rl.evaluate.contacts import ContactPicture, _Watcher, human_fingertips, usual
from h2s2r_rl.evaluate.judge import Evaluation
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.env.make import make_env
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.perturbation import NONE


@pytest.fixture(scope="module")
def env():
    return make_env("snackbox_push", num_envs=2, cfg=EnvCfg(start=StartCfg(pool=4), perturbation=NONE, num_threads=1))


@pytest.mark.requirement("H45")
@pytest.mark.requirement("H53")
def test_contacts_of_a_hand_that_pushes(env):
    env.reset(3)
    watcher = _Watcher(env, env.engine)
    running, ended = np.zeros(2, dtype=bool), np.ones(2, dtype=bool)
    tips = human_fingertips(env.task, env.embodiment)
    action = np.zeros((2, env.num_actions))
    # Straight from where the fingertips are to the middle of the box, with the first robot only.
    way = env.now.state.wxyz_xyz_world_object[0, 4:] - env.now.frames[1][0].mean(0)
    action[0, :2] = way[:2] / np.abs(way[:2]).max()
    for _ in range(12):
        env.step(action)
        watcher(running, running, {})
    assert watcher.picture().episodes == 0
    watcher(running, ended, {"success": np.array([True, False])})
    found = watcher.picture()
    assert found.episodes == 1
    np.testing.assert_allclose(found.p_object_human, tips)
    assert len(found.links) == len(found.p_object_contact) > 0
    assert set(found.first_links) <= set(found.links)
    assert found.first_links and found.last_links
    assert len(found.fingertip_distance) == 12
    # A hand that starts where the human's was is near it at first.
    assert found.fingertip_distance[0] < 0.05
    assert 0.0 <= found.contact_distance < 0.2


def test_a_grasp_is_what_usually_touches():
    assert usual({"a": 0.5, "b": 0.49}) == {"a"}
    nobody = ContactPicture(1, np.zeros((4, 3)), np.zeros((0, 3)), (), {"a": 1.0}, {"a": 0.9}, 0.0, np.zeros(0))
    assert not nobody.grasp_changed
    assert replace(nobody, last_links={"b": 1.0, "a": 0.1}).grasp_changed


def test_pictures(env, tmp_path):
    pictures = pytest.importorskip("h2s2r_rl.evaluate.pictures")
    found = ContactPicture(
        2, human_fingertips(env.task, env.embodiment), np.zeros((2, 3)), ("index_link_3", "palm"), {}, {}, 0.0, np.zeros(0)
    )  # fmt: skip
    pictures.draw_contacts(found, env.task, tmp_path / "contacts.svg")
    points = [Condition(f, Evaluation(10, round(10 - f), {}, 0, 0.0, 0.0)) for f in (0.0, 1.0)]
    pictures.draw_conditions({"camera": points}, tmp_path / "noise.svg")
    pictures.draw_placements([Cell(0.0, 0.0, 3, 2), Cell(0.1, 0.0, 0, 0)], tmp_path / "places.svg")
    for name, says in (("contacts", "human fingertips"), ("noise", "success"), ("places", "2/3")):
        text = (tmp_path / f"{name}.svg").read_text()
        assert says in text or "<path" in text
    assert pictures.digit_of("thumb_link_2") == "thumb"
    assert pictures.digit_of("palm") == "palm"
