"""The pace of a demonstration, where a person was faster than a robot can be asked to be.

In:  ``TaskSpec``.   Out: the same with all its times stretched, and a sentence.
Not here: what the path is (h2s2r_sim.task), whether a robot can reach it (h2s2r_sim.task.place).
"""

from __future__ import annotations

from h2s2r_schemas.artifacts import TaskSpec

#: [s] of a reference, at least. A person needs a second to reach an object and to shift it; a robot has to mend where
#: ``standard`` noise has put the object too, up to 7 cm off, at 0.3 m/s at most. The shortest task of our trials that was
#: learned has 3.9 s.
LEAST_DURATION = 3.5


def paced(task: TaskSpec, least: float = LEAST_DURATION) -> tuple[TaskSpec, str]:
    """The task, lasting at least so long [s], and what was done to it; empty if nothing.

    The whole clock is stretched evenly, that of the hand's path too: what is done stays the same, slower. What moves on by
    itself, as a thing that rolls, does not get slower in the world.
    """
    took = task.reference.duration
    factor = least / took
    if factor <= 1.0:
        return task, ""
    reference = task.reference.replace(time=factor * task.reference.time)
    hand = None if task.hand is None else task.hand.replace(time=factor * task.hand.time)
    return task.replace(
        reference=reference, hand=hand
    ), f"The person took {took:.1f} s; the robot is given {least:.1f} s."
