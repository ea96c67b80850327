"""The 19 classes of faults, as cases with declared outcomes.

In:  nothing.   Out: ``CASES``.
Not here: how they are judged (judge), random motions and corrections (random_motion, random_residual).
"""

from h2s2r_hw.emulators.rehearsal.cases import arm, client, hand, lease, message, process, residual, tampering

#: In the order of the classes.
CASES = tuple(
    sorted(
        (
            *client.CASES,
            *lease.CASES,
            *message.CASES,
            *tampering.CASES,
            *arm.CASES,
            *hand.CASES,
            *process.CASES,
            *residual.CASES,
        ),
        key=lambda case: case.fault,
    )
)

__all__ = ["CASES"]
