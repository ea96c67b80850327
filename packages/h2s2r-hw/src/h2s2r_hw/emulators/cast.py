"""A twin from names: a task, a robot, and a perturbation in words.

In:  names.   Out: ``Twin``, and the causes that do not act in it.
Not here: the twin itself (twin).
"""

from __future__ import annotations

from h2s2r_hw.emulators.twin import Twin, TwinCfg, acts_elsewhere
from h2s2r_retarget.embodiment import load_embodiment
from h2s2r_schemas.errors import SchemaError
from h2s2r_sim.env.start.pool import StartCfg
from h2s2r_sim.perturbation import CAUSES, LEVELS, NONE, Perturbation, level
from h2s2r_sim.task import load_task


def cast_twin(task: str, robot: str, side: str, start: str, perturb: str, seed: int) -> tuple[Twin, tuple[str, ...]]:
    """A twin, and which causes of its perturbation act elsewhere.

    Args:
        task: name of a bundled task, or a file.
        robot: name of a robot, or a folder.
        side: of the hand, which must be the task's.
        start: where the robot stands at first.
        perturb: as ``parse_perturbation`` reads it.
        seed: decides everything drawn.

    Raises:
        SchemaError: something of it does not exist or does not fit.
    """
    spec = load_task(task)
    if spec.side != side:
        raise SchemaError(f"Task {spec.name!r} is for a {spec.side} hand, and the emulated hand is a {side} one.")
    perturbation = parse_perturbation(perturb)
    cfg = TwinCfg(start=StartCfg(kind=start, pool=1), perturbation=perturbation)
    return Twin(spec, load_embodiment(robot, spec.side), cfg, seed), acts_elsewhere(perturbation)


def parse_perturbation(text: str) -> Perturbation:
    """A level, ``CAUSE=SEVERITY``, or several of them separated by commas; later ones change earlier ones.

    Raises:
        SchemaError: no such level or cause, or a severity that makes no sense.
    """
    made = NONE
    for item in (each.strip() for each in text.split(",") if each.strip()):
        cause, given, severity = item.partition("=")
        if not given:
            made = level(cause)
            continue
        try:
            made = made.replace(**{cause: float(severity)})
        except ValueError as error:
            raise SchemaError(
                f"{item!r}: {error} Write a level ({', '.join(LEVELS)}) or CAUSE=SEVERITY with one of {', '.join(CAUSES)}."
            ) from None
    return made
