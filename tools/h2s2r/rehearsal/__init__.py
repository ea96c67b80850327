"""Rehearsals: an exported policy, in its own process, drives the emulated cell through the robot server, zero-shot.

In:  a task, a robot, the folder of an exported policy.   Out: how often it succeeds there, and what the server did.
Not here: server and emulators (h2s2r-hw), the policy's loop (h2s2r-rl), physics (h2s2r-sim).
"""

from h2s2r.rehearsal.config import RehearsalCfg
from h2s2r.rehearsal.rehearse import Rehearsed, rehearse

__all__ = ["RehearsalCfg", "Rehearsed", "rehearse"]
