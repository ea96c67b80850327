"""The one lease: who may command.

In:  keys and sessions of clients, the time [ns].   Out: grants and refusals.
Not here: single commands (admission), what the robot does when a lease ends (orders).

A lease belongs to a key (``User-Id`` of the connection), which a client cannot choose, and to a session, which it can.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from h2s2r_hw.server.refusals import Refused, refuse


@dataclass(frozen=True)
class Client:
    """Who sent a message."""

    user: str
    """Public key that the connection was authenticated with."""
    name: str
    """That key's name in our list."""
    operator: bool
    """Whether it has the role of an operator."""


@dataclass
class Lease:
    """At most one holder at a time; epoch 0 while there is none.

    Epochs grow beyond every earlier one of this server, also of an earlier run if ``last_epoch`` says so.
    """

    longest_ns: int
    """[ns] it lives at most without an accepted command or a renewal."""
    draw_token: Callable[[], int]
    """Gives a new secret, 1 … 2⁶³-1."""
    last_epoch: int = 0
    """Of the last one granted."""
    user: str = ""
    """Key of the holder."""
    holder: str = ""
    """Name of that key."""
    session: str = ""
    """Session of the holder."""
    epoch: int = 0
    """Of the current one; 0 while it is free."""
    token: int = 0
    """Secret of the current one."""
    ttl_ns: int = 0
    """[ns] the current one lives."""
    used_ns: int = 0
    """[ns] when it was last kept alive."""

    def acquire(self, client: Client, session: str, force: bool, ttl_ns: int, now_ns: int) -> Refused | None:
        """Grant it, anew to whoever holds it, or say why not. ``took_over`` tells beforehand whether somebody loses it."""
        if self.took_over(client, session) and not (force and (client.user == self.user or client.operator)):
            right = " An operator's key is needed to force it." if force else ""
            return refuse(
                "lease_taken", f"Session {self.session!r} of {self.holder!r} holds it (epoch {self.epoch}).{right}"
            )
        self.last_epoch += 1
        self.user, self.holder, self.session = client.user, client.name, session
        self.epoch, self.token = self.last_epoch, self.draw_token()
        self.ttl_ns, self.used_ns = min(ttl_ns, self.longest_ns), now_ns
        return None

    def took_over(self, client: Client, session: str) -> bool:
        """Whether somebody else than this session of this key holds it."""
        return self.epoch > 0 and (client.user, session) != (self.user, self.session)

    def check(self, client: Client, epoch: int, token: int) -> Refused | None:
        """Whether this client may act under this epoch and token; the token itself is never told."""
        if not self.epoch:
            return refuse("no_lease", f"Nobody holds the lease; the last one had epoch {self.last_epoch}.")
        if client.user != self.user:
            return refuse("no_lease", f"The lease belongs to another key, that of {self.holder!r}.")
        if epoch != self.epoch:
            return refuse("no_lease", f"The epoch given is {epoch}, the current one is {self.epoch}.")
        if token != self.token:
            return refuse("no_lease", f"The token given is not that of epoch {epoch}.")
        return None

    def keep(self, made_ns: int) -> None:
        """It was used by a message made at that time."""
        self.used_ns = max(self.used_ns, made_ns)

    def expired(self, now_ns: int) -> bool:
        """Whether it was not kept alive for longer than it lives."""
        return self.epoch > 0 and now_ns - self.used_ns > self.ttl_ns

    def free(self) -> None:
        """Nobody holds it."""
        self.user = self.holder = self.session = ""
        self.epoch = self.token = 0
