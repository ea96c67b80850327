"""The report of a run: one page that needs nothing else, on a phone as on a desk."""

from h2s2r.report.page import INDEX, REPORT, write_report

__all__ = ["INDEX", "REPORT", "write_report"]
