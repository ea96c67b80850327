"""What can be measured of h2s2r-rl.

In:  how often, how long.   Out: figures by name.
Not here: what the figures must be (the tests and the issue say).
"""
