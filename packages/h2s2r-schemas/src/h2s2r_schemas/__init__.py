"""The messages, files, SE(3) and contracts that every h2s2r package meets through."""

__version__ = "0.1.0"
