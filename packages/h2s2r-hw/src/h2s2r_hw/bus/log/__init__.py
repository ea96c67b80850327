"""The lossless log of every tick, as files.

In:  rings of the hot loops.   Out: files that prove what they miss; ``MotionLog``.
Not here: rings (bus.ring), what is in a record (bus.records).
"""

from h2s2r_hw.bus.log.blocks import LogAbout
from h2s2r_hw.bus.log.export import export_log
from h2s2r_hw.bus.log.logger import LOG_MARK, LOG_STATUS, Logger
from h2s2r_hw.bus.log.reader import LogReport, inspect_log, read_log

__all__ = ["LOG_MARK", "LOG_STATUS", "LogAbout", "LogReport", "Logger", "export_log", "inspect_log", "read_log"]
