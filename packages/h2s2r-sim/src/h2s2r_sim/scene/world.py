"""The world without a robot: object, fixtures, physics settings, light.

In:  ``ObjectModel``, ``Scene``, ``SceneOptions``.   Out: an ``MjSpec`` to which a robot can be added.
Not here: shapes and bodies one by one (bodies), the robot (robot).
"""

from __future__ import annotations

import mujoco

from h2s2r_schemas.artifacts import ObjectModel, Scene
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.scene.bodies import add_fixture, add_object, add_table
from h2s2r_sim.scene.options import SceneOptions

_CONES = {"pyramidal": mujoco.mjtCone.mjCONE_PYRAMIDAL, "elliptic": mujoco.mjtCone.mjCONE_ELLIPTIC}

_INTEGRATORS = {
    "implicitfast": mujoco.mjtIntegrator.mjINT_IMPLICITFAST,
    "implicit": mujoco.mjtIntegrator.mjINT_IMPLICIT,
}


def world_spec(model: ObjectModel, scene: Scene, options: SceneOptions) -> mujoco.MjSpec:
    """The description of a world with one free object among fixtures.

    Raises:
        SchemaError: an unknown friction cone or integrator.
    """
    for what, chosen, known in (
        ("friction cone", options.cone, _CONES),
        ("integrator", options.integrator, _INTEGRATORS),
    ):
        if chosen not in known:
            raise SchemaError(f"The {what} is {chosen!r}; allowed are {', '.join(known)}.")
    spec = mujoco.MjSpec()
    spec.modelname = scene.name
    spec.compiler.degree = False
    physics = spec.option
    physics.timestep = options.sim_dt
    physics.gravity = options.gravity
    physics.integrator = _INTEGRATORS[options.integrator]
    physics.solver = mujoco.mjtSolver.mjSOL_NEWTON
    physics.jacobian = mujoco.mjtJacobian.mjJAC_DENSE
    physics.cone = _CONES[options.cone]
    physics.impratio = options.impratio
    physics.iterations = options.iterations
    physics.ls_iterations = options.ls_iterations
    add_object(spec, model, options)
    for fixture in scene.bodies:
        if fixture.name == "table":
            add_table(spec, fixture, scene.T_world_table, options)
        else:
            add_fixture(spec, fixture, options)
    _add_light(spec, options)
    return spec


def _add_light(spec: mujoco.MjSpec, options: SceneOptions) -> None:
    """Sky, two lamps, and what keeps headless rendering fast."""
    quality, glob = spec.visual.quality, spec.visual.global_
    quality.shadowsize, quality.offsamples = options.shadow_size, options.offscreen_samples
    glob.offwidth, glob.offheight = options.image_size
    spec.visual.headlight.ambient = [0.32, 0.32, 0.32]
    spec.visual.headlight.diffuse = [0.25, 0.25, 0.25]
    spec.add_texture(
        name="sky",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.86, 0.89, 0.93],
        rgb2=[0.55, 0.60, 0.67],
        width=64,
        height=64,
    )
    for pos, direction, strength, shadow in (
        ([0.2, -0.8, 2.5], [0.15, 0.3, -1.0], 0.45, options.shadow_size > 0),
        ([1.5, 1.0, 2.0], [-0.6, -0.5, -1.0], 0.25, False),
    ):
        spec.worldbody.add_light(
            pos=pos,
            dir=direction,
            type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
            diffuse=[strength] * 3,
            specular=[0.1, 0.1, 0.1],
            castshadow=shadow,
        )
