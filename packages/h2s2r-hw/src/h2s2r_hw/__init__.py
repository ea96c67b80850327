"""Real-time server for a KUKA LBR iiwa and an Allegro hand, on the robot PC."""

__version__ = "0.1.0"
