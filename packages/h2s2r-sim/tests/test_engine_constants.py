"""What the engine derives by itself agrees with what MuJoCo derives for the whole model."""

from __future__ import annotations

import numpy as np
import pytest
from mujoco.batch import Batch

from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_sim.engine import PhysicalParameters
from h2s2r_sim.engines.mujoco.parameters import WorldParameters, weightless
from h2s2r_sim.scene import SceneModel, SceneOptions, build_model
from h2s2r_sim.task import load_task

#: Of what MuJoCo derives, that which steps depend on where object and robot are coupled by contacts alone.
DERIVED = ("body_invweight0", "body_subtreemass")


@pytest.fixture(scope="module")
def scene() -> SceneModel:
    task = load_task("plate_push")
    return build_model(task, load_embodiment("iiwa14_umi", task.side), SceneOptions(visuals=False))


@pytest.mark.parametrize("robot_differs", [False, True])
def test_constants_are_those_of_mujoco(scene: SceneModel, robot_differs: bool) -> None:
    num_envs = 4
    batch = Batch(weightless(scene.model), num_envs, 1)
    rng = np.random.default_rng(0)
    drawn = PhysicalParameters.nominal(num_envs, len(scene.robot.joint_names))
    for value in (drawn.object_mass, drawn.object_inertia, drawn.object_size):
        value[:] = rng.uniform(0.5, 2.0, num_envs)
    drawn.object_com[:] = rng.uniform(-0.01, 0.01, drawn.object_com.shape)
    if robot_differs:
        drawn.payload[:] = rng.uniform(0.1, 0.5, num_envs)
    parameters = WorldParameters(scene, batch)
    parameters.write(np.arange(num_envs), parameters.prepare(drawn))
    ours = {name: [getattr(batch.get_model(index), name).copy() for index in range(num_envs)] for name in DERIVED}
    batch.set_const()
    for name in DERIVED:
        theirs = [getattr(batch.get_model(index), name) for index in range(num_envs)]
        assert np.allclose(ours[name], theirs, rtol=1e-12, atol=1e-12), name
        assert not np.allclose(theirs, getattr(scene.model, name), rtol=1e-3)
