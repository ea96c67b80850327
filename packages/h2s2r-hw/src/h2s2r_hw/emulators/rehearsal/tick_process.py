"""One loop in a process of its own, as in ``serve``, that says what each of its ticks cost.

In:  its part, a folder of shared memory, where its device is.   Out: CPU time [ns] of its ticks as JSON on stdout.
Not here: who plays the device, and what the figures mean (tick_cost).

The part ``echo`` is no loop: it sends a part of each datagram back.

The loop's own ``run`` is what runs, on the sockets and the shared memory of a server, without collections of garbage. Only the
time is virtual: it is the recording's, so that a busy machine changes no outcome.
"""

from __future__ import annotations

import gc
import json
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from h2s2r_hw.bus import memory
from h2s2r_hw.clock.real import Read
from h2s2r_hw.config import ServerCfg
from h2s2r_hw.drivers.fri.link import ArmLink
from h2s2r_hw.drivers.socketcan import SocketCanPort
from h2s2r_hw.loops import ArmLoop, HandLoop, LoopSlots
from h2s2r_hw.processes.realtime import ask_for, die_with_parent
from h2s2r_hw.processes.runtime import Runtime
from h2s2r_hw.processes.settings import changed
from h2s2r_hw.robots import load_robot

T = TypeVar("T")
#: Of the three numbers that player and loop share: the time [ns] and whether that was all, which the player writes, and how often
#: the loop has waited for a message.
TIME, ENDED, WAITS = 0, 1, 2
#: [bytes] of them.
SHARED = 24
#: [bytes] of an answer.
ANSWER = 79
_ROBOT = "iiwa14_allegro"
#: [s] without a message after which the player is gone.
_PATIENCE = 30.0


class Stopwatch:
    """A clock on the player's time, which notes CPU time between two waits for a message.

    Everything that the loop does lies between them: waiting for the message itself, reading, answering, slots, log record. What
    comes in several frames, and whatever else came between two ticks, is added to the tick that follows.
    """

    def __init__(self, folder: Path, part: str) -> None:
        self._shared = memory.attach(folder / f"{part}_player", SHARED).cast("q")
        self._time_ns = self._ticks = self._began_ns = 0
        self.costs: list[tuple[int, int]] = []
        """Of each tick: when it was [ns], and its cost [ns]."""
        self.loop: Any = None
        """Whose."""
        self.ticks: Callable[[], int] = int
        """How many ticks it has had."""

    def ended(self) -> bool:
        """Whether there is nothing more to play."""
        return self._shared[ENDED] != 0

    def now_ns(self) -> int:
        """[ns] of the recording."""
        return self._time_ns

    def wait_until(self, time_ns: int) -> None:
        """No loop of a device does."""
        raise NotImplementedError

    def sent(self, channel: str, count: int = 1) -> None:
        """Nothing to do: the player waits for answers."""

    def receive(self, channel: str, read: Read[T], until_ns: int) -> T | None:
        """The next message; None where the recording has none."""
        ticks = self.ticks()
        if ticks != self._ticks:
            cpu_ns = time.thread_time_ns()
            self.costs.append((self._time_ns, cpu_ns - self._began_ns))
            self._ticks, self._began_ns = ticks, cpu_ns
        self._shared[WAITS] += 1
        message = read(_PATIENCE)
        self._time_ns = self._shared[TIME]
        return message or None


class Echo:
    """Sends the beginning of each datagram back, as long as an answer: what no loop can do without."""

    def __init__(self, link: ArmLink) -> None:
        self._link, self.sent = link, 0

    def run(self, clock: Stopwatch, stop: Callable[[], bool]) -> None:
        """Until ``stop()``."""
        while not stop():
            datagram = clock.receive("fri", self._link.read, clock.now_ns())
            if datagram is not None:
                self.sent += self._link.send(datagram[:ANSWER])


def _slots(folder: Path, cfg: ServerCfg, part: str) -> LoopSlots:
    runtime, other = Runtime(folder, cfg), "hand" if part == "arm" else "arm"
    return LoopSlots(
        runtime.slots["target"],
        runtime.slots["orders"],
        runtime.slots["residual"],
        runtime.slots[f"{other}_status"],
        runtime.slots[f"{part}_status"],
        runtime.rings[f"{part}_log"],
    )


def _prepare(watch: Stopwatch, part: str, folder: Path, device: str, cfg: ServerCfg) -> int:
    """Give the stopwatch the loop of a part; returns the loop's UDP port, 0 where it has none."""
    if part == "hand":
        port = SocketCanPort(None, socket.socket(fileno=int(device)))
        hand = HandLoop(cfg, load_robot(_ROBOT), port, _slots(folder, cfg, part))
        watch.loop, watch.ticks = hand, lambda: hand.link.cycles
        return 0
    link = ArmLink(("127.0.0.1", 0), ("127.0.0.1", int(device)))
    if part == "arm":
        arm = ArmLoop(cfg, load_robot(_ROBOT), link, _slots(folder, cfg, part))
        watch.loop, watch.ticks = arm, lambda: arm.session.sent
    else:
        echo = Echo(link)
        watch.loop, watch.ticks = echo, lambda: echo.sent
    return link.address[1]


def main(arguments: Sequence[str]) -> None:
    """Be the loop of a part."""
    die_with_parent(signal.SIGKILL)
    part, folder, device, settings = arguments
    cfg = changed(ServerCfg(), json.loads(settings), "settings")
    watch = Stopwatch(Path(folder), part)
    address = _prepare(watch, part, Path(folder), device, cfg)
    ask_for(cfg.realtime.arm_priority, None, cfg.realtime.lock_memory)
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()
    watch.loop.run(watch, watch.ended)
    sys.stdout.write(json.dumps(watch.costs) + "\n")
    sys.stdout.flush()
    # What was kept from the collector is let go in order, so that libraries have nothing to say about it at the end.
    watch.loop, watch.ticks = None, int
    gc.unfreeze()
    gc.collect()


if __name__ == "__main__":
    main(sys.argv[1:])
