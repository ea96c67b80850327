"""A rehearsal whose clients live in processes of their own.

In:  the rehearsal's group, channels of the clients.   Out: ``Outside``: all of it as the one stage of a ``Lockstep``.
Not here: the clock between processes (emulators.lockstep), the rehearsal (whole).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from h2s2r_hw.clock.inline import Inline
from h2s2r_hw.clock.lockstep import NEVER


class Outside:
    """A group of stages as one stage: what its parts send to clients is told to whoever lets time pass.

    Args:
        group: of stages in this thread. Its time goes on where it is.
        channels: that clients elsewhere read.
    """

    def __init__(self, group: Inline, channels: Iterable[str]) -> None:
        self._group, self._clock = group, group.clock(channels)

    def next_event_ns(self) -> int:
        """[ns] when any part wants to act next."""
        return min((stage.next_event_ns() for stage in self._group.stages), default=NEVER)

    def act(self, now_ns: int) -> Mapping[str, int]:
        """Let the parts do what is due; returns how many messages were sent to clients on which channel."""
        self._group.step(now_ns)
        return self._sent()

    def hear(self, channel: str, count: int, now_ns: int) -> Mapping[str, int]:
        """Let the parts read what clients sent; returns how many messages were sent in answer."""
        self._group.now_ns = max(self._group.now_ns, now_ns)
        self._group.announce({channel: count}, self._clock)
        return self._sent()

    def _sent(self) -> Mapping[str, int]:
        sent = {channel: count for channel, count in self._clock.waiting.items() if count}
        self._clock.waiting.clear()
        return sent
