"""Other libraries on the same targets, each in one module that imports it when it is asked to solve.

In:  ``PoseProblems`` or ``TipProblems``.   Out: functions that solve one problem, or all at once.
Not here: our own solver (ours), timing and judging (measure).
"""
