"""Is *this* PC, with *these* devices, fit to run the server?

In:  settings.   Out: ``Check``s: one line each, with what to change.
Not here: printing (cli).
"""

from h2s2r_hw.selftest.check import Check
from h2s2r_hw.selftest.run import run_selftest

__all__ = ["Check", "run_selftest"]
