"""Lock-step: turns in order, messages before time, nobody lost; and the wall clock behind the same protocol.

In:  threads that play processes.   Out: who acted when.
Not here: real processes (test_processes).
"""

from __future__ import annotations

import queue
import threading
import time

import pytest

from h2s2r_hw.clock import LockstepClock, LockstepError, RealClock
from h2s2r_hw.emulators.lockstep import Lockstep


class Metronome:
    """Sends one message on channel ``a`` every 10 ns, and reads channel ``b``."""

    def __init__(self, log):
        self.log, self.due, self.box = log, 0, queue.Queue()

    def next_event_ns(self):
        return self.due

    def act(self, now_ns):
        self.due += 10
        self.log.append(("metronome", now_ns))
        self.box.put(now_ns)
        return {"a": 1}

    def hear(self, channel, count, now_ns):
        if channel == "b":
            self.log.append(("heard", now_ns, count))
        return {}


def group(bodies, until_ns, names=None):
    """Run threads in lock-step; returns what they logged, and who left."""
    log, left, failures = [], [], []
    clock = Lockstep(patience=10.0, on_leave=left.append)
    stage = Metronome(log)

    def live(name, channels, body):
        try:
            own = LockstepClock(clock.address, name, channels, patience=10.0)
        except LockstepError as error:
            failures.append(str(error))
            return
        try:
            body(own, log, stage)
        except LockstepError as error:
            failures.append(str(error))
        finally:
            own.close()

    threads = [threading.Thread(target=live, args=(name, channels, body)) for name, (channels, body) in bodies.items()]
    for thread in threads:
        thread.start()
    clock.gather(tuple(names or bodies))
    clock.run(stage, until_ns)
    clock.close()
    for thread in threads:
        thread.join(10.0)
    return log, left, failures


def sleeper(period):
    def body(own, log, stage):
        while True:
            log.append((period, own.now_ns()))
            own.wait_until(own.now_ns() + period)

    return body


def test_everybody_acts_at_their_times_and_one_after_the_other():
    expected = None
    for _ in range(3):
        log, _, _ = group({"late": ((), sleeper(7)), "early": ((), sleeper(5))}, 21)
        assert [entry for entry in log if entry[0] == 5] == [(5, 0), (5, 5), (5, 10), (5, 15), (5, 20)]
        assert [entry for entry in log if entry[0] == 7] == [(7, 0), (7, 7), (7, 14), (7, 21)]
        expected = expected or log
        assert log == expected
    assert [entry[1] for entry in expected] == sorted(entry[1] for entry in expected)


def test_a_message_is_received_in_the_moment_it_was_sent_and_answered_before_time_passes():
    def echo(own, log, stage):
        while True:
            got = own.receive("a", lambda seconds: stage.box.get(timeout=seconds), 2**62)
            log.append(("echo", own.now_ns(), got))
            own.sent("b", 2)

    log, _, _ = group({"echo": (("a",), echo)}, 25)
    assert log == [
        entry for now in (0, 10, 20) for entry in (("metronome", now), ("echo", now, now), ("heard", now, 2))
    ]


def test_waiting_for_a_message_ends_when_its_time_is_over():
    def impatient(own, log, stage):
        own.receive("a", lambda seconds: stage.box.get(timeout=seconds), 2**62)
        log.append(("nothing", own.receive("a", lambda seconds: None, own.now_ns() + 3), own.now_ns()))
        own.wait_until(2**62)

    log, _, _ = group({"impatient": (("a",), impatient)}, 8)
    assert ("nothing", None, 3) in log


def test_what_others_send_reaches_all_readers_but_not_the_sender():
    def sender(own, log, stage):
        own.sent("c", 3)
        own.wait_until(5)
        log.append(("own", own.arrived("c")))
        own.wait_until(2**62)

    def reader(own, log, stage):
        while not own.arrived("c"):
            own.wait()
        log.append(("reader", own.now_ns(), own.arrived("c")))
        own.wait_until(2**62)

    log, _, _ = group({"a sender": (("c",), sender), "reader 1": (("c",), reader), "reader 2": (("c",), reader)}, 9)
    assert log.count(("reader", 0, 3)) == 2 and ("own", 0) in log


def test_time_passes_without_those_who_die():
    def mortal(own, log, stage):
        own.wait_until(12)

    log, left, _ = group({"mortal": ((), mortal), "sleeper": ((), sleeper(10))}, 40)
    assert left == ["mortal"]
    assert (10, 40) in log


def test_a_message_that_was_announced_and_does_not_come_is_an_error_and_not_a_hang():
    def waits(own, log, stage):
        own.receive("a", lambda seconds: None, 2**62)

    _, left, failures = group({"waits": (("a",), waits)}, 5)
    assert left == ["waits"] and "did not arrive" in failures[0]


def test_a_stranger_is_told_who_is_expected_and_the_group_goes_on():
    clock, refused = Lockstep(patience=10.0), []

    def live():
        try:
            LockstepClock(clock.address, "stranger", (), patience=10.0)
        except LockstepError as error:
            refused.append(str(error))
        own = LockstepClock(clock.address, "here", (), patience=10.0)
        own.wait_until(5)
        own.close()

    thread = threading.Thread(target=live)
    thread.start()
    clock.gather(("here",))
    assert clock.names == ("here",) and "expected are: here" in refused[0]
    clock.run(Metronome([]), 20)
    assert clock.names == ()
    thread.join(10.0)
    clock.close()


def test_those_who_do_not_come_and_clocks_that_are_not_there_are_named():
    with pytest.raises(LockstepError, match="absent did not join"):
        Lockstep(patience=0.05).gather(("absent",))
    with pytest.raises(LockstepError, match="start the emulated cell first"):
        LockstepClock("127.0.0.1:1", "somebody", (), patience=1.0)
    with pytest.raises(LockstepError, match="No clock answers"):
        LockstepClock("nowhere", "somebody", (), patience=1.0)


def test_a_participant_that_does_not_end_its_turn_is_named():
    clock = Lockstep(patience=0.2)
    hanging = threading.Event()

    def live():
        own = LockstepClock(clock.address, "hangs", (), patience=10.0)
        hanging.wait(10.0)
        own.close()

    thread = threading.Thread(target=live)
    thread.start()
    clock.gather(("hangs",))
    with pytest.raises(LockstepError, match="hangs did not end its turn"):
        clock.run(Metronome([]), 10)
    hanging.set()
    clock.close()
    thread.join(10.0)


def test_the_wall_clock_keeps_the_same_protocol():
    clock = RealClock()
    start = clock.now_ns()
    clock.wait_until(start + 5_000_000)
    assert clock.now_ns() >= start + 5_000_000
    clock.wait_until(0)
    box = queue.Queue()
    box.put("message")

    def read(seconds):
        try:
            return box.get(timeout=seconds) if seconds else box.get_nowait()
        except queue.Empty:
            return None

    assert clock.receive("any", read, 0) == "message"
    assert clock.receive("any", read, clock.now_ns() + 1_000_000) is None
    clock.sent("any")
    assert RealClock(time.monotonic_ns() - 10**9).now_ns() >= 10**9
