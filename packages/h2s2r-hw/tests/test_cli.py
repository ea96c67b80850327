"""``h2s2r-hw emulate``: by the wall clock, and what it refuses.

In:  command lines.   Out: what is printed, exit codes.
Not here: lock-step runs (test_processes).
"""

from __future__ import annotations

import threading
import time

import pytest

pytest.importorskip("google.protobuf", reason="stock protobuf is the client's codec")

from client_for_tests import FriClient, HandClient
from test_processes import free_port

from h2s2r_hw.cli import main
from h2s2r_hw.clock import RealClock
from h2s2r_hw.drivers.can_port import open_bus

SECOND = 1_000_000_000
IDEAL = ["emulate", "--plant", "ideal", "--can-interface", "virtual"]


class UntilTold(RealClock):
    """A wall clock on which it is late once ``over`` is set."""

    over = False

    def now_ns(self) -> int:
        return 2**61 if self.over else super().now_ns()

    def receive(self, channel, read, until_ns):
        return super().receive(channel, read, min(until_ns, self.now_ns() + SECOND // 20))


def test_by_the_wall_clock_a_client_is_answered_and_events_are_told(capsys):
    """Nothing about times: a shared machine keeps none."""
    cabinet, own, clock = free_port(), free_port(), UntilTold()
    arm = FriClient("1.15", "position", clock, port=own, cabinet=("127.0.0.1", cabinet))
    bus = open_bus("virtual", "wall clock")
    hand = HandClient(bus, clock, target=lambda seconds: [0.5] * 16)

    def handle():
        # The hand hears only what is said once it is there.
        while not arm.messages and not clock.over:
            time.sleep(0.01)
        hand.run(2**60)

    threads = [threading.Thread(target=arm.run, args=(2**60,)), threading.Thread(target=handle)]
    for thread in threads:
        thread.start()
    addresses = ["--fri", f"127.0.0.1:{cabinet}", "--fri-client", f"127.0.0.1:{own}", "--can-channel", "wall clock"]
    code = main([*IDEAL, *addresses, "--seconds", "1.5", "--faults", "safety_stop=1@0.2"])
    clock.over = True
    for thread in threads:
        thread.join(20.0)
    arm.close()
    bus.shutdown()
    said = capsys.readouterr().out
    assert code == 0 and "emulated cabinet: FRI 1.15" in said and "emulated hand: v4 right" in said
    assert arm.messages and arm.undecodable == [] and " 0 protocol errors" in said
    assert any(message.robotInfo.safetyState == 2 for _, message in arm.messages)
    assert hand.reports and hand.serial == [b"EMARv400"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--faults", "explode@1"], "there are: drop"),
        (["--fri", "nowhere"], "HOST:PORT"),
        (["--lockstep", "127.0.0.1:0"], "name the participants"),
        (["--perturb", "standard"], "needs physics"),
        (["--can-interface", "no_such_interface"], "cannot have its ports"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(arguments, word, capsys):
    assert main([*IDEAL, *arguments, "--seconds", "0.01"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("h2s2r-hw: ") and word in error and error.count("\n") == 1


def test_help_lists_all_faults(capsys):
    with pytest.raises(SystemExit):
        main(["emulate", "--help"])
    said = capsys.readouterr().out
    assert "silent_finger" in said and "time_jump" in said


def test_who_does_not_join_is_named(capsys):
    done = main(
        [*IDEAL, "--fri", "127.0.0.1:0", "--lockstep", "127.0.0.1:0", "--participants", "arm", "--patience", "0.05"]
    )
    assert done == 2 and "arm did not join" in capsys.readouterr().err
