"""Digital twin, batched physics and one environment for every task and robot."""

__version__ = "0.1.0"
