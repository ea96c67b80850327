"""From bytes of a client to a checked message.

In:  bytes, whose, when.   Out: a ``Request`` or ``RobotCommand``, or the reason why it is not read.
Not here: what is done with it (gateway).
"""

from __future__ import annotations

from h2s2r_hw.server.config import GatewayCfg
from h2s2r_hw.server.rates import RateLimits
from h2s2r_hw.server.refusals import Refused, refuse
from h2s2r_hw.server.sockets import Incoming
from h2s2r_schemas.codec import decode
from h2s2r_schemas.errors import SchemaError
from h2s2r_schemas.wire import Request, RobotCommand

#: [bytes] an e-stop has at most. It is read from a client whose other messages are too many.
_ESTOP_BYTES = 1024


class Reader:
    """Reads so many messages of each key and no more; an e-stop always.

    Args:
        cfg: how many, how large.
    """

    def __init__(self, cfg: GatewayCfg) -> None:
        self._max_bytes, self._rate_hz = cfg.max_message_bytes, cfg.messages_hz
        self._limits = RateLimits(cfg.messages_hz, cfg.messages_burst)

    def read(self, incoming: Incoming, now_ns: int) -> Request | RobotCommand | Refused:
        """The message, finite and of known fields, or the refusal."""
        data = incoming.data
        too_many = refuse("too_many", f"This key has sent more than {self._rate_hz:g} messages for each second.")
        over = not self._limits.allow(incoming.user, now_ns)
        if over and (len(data) > _ESTOP_BYTES or b"estop" not in data):
            return too_many
        if len(data) > self._max_bytes:
            return refuse("too_large", f"It has {len(data)} bytes; at most {self._max_bytes} are read.")
        try:
            message = decode(data, max_bytes=self._max_bytes)
        except SchemaError as error:
            return refuse("malformed", str(error)[:500])
        if not isinstance(message, (Request, RobotCommand)):
            return refuse(
                "malformed", f"It is a {type(message).__name__}; only Request and RobotCommand are read here."
            )
        return too_many if over and not (isinstance(message, Request) and message.kind == "estop") else message
