"""Mass, centre of mass and inertia of an object from its parts.

In:  ``Part`` s with masses.   Out: mass [kg], centre of mass [m], inertia [kg·m²], all in the object frame.
Not here: inertia of a scanned mesh (perception).
"""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.se3 import SE3
from h2s2r_sim.scene.bodies import add_shape
from h2s2r_sim.task.parts import Part


def mass_properties(parts: Sequence[Part], where: str) -> tuple[float, np.ndarray, np.ndarray]:
    """Mass [kg], centre of mass (3) [m] and inertia (3, 3) [kg·m²] about it along the object's axes.

    Every part that has a mass is taken as uniformly dense; MuJoCo integrates.

    Raises:
        SchemaError: no part has a mass, or a mesh with a mass is not closed.
    """
    spec = mujoco.MjSpec()
    body = spec.worldbody.add_body(name="object")
    weighed = [part for part in parts if part.mass > 0.0]
    if not weighed:
        raise SchemaError(f"{where}: no [[part]] has a mass; give at least one, in kg.")
    for index, part in enumerate(weighed):
        name = f"part{index}"
        add_shape(spec, body, part.shape, name).mass = part.mass
        if part.shape.kind == "mesh":
            spec.mesh(name).inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_EXACT
    try:
        model = spec.compile()
    except ValueError as error:
        raise SchemaError(f"{where}: the inertia of a part cannot be computed: {error}") from error
    axes = SE3.from_parts(model.body_iquat[1], np.zeros(3)).rotation_matrix()
    inertia = axes @ np.diag(model.body_inertia[1]) @ axes.T
    return float(model.body_mass[1]), model.body_ipos[1].copy(), (inertia + inertia.T) / 2
