"""The newest object pose of a tracker that tells of each only once.

In:  an ``ObjectSubscriber``.   Out: ``Newest``: an ``ObjectSource``.
Not here: sockets (schemas' client), whether a pose is good enough (start, run).
"""

from __future__ import annotations

from typing import Protocol

from h2s2r_schemas.wire import ObjectState


class Subscriber(Protocol):
    """As ``h2s2r_schemas.client.ObjectSubscriber``."""

    def latest(self) -> ObjectState | None:
        """The newest that came since the last call, if any."""
        ...


class Newest:
    """Asked at any time.

    Args:
        subscriber: to the tracker.
    """

    def __init__(self, subscriber: Subscriber) -> None:
        self._subscriber, self._last = subscriber, subscriber.latest()

    def __call__(self) -> ObjectState | None:
        """The newest state so far; none before the first."""
        self._last = self._subscriber.latest() or self._last
        return self._last
