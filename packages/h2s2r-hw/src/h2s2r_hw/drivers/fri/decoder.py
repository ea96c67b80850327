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
        # Bytes that hardly ever change from message to message, and what they mean.
        self._said: tuple[bytes, ...] = ()
        self._known: tuple[Any, ...] = ()

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
        at = 24 if self._has_commanded else 17
        rest, connection = row[at + 15 : at + 17]
        said = (row[2], row[at + 14], connection, *row[-3:-1]) if has_ipo else (row[2], row[at + 14], connection)
        if said != self._said:
            self._said, self._known = said, _meaning(*said)
        whole_ns, head, mode, overlay = self._known
        message = (
            number(row[0]),
            number(row[1]),
            *head,
            row[3:10],
            row[10:17],
            row[17:at],
            row[at : at + 7],
            row[at + 7 : at + 14],
            whole_ns + number(rest),
        )
        if not has_ipo:
            return MonitoringMessage._make(message + NO_IPO)
        return MonitoringMessage._make((*message, row[-10:-3], mode, overlay, row[-1]))


def _meaning(
    info: bytes, seconds: bytes, connection: bytes, mode: bytes = b"\0", overlay: bytes = b"\0"
) -> tuple[Any, ...]:
    """Whole seconds [ns], what connection and robot info say, client command mode, overlay."""
    said = (*read_connection(connection), *read_robot_info(info))
    return number(seconds) * _SECOND, said, COMMAND_MODE[number(mode)], OVERLAY[number(overlay)]
