"""How old is a message, when the clocks of client and server have nothing in common?

In:  times of making [s, client's clock] and receiving [ns, ours].   Out: age [s].
Not here: what is too old (admission).

The difference of the two clocks is unknown, but the quickest message seen so far bounds it: a message that comes later after
its making than that one has been under way for longer, by the difference. The bound may rise slowly, as quartz clocks drift
apart; a delay that grows faster than that is seen as age.
"""

from __future__ import annotations

#: By how much two clocks may drift apart. Quartz clocks are within 1e-4 of the true rate, so two within 2e-4 of each other.
DRIFT = 2e-4


class AgeFilter:
    """Ages of one client's messages, by the smallest difference of clocks seen.

    Args:
        client_time: [s] when the first message was made, on the client's clock.
        now_ns: [ns] when it was received, on ours. Its own delay is unknown and taken as zero.
    """

    def __init__(self, client_time: float, now_ns: int) -> None:
        self._offset = now_ns * 1e-9 - client_time
        self._at_ns = now_ns

    def age(self, client_time: float, now_ns: int) -> float:
        """[s] since a message was made, beyond the quickest one's delay; negative if it came quicker than any so far."""
        return now_ns * 1e-9 - client_time - self._bound(now_ns)

    def accept(self, client_time: float, now_ns: int) -> None:
        """Learn from a message that was found fresh; others must not move the bound."""
        self._offset = min(self._bound(now_ns), now_ns * 1e-9 - client_time)
        self._at_ns = now_ns

    def made_ns(self, client_time: float, now_ns: int) -> int:
        """[ns] on our clock when it was made, at most now."""
        return now_ns - max(0, round(self.age(client_time, now_ns) * 1e9))

    def _bound(self, now_ns: int) -> float:
        return self._offset + DRIFT * (now_ns - self._at_ns) * 1e-9
