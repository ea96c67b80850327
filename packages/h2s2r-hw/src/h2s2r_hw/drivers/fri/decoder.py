"""Monitoring messages of one cabinet, one after the other: those of a shape that came before are read at once.

In:  datagrams.   Out: ``MonitoringMessage``s, the same as ``decode_monitoring`` gives.
Not here: what a shape is (layout), messages of any shape (monitoring).
"""

from __future__ import annotations

from typing import Any

from h2s2r_hw.drivers.fri.layout import Layout, learn, number
from h2s2r_hw.drivers.fri.messages import FriVersion
from h2s2r_hw.drivers.fri.monitoring import (
    COMMAND_MODE,
    NO_IPO,
    OVERLAY,
    MonitoringMessage,
    decode_monitoring,
    read_connection,
    read_robot_info,
    unknown,
)
from h2s2r_hw.drivers.fri.protobuf import unframe

#: Shapes that are kept: a cabinet has a handful, by its state and the lengths of its numbers.
_MOST_LAYOUTS = 32
_SECOND = 1_000_000_000


class MonitoringDecoder:
    """Decodes one cabinet's messages, as ``decode_monitoring`` does, but those of a shape that came before at once.

    Args:
        version: of the wire format.
    """

    def __init__(self, version: FriVersion) -> None:
        self._version, self._has_commanded = version, version.commanded_pos_in_monitoring
        self._layouts: dict[int, Layout] = {}
        self._seconds, self._whole_ns = b"", 0

    def decode(self, datagram: bytes) -> MonitoringMessage:
        """The values of a datagram.

        Raises:
            DatagramError: as ``decode_monitoring``.
        """
        data = unframe(datagram, self._version)
        layout = self._layouts.get(len(data))
        row = None if layout is None else layout.read(data)
        if layout is None or row is None:
            message = decode_monitoring(datagram, self._version)
            learned = learn(data, self._version)
            if learned is not None:
                if len(self._layouts) >= _MOST_LAYOUTS:
                    self._layouts.clear()
                self._layouts[len(data)] = learned
            return message
        try:
            return self._message(row, layout.has_ipo)
        except KeyError as error:
            raise unknown(error) from None

    def _message(self, row: tuple[Any, ...], has_ipo: bool) -> MonitoringMessage:
        """Of a row as ``Layout.read`` gives it."""
        commanded, at = (row[17:24], 24) if self._has_commanded else ((), 17)
        seconds, rest, connection = row[at + 14 : at + 17]
        if seconds != self._seconds:
            self._seconds, self._whole_ns = seconds, number(seconds) * _SECOND
        ipo = NO_IPO
        if has_ipo:
            mode, overlay, tracking = row[-3:]
            ipo = (row[-10:-3], COMMAND_MODE[number(mode)], OVERLAY[number(overlay)], tracking)
        return MonitoringMessage._make(
            (
                number(row[0]),
                number(row[1]),
                *read_connection(connection),
                *read_robot_info(row[2]),
                row[3:10],
                row[10:17],
                commanded,
                row[at : at + 7],
                row[at + 7 : at + 14],
                self._whole_ns + number(rest),
                *ipo,
            )
        )
