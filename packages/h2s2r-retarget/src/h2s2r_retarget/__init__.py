"""From a human hand to any robot: batched kinematics and two-step hand retargeting on NumPy."""

__version__ = "0.1.0"
