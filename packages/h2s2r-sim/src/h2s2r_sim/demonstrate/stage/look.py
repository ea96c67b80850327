"""Colours, light and bystanders of one recording.

In:  a seed.   Out: ``Look``.
Not here: where the camera stands (view), what happens (script).
"""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from h2s2r_schemas.artifacts import Shape
from h2s2r_sim.demonstrate.stage.texture import KINDS

#: Skin from light to brown, by eye. Darker ones are left out for now: of those, as plainly shaded as ours are, MediaPipe finds
#: half as many.
SKIN_TONES = np.array(
    [[247, 215, 185], [238, 196, 160], [215, 165, 135], [200, 144, 118], [172, 116, 92], [144, 94, 74]]
)
#: Strength of the brighter lamp and of the light all around, in a well lit room.
_LAMP, _AMBIENT = 0.38, 0.42


@dataclass(frozen=True)
class Lamp:
    """Parallel light."""

    direction: tuple[float, float, float]
    """Where it shines, in the world."""
    strength: tuple[float, float, float]
    """Red, green, blue."""


@dataclass(frozen=True)
class Look:
    """How everything looks; defaults are plain."""

    table: str = "wood"
    """One of ``texture.KINDS``."""
    table_colour: tuple[float, float, float] = (0.72, 0.56, 0.40)
    """Mean of the table top, each in [0, 1]."""
    table_seed: int = 0
    """Of its pattern."""
    skin_colour: tuple[float, float, float] = (0.86, 0.67, 0.55)
    """Of the hand."""
    sleeve_colour: tuple[float, float, float] = (0.30, 0.36, 0.48)
    """Of the sleeve."""
    object_turn: float = 0.0
    """[rad] by which the hue of the object is turned."""
    ambient: float = _AMBIENT
    """Light from all around."""
    lamps: tuple[Lamp, ...] = (
        Lamp((0.3, 0.4, -1.0), (_LAMP, _LAMP, _LAMP)),
        Lamp((-0.5, -0.4, -1.0), (0.22, 0.22, 0.22)),
    )
    """What else shines."""
    backdrop: tuple[float, float, float] = (0.55, 0.60, 0.62)
    """Of the room."""
    bystanders: tuple[Shape, ...] = ()
    """Things on the table that do not matter, in the frame of the table."""


def draw_look(rng: np.random.Generator, bystanders: tuple[Shape, ...] = ()) -> Look:
    """A look by chance.

    Args:
        rng: of this recording.
        bystanders: things on the table, already placed.
    """
    tone = SKIN_TONES[int(rng.integers(len(SKIN_TONES)))] / 255.0 * rng.uniform(0.94, 1.0)
    warm = rng.uniform(-0.05, 0.05)
    lamps = []
    for strength in (_LAMP, 0.22):
        turn, tilt = rng.uniform(0, 2 * np.pi), rng.uniform(0.2, 0.9)
        direction = (float(tilt * np.cos(turn)), float(tilt * np.sin(turn)), -1.0)
        level = strength * rng.uniform(0.75, 1.25)
        lamps.append(Lamp(direction, (float(level * (1 + warm)), float(level), float(level * (1 - warm)))))
    return Look(
        table=KINDS[int(rng.integers(len(KINDS)))],
        table_colour=_colour(rng, (0.02, 0.14), (0.15, 0.5), (0.45, 0.85)),
        table_seed=int(rng.integers(2**31)),
        skin_colour=(float(tone[0]), float(tone[1]), float(tone[2])),
        sleeve_colour=_colour(rng, (0.0, 1.0), (0.1, 0.6), (0.2, 0.7)),
        object_turn=float(rng.uniform(-0.5, 0.5)),
        ambient=_AMBIENT * float(rng.uniform(0.85, 1.1)),
        lamps=tuple(lamps),
        backdrop=_colour(rng, (0.0, 1.0), (0.0, 0.25), (0.35, 0.8)),
        bystanders=bystanders,
    )


def _colour(
    rng: np.random.Generator, hue: tuple[float, float], saturation: tuple[float, float], value: tuple[float, float]
) -> tuple[float, float, float]:
    """Red, green, blue in [0, 1] by chance, in a range of hue, saturation and value."""
    return colorsys.hsv_to_rgb(rng.uniform(*hue), rng.uniform(*saturation), rng.uniform(*value))


def draw_bystanders(rng: np.random.Generator, taken: np.ndarray, table: np.ndarray) -> tuple[Shape, ...]:
    """Up to four things on the table, clear of everything that happens.

    Args:
        rng: of this recording.
        taken: (N, 2) [m] points of the table frame near which nothing may stand.
        table: (2, 2) [m] lower and upper corner of the part of the table to put things on.
    """
    things: list[Shape] = []
    for _ in range(int(rng.integers(5))):
        kind = ("box", "cylinder", "sphere")[int(rng.integers(3))]
        size = rng.uniform(0.025, 0.06, 3)
        place, turn = rng.uniform(table[0], table[1]), rng.uniform(0, np.pi)
        colour = (*_colour(rng, (0.0, 1.0), (0.3, 0.9), (0.3, 0.9)), 1.0)
        if np.linalg.norm(taken - place, axis=-1).min() < 0.09 + size.max():
            continue
        size, height = {
            "box": (2 * size, size[2]),
            "cylinder": (np.array([size[0], 2 * size[2], 0.0]), size[2]),
            "sphere": (np.array([size[0], 0.0, 0.0]), size[0]),
        }[kind]
        wxyz_xyz = np.array([np.cos(turn / 2), 0.0, 0.0, np.sin(turn / 2), *place, height])
        things.append(Shape(kind=kind, size=size, wxyz_xyz=wxyz_xyz, rgba=np.array(colour)))
        taken = np.concatenate([taken, place[None]])
    return tuple(things)
