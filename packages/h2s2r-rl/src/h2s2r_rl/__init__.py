"""Policies that learn in minutes: run one with onnxruntime; train, evaluate and export with [train]."""

__version__ = "0.1.0"
