"""Shapes that are missing, that always overlap, or that overlap at home.

In:  ``Embodiment``.   Out: ``Finding`` s, from configurations drawn at random within the limits (seeded).
Not here: collisions of a given pose (collision).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from h2s2r_retarget.collision import CollisionModel, check_collisions, half_space
from h2s2r_retarget.collision.detect import find_contacts
from h2s2r_retarget.collision.model import body_of
from h2s2r_retarget.embodiment import Embodiment, Finding

_CONFIGURATIONS = 512
#: A pair that overlaps in more than this part of all configurations is not kept apart by anything.
_ALWAYS = 0.9
#: [m] overlap that is worth a word.
_DEPTH = 0.001


def touching_findings(embodiment: Embodiment) -> Iterator[Finding]:
    """Everything about collision shapes."""
    yield from _missing(embodiment)
    if not any(body.collision for body in embodiment.links.values()) and not embodiment.collision_capsules:
        return
    model = CollisionModel(embodiment)
    rng = np.random.default_rng(0)
    joint_pos = rng.uniform(
        embodiment.position_lower, embodiment.position_upper, (_CONFIGURATIONS, len(embodiment.home))
    )
    contacts = find_contacts(model, joint_pos, (), -_DEPTH)
    links = np.array(model.capsules.links)
    pairs = np.column_stack([links[contacts.first], links[contacts.second], contacts.configuration.astype(str)])
    named, counts = np.unique(np.unique(pairs, axis=0)[:, :2], axis=0, return_counts=True)
    always = {
        (str(a), str(b)) for (a, b), count in zip(named, counts, strict=True) if count > _ALWAYS * _CONFIGURATIONS
    }
    for first, second in sorted(always):
        cause = "They overlap in nearly every configuration."
        remedy = f'If they cannot touch, add ["{first}", "{second}"] to exclude in [collision] of robot.toml.'
        yield Finding("collision", f"links {first} and {second}", cause, remedy, "warning")
    yield from _home(embodiment, model, always)


def _missing(embodiment: Embodiment) -> Iterator[Finding]:
    given = {capsule[0] for capsule in embodiment.collision_capsules}
    shaped: set[str] = set()
    for name, body in embodiment.links.items():
        if body.mesh_files and name not in given:
            cause = f"Its collision meshes {list(body.mesh_files)} are not read."
            remedy = "Give it spheres, cylinders or boxes in the URDF, or [[collision.capsule]] in robot.toml."
            yield Finding("collision", f"link {name}", cause, remedy, "warning")
        if body.collision or body.mesh_files or name in given:
            shaped.add(body_of(embodiment.model, name))
    heavy = {body_of(embodiment.model, name) for name, body in embodiment.links.items() if body.mass > 0}
    for name in sorted(heavy - shaped):
        cause = "It has mass but no collision shape."
        yield Finding("collision", f"link {name}", cause, "Give it one, so that collisions are seen.", "warning")


def _home(embodiment: Embodiment, model: CollisionModel, always: set[tuple[str, str]]) -> Iterator[Finding]:
    floor = half_space("the plane z = 0 of its base", (0, 0, 0))
    for obstacles in ((), (floor,)):
        found = check_collisions(model, embodiment.home, obstacles)
        first, second = (str(name) for name in found.pairs)
        if found.depth > _DEPTH and (first, second) not in always:
            cause = f"At home {first} is {found.depth * 1000:.1f} mm inside {second}."
            yield Finding("home", "home", cause, "Choose a home that is free.", "warning")
            return
    if found.tip_depth > _DEPTH:
        cause = f"At home {' and '.join(found.tip_pairs)} overlap by {found.tip_depth * 1000:.1f} mm."
        yield Finding("home", "home", cause, "Choose a home that is free.", "warning")
