"""Recordings on disk: one folder each, readable by BOP tools.

In:  encoded pictures and what is known about them.   Out: ``Demo``, and ``DemoWriter`` to make one.
Not here: decoding pictures (the caller brings the image codec), other formats (perception converts them).
"""

from h2s2r_schemas.demo.folder import Demo, Frame, open_demo
from h2s2r_schemas.demo.meta import DemoMeta
from h2s2r_schemas.demo.truth import DemoTruth, truth_path
from h2s2r_schemas.demo.writer import DemoWriter

__all__ = ["Demo", "DemoMeta", "DemoTruth", "DemoWriter", "Frame", "open_demo", "truth_path"]
