"""Lock-step within one thread: stages act when they want to, and a client's waiting is what makes time pass.

In:  stages.   Out: ``Inline``, and a ``Clock`` for each client.
Not here: several processes (lockstep, emulators.lockstep).

Messages still go through real sockets: whoever is told that a message was sent waits for it by the wall, while virtual time
stands still. So a run is the same however busy the machine is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from h2s2r_hw.clock.lockstep import NEVER, LockstepError
from h2s2r_hw.clock.real import Read

T = TypeVar("T")


class Stage(Protocol):
    """Something that acts at moments of its own choice, and when something was sent to it."""

    def next_event_ns(self) -> int:
        """[ns] when it wants to act next."""
        ...

    def act(self, now_ns: int) -> Mapping[str, int]:
        """Do what is due; returns how many messages were sent on which channel."""
        ...

    def hear(self, channel: str, count: int, now_ns: int) -> Mapping[str, int]:
        """Read so many messages that others sent, if this channel is its own; returns how many were sent in answer."""
        ...


class Inline:
    """The time of some stages and of their clients.

    Args:
        stages: act in this order where they want to at the same moment.
        patience: [s] of wall time after which a message that was announced counts as lost.
    """

    def __init__(self, stages: Iterable[Stage], patience: float = 30.0) -> None:
        self.stages = list(stages)
        self.patience = patience
        self.now_ns = 0
        """[ns] of virtual time."""
        self._clocks: list[InlineClock] = []

    def clock(self, channels: Iterable[str]) -> InlineClock:
        """For a client that reads these channels."""
        made = InlineClock(self, frozenset(channels))
        self._clocks.append(made)
        return made

    def forget(self, clock: InlineClock) -> None:
        """Its client is gone; what is sent to it is nobody's."""
        self._clocks.remove(clock)

    def announce(self, sent: Mapping[str, int], sender: object) -> None:
        """Let whoever reads these channels know; stages read and answer at once, at this same moment."""
        for channel, count in sent.items():
            self.tell_clients(channel, count, sender)
            for stage in self.stages:
                if stage is not sender and count:
                    self.announce(stage.hear(channel, count, self.now_ns), stage)

    def tell_clients(self, channel: str, count: int, sender: object) -> None:
        """Let clients know of messages that wait for them."""
        for clock in self._clocks:
            if clock is not sender and channel in clock.channels:
                clock.waiting[channel] = clock.waiting.get(channel, 0) + count

    def run(self, until_ns: int) -> None:
        """Let time pass up to a moment."""
        while self.step(until_ns):
            pass

    def step(self, until_ns: int = NEVER) -> bool:
        """Let time pass to the next moment at which a stage wants to act, or to ``until_ns`` if that is earlier.

        Returns:
            Whether a stage acted.
        """
        following = min([stage.next_event_ns() for stage in self.stages], default=NEVER)
        self.now_ns = max(self.now_ns, min(following, until_ns))
        if following > until_ns:
            return False
        for stage in self.stages:
            if stage.next_event_ns() <= self.now_ns:
                self.announce(stage.act(self.now_ns), stage)
        return True


class InlineClock:
    """A ``Clock`` of one client."""

    def __init__(self, group: Inline, channels: frozenset[str]) -> None:
        self._group, self.channels = group, channels
        self.waiting: dict[str, int] = {}
        """Messages of each channel that wait to be received."""

    def now_ns(self) -> int:
        """[ns] of virtual time."""
        return self._group.now_ns

    def wait_until(self, time_ns: int) -> None:
        """Let time pass until then."""
        self._group.run(time_ns)

    def receive(self, channel: str, read: Read[T], until_ns: int) -> T | None:
        """The next message of a channel, or None if none came until then.

        Raises:
            LockstepError: a message was announced and does not arrive, or nothing can ever happen again.
        """
        while not self.waiting.get(channel):
            if self._group.now_ns >= until_ns:
                return None
            if not self._group.step(until_ns) and until_ns >= NEVER:
                raise LockstepError(f"Nothing is left that could send anything on channel {channel!r}.")
        self.waiting[channel] -= 1
        message = read(self._group.patience)
        if message is None:
            raise LockstepError(
                f"A message was sent on channel {channel!r} but did not arrive within {self._group.patience} s."
            )
        return message

    def sent(self, channel: str, count: int = 1) -> None:
        """Announce messages just sent; whoever reads the channel does so now."""
        self._group.announce({channel: count}, self)
