"""A run in the browser: recording, reference, policy and rehearsal on one clock, to turn about and to scrub."""

from h2s2r.view.page import RunPage

__all__ = ["RunPage"]
