"""Settings of the gateway.

In:  nothing.   Out: ``GatewayCfg``.
Not here: settings of loops and drivers (config).
"""

from __future__ import annotations

from dataclasses import dataclass

from h2s2r_schemas.errors import SchemaError


@dataclass(frozen=True)
class GatewayCfg:
    """The door for clients: who may connect, who may command, what is refused. Figures without a source are ours."""

    address: str = "tcp://127.0.0.1:5710"
    """Where requests and commands arrive; loopback unless told otherwise. States are published on the next port."""
    keys: str = "keys"
    """Folder of keys, as ``h2s2r-hw keys`` makes it. There is no connection without one."""
    state_hz: float = 100.0
    """[Hz] of published states."""
    command_hz: tuple[float, float] = (15.0, 60.0)
    """[Hz] slowest and fastest stream of commands."""
    lease_ttl: float = 0.5
    """[s] a lease lives without an accepted command or a renewal."""
    stale_age: float = 0.15
    """[s] beyond which a command is too old: a little over two periods of the slowest stream."""
    future_tolerance: float = 0.5
    """[s] by which a message may seem quicker than the clock filter allows; more is a jump of the client's clock."""
    outside_tolerance: float = 0.25
    """Part of a joint's range by which a target may lie outside the limits and is cut to them; more is refused."""
    max_message_bytes: int = 65_536
    """Largest message that is read; one more than twice as large costs its sender the connection."""
    messages_hz: float = 400.0
    """[Hz] messages of one key, in the long run."""
    messages_burst: int = 200
    """Messages of one key at once."""
    max_connections: int = 32
    """Authenticated connections at a time, two for each client."""
    heartbeat: float = 0.1
    """[s] between heartbeats of a connection; three missing ones end it."""
    handshake: float = 3.0
    """[s] that a connection may take to authenticate itself."""
    operator_only: tuple[str, ...] = ("acknowledge_fault", "reset_estop")
    """Requests for which a key with the role of an operator is needed."""

    def __post_init__(self) -> None:
        slowest, fastest = self.command_hz
        if not 0.0 < slowest <= fastest or self.lease_ttl * slowest <= 1.0:
            raise SchemaError(
                f"command_hz {self.command_hz} with lease_ttl {self.lease_ttl} s: slowest ≤ fastest, and a lease that outlives "
                "the slowest period."
            )
        if not 0.0 < self.stale_age <= self.lease_ttl:
            raise SchemaError(f"stale_age {self.stale_age} s: more than 0 and at most lease_ttl, {self.lease_ttl} s.")
        if self.messages_hz < 2.0 * fastest or self.messages_burst < 1:
            raise SchemaError(
                f"messages_hz {self.messages_hz}: at least twice the fastest stream of commands, {fastest} Hz."
            )
