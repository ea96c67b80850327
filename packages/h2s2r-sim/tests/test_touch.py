"""Contacts between robot and object, as others see them."""

import numpy as np

from h2s2r_schemas.se3 import SE3
from h2s2r_sim.config import EnvCfg
from h2s2r_sim.engine import StartState
from h2s2r_sim.engines.mujoco.touch import Toucher
from h2s2r_sim.env.make import make_env
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.perturbation import NONE


def test_a_hand_beside_the_box_touches_nothing_and_a_box_in_its_way_is_touched():
    env = make_env("snackbox_push", num_envs=2, cfg=EnvCfg(start=StartCfg(pool=2), perturbation=NONE, num_threads=1))
    env.reset(0)
    engine = env.engine
    toucher = Toucher(engine)
    free = toucher.touch(1)
    assert len(free.links) == len(free.normal_force) == len(free.p_object_contact) == 0

    # Put the box where the fingertips are: whatever is touched belongs to the hand, near a fingertip, on the box.
    state = engine.state()
    p_world_tips = env.now.frames[1][1]
    moved = state.wxyz_xyz_world_object[[1]].copy()
    moved[0, 4:6] = p_world_tips.mean(0)[:2]
    engine.reset(np.array([1]), StartState(state.joint_pos[[1]], moved))
    found = toucher.touch(1)
    assert len(found.links) > 0
    assert all(any(digit in link for digit in ("index", "middle", "ring", "thumb", "palm")) for link in found.links)
    assert (found.normal_force >= 0.0).all() and found.normal_force.max() > 0.0
    half = np.array([0.25, 0.25, 0.25])
    assert (np.abs(found.p_object_contact) < half).all()
    p_world = SE3(moved[0]).apply(found.p_object_contact)
    assert np.linalg.norm(p_world[:, None] - p_world_tips[None], axis=-1).min() < 0.05
    # The other world is as it was.
    assert not toucher.touch(0).links
