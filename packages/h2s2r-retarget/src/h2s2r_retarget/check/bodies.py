"""Masses, inertias and sizes that no real link has.

In:  links and joints of a URDF.   Out: ``Finding`` s.
Not here: joints' limits (joints), shapes that overlap (touching).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from h2s2r_retarget.collision.capsules import capsules_of_shape
from h2s2r_retarget.collision.model import body_of
from h2s2r_retarget.embodiment import Finding, LinkBody
from h2s2r_retarget.kinematics import UrdfModel

#: [m] a link longer than this was probably written in millimetres.
_LONG = 3.0
#: A radius of gyration beyond the farthest point of the shapes, or this part of it, is no body's.
_SMALL = 0.02
_COMPUTE = "Compute it from shape and mass, about the centre of mass, in kg·m²."


def body_findings(model: UrdfModel, links: Mapping[str, LinkBody]) -> Iterator[Finding]:
    """What is wrong with the matter of the links."""
    mass: dict[str, float] = {}
    for name, body in links.items():
        carrier = body_of(model, name)
        mass[carrier] = mass.get(carrier, 0.0) + body.mass
        if body.mass < 0:
            yield Finding("mass", f"link {name}", f"Its mass is {body.mass} kg.", "Give a mass above 0.")
        elif body.mass > 0:
            yield from _inertia_findings(body)
    for carrier, kilograms in mass.items():
        if kilograms == 0 and carrier != model.root:
            cause = "It moves and has no mass, nor has anything fixed to it; no simulator can move it."
            yield Finding("mass", f"link {carrier}", cause, "Add <inertial> to it.")
    for joint in model.joints:
        length = float(np.linalg.norm(joint.origin[:3, 3]))
        if length > _LONG:
            cause = f"It stands {length:.4g} m from the link before."
            yield Finding("units", f"joint {joint.name}", cause, "A URDF is in metres: divide millimetres by 1000.")


def _inertia_findings(body: LinkBody) -> Iterator[Finding]:
    subject = f"link {body.name}"
    smallest, middle, largest = np.linalg.eigvalsh(body.inertia)
    principal = f"Its principal inertias are {smallest:.3g}, {middle:.3g}, {largest:.3g} kg·m²"
    if smallest <= 0:
        yield Finding("inertia", subject, f"{principal}: each must be above 0.", _COMPUTE)
        return
    if smallest + middle < largest * (1 - 1e-6):
        cause = f"{principal}: none may exceed the sum of the other two."
        yield Finding("inertia", subject, cause, _COMPUTE)
    corners = _extent(body)
    if corners is None:
        return
    farthest = float(np.linalg.norm(corners - body.center_of_mass, axis=-1).max())
    gyration = float(np.sqrt(largest / body.mass))
    if not _SMALL * farthest < gyration <= farthest:
        cause = (
            f"{principal}, a radius of gyration of {gyration:.3g} m; no point of its shapes is farther than "
            f"{farthest:.3g} m from its centre of mass."
        )
        yield Finding("inertia", subject, cause, _COMPUTE, "warning")
    low, high = corners.min(axis=0), corners.max(axis=0)
    if np.any(body.center_of_mass < low) or np.any(body.center_of_mass > high):
        cause = f"Its centre of mass {np.round(body.center_of_mass, 4).tolist()} m lies outside its shapes."
        yield Finding("mass", subject, cause, "Check <origin> of <inertial>: it is in the link's frame.", "warning")


def _extent(body: LinkBody) -> np.ndarray | None:
    """Corners (K, 3) [m] of boxes around the link's shapes; None if there are none, or meshes that are not read."""
    rows = [row for shape in body.collision for row in capsules_of_shape(shape)]
    if not rows or body.mesh_files:
        return None
    points = [point + sign * radius for start, end, radius in rows for point in (start, end) for sign in (-1, 1)]
    return np.array(points)
