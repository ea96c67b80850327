"""From targets at 15-60 Hz to setpoints in every tick, within limits; and the bounds of a learned correction.

In:  targets, measured positions, corrections.   Out: setpoints, corrections within their bounds.
Not here: what a device does with a setpoint (drivers), when to move at all (states, loops).
"""
