"""From one RGB-D recording to an object path, a scene and a hand."""

__version__ = "0.1.0"
