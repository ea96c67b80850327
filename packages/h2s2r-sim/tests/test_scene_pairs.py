"""The list of pairs finds the contacts that MuJoCo finds by itself, and leaves out only what never touches."""

from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np
import pytest

from h2s2r_retarget.embodiment import embodiment_names, load_embodiment
from h2s2r_sim.scene import SceneModel, SceneOptions, build_model
from h2s2r_sim.scene.apart import links_apart, nearest_drawn, postures
from h2s2r_sim.scene.pairs import candidates
from h2s2r_sim.scene.robot import add_robot
from h2s2r_sim.scene.world import world_spec
from h2s2r_sim.task import load_task

BARE = SceneOptions(visuals=False)


def touching(model: mujoco.MjModel, qpos: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
    """Per pair of geoms its contacts: depth, friction, stiffness, frame, side by side."""
    data = mujoco.MjData(model)
    data.qpos[:] = qpos
    mujoco.mj_forward(model, data)
    found: dict[tuple[str, str], list[np.ndarray]] = {}
    for contact in data.contact:
        if contact.dist > -1e-9:
            continue  # no overlap but rounding: either search may miss it
        first, second = sorted(model.geom(geom).name for geom in contact.geom)
        row = np.concatenate([[contact.dist], contact.friction, contact.solref, contact.solimp, np.sort(contact.pos)])
        found.setdefault((first, second), []).append(row)
    return {pair: np.sort(np.array(rows), 0) for pair, rows in found.items()}


@pytest.mark.parametrize("robot", embodiment_names())
def test_the_list_finds_what_mujoco_finds(robot: str) -> None:
    task, embodiment = load_task("snackbox_pivot"), replace(load_embodiment(robot), collision_never=())
    listed = build_model(task, embodiment, BARE)
    spec = world_spec(task.object, task.scene, BARE)
    add_robot(spec, embodiment, BARE)
    searched, rng, seen = spec.compile(), np.random.default_rng(3), set()
    for joint_pos in postures(listed, 150, rng):
        qpos = listed.model.qpos0.copy()
        qpos[listed.robot_qpos] = listed.all_joint_pos(joint_pos)
        qpos[listed.object_qpos] = task.reference.wxyz_xyz_world_object[0]
        here, there = touching(listed.model, qpos), touching(searched, qpos)
        assert here.keys() == there.keys()
        for pair, rows in here.items():
            np.testing.assert_allclose(rows, there[pair], atol=1e-9)
        seen |= here.keys()
    assert len(seen) > 10


@pytest.mark.parametrize("robot", embodiment_names())
def test_links_that_are_left_out_never_touch(robot: str) -> None:
    """By other postures than those the committed lists were made from."""
    embodiment = load_embodiment(robot)
    scene = build_model(load_task("snackbox_push"), replace(embodiment, collision_never=()), BARE)
    assert embodiment.collision_never
    pairs = np.stack([scene.model.pair_geom1, scene.model.pair_geom2], -1)
    left_out = {frozenset(f"robot/{link}" for link in pair) for pair in embodiment.collision_never}
    chosen = [
        frozenset(scene.model.body(body).name for body in scene.model.geom_bodyid[pair]) in left_out for pair in pairs
    ]
    assert sum(chosen) >= len(left_out)
    nearest, _ = nearest_drawn(scene, pairs[chosen], postures(scene, 2000, np.random.default_rng(98_765)), -1.0)
    assert nearest.min() > 0.0


def touchy() -> SceneModel:
    return build_model(load_task("snackbox_push"), replace(load_embodiment("iiwa14_umi"), collision_never=()), BARE)


def test_the_committed_lists_leave_out_what_the_tool_finds() -> None:
    """With few postures the tool finds more pairs apart, and never fewer."""
    found = set(links_apart(touchy(), 300, 0))
    assert found >= set(load_embodiment("iiwa14_umi").collision_never)


def test_links_that_can_touch_are_found_downhill() -> None:
    """Five postures show next to no contact; those reached from them do."""
    few = links_apart(touchy(), 5, 0)
    assert len(few) < 2 * len(load_embodiment("iiwa14_umi").collision_never)


def test_candidates_are_those_of_two_bodies_that_may_meet() -> None:
    spec = mujoco.MjSpec.from_string("""
        <mujoco><worldbody><geom name="floor" type="plane" size="1 1 1"/>
          <body name="a"><joint/><geom name="a" size="0.1"/>
            <body name="stuck"><geom name="stuck" size="0.1"/></body>
            <body name="b"><joint/><geom name="b" size="0.1"/><geom name="seen" size="0.1" contype="0" conaffinity="0"/>
              <body name="c"><joint/><geom name="c" size="0.1"/></body></body></body>
          <body name="d"><joint/><geom name="d" size="0.1"/></body>
        </worldbody><contact><exclude body1="c" body2="d"/></contact></mujoco>""")
    model = spec.compile()
    names = {tuple(sorted(model.geom(geom).name for geom in pair)) for pair in candidates(model)}
    assert names == {
        ("a", "floor"), ("b", "floor"), ("c", "floor"), ("d", "floor"), ("floor", "stuck"),
        ("a", "c"), ("a", "d"), ("b", "d"), ("c", "stuck"), ("d", "stuck"),
    }  # fmt: skip
